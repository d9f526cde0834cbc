"""Ownership of targets: each cell of the table in `ownership`."""

from __future__ import annotations

import shlex

import pytest

from genesys_provider.common.errors import OwnedByAnother, ReplacementRefused
from genesys_provider.common.ownership import (
    Owner,
    goes_with_stack,
    is_left_behind,
    taken,
)
from genesys_provider.common.run import QUIET_SECONDS, Ownership, Run
from genesys_provider.common.urns import import_command
from genesys_provider.targets.models import Target

TYPE = "pulumi-python:dynamic/genesys:EventBridgeTarget"
OURS = f"urn:pulumi:dev::house::{TYPE}::orders"
RECORDED = f"urn:pulumi:dev::house::{TYPE}::former"
IN_COMPONENT = f"urn:pulumi:dev::house::house:parts:A${TYPE}::orders"
OF_ANOTHER_STACK = f"urn:pulumi:prod::house::{TYPE}::orders"
OF_ANOTHER_PROJECT = f"urn:pulumi:dev::shop::{TYPE}::orders"
OLD_MARK = "house/dev/orders"


def target(mark: str | None, id_: str = "t-1") -> Target:
    return Target.read(
        {
            "id": id_,
            "name": "orders",
            "endpointUrl": "https://gateway.example.com",
            "status": "VERIFIED",
            "headers": {} if mark is None else {"X-Pulumi-Resource": mark},
        }
    )


@pytest.mark.parametrize(
    ("mark", "may"),
    [(None, True), (OURS, True), (RECORDED, True), (IN_COMPONENT, False), (OF_ANOTHER_STACK, False)],
)
def test_who_may_write(mark: str | None, may: bool) -> None:
    owner = Owner(OURS, RECORDED)
    assert owner.may_write(mark) == may
    if may:
        owner.require(target(mark))
        assert owner.recorded_after_reading(mark) == (mark, None)
    else:
        with pytest.raises(OwnedByAnother, match="pulumi state delete") as refused:
            owner.require(target(mark))
        assert str(mark) in str(refused.value)
        assert owner.recorded_after_reading(mark) == (RECORDED, mark)


@pytest.mark.parametrize("urn", [OURS, None], ids=["own host", "stock host"])
@pytest.mark.parametrize(
    ("mark", "goes"),
    [
        (None, True),
        (OURS, True),
        (RECORDED, True),
        (IN_COMPONENT, True),
        (OLD_MARK, False),
        (OF_ANOTHER_STACK, False),
        (OF_ANOTHER_PROJECT, False),
    ],
)
def test_for_which_owners_a_sync_reports_deleted(mark: str | None, urn: str | None, goes: bool) -> None:
    assert goes_with_stack(mark, urn, RECORDED) == goes


def test_a_renamed_stack_recognizes_its_old_mark() -> None:
    assert goes_with_stack(OF_ANOTHER_STACK, OURS, OF_ANOTHER_STACK)
    assert goes_with_stack(OLD_MARK, OURS, OLD_MARK)


def test_a_sync_for_a_target_that_the_stack_never_owned() -> None:
    assert not goes_with_stack(OF_ANOTHER_STACK, OURS, None)
    assert goes_with_stack(IN_COMPONENT, OURS, None)
    # Created by an earlier version, or manually.
    assert goes_with_stack(OLD_MARK, OURS, None)
    assert goes_with_stack(None, OURS, None)


@pytest.mark.parametrize("mark", [None, RECORDED, IN_COMPONENT, OF_ANOTHER_STACK, OLD_MARK])
def test_a_create_does_not_adopt_another_mark(mark: str | None) -> None:
    assert not is_left_behind(target(mark), OURS, Run(), creates_first=False)


def test_a_create_adopts_a_target_that_the_run_has_not_seen() -> None:
    assert is_left_behind(target(OURS), OURS, Run(), creates_first=False)
    assert not is_left_behind(target(None), None, Run(), creates_first=False)


def test_a_replacement_that_creates_first_adopts_nothing() -> None:
    with pytest.raises(ReplacementRefused, match="delete_before_replace"):
        is_left_behind(target(OURS), OURS, Run(), creates_first=True)


@pytest.mark.parametrize("how", ["shown", "made", "deleted"])
def test_a_create_does_not_adopt_a_target_known_to_the_run(how: str) -> None:
    run = Run()
    if how == "shown":
        run.checked(OURS)
        run.shown("t-1", OURS)
    elif how == "made":
        run.created("t-1", OURS)
    else:
        run.deleted("t-1")
    with pytest.raises(ReplacementRefused, match="delete_before_replace"):
        is_left_behind(target(OURS), OURS, run, creates_first=False)


