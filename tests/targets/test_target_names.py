"""Names that move between targets: which operations wait, and which are refused."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as StillWaiting
from typing import TYPE_CHECKING

import pytest

from genesys_provider.client.errors import Cancelled
from genesys_provider.common.errors import NameTaken
from genesys_provider.common.names import SHOWN_WITHIN_SECONDS, Names
from genesys_provider.common.run import QUIET_SECONDS, Run
from genesys_provider.targets.models import Target
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator


NONE = "no mark: the target was imported, and its first update has yet to come"


def urn(name: str, stack: str = "dev") -> str:
    return f"urn:pulumi:{stack}::house::pulumi-python:dynamic/genesys:EventBridgeTarget::{name}"


def holder(resource: str, name: str, mark: str | None = None) -> Target:
    return Target.read(
        {
            "id": f"id-{resource}",
            "name": name,
            "endpointUrl": "https://gateway.example.com",
            "status": "VERIFIED",
            "headers": {} if mark == NONE else {"X-Pulumi-Resource": mark or urn(resource)},
        }
    )


class World:
    """A run with a stopped clock, and threads that wait in it."""

    def __init__(self) -> None:
        self.now = 0.0
        self.run = Run(lambda: self.now)
        self.cancelled = threading.Event()
        self.names = Names(self.run, self.cancelled)
        self.threads = ThreadPoolExecutor(8)

    def wants(self, resource: str, name: str, held_by: Target, *, creates: bool = False) -> Future[None]:
        """Starts an operation of a resource whose name another target of its stack has."""
        before = len(self.names._waiters)
        waiting = self.asks(resource, name, held_by, creates=creates)
        eventually(lambda: waiting.done() or len(self.names._waiters) > before)
        return waiting

    def asks(self, resource: str, name: str, held_by: Target, *, creates: bool = False) -> Future[None]:
        """The same for a target with another mark, which may be of its stack all the same."""
        started = threading.Event()

        def wait() -> None:
            with self.run.operation():
                started.set()
                self.names.wait_for(name, held_by, urn(resource), creates=creates)

        waiting = self.threads.submit(wait)
        started.wait()
        return waiting

    def shows(self, resource: str) -> None:
        """The engine shows that a resource of the program has its target."""
        self.run.checked(urn(resource))
        self.run.shown(f"id-{resource}", urn(resource))


@pytest.fixture
def world() -> Iterator[World]:
    world = World()
    yield world
    world.cancelled.set()
    world.threads.shutdown()


def refused(waiting: Future[None]) -> str:
    with pytest.raises(NameTaken) as error:
        waiting.result(20)
    return str(error.value)


def test_a_chain_continues_step_by_step(world: World) -> None:
    first = world.wants("x", "b", holder("y", "b"))
    second = world.wants("y", "c", holder("z", "c"))
    world.names.wrote("id-z", "d")
    second.result(20)
    assert not first.done()
    world.names.wrote("id-y", "c")
    first.result(20)


def test_a_name_that_was_released_before_is_free(world: World) -> None:
    world.names.wrote("id-y", "c")
    world.wants("x", "b", holder("y", "b")).result(20)
    world.names.deleted("id-z")
    world.wants("x", "c", holder("z", "c")).result(20)


@pytest.mark.parametrize("size", [2, 3])
def test_a_swap_is_refused_immediately_for_all(world: World, size: int) -> None:
    waiting = [
        world.wants(
            f"r{each}", f"n{(each + 1) % size}", holder(f"r{(each + 1) % size}", f"n{(each + 1) % size}")
        )
        for each in range(size)
    ]
    for each in waiting:
        said = refused(each)
        assert "interim name" in said
        assert "alias" not in said


def test_a_wait_for_a_cycle_ends_with_the_cycle(world: World) -> None:
    behind = world.wants("x", "n0", holder("r0", "n0"))
    for each in (world.wants("r0", "n1", holder("r1", "n1")), world.wants("r1", "n0", holder("r0", "n0"))):
        refused(each)
    world.now += QUIET_SECONDS + 1
    assert "interim" not in refused(behind)


def test_the_name_of_a_removed_target(world: World) -> None:
    waiting = world.wants("x", "b", holder("gone", "b"))
    world.now += QUIET_SECONDS - 1
    assert not waiting.done()
    world.now += 2
    said = refused(waiting)
    assert f"pulumi destroy --target '{urn('gone')}'" in said
    assert "alias" not in said
    # It may be checked later, since it depends on the waiting one, so the error must not say that it was removed.
    assert "If that resource was removed" in said
    assert "still in the program" in said


def test_a_wait_continues_while_other_operations_run(world: World) -> None:
    with world.run.operation():
        waiting = world.wants("x", "b", holder("y", "b"))
        world.now += QUIET_SECONDS + 100
        with pytest.raises(StillWaiting):
            waiting.result(1)
    world.now += QUIET_SECONDS + 1
    refused(waiting)


def test_a_declared_target_that_is_still_queued(world: World) -> None:
    world.shows("y")
    waiting = world.wants("x", "b", holder("y", "b"))
    world.now += QUIET_SECONDS + 1
    said = refused(waiting)
    assert "--parallel" in said
    assert f"pulumi up --target '{urn('y')}'" in said


def test_two_renames_to_one_name_are_refused_immediately(world: World) -> None:
    world.run.created("id-y", urn("y"))
    world.names.wrote("id-y", "b")
    said = refused(world.wants("x", "b", holder("y", "b")))
    assert "`name=`" in said
    assert "`name=`" in refused(world.wants("x", "b", holder("y", "b"), creates=True))


def test_two_new_targets_with_one_name_get_harmless_advice(world: World) -> None:
    """The first one is in this program, but not verified yet, so there is nothing to alias or destroy."""
    world.names.wrote("id-y", "b")
    said = refused(world.wants("x", "b", holder("y", "b"), creates=True))
    assert "`name=`" in said
    assert "alias" not in said
    assert "destroy" not in said


def test_a_name_of_another_stack_is_not_waited_for(world: World) -> None:
    waiting = world.asks("x", "b", holder("y", "b", urn("y", "prod")))
    world.now += SHOWN_WITHIN_SECONDS + 1
    assert "state move" in refused(waiting)


@pytest.mark.parametrize("mark", [NONE, urn("y", "stack before its rename")])
def test_a_target_of_this_program_with_another_mark(world: World, mark: str) -> None:
    waiting = world.asks("x", "b", holder("y", "b", mark))
    world.shows("y")
    world.names.wrote("id-y", "c")
    waiting.result(20)


@pytest.mark.parametrize("creates", [False, True])
def test_nobody_is_told_to_import_what_this_program_has(world: World, creates: bool) -> None:
    world.shows("y")
    waiting = world.wants("x", "b", holder("y", "b", NONE), creates=creates)
    world.now += QUIET_SECONDS + 1
    said = refused(waiting)
    assert "import" not in said
    assert "`name=`" in said


def test_an_exchange_with_an_imported_target(world: World) -> None:
    world.shows("y")
    world.shows("x")
    first = world.wants("x", "b", holder("y", "b", NONE))
    second = world.wants("y", "a", holder("x", "a"))
    assert "interim name" in refused(first)
    assert "interim name" in refused(second)


def test_a_rename_does_not_adopt_the_leftover_of_a_killed_replacement(world: World) -> None:
    said = refused(world.wants("x", "b", holder("copy", "b", urn("x"))))
    assert "Delete it in Genesys Cloud" in said
    assert "pulumi destroy" not in said


def test_a_cancel_ends_the_wait(world: World) -> None:
    waiting = world.wants("x", "b", holder("y", "b"))
    world.cancelled.set()
    with pytest.raises(Cancelled):
        waiting.result(20)
