"""Random lives of a stack on the real engine: after each step that settles, cloud, state and program agree.

Each step is one thing that users do or that happens to them: they edit the program and run `up`, press Ctrl-C in
the middle, lose the host or the CLI, refresh, destroy, import what was made by hand; they move targets into
components, rename resources, stacks and projects, divide them among two stacks, replace, aim at one; they forget
the alias, take a name that is not free, or use another organisation's credentials, are refused, and do what the
error says; somebody changes a target by hand; the service has a bad moment. The steps come from a fixed seed;
`--hypothesis-seed` gives another one, and a failure prints the seed and the steps.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from commands import Command
from engine import TARGET_TYPE, until
from hypothesis import HealthCheck, Phase, note, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)
from points import CALLS, Point, Strike
from points import Phase as Where
from test_kill_points import OUR_TRACE, hold, strike_down
from troubles import TROUBLES, Outcome
from wanted import BY_HAND, Wanted, by_hand
from worlds import DESTROY, REFRESH, UP, Origin

if TYPE_CHECKING:
    from agreement import Disagreement
    from engine import Result
    from tally import Tally
    from worlds import World

RESOURCES = ("kept", "changed", "gone", "moved", "new", "newer")
DEATHS = (Strike.CLI_KILL, Strike.CTRL_C, Strike.HOST_KILL, Strike.CTRL_C_TWICE, Strike.CLI_TERM)

edits = st.lists(
    st.tuples(
        st.sampled_from(RESOURCES),
        st.sampled_from(("add or remove", "endpoint", "retries", "events", "sync", "health check")),
        st.integers(1, 3),
    ),
    max_size=4,
)
absorbable = [
    each
    for each in TROUBLES
    if each.burst is Outcome.ABSORBED and "429" not in each.name and each.name != "slow"
]
calls = st.sampled_from(sorted(CALLS.keys() - {"get_target"}))
phases = st.sampled_from((Where.BEFORE, Where.AFTER))
troubles = st.one_of(st.none(), st.sampled_from(absorbable))


def edited(wanted: Wanted, what: str, number: int) -> Wanted:
    """The target after an edit of its lines."""
    if what == "endpoint":
        return replace(wanted, path=f"/{number}")
    if what == "retries":
        return replace(wanted, max_retries=number)
    if what == "events":
        return replace(wanted, event_types=("CONVERSATION_STARTED", f"EVENT_{number}"))
    if what == "sync":
        return replace(wanted, webhook=f"?{number}") if wanted.synced else replace(wanted, synced=True)
    return replace(wanted, health_check=not wanted.health_check)


class Lives(RuleBasedStateMachine):
    """One stack, from its first `up` on."""

    origin: Origin
    tally: Tally

    def __init__(self) -> None:
        super().__init__()
        self.world: World = self.origin.branch()
        self.drifted = False
        self.imports = 0
        self.turns = 0
        self.tally.totals["sequences"] += 1

    def teardown(self) -> None:
        """Ends the sequence."""
        self.world.cloud.__exit__()

    # What users do.

    @rule(edits=edits, trouble=troubles)
    def up(self, edits: list[tuple[str, str, int]], trouble: object) -> None:
        """Edits the program and brings it up, perhaps in a bad moment of the service."""
        self.edit(edits)
        self.bad_moment(trouble)
        result = self.world.stack.run(*self.command())
        self.counts("up", result)
        if result.code != 0:
            assert trouble is not None, result.output
            self.heals()
        self.settles()

    @initialize(edits=edits, call=calls, phase=phases)
    def begins_badly(self, edits: list[tuple[str, str, int]], call: str, phase: Where) -> None:
        """The first `up` of each life is interrupted."""
        self.interrupted_up(edits, call, phase)

    @rule(edits=edits, call=calls, phase=phases)
    def interrupted_up(self, edits: list[tuple[str, str, int]], call: str, phase: Where) -> None:
        """Edits the program and brings it up; something dies in the middle, if it comes to that call at all.

        Hypothesis likes to repeat itself; so each kind of death has its turn.
        """
        strike = DEATHS[sum(self.tally.interruptions.values()) % len(DEATHS)]
        self.edit(edits)
        self.provoke(call)
        note(f"{strike.value} at {call}")
        point = Point("own", "", call, phase, strike)
        hold(self.world, CALLS[call], point)
        command = Command(self.world.stack, *self.command())
        try:
            until(lambda: self.world.cloud.held() or command.ended, 60)
            reached = not command.ended
            self.tally.interruptions["struck" if reached else "not reached"] += 1
            if reached:
                strike_down(command, point, command.meet())
                self.world.cloud.release()
            result = command.wait()
        finally:
            command.clean_up()
        self.counts(f"up with {strike.value}" if reached else "up", result)
        self.heals()
        self.settles()

    @precondition(lambda self: self.world.targets())
    @rule(trouble=troubles)
    def refresh(self, trouble: object) -> None:
        """Looks what has become of the targets."""
        self.bad_moment(trouble)
        result = self.world.stack.run(*REFRESH)
        self.counts("refresh", result)
        self.world.cloud.calm()
        if result.code != 0:
            assert trouble is not None, result.output
            result = self.world.stack.run(*REFRESH)
            assert result.code == 0, result.output
        self.nothing_is_lost()

    @precondition(lambda self: self.world.targets())
    @rule(trouble=troubles)
    def destroy(self, trouble: object) -> None:
        """Takes everything down."""
        self.bad_moment(trouble)
        wanted = self.world.wanted
        result = self.world.stack.run(*DESTROY)
        self.counts("destroy", result)
        self.world.cloud.calm()
        if result.code != 0:
            assert trouble is not None, result.output
            result = self.world.stack.run(*DESTROY)
            assert result.code == 0, result.output
        self.drifted = False
        self.world.wanted = []
        self.settles()
        self.world.wanted = wanted

    @precondition(lambda self: self.imports == 0)
    @rule()
    def import_what_was_made_by_hand(self) -> None:
        """Somebody made a target; the stack takes it over."""
        self.imports += 1
        want = Wanted("imported")
        self.world.cloud.requests()
        made = self.world.cloud.api("POST", json=by_hand(self.world.cloud, want)).json()["id"]
        result = self.world.stack.import_(TARGET_TYPE, want.resource, made, "--protect=false")
        self.counts("import", result)
        assert result.code == 0, result.output
        self.nothing_is_lost()
        self.world.want([*self.world.wanted, want])

    # What happens to them.

    @precondition(lambda self: self.world.targets())
    @rule(data=st.data(), what=st.sampled_from(("change", "delete", "fail")))
    def drift(self, data: st.DataObject, what: str) -> None:
        """Somebody does something to a target by hand."""
        cloud = self.world.cloud
        cloud.requests()
        there = sorted(each["id"] for each in cloud.targets().values())
        names = {each["id"]: name for name, each in self.world.targets().items() if each["id"] in there}
        if not names:
            return
        target_id = data.draw(st.sampled_from(sorted(names, key=lambda each: names[each])))
        self.drifted = True
        self.tally.steps["drift"] += 1
        if what == "change":
            cloud.change(target_id, eventTypes=BY_HAND)
        elif what == "delete":
            cloud.api("DELETE", f"/{target_id}")
        else:
            cloud.control(f"targets/{target_id}/status", status="FAILED", message="endpoint answered 502")

    # The parts of steps.

    def edit(self, edits: list[tuple[str, str, int]]) -> None:
        """Changes the program."""
        wanted = {each.resource: each for each in self.world.wanted}
        for name, what, number in edits:
            if name not in wanted:
                wanted[name] = Wanted(name)
            elif what == "add or remove":
                del wanted[name]
            else:
                wanted[name] = edited(wanted[name], what, number)
        self.world.want(wanted.values())

    def provoke(self, call: str) -> None:
        """Changes the program once more, so that `up` makes the call."""
        wanted = {each.resource: each for each in self.world.wanted}
        missing = [name for name in RESOURCES if name not in wanted]
        self.turns += 1
        if missing and (call in {"login", "list_targets", "create_target"} or not wanted):
            wanted[missing[0]] = Wanted(missing[0])
        elif call == "delete_target":
            del wanted[next(iter(wanted))]
        elif call == "notify":
            name = next(iter(wanted))
            wanted[name] = replace(wanted[name], synced=True, webhook=f"?turn={self.turns}")
        else:
            name = next(iter(wanted))
            wanted[name] = replace(wanted[name], path=f"/turn{self.turns}", health_check=True)
        self.world.want(wanted.values())

    def bad_moment(self, trouble: object) -> None:
        """A burst of a trouble waits for whoever comes."""
        if trouble is not None:
            self.world.cloud.control(
                "faults", match={"path": trouble.path}, **trouble.fault(), times=trouble.burst_length
            )

    def command(self) -> tuple[str, ...]:
        """An ordinary `up`; what was done by hand, only a refresh can know."""
        return (*UP, "--refresh") if self.drifted else UP

    def counts(self, step: str, result: Result) -> None:
        """Whatever a command comes to, it says so without a traceback."""
        self.tally.steps[step] += 1
        note(result.output)
        assert OUR_TRACE not in result.output, result.output

    def heals(self) -> None:
        """One `up` puts it right, after a `cancel` where Pulumi asks for it."""
        self.world.cloud.calm()
        result, _ = self.world.run(*self.command())
        assert result.code == 0, result.output

    def settles(self) -> None:
        """Everything agrees."""
        self.world.cloud.calm()
        leaks, searched = self.world.leaks()
        self.tally.totals["searched"] += searched
        self.drifted = False
        self.agrees([*self.world.disagreements(), *leaks])

    def nothing_is_lost(self) -> None:
        """Between two `up`s at least this: each target is in the state, and no two are one."""
        self.agrees(
            [each for each in self.world.disagreements() if each.kind in {"orphan", "duplicate", "pending"}]
        )

    def agrees(self, found: list[Disagreement]) -> None:
        """Counts and fails."""
        self.tally.bad.update(each.kind for each in found)
        assert found == []


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "number" in metafunc.fixturenames:
        metafunc.parametrize("number", range(10 if metafunc.config.getoption("--torture") else 1))


@pytest.mark.timeout(0)
def test_lives(origin: Origin, tally: Tally, number: int, request: pytest.FixtureRequest) -> None:
    long = request.config.getoption("--torture")
    Lives.origin, Lives.tally = origin, tally
    run_state_machine_as_test(
        seed(int(request.config.getoption("--hypothesis-seed") or 0) + number)(Lives),
        settings=settings(
            max_examples=4 if long else 2,
            stateful_step_count=10 if long else 5,
            database=None,
            deadline=None,
            print_blob=True,
            # To make a failure smaller takes hours; its steps are printed as they are.
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
