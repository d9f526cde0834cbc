"""Faults of network and service in `up`, `refresh` and `destroy` are absorbed, or give one clear error."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.waiting import eventually
from tests.torture.commands import Command
from tests.torture.fault_cases import ABSORBED, FAULT_CASES, STORM, FaultCase, Outcome
from tests.torture.points import CALLS, WEBHOOK
from tests.torture.wanted import Wanted
from tests.torture.worlds import DESTROY, REFRESH, UP, Origin

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.process import Result
    from tests.torture.tally import Tally
    from tests.torture.worlds import World

RUNS = {"up": UP, "refresh": REFRESH, "destroy": DESTROY}
QUICK = {
    ("up", "not the schema", True),
    ("destroy", "not the schema", False),
}
_kept, _changed, _gone, _moved = Origin.UP


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "fault_case" in metafunc.fixturenames:
        every = [
            (run, fault_case, lasts) for run in RUNS for fault_case in FAULT_CASES for lasts in (False, True)
        ]
        if not metafunc.config.getoption("--torture"):
            every = [
                (run, fault_case, lasts)
                for run, fault_case, lasts in every
                if (run, fault_case.name, lasts) in QUICK
            ]
        metafunc.parametrize(
            ("run", "fault_case", "lasts"),
            every,
            ids=[f"{run}-{fault_case}-{'lasting' if lasts else 'burst'}" for run, fault_case, lasts in every],
        )

    elif "happens" in metafunc.fixturenames:
        calls = ("create_target", "update_target", "delete_target", "get_verification")
        both = [(happens, call) for happens in (_revoked, _restarted) for call in calls]
        if not metafunc.config.getoption("--torture"):
            both = [(_revoked, "create_target")]
        metafunc.parametrize(
            ("happens", "call"), both, ids=[f"{happens.__name__[1:]}-{call}" for happens, call in both]
        )
    elif "run" in metafunc.fixturenames:
        metafunc.parametrize("run", RUNS if metafunc.config.getoption("--torture") else ("up",))


def prepare(world: World, run: str) -> None:
    """Prepares a run of each kind that makes all its requests."""
    if run == "up":
        world.want([_kept, replace(_changed, path="/new"), _moved, Wanted("new")])
    elif run == "refresh":
        world.cloud.requests()
        changed = world.targets()["changed"]["id"]
        world.cloud.change(changed, eventTypes=["SOMETHING_ELSE"])
    else:
        world.want([])
    world.cloud.requests()


def settle(world: World, run: str, result: Result, outcome: Outcome, says: str, tally: Tally) -> None:
    """Compares the run with its required outcome, and lets the next one recover."""
    assert "Traceback" not in result.output, result.output
    assert (result.code == 0) == (outcome is ABSORBED), result.output
    world.cloud.calm()
    if outcome is ABSORBED and run != "refresh":
        assert world.disagreements() == [], result.output
    if outcome is not ABSORBED:
        assert says in result.output, result.output
        told = errors_of(result.output)
        assert told, result.output
        assert set(told.values()) == {1}, result.output
    # The next refresh finds what the failed one would have found.
    recovery = world.recover(*{"up": UP, "refresh": (*UP, "--refresh"), "destroy": DESTROY}[run])
    tally.recovered(recovery)
    assert recovery.failures == [], result.output


def errors_of(output: str) -> dict[str, int]:
    """The number of errors for each resource in the diagnostics, without the engine's summary at the stack."""
    blocks = re.findall(
        r"^  \S+ \((\S+)\):\n((?:    .*\n)+)", output.rpartition("Diagnostics:")[2], re.MULTILINE
    )
    counts = {name: text.count("    error: ") for name, text in blocks if name != "house-dev"}
    return {name: count for name, count in counts.items() if count}


def test_each_fault_has_its_outcome(
    origin: Origin, run: str, fault_case: FaultCase, lasts: bool, tally: Tally
) -> None:
    world = origin.branch()
    with world.cloud:
        prepare(world, run)
        times: dict[str, Any] = {} if lasts else {"times": fault_case.burst_length}
        world.cloud.control("faults", match={"path": fault_case.path}, **fault_case.fault(), **times)
        env = {"GENESYSCLOUD_VERIFICATION_TIMEOUT": "3", **fault_case.env} if lasts else {}
        result = world.stack.run(*RUNS[run], env=env)
        outcome = fault_case.outcome(lasts=lasts)
        settle(world, run, result, outcome, fault_case.says, tally)
        tally.faults[f"{fault_case.name}, {'lasting' if lasts else 'a burst'}: {outcome.value}"] += 1


@pytest.mark.full_length
def test_a_storm_is_absorbed(origin: Origin, run: str, tally: Tally) -> None:
    world = origin.branch()
    with world.cloud:
        prepare(world, run)
        for method, path, fault in STORM:
            match = {"method": method, "path": path}
            world.cloud.control("faults", match=match, **fault, times=1)
        world.cloud.behave(WEBHOOK, status=503, times=2)
        result = world.stack.run(*RUNS[run], env={"GENESYSCLOUD_MAX_RETRIES": "4"})
        settle(world, run, result, ABSORBED, "", tally)
        tally.faults[f"a storm of all kinds in {run}: absorbed"] += 1


def _revoked(world: World) -> None:
    world.cloud.control("tokens/revoke")


def _restarted(world: World) -> None:
    world.cloud.restart(with_state=True)


def _wiped(world: World) -> None:
    world.cloud.restart(with_state=False)


@pytest.mark.full_length
def test_events_during_a_run_are_absorbed(
    origin: Origin, happens: Callable[[World], Any], call: str, tally: Tally
) -> None:
    world = origin.branch()
    with world.cloud:
        prepare(world, "up")
        if call == "get_verification":
            # If several wait, they poll the list.
            world.want([_kept, replace(_changed, path="/new"), _moved])
        result = up_during(world, call, happens)
        settle(world, "up", result, ABSORBED, "", tally)
        tally.faults[f"{happens.__name__.strip('_')} in the middle: absorbed"] += 1


@pytest.mark.full_length
def test_an_api_that_lost_everything_is_reported(origin: Origin, tally: Tally) -> None:
    """Our state loses nothing, and the error names the command that creates everything again."""
    world = origin.branch()
    with world.cloud:
        prepare(world, "up")
        result = up_during(world, "update_target", _wiped)
        assert result.code != 0
        assert "Run `pulumi up --refresh`" in result.output, result.output
        assert "Traceback" not in result.output
        recovery = world.recover("up", "--refresh", "--yes", "--skip-preview")
        tally.recovered(recovery)
        assert recovery.failures == []
        tally.faults["restarted without its state: one clear error, healed by up --refresh"] += 1


def up_during(
    world: World, call: str, happens: Callable[[World], Any], env: dict[str, str] | None = None
) -> Result:
    """An `up` during which something happens just when this call arrives."""
    match = {"method": CALLS[call].method, "path": CALLS[call].path}
    world.cloud.control("faults", match=match, action="delay", seconds=25, times=1)
    command = Command(world.stack, *UP, env=env)
    try:
        eventually(lambda: world.cloud.held() or command.ended)
        assert not command.ended, command.output
        command.meet()
        happens(world)
        world.cloud.release()
        return command.wait()
    finally:
        command.clean_up()
