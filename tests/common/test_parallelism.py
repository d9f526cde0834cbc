"""The advice after a run whose operations the engine executed in waves, in virtual time."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from genesys_provider.client.errors import Cancelled
from genesys_provider.common.parallelism import Parallelism


class Engine:
    """Executes operations like the engine: a fixed number at a time, with one more already checked.

    All take the same time, so each wave begins when the previous one ends.
    """

    def __init__(self) -> None:
        self.now = 100.0
        self.parallelism = Parallelism(lambda: self.now)

    def up(self, count: int, seconds: float, *, parallel: int, kind: str = "target", first: int = 0) -> None:
        names = [f"{kind}-{number}" for number in range(first, first + count)]
        ahead: list[str] = []
        while names:
            wave, names = names[:parallel], names[parallel:]
            with ExitStack() as waits:
                for name in wave:
                    if name not in ahead:
                        self.parallelism.queued(name)
                    self.parallelism.begun(name)
                    waits.enter_context(self.parallelism.awaiting_verdict(kind))
                ahead = names[:1]
                for name in ahead:
                    self.parallelism.queued(name)
                self.now += seconds


@pytest.fixture
def engine() -> Engine:
    return Engine()


def test_waves_lead_to_advice_with_a_sufficient_number(engine: Engine) -> None:
    engine.now += 2  # The rest of the run.
    engine.up(100, 5, parallel=8)
    assert engine.parallelism.advice() == (
        "8 of 100 targets waited at a time; with `--parallel 100`, or `PULUMI_PARALLEL=100` without that option, "
        "this `up` would have taken about 7 s, not 67 s"
    )


def test_a_single_wave_needs_no_advice(engine: Engine) -> None:
    engine.up(100, 5, parallel=100)
    assert engine.parallelism.advice() is None


def test_waiting_for_dependencies_is_not_waiting_for_a_slot(engine: Engine) -> None:
    """The program declares the second four once it has the outputs of the first four."""
    engine.up(4, 20, parallel=8)
    engine.up(4, 20, parallel=8, first=4)
    assert engine.parallelism.advice() is None


def test_a_few_seconds_need_no_advice(engine: Engine) -> None:
    engine.up(20, 0.3, parallel=4)
    assert engine.parallelism.advice() is None


def test_an_operation_that_never_begins_does_not_count(engine: Engine) -> None:
    """Its check failed, or a refresh found a difference that the program does not have."""
    engine.parallelism.queued("target-9")
    engine.up(4, 20, parallel=8)
    engine.up(4, 20, parallel=8, first=4)
    assert engine.parallelism.advice() is None


def test_the_time_of_the_engine_itself_does_not_count(engine: Engine) -> None:
    """On a busy machine, one operation is always just checked, although there are enough slots for all."""
    with ExitStack() as waits:
        for number in range(150):
            engine.parallelism.queued(f"target-{number}")
            engine.now += 0.2
            engine.parallelism.begun(f"target-{number}")
            waits.enter_context(engine.parallelism.awaiting_verdict("target"))
        engine.now += 5
    assert engine.parallelism.advice() is None


def test_overlapping_waits_for_a_slot_count_once(engine: Engine) -> None:
    with engine.parallelism.awaiting_verdict("target"):
        engine.parallelism.queued("a")
        engine.now += 2
        engine.parallelism.queued("b")
        engine.now += 2
        engine.parallelism.begun("b")
        engine.now += 2
        engine.parallelism.begun("a")
    for _ in range(2):
        with engine.parallelism.awaiting_verdict("target"):
            engine.now += 4
    told = engine.parallelism.advice()
    assert told is not None
    assert "about 8 s, not 14 s" in told


def test_the_rate_limit_bounds_the_advice(engine: Engine) -> None:
    engine.up(400, 5, parallel=8)
    told = engine.parallelism.advice(least_seconds=120)
    assert told is not None
    assert "about 120 s, not 250 s" in told
    assert engine.parallelism.advice(least_seconds=249) is None


def test_a_cancelled_run_gets_no_advice(engine: Engine) -> None:
    engine.up(20, 5, parallel=4)
    with pytest.raises(Cancelled), engine.parallelism.awaiting_verdict("target"):
        raise Cancelled("Ctrl-C")
    assert engine.parallelism.advice() is None


def test_targets_and_sources(engine: Engine) -> None:
    engine.up(20, 5, parallel=4)
    engine.up(10, 5, parallel=4, kind="source")
    told = engine.parallelism.advice()
    assert told is not None
    assert told.startswith("4 of 30 targets and sources waited at a time; with `--parallel 30`, or ")
