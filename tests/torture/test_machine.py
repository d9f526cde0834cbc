"""Random histories of a stack on the real engine: after each completed step, cloud, state and program agree.

Each step is something that users do or that happens to them: they edit the program and run `up`, press Ctrl-C in
the middle, lose the host or the CLI, refresh, destroy, import existing targets; they move targets into components,
rename resources, stacks and projects, divide them among two stacks, replace, use `--target`; they forget the alias,
use a taken name or another organization's credentials, are refused, and follow the advice of the error; somebody
changes a target manually; the service has a short outage. The steps come from a fixed seed; `--hypothesis-seed`
sets another one, and a failure prints the seed and the steps.
"""

from __future__ import annotations

import re
import shlex
import sys
import traceback
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, note, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.support.cloud import Cloud
from tests.support.engine import SYNC_TYPE, TARGET_TYPE
from tests.support.waiting import eventually
from tests.torture.agreement import resources
from tests.torture.commands import Command
from tests.torture.fault_cases import FAULT_CASES, FaultCase, Outcome
from tests.torture.points import CALLS, Point, Strike
from tests.torture.points import Phase as Where
from tests.torture.test_kill_points import OUR_TRACE, hold, strike_down
from tests.torture.wanted import BY_HAND, PLACES, Declaration, Wanted, by_hand
from tests.torture.worlds import DESTROY, REFRESH, UP, Origin

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from tests.support.engine import Stack
    from tests.support.process import Result
    from tests.torture.agreement import Disagreement
    from tests.torture.tally import Tally
    from tests.torture.worlds import World

RESOURCES = ("kept", "changed", "gone", "moved", "new", "newer")
DEATHS = (Strike.CLI_KILL, Strike.CTRL_C, Strike.HOST_KILL, Strike.CTRL_C_TWICE, Strike.CLI_TERM)

edits = st.lists(
    st.tuples(
        st.sampled_from(RESOURCES),
        st.sampled_from(
            (
                "add or remove",
                "endpoint",
                "retries",
                "events",
                "health check",
                "move",
                "rename",
                "name",
                "sync",
                "move sync",
                "rename sync",
                "forget sync",
            )
        ),
        st.integers(1, 3),
    ),
    max_size=4,
)
absorbable = [
    each
    for each in FAULT_CASES
    if each.burst is Outcome.ABSORBED and "429" not in each.name and each.name != "slow"
]
calls = st.sampled_from(sorted(CALLS.keys() - {"get_target"}))
phases = st.sampled_from((Where.BEFORE, Where.AFTER))
fault_cases = st.one_of(st.none(), st.sampled_from(absorbable))


SIMPLE_EDITS = ("endpoint", "retries", "events")


def targets_of(wanted: Iterable[Declaration]) -> list[Wanted]:
    return [each for each in wanted if isinstance(each, Wanted)]


def edited(wanted: Wanted, what: str, number: int, turn: int) -> Wanted:
    """The target after an edit of its lines."""
    fresh = f"{wanted.identity}_{turn}_{number}"
    changes: dict[str, dict[str, Any]] = {
        "endpoint": {"path": f"/{number}"},
        "retries": {"max_retries": number},
        "events": {"event_types": ("CONVERSATION_STARTED", f"EVENT_{number}")},
        "health check": {"health_check": not wanted.health_check},
        "move": {"parents": PLACES[(PLACES.index(wanted.parents) + number) % len(PLACES)]},
        "rename": {"resource": fresh, "key": wanted.identity, "name": wanted.called},
        "name": {"name": fresh},
        "sync": {"webhook": f"?{number}"} if wanted.synced else {"synced": True},
        "move sync": {
            "sync_parents": PLACES[(PLACES.index(wanted.sync_parents) + number) % len(PLACES)],
            "synced": True,
        },
        "rename sync": {"sync": f"{fresh}-sync", "synced": True},
        "forget sync": {"synced": False},
    }
    return replace(wanted, **changes[what])


