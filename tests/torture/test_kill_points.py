"""Whatever dies at any point, one ordinary `pulumi up` makes cloud, state and program agree."""

from __future__ import annotations

import inspect
import os
import signal
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import pytest

from genesys_provider.client.api import GenesysClient
from genesys_provider.targets.gateway import GatewayNotifier
from tests.support.engine import OWN_HOST, TARGET_TYPE
from tests.support.waiting import eventually
from tests.torture.agreement import pending_creates
from tests.torture.commands import Command
from tests.torture.points import (
    CALLS,
    QUICK,
    SCENARIOS,
    WEBHOOK,
    WRITES,
    Call,
    Phase,
    Point,
    Strike,
    every_point,
)
from tests.torture.wanted import Wanted, by_hand
from tests.torture.worlds import UP, Origin

if TYPE_CHECKING:
    from tests.torture.tally import Tally
    from tests.torture.worlds import World

HELD_SECONDS = 25.0
"""Longer than any test takes, and shorter than the client's own time limit."""
HELD_AT_GATEWAY = 8.0
HEARD = "received; cancelling"
"""What the CLI prints at the first signal."""
OUR_TRACE = "/genesys_provider/"
"""What a traceback of ours would show. (Pulumi's SDK prints its own if Ctrl-C interrupts the program.)"""
_KILLS = (Strike.HOST_KILL, Strike.CLI_KILL)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "point" in metafunc.fixturenames:
        points = every_point() if metafunc.config.getoption("--torture") else QUICK
        metafunc.parametrize("point", points, ids=str)
    if "blow" in metafunc.fixturenames:
        both = [(phase, blow) for phase in (Phase.BEFORE, Phase.AFTER) for blow in Strike]
        metafunc.parametrize(
            ("phase", "blow"),
            both if metafunc.config.getoption("--torture") else [(Phase.AFTER, Strike.CLI_KILL)],
            ids=lambda each: each.name,
        )
    if "scenario_name" in metafunc.fixturenames:
        names = SCENARIOS if metafunc.config.getoption("--torture") else ("create", "create source")
        metafunc.parametrize("scenario_name", names)


def test_every_call_of_the_code_has_kill_points() -> None:
    """A new method that makes requests must be added to `CALLS` and to the operations that use it."""
    made = {
        name
        for kind in (GenesysClient, GatewayNotifier)
        for name, _ in inspect.getmembers(kind, inspect.isfunction)
        if not name.startswith("_") and name != "close"
    }
    assert made | {"login"} == CALLS.keys()
    assert {call for each in SCENARIOS.values() for call in each.calls} == CALLS.keys()
    struck = {(point.call, point.phase, point.strike) for point in every_point() if point.host == "own"}
    for call in CALLS:
        for strike in Strike:
            assert {(call, Phase.BEFORE, strike), (call, Phase.AFTER, strike)} <= struck
    for name in ("create", "update", "delete", "sync"):
        here = {point.call for point in every_point() if point.scenario == name}
        assert here >= WRITES & set(SCENARIOS[name].calls)


def test_every_request_of_an_operation_has_kill_points(origin: Origin, scenario_name: str) -> None:
    """An operation that makes a new call must name it in `SCENARIOS`."""
    scenario = SCENARIOS[scenario_name]
    world = origin.branch()
    with world.cloud:
        scenario.prepare(world)
        world.cloud.requests()
        result = world.stack.run(*scenario.command)
        assert (result.code == 0) is not bool(scenario.refused), result.output
        assert scenario.refused in result.output
        seen = [
            (each["at"], named(each["method"], each["path"]))
            for each in world.cloud.control("requests", "GET")
        ]
        seen += [(each["at"], "notify") for each in world.cloud.received()["syncs"]]
    made = list(dict.fromkeys(call for _, call in sorted(seen)))
    assert [call for call in made if call not in scenario.sometimes] == list(scenario.calls)


def named(method: str, path: str) -> str:
    """The name of the call that a request belongs to."""
    exact = [name for name, call in CALLS.items() if (call.method, call.path) == (method, path)]
    return (
        exact
        or [name for name, call in CALLS.items() if call.method == method and fnmatchcase(path, call.path)]
    )[0]