def hint(mark: str | None, *, urn: str | None = OURS, wanted: bool = False) -> str:
    run = Run()
    if wanted:
        run.created("t-1", str(mark))
    error = taken(target(mark), "the name 'orders'", urn, run)
    assert "t-1" in str(error)
    assert mark is None or mark in str(error)
    return error.hint


def test_the_hint_fits_the_case() -> None:
    moved = hint(IN_COMPONENT)
    assert f'aliases=["{IN_COMPONENT}"]' in moved
    assert "`name=`" in moved
    assert f"pulumi destroy --target '{IN_COMPONENT}'" in moved

    both = hint(IN_COMPONENT, wanted=True)
    assert "`name=`" in both
    assert "alias" not in both

    other_stack = hint(OF_ANOTHER_STACK)
    assert f"pulumi state move --source prod --dest dev '{OF_ANOTHER_STACK}'" in other_stack
    # Pulumi does not move resources into a stack whose dynamic provider has another configuration.
    assert f"pulumi import {TYPE} orders t-1" in other_stack
    assert "alias" not in other_stack

    other_project = hint(OF_ANOTHER_PROJECT)
    assert "--source organization/shop/dev --dest organization/house/dev" in other_project

    unmarked = hint(None)
    assert f"pulumi import {TYPE} orders t-1" in unmarked
    assert "alias" not in unmarked

    assert "earlier version" in hint(OLD_MARK)

    script = hint(None, urn=None)
    assert "update('t-1', …)" in script
    assert "pulumi" not in script
    assert "pulumi" not in hint(OF_ANOTHER_STACK, urn=None)


def test_an_import_of_an_odd_name_can_be_pasted() -> None:
    assert import_command(f"{OURS} of ours", "t-1") == f"pulumi import {TYPE} 'orders of ours' t-1"
    assert import_command(f"{OURS}$", "t-1") == f"pulumi import {TYPE} 'orders$' t-1"


def test_an_import_of_an_odd_id_can_be_pasted() -> None:
    """A service may have ids that are no UUIDs [C]."""
    odd = "t/1+a %2F?b='ü'"
    assert shlex.split(import_command(OURS, odd)) == ["pulumi", "import", TYPE, "orders", odd]


def test_an_import_below_a_component_names_its_parent() -> None:
    """Without the parent, Pulumi would import another resource with this name at the top of the stack."""
    assert import_command(IN_COMPONENT, "t-1").endswith("t-1 --parent 'parent=<URN of its component>'")


class TestRun:
    """What a process may consider as declared."""

    def test_a_refresh_does_not_count_as_a_declaration(self) -> None:
        run = Run()
        assert run.shown("t-1", RECORDED) is None
        assert run.wanted_by("t-1") is None
        # The same process continues with the `up` under the new name, so this is one resource.
        run.checked(OURS)
        assert run.shown("t-1", OURS) is None
        assert run.wanted_by("t-1") == OURS

    def test_two_resources_of_one_target(self) -> None:
        run = Run()
        for urn in (OURS, IN_COMPONENT):
            run.checked(urn)
        assert run.shown("t-1", OURS) is None
        assert run.shown("t-1", OURS) is None
        assert run.shown("t-1", IN_COMPONENT) == OURS

    def test_a_deleted_target_does_not_belong_to_another_resource(self) -> None:
        run = Run()
        run.deleted("t-1")
        run.checked(OURS)
        assert run.shown("t-1", OURS) is None

    def test_a_replaced_or_deleted_target_is_released(self) -> None:
        run = Run()
        run.checked(OURS)
        run.shown("t-1", OURS)
        run.created("t-2", OURS)
        assert run.goes("t-1")
        assert run.knows("t-1")
        assert run.wanted_by("t-1") is None
        run.deleted("t-1")
        assert run.goes("t-1")
        assert run.wanted_by("t-2") == OURS

    def test_quiet(self) -> None:
        now = [0.0]
        run = Run(lambda: now[0])
        with run.operation():
            now[0] = QUIET_SECONDS + 1
            assert not run.quiet
            with run.waiting():
                assert run.quiet, "a waiting operation does not count as running"
                with run.operation():
                    assert not run.quiet
                assert not run.quiet, "one has just ended"
        now[0] += QUIET_SECONDS
        assert not run.quiet
        now[0] += 1
        assert run.quiet

    def test_ownership_that_the_run_has_learned(self) -> None:
        run = Run()
        assert run.ownership("t-1") is None
        run.learned("t-1", Ownership(OURS, "an-organization"))
        run.learned("t-1", Ownership(OURS, "an-organization", "https://api"))
        assert run.ownership("t-1") == Ownership(OURS, "an-organization", "https://api")