class StackMachine(RuleBasedStateMachine):
    """A stack from its first `up`, and a second one that is created and removed."""

    origin: Origin
    tally: Tally

    def __init__(self) -> None:
        super().__init__()
        self.world: World = self.origin.branch()
        self.drifted = False
        self.imports = 0
        self.turns = 0
        self.elsewhere: Cloud | None = None
        self.tally.totals["sequences"] += 1

    def teardown(self) -> None:
        """Ends the sequence."""
        # Hypothesis may call a failure flaky, since runs differ, and then does not show it.
        if isinstance(sys.exc_info()[1], Exception):
            traceback.print_exc()
        if self.elsewhere is not None:
            self.elsewhere.__exit__()
        self.world.cloud.__exit__()

    # What users do.

    @rule(edits=edits, fault_case=fault_cases)
    def up(self, edits: list[tuple[str, str, int]], fault_case: FaultCase | None) -> None:
        """Edits the program and runs `up`, possibly with a burst of a fault."""
        self.edit(edits)
        self.inject_fault(fault_case)
        result = self.world.stack.run(*self.command())
        self.counts("up", result)
        if result.code != 0:
            assert fault_case is not None, result.output
            self.heals()
        self.settles()

    @initialize(edits=edits, call=calls, phase=phases)
    def begins_badly(self, edits: list[tuple[str, str, int]], call: str, phase: Where) -> None:
        """The first `up` of each life is interrupted."""
        self.interrupted_up(edits, call, phase)

    @rule(edits=edits, call=calls, phase=phases)
    def interrupted_up(self, edits: list[tuple[str, str, int]], call: str, phase: Where) -> None:
        """Edits the program and runs `up`; something dies in the middle, if that call happens at all.

        Each kind of death is used in turn, since Hypothesis tends to repeat values.
        """
        strike = DEATHS[sum(self.tally.interruptions.values()) % len(DEATHS)]
        self.edit(edits)
        self.provoke(call)
        note(f"{strike.value} at {call}")
        point = Point("own", "", call, phase, strike)
        hold(self.world, CALLS[call], point)
        command = Command(self.world.stack, *self.command())
        try:
            eventually(lambda: self.world.cloud.held() or command.ended)
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
    @rule(fault_case=fault_cases)
    def refresh(self, fault_case: FaultCase | None) -> None:
        """Runs `refresh`."""
        self.inject_fault(fault_case)
        result = self.world.stack.run(*REFRESH)
        self.counts("refresh", result)
        self.world.cloud.calm()
        if result.code != 0:
            assert fault_case is not None, result.output
            result = self.world.stack.run(*REFRESH)
            assert result.code == 0, result.output
        self.nothing_is_lost()

    @precondition(lambda self: self.world.targets())
    @rule(fault_case=fault_cases)
    def destroy(self, fault_case: FaultCase | None) -> None:
        """Runs `destroy`."""
        self.inject_fault(fault_case)
        wanted = self.wanted
        result = self.world.stack.run(*DESTROY)
        self.counts("destroy", result)
        self.world.cloud.calm()
        if result.code != 0:
            assert fault_case is not None, result.output
            result = self.world.stack.run(*DESTROY)
            assert result.code == 0, result.output
        self.drifted = False
        self.world.want([])
        self.settles()
        self.write(wanted)

    @precondition(lambda self: self.imports == 0)
    @rule()
    def import_what_was_made_by_hand(self) -> None:
        """Somebody created a target, and the stack imports it."""
        self.starts_settled()
        self.imports += 1
        want = Wanted("imported")
        self.world.cloud.requests()
        made = self.world.cloud.api("POST", json=by_hand(self.world.cloud, want)).json()["id"]
        result = self.world.stack.import_(TARGET_TYPE, want.resource, made, "--protect=false")
        self.counts("import", result)
        assert result.code == 0, result.output
        self.nothing_is_lost()
        self.write([*self.wanted, want])

    # Refactoring. Mistakes are refused, with an error that tells how to continue.

    @precondition(lambda self: self.there())
    @rule(data=st.data(), what=st.sampled_from(("move", "rename")), number=st.integers(1, 3))
    def forgets_the_alias(self, data: st.DataObject, what: str, number: int) -> None:
        """A target is moved or renamed without the alias; the user pastes it from the error."""
        self.starts_settled()
        want = self.draws(data)
        target_id, former = self.world.settled[want.identity], want.urn(self.world.stack)
        changed = replace(edited(want, what, number, self.turn()), name=want.called)
        self.changes(changed, aliased=False)
        output = self.refused(UP, f'aliases=["{former}"]', target_id, "name=")
        (pasted,) = set(re.findall(r'aliases=\["(urn:[^"]+)"\]', output))
        self.world.want(
            replace(each, aliases=(pasted,)) if each.identity == want.identity else each
            for each in self.wanted
        )
        self.succeeds(UP, "alias pasted")
        self.settles()

    @precondition(lambda self: len(self.there()) > 1)
    @rule(data=st.data())
    def chain(self, data: st.DataObject) -> None:
        """Each target takes the name of the next one, in one `up`."""
        self.starts_settled()
        order = data.draw(st.permutations(self.there()))[:3]
        names = [*(each.called for each in order[1:]), f"{order[-1].identity}_{self.turn()}"]
        self.changes(*(replace(each, name=name) for each, name in zip(order, names, strict=True)))
        self.succeeds(UP, "chain of names")
        self.settles()

    @precondition(lambda self: len(self.there()) > 1)
    @rule(data=st.data())
    def exchange(self, data: st.DataObject) -> None:
        """Two targets swap their names; the user follows the steps in the error."""
        self.starts_settled()
        one, other = data.draw(st.permutations(self.there()))[:2]
        first, second = replace(one, name=other.called), replace(other, name=one.called)
        self.changes(first, second)
        output = self.refused(UP, "interim name")
        assert "aliases" not in output, output
        self.changes(replace(first, name=f"interim_{self.turn()}"))
        self.succeeds(UP, "interim name")
        self.changes(first)
        self.succeeds(UP, "final name")
        self.settles()

    @precondition(lambda self: len(self.there()) > 1)
    @rule(data=st.data(), new=st.booleans())
    def takes_the_name_of_one_that_goes(self, data: st.DataObject, new: bool) -> None:
        """A removed target's name becomes free after all updates; the error has the command to delete it first."""
        self.starts_settled()
        going, other = data.draw(st.permutations(self.there()))[:2]
        taker = Wanted(f"taker{self.turn()}") if new else other
        rest = [each for each in self.wanted if each.identity not in {going.identity, taker.identity}]
        self.write([*rest, replace(taker, name=going.called)])
        urn = going.urn(self.world.stack)
        output = self.refused(UP, f"pulumi destroy --target '{urn}'", asked_for={going.identity})
        assert new or "aliases" not in output, output
        (command,) = set(re.findall(r"`pulumi (destroy --target '[^`]*)`", output))
        self.succeeds((*shlex.split(command), "--yes", "--skip-preview"), "destroy of one")
        self.succeeds(UP, "up")
        self.settles()

    @rule(what=st.sampled_from(("stack", "project")))
    def renames_all(self, what: str) -> None:
        """`pulumi stack rename`."""
        self.starts_settled()
        new = f"{what}{self.turn()}"
        if what == "stack":
            self.world.stack.rename(new)
        else:
            self.world.stack.rename(project=new)
        self.write(self.wanted)
        self.succeeds(UP, f"{what} rename")
        self.settles()

    @precondition(lambda self: self.there())
    @rule(data=st.data())
    def renames_in_the_state(self, data: st.DataObject) -> None:
        """`pulumi state rename`."""
        self.starts_settled()
        want = self.draws(data)
        renamed = edited(want, "rename", 0, self.turn())
        self.world.stack.must("state", "rename", "--yes", want.urn(self.world.stack), renamed.resource)
        self.changes(renamed)
        self.succeeds(UP, "state rename")
        self.settles()

    @precondition(lambda self: self.there())
    @rule(data=st.data())
    def replaces(self, data: st.DataObject) -> None:
        """`up --replace` replaces only what was requested."""
        self.starts_settled()
        want = self.draws(data)
        self.succeeds((*UP, "--replace", want.urn(self.world.stack)), "up --replace")
        self.settles(asked_for={want.identity})

    @precondition(lambda self: self.there())
    @rule(data=st.data(), what=st.sampled_from(SIMPLE_EDITS), number=st.integers(1, 3))
    def aims(self, data: st.DataObject, what: str, number: int) -> None:
        """`up --target`, while another change is pending."""
        self.starts_settled()
        want = self.draws(data)
        self.changes(*(edited(each, what, number, self.turn()) for each in self.there()))
        command = (*UP, "--target", want.urn(self.world.stack), "--target-dependents")
        self.succeeds(command, "up --target")
        self.nothing_is_lost()
        self.succeeds(UP, "up")
        self.settles()

    @precondition(lambda self: any(each.synced for each in self.there()))
    @rule(data=st.data())
    def ends_a_sync_alone(self, data: st.DataObject) -> None:
        """`destroy --target <sync>`: the one case of a wrong sync, until the next `up`."""
        self.starts_settled()
        want = data.draw(st.sampled_from([each for each in self.there() if each.synced]))
        command = (*DESTROY, "--target", want.sync_urn(self.world.stack))
        self.succeeds(command, "destroy of a sync alone")
        self.nothing_is_lost()
        self.succeeds(UP, "up")
        self.settles()

    # A second stack, a second organization.

    @precondition(lambda self: self.world.second is None)
    @rule(data=st.data(), same_project=st.booleans())
    def second_stack_comes(self, data: st.DataObject, same_project: bool) -> None:
        """It wants a name of the first stack, is refused, and uses another one."""
        self.starts_up_to_date()
        turn = self.turn()
        project = self.world.stack.project if same_project else f"other{turn}"
        stack = self.world.comes(project, f"second{turn}")
        own = Wanted(f"own{turn}")
        if self.there():
            holder = self.draws(data)
            self.world.want([replace(own, name=holder.called)], stack)
            target_id = self.world.settled[holder.identity]
            output = self.refused(UP, holder.urn(self.world.stack), target_id, "state move", stack=stack)
            assert "If you moved or renamed" not in output, output
        self.world.want([own], stack)
        self.succeeds(UP, "second stack", stack=stack)
        self.settles()

    @precondition(lambda self: self.world.second is not None)
    @rule()
    def second_stack_goes(self) -> None:
        """It destroys its own targets, and nothing else."""
        self.starts_up_to_date()
        assert self.world.second is not None
        self.succeeds(DESTROY, "destroy of the second", stack=self.world.second)
        self.world.goes()
        self.settles()

    @precondition(lambda self: self.world.second is not None and self.at_top())
    @rule(data=st.data(), first=st.booleans())
    def moves_to_the_second_stack(self, data: st.DataObject, first: bool) -> None:
        """`pulumi state move`, followed by an `up` of each stack, in either order."""
        self.starts_settled()
        stack, second = self.world.stack, self.world.second
        assert second is not None
        want = data.draw(st.sampled_from(self.at_top()))
        urns = [want.urn(stack), *([want.sync_urn(stack)] if want.synced else [])]
        stack.must("state", "move", "--yes", "--source", stack.qualified, "--dest", second.qualified, *urns)
        self.write([each for each in self.wanted if each != want])
        self.world.want([*self.world.wanted_of(second), replace(want, aliases=(), sync_aliases=())], second)
        for each in (stack, second) if first else (second, stack):
            self.succeeds(UP, "state move", stack=each)
        self.settles()

    @precondition(lambda self: self.world.second is not None and self.at_top())
    @rule(data=st.data())
    def second_stack_imports(self, data: st.DataObject) -> None:
        """It imports a target with a warning, owns it from its first `up` on, and the first stack releases it."""
        self.starts_settled()
        stack, second = self.world.stack, self.world.second
        assert second is not None
        want = data.draw(st.sampled_from(self.at_top()))
        target_id = self.world.settled[want.identity]
        # Otherwise the gateway would hear DELETED from one stack and UPDATED from the other.
        self.changes(replace(want, synced=False))
        self.succeeds(UP, "up")
        imported = second.import_(TARGET_TYPE, want.resource, target_id, "--protect=false")
        assert imported.code == 0, imported.output
        assert "warning" in imported.output, imported.output
        assert want.urn(stack) in imported.output, imported.output
        taken = replace(want, aliases=(), sync_aliases=(), synced=True, sync=f"taken{self.turn()}-sync")
        self.world.want([*self.world.wanted_of(second), taken], second)
        self.succeeds(UP, "import of another's", stack=second)
        self.write([each for each in self.wanted if each.identity != want.identity])
        output = self.succeeds(UP, "letting go")
        assert taken.urn(second) in output, output
        self.settles()

    @precondition(lambda self: len(self.there()) == len(self.wanted) > 0)
    @rule(command=st.sampled_from((UP, REFRESH, DESTROY, (*UP, "--refresh"), (*DESTROY, "--refresh"))))
    def uses_another_organization(self, command: tuple[str, ...]) -> None:
        """With its credentials nothing is read, written or removed; with the old ones everything works again."""
        self.starts_settled()
        if self.elsewhere is None:
            directory = self.world.cloud.directory / "elsewhere"
            self.elsewhere = Cloud(directory, beside=self.world.cloud).__enter__()
        here, there = self.world.cloud, self.elsewhere
        here.requests()
        words = (here.organization, here.emulator.url, there.organization, there.emulator.url)
        self.refused(command, *words, "pulumi state delete", env=there.env)
        assert there.writes() == []
        assert there.targets() == {}
        assert here.gone == []
        self.succeeds(UP, "set back")
        self.settles()

    # What happens to users.

    @precondition(lambda self: self.world.targets())
    @rule(data=st.data(), what=st.sampled_from(("change", "delete", "fail")))
    def drift(self, data: st.DataObject, what: str) -> None:
        """Somebody changes a target manually."""
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

    def turn(self) -> int:
        """A new number, for unused names."""
        self.turns += 1
        return self.turns

    def there(self) -> list[Wanted]:
        """The existing targets of the program that are in the state of the first stack."""
        cloud, stack = self.world.cloud, self.world.stack
        cloud.requests()
        living = {each["id"] for each in cloud.targets().values()}
        urns = {each["urn"] for each in self.world.targets().values() if each["id"] in living}
        return [each for each in self.wanted if each.urn(stack) in urns]

    def at_top(self) -> list[Wanted]:
        """Those of them that are in no component."""
        return [each for each in self.there() if not each.parents and not each.sync_parents]

    @property
    def wanted(self) -> list[Wanted]:
        """What the program of the first stack declares: here no sources."""
        return targets_of(self.world.wanted)

    def draws(self, data: st.DataObject) -> Wanted:
        """Draws one of them."""
        drawn: Wanted = data.draw(st.sampled_from(self.there()))
        return drawn

    def write(self, wanted: Iterable[Wanted], *, without_alias: Collection[str] = ()) -> None:
        """Rewrites the program of the first stack, with aliases for resources with another URN in the state."""
        stack = self.world.stack
        targets = {each["id"]: each["urn"] for each in resources(stack, TARGET_TYPE).values()}
        syncs = {each["outputs"]["targetId"]: each["urn"] for each in resources(stack, SYNC_TYPE).values()}

        def aliased(want: Wanted) -> Wanted:
            target_id = self.world.settled.get(want.identity, "")
            target, sync = targets.get(target_id), syncs.get(target_id)
            kept = target and target != want.urn(stack) and want.identity not in without_alias
            # Some users forget it; then the sync counts as a new one.
            kept_sync = sync and sync != want.sync_urn(stack) and self.turns % 2
            return replace(
                want,
                aliases=(target,) if target and kept else (),
                sync_aliases=(sync,) if sync and kept_sync else (),
            )

        self.world.want(aliased(each) for each in wanted)

    def changes(self, *changed: Wanted, aliased: bool = True) -> None:
        """Rewrites these lines of the program, with their aliases."""
        new = {each.identity: each for each in changed}
        self.write(
            [new.get(each.identity, each) for each in self.wanted],
            without_alias=() if aliased else new.keys(),
        )

    def edit(self, edits: list[tuple[str, str, int]]) -> None:
        """Changes the program."""
        wanted = {each.identity: each for each in self.wanted}
        for name, what, number in edits:
            if name not in wanted:
                self.add(wanted, name)
            elif what == "add or remove":
                del wanted[name]
            else:
                wanted[name] = edited(wanted[name], what, number, self.turn())
        self.write(wanted.values())

    def add(self, wanted: dict[str, Wanted], identity: str) -> None:
        """Adds a target with an unused name, unless the second stack has it."""
        second = self.world.second
        elsewhere = [] if second is None else targets_of(self.world.wanted_of(second))
        if identity in {each.identity for each in elsewhere}:
            return
        taken = {each.called for each in (*self.wanted, *wanted.values(), *elsewhere)}
        taken |= {
            target["outputs"]["name"]
            for stack in (self.world.stack, second)
            if stack is not None
            for target in self.world.targets(stack).values()
        }
        taken -= {each.called for each in self.wanted if each.identity == identity}
        name = f"{identity}_{self.turn()}" if identity in taken else ""
        former = next((each for each in self.wanted if each.identity == identity), None)
        wanted[identity] = former or Wanted(identity, name=name)

    def provoke(self, call: str) -> None:
        """Changes the program so that `up` makes the call."""
        wanted = {each.identity: each for each in self.wanted}
        missing = [name for name in RESOURCES if name not in wanted]
        turn = self.turn()
        if missing and (call in {"login", "list_targets", "create_target"} or not wanted):
            self.add(wanted, missing[0])
        elif call == "delete_target":
            del wanted[next(iter(wanted))]
        elif call == "notify":
            name = next(iter(wanted))
            wanted[name] = replace(wanted[name], synced=True, webhook=f"?turn={turn}")
        elif wanted:
            name = next(iter(wanted))
            wanted[name] = replace(wanted[name], path=f"/turn{turn}", health_check=True)
        self.write(wanted.values())

    def inject_fault(self, fault_case: FaultCase | None) -> None:
        """Prepares a burst of a fault for the next requests."""
        if fault_case is not None:
            self.world.cloud.control(
                "faults", match={"path": fault_case.path}, **fault_case.fault(), times=fault_case.burst_length
            )

    def command(self) -> tuple[str, ...]:
        """An ordinary `up`, with a refresh if there were manual changes."""
        return (*UP, "--refresh") if self.drifted else UP

    def counts(self, step: str, result: Result) -> None:
        """Counts a command, and checks that its output has no traceback."""
        self.tally.steps[step] += 1
        note(result.output)
        assert OUR_TRACE not in result.output, result.output

    def starts_settled(self) -> None:
        """First resolves manual changes and pending edits; an import may still wait for its first `up`."""
        if self.drifted or len(self.there()) < len(self.wanted):
            self.starts_up_to_date()

    def starts_up_to_date(self) -> None:
        """First brings the stack up to date, for a step in which only the second stack gets an `up`."""
        self.heals()
        self.settles()

    def succeeds(self, command: tuple[str, ...], step: str, stack: Stack | None = None) -> str:
        """Runs a command that must succeed."""
        result = (stack or self.world.stack).run(*command)
        self.counts(step, result)
        assert result.code == 0, result.output
        return result.output

    def refused(
        self,
        command: tuple[str, ...],
        *words: str,
        stack: Stack | None = None,
        env: dict[str, str] | None = None,
        asked_for: Collection[str] = (),
    ) -> str:
        """Runs a command that must fail with these texts, and checks that nothing is lost."""
        result = (stack or self.world.stack).run(*command, env=env)
        self.counts("refused", result)
        assert result.code != 0, result.output
        for each in words:
            assert each in result.output, f"{each!r} is missing in:\n{result.output}"
        self.nothing_is_lost(asked_for)
        return result.output

    def heals(self) -> None:
        """Checks that one `up` recovers, after a `cancel` if Pulumi asks for it."""
        self.world.cloud.calm()
        result, _ = self.world.run(*self.command())
        assert result.code == 0, result.output

    def settles(self, asked_for: Collection[str] = ()) -> None:
        """Checks that everything agrees."""
        self.world.cloud.calm()
        leaks, searched = self.world.leaks()
        self.tally.totals["searched"] += searched
        self.drifted = False
        self.agrees([*self.world.lost(asked_for), *self.world.disagreements(), *leaks])
        self.world.settle()

    def nothing_is_lost(self, asked_for: Collection[str] = ()) -> None:
        """Checks between two `up`s: no orphan, no duplicate, and no lost target."""
        kinds = {"orphan", "duplicate", "pending"}
        found = [each for each in self.world.disagreements() if each.kind in kinds]
        self.agrees([*self.world.lost(asked_for), *found])

    def agrees(self, found: list[Disagreement]) -> None:
        """Counts and fails."""
        self.tally.bad.update(each.kind for each in found)
        assert found == []


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "number" in metafunc.fixturenames:
        metafunc.parametrize("number", range(10))


@pytest.mark.full_length
@pytest.mark.timeout(0)
def test_random_histories(origin: Origin, tally: Tally, number: int, request: pytest.FixtureRequest) -> None:
    long = request.config.getoption("--torture")
    StackMachine.origin, StackMachine.tally = origin, tally
    run_state_machine_as_test(
        seed(int(request.config.getoption("--hypothesis-seed") or 0) + number)(StackMachine),
        settings=settings(
            max_examples=4 if long else 1,
            stateful_step_count=10 if long else 5,
            database=None,
            deadline=None,
            print_blob=True,
            # Shrinking a failure would take hours, so its steps are printed unchanged.
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