def test_one_up_recovers(origin: Origin, point: Point, tally: Tally) -> None:
    world = origin.branch(OWN_HOST if point.host == "own" else None)
    with world.cloud, world.leftovers:
        scenario = SCENARIOS[point.scenario]
        scenario.prepare(world)
        world.cloud.requests()
        said = meet(world, point, scenario.command, refused=bool(scenario.refused))
        assert point.host == "stock" or OUR_TRACE not in said, said
        if scenario.recovered is not None:
            world.want(scenario.recovered)
            if point.phase is Phase.BEFORE:
                # Nothing was written, so there is nothing to report to the gateway.
                world.cloud.requests()
        recovery = world.recover(*scenario.recovery, asked_for=scenario.asked_for)
        tally.point(point, recovery)
        assert recovery.failures == [], said


def test_an_import_that_died_is_repeated(origin: Origin, phase: Phase, blow: Strike, tally: Tally) -> None:
    world = origin.branch()
    with world.cloud:
        imported = Wanted("imported")
        made = world.cloud.api("POST", json=by_hand(world.cloud, imported)).json()["id"]
        world.cloud.requests()
        command = (
            "import",
            TARGET_TYPE,
            imported.resource,
            made,
            "--yes",
            "--skip-preview",
            "--protect=false",
        )
        point = Point("own", "import", "get_target", phase, blow)
        said = meet(world, point, command)
        assert OUR_TRACE not in said, said
        world.cloud.calm()
        if imported.resource not in world.targets():
            result, _ = world.run(*command)
            assert result.code == 0, result.output
        world.want([*world.wanted, imported])
        recovery = world.recover()
        tally.point(point, recovery)
        assert recovery.failures == [], said


def test_a_post_that_arrives_after_the_death_of_its_sender_creates_no_duplicate(origin: Origin) -> None:
    """It was still in flight, and overtakes the POST of the next `up`."""
    world = origin.branch()
    with world.cloud:
        SCENARIOS["create"].prepare(world)
        late = Point("own", "create", "create_target", Phase.AFTER, Strike.CLI_KILL)
        match = {"method": "POST", "path": CALLS["create_target"].path}
        waits: dict[str, Any] = {"match": match, "action": "delay", "seconds": HELD_SECONDS, "times": 1}
        commands = []
        try:
            for number in (1, 2):
                world.cloud.control("faults", **waits)
                if number > 1:
                    world.stack.must("cancel", "--yes")
                command = Command(world.stack, *SCENARIOS["create"].command)
                commands.append(command)
                eventually(lambda: len(world.cloud.held()) == number or command.ended)  # noqa: B023
                assert not command.ended, command.output
                hosts = command.meet()
                if number == 1:
                    strike_down(command, late, hosts)
                    command.wait_for_hosts()
            world.cloud.release()
            result = command.wait()
        finally:
            for command in commands:
                command.clean_up()
        assert result.code == 0, result.output
        assert "TARGET_ADOPTED" in world.cloud.audited()
        assert world.disagreements() == []


@pytest.mark.full_length
def test_pending_creates_are_cleared_by_the_command_that_pulumi_names(origin: Origin) -> None:
    """A killed CLI leaves a pending create in the state, which Pulumi's own command removes without loss."""
    world = origin.branch()
    with world.cloud:
        SCENARIOS["create"].prepare(world)
        world.cloud.requests()
        strike(world, Point("own", "create", "create_target", Phase.AFTER, Strike.CLI_KILL))
        recovery = world.recover()
        assert recovery.failures == []
        assert recovery.cancelled
        assert recovery.pending_creates == 1
        world.stack.must("refresh", "--yes", "--skip-preview", "--clear-pending-creates")
        assert pending_creates(world.stack) == 0
        assert world.disagreements() == []
        assert "11 unchanged" in world.stack.up().output


def meet(world: World, point: Point, command: tuple[str, ...], *, refused: bool = False) -> str:
    """Brings the command to the point, applies what happens there, and returns its output."""
    if point.strike in {Strike.DROP, Strike.DROP_ALWAYS}:
        return drop(world, point, command, refused=refused)
    return strike(world, point, command)


