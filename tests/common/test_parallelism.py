"""What a run says of operations that the engine let wait in turns, in virtual time."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from genesys_provider.client.errors import Cancelled
from genesys_provider.common.parallelism import Parallelism


class Engine:
    """Carries operations out as the engine does: so many at a time, each checked one ahead of its turn.

    All take the same time, so that a wave begins when the one before it ends.
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


def test_who_waited_in_turns_is_told_the_figure_that_would_do(engine: Engine) -> None:
    engine.now += 2  # what the rest of the run took
    engine.up(100, 5, parallel=8)
    assert engine.parallelism.advice() == (
        "8 of 100 targets waited at a time; with `PULUMI_PARALLEL=100` this `up` would have taken about 7 s, "
        "not 67 s"
    )


def test_who_waited_all_at_a_time_is_told_nothing(engine: Engine) -> None:
    engine.up(100, 5, parallel=100)
    assert engine.parallelism.advice() is None


def test_what_depends_on_others_waits_for_them_and_not_for_its_turn(engine: Engine) -> None:
    """The program declares the second four when it has the outputs of the first."""
    engine.up(4, 20, parallel=8)
    engine.up(4, 20, parallel=8, first=4)
    assert engine.parallelism.advice() is None


def test_nothing_is_said_of_a_few_seconds(engine: Engine) -> None:
    engine.up(20, 0.3, parallel=4)
    assert engine.parallelism.advice() is None


def test_what_never_begins_waits_for_no_turn(engine: Engine) -> None:
    """It failed its check, or a refresh found a difference that the program does not see."""
    engine.parallelism.queued("target-9")
    engine.up(4, 20, parallel=8)
    engine.up(4, 20, parallel=8, first=4)
    assert engine.parallelism.advice() is None


def test_what_the_engine_itself_takes_is_no_turn(engine: Engine) -> None:
    """On a busy machine there is always one that was just checked, although all have a place."""
    with ExitStack() as waits:
        for number in range(150):
            engine.parallelism.queued(f"target-{number}")
            engine.now += 0.2
            engine.parallelism.begun(f"target-{number}")
            waits.enter_context(engine.parallelism.awaiting_verdict("target"))
        engine.now += 5
    assert engine.parallelism.advice() is None


def test_two_that_wait_for_their_turn_together_count_once(engine: Engine) -> None:
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


def test_the_rate_limit_may_set_the_pace(engine: Engine) -> None:
    engine.up(400, 5, parallel=8)
    told = engine.parallelism.advice(least_seconds=120)
    assert told is not None
    assert "about 120 s, not 250 s" in told
    assert engine.parallelism.advice(least_seconds=249) is None


def test_a_run_that_was_cancelled_is_told_nothing(engine: Engine) -> None:
    engine.up(20, 5, parallel=4)
    with pytest.raises(Cancelled), engine.parallelism.awaiting_verdict("target"):
        raise Cancelled("Ctrl-C")
    assert engine.parallelism.advice() is None


def test_targets_and_sources(engine: Engine) -> None:
    engine.up(20, 5, parallel=4)
    engine.up(10, 5, parallel=4, kind="source")
    told = engine.parallelism.advice()
    assert told is not None
    assert told.startswith("4 of 30 targets and sources waited at a time; with `PULUMI_PARALLEL=30`")