def drop(world: World, point: Point, arguments: tuple[str, ...], *, refused: bool) -> str:
    """Drops the connection once, which is absorbed, or each time, which is an error."""
    always = point.strike is Strike.DROP_ALWAYS
    call = CALLS[point.call]
    when = "before" if point.phase is Phase.BEFORE else "after"
    times: dict[str, Any] = {} if always else {"times": 1}
    if call.at_gateway:
        world.cloud.behave(WEBHOOK, drop=True, when=when, **times)
    else:
        match = {"method": call.method, "path": call.path}
        world.cloud.control("faults", match=match, action=f"drop_{when}", **times)
    env = {"GENESYSCLOUD_MAX_RETRIES": "0"} if always else {}
    if always and point.call == "get_verification":
        env["GENESYSCLOUD_VERIFICATION_TIMEOUT"] = "1"
    result = world.stack.run(*arguments, env=env)
    # A health check may fail; if a write was lost, a read finds whether it took effect; if the list can't be read,
    # targets with known ids are read one by one; a refresh goes without the reason of a failure.
    found_out = {"create_target", "create_integration", "configure_integration"}
    harmless = (
        point.call in {"check_health", "list_topics"}
        or (point.call in found_out and when == "after")
        or (point.call == "list_targets" and point.scenario == "destroy")
        or point.scenario == "refresh"
    )
    assert (result.code == 0) == ((not always or harmless) and not refused), result.output
    return result.output


def strike(world: World, point: Point, arguments: tuple[str, ...] = UP) -> str:
    """Brings the command to the point, strikes, and returns its output."""
    call = CALLS[point.call]
    hold(world, call, point)
    command = Command(world.stack, *arguments)
    left = False
    try:
        eventually(lambda: world.cloud.held() or command.ended)
        assert not command.ended, f"the point was not reached:\n{command.output}"
        hosts = command.meet()
        struck = {each["path"] for each in world.cloud.held()}
        if point.phase is Phase.ANSWERED:
            command.send(signal.SIGSTOP)
            world.cloud.release()
            eventually(lambda: call.audited.replace("UPDATED", "") in world.cloud.audited())
        strike_down(command, point, hosts)
        # Requests that were in flight at its death don't count, but later ones would.
        requests = len(world.cloud.control("requests", "GET"))
        world.cloud.release()
        said = command.wait().output
        if point.host == "own":
            command.wait_for_hosts()
        if point.strike in _KILLS and point.host == "own":
            # The same requests for other targets may have been in flight too.
            after = [
                each
                for each in world.cloud.control("requests", "GET")[requests:]
                if each["path"] in struck or named(each["method"], each["path"]) != point.call
            ]
            assert after == [], "a request was made after the death"
        if point.host == "stock":
            # It does not notice that its engine is gone, and continues during the recovery.
            world.leftovers.callback(command.clean_up)
            left = True
        return said
    finally:
        if not left:
            command.clean_up()


def hold(world: World, call: Call, point: Point) -> None:
    """Holds the call at the point; a process that is killed before it is sent never makes it."""
    before = point.phase is Phase.BEFORE
    dies = before and point.strike in _KILLS
    when = "before" if before else "after"
    if call.at_gateway:
        world.cloud.behave(WEBHOOK, seconds=HELD_AT_GATEWAY, when=when, drop=dies, times=1)
    else:
        world.cloud.control(
            "faults",
            match={"method": call.method, "path": call.path},
            action="drop_before" if dies else "delay",
            when=when,
            seconds=HELD_SECONDS,
            times=1,
        )


def strike_down(command: Command, point: Point, hosts: list[int]) -> None:
    """Sends the signals, and returns when they have been received."""
    stopped = point.phase is Phase.ANSWERED
    if point.strike is Strike.HOST_KILL:
        for host in hosts:
            os.kill(host, signal.SIGKILL)
    elif point.strike is Strike.CLI_KILL:
        command.send(signal.SIGKILL)
        command.wait()
        if point.host == "own":
            # It leaves with its engine, even while a request of it is held.
            command.wait_for_hosts()
        return
    elif point.strike is Strike.CLI_TERM:
        command.send(signal.SIGTERM)
    else:
        command.interrupt()
    if stopped:
        command.send(signal.SIGCONT)
    if point.strike is Strike.HOST_KILL:
        return
    eventually(lambda: HEARD in command.output or command.ended)
    if point.strike is Strike.CTRL_C_TWICE:
        command.interrupt()
