"""Ownership of targets: a live target is never adopted or deleted for somebody else.

Each test is an ordinary task: code is moved, renamed, divided among stacks, imported. If it can't continue, the
error names the solution, and the test applies it. Tests with a `host` run under both; imports and warnings are only
supported by ours.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.support.cloud import OWNER_HEADER, TARGETS, mark
from tests.support.declared import COMPONENT, OTHER_COMPONENT, opts
from tests.support.engine import OWN_HOST, SYNC_TYPE, TARGET_TYPE, id_of, urn
from tests.support.process import refused, succeeded
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from tests.support.cloud import Cloud
    from tests.support.declared import Declared
    from tests.support.engine import Stack

IGNORE_ALL = (
    "pulumi.runtime.register_resource_transform(lambda args: pulumi.ResourceTransformResult(args.props, "
    "pulumi.ResourceOptions.merge(args.opts, pulumi.ResourceOptions(ignore_changes=['*']))))"
)
"""A line of a program: the engine puts the old inputs in place of all new ones, the owner mark included."""


def pasted(output: str) -> str:
    """The alias from an error, as it is printed."""
    found = re.findall(r'aliases=\["(urn:[^"]+)"\]', output)
    assert len(set(found)) == 1, output
    return f'["{found[0]}"]'


def in_component(declared: Declared, kind: str = "A", **more: str) -> list[str]:
    """The target `orders` and its sync, in a component."""
    return [
        declared.component("parts", kind),
        declared.target("orders", opts=opts(parent="parts", **more)),
    ]


def assert_marks(shown: str, new: str) -> None:
    """Checks that the preview shows the updates of the marks."""
    assert re.search(rf'owner\s*: "[^"]*"\s*=> "{re.escape(new)}"', shown), shown


def up(declared: Declared, host: Path | None, *lines: str, **options: Any) -> Stack:
    stack = declared.stack(declared.program(*(lines or (declared.target("orders"),))), host=host, **options)
    succeeded(stack.up())
    return stack


def made_by_hand(cloud: Cloud) -> str:
    """The id of a new target `orders` without a mark."""
    body = {
        "name": "orders",
        "endpointUrl": cloud.endpoint("orders"),
        "authType": "NONE",
        "authConfig": {},
        "retryPolicy": {"maxRetries": 5, "backoffStrategy": "EXPONENTIAL", "initialDelaySeconds": 2},
        "eventTypes": ["A"],
    }
    created: str = cloud.api("POST", json=body).json()["id"]
    return created


# Moves.


def test_a_move_into_a_component_requires_the_alias(
    declared: Declared, cloud: Cloud, host: Path | None
) -> None:
    stack = up(declared, host)
    target_id = id_of(stack)
    stack.program(declared.program(*in_component(declared)))
    output = refused(stack.up(), f'aliases=["{urn("orders")}"]', target_id, "name=")
    assert cloud.living() == {"orders": target_id}
    # Here the engine deletes the old one although the new one was not created.
    assert pasted(refused(stack.up("--continue-on-error"), "stays, since")) == pasted(output)
    assert cloud.living() == {"orders": target_id}

    stack.program(declared.program(*in_component(declared, aliases=pasted(output))))
    succeeded(stack.up())
    assert cloud.living() == {"orders": target_id}
    assert id_of(stack) == target_id
    assert cloud.marks() == {"orders": urn("orders", COMPONENT)}
    assert "3 unchanged" in succeeded(stack.up("--refresh"))


@pytest.mark.full_length
@pytest.mark.parametrize("why", ["the name is taken", "the list is refused"])
def test_a_move_without_the_alias_that_continues_after_errors(
    declared: Declared, cloud: Cloud, host: Path | None, why: str
) -> None:
    """With `--continue-on-error` the engine deletes the old resource, although the new one was not created."""
    stack = up(declared, host, declared.target("orders"), declared.sync("orders"))
    target_id = id_of(stack)
    sync = declared.sync("orders", opts=opts(parent="parts"))
    stack.program(declared.program(*in_component(declared), sync))
    if why == "the list is refused":
        refusal = {"match": {"method": "GET", "path": TARGETS}, "action": "status", "status": 403, "times": 2}
        cloud.control("faults", **refusal)
    output = refused(stack.up("--continue-on-error"), "stays, since", urn("orders", COMPONENT))
    assert cloud.living() == {"orders": target_id}
    assert cloud.told() == [("UPDATED", target_id)]

    stack.program(declared.program(*in_component(declared, aliases=pasted(output)), sync))
    succeeded(stack.up())
    assert cloud.marks() == {"orders": urn("orders", COMPONENT)}
    assert cloud.told() == [("UPDATED", target_id)] * 2
    succeeded(stack.destroy())
    assert cloud.told()[2:] == [("DELETED", target_id)]


@pytest.mark.full_length
def test_a_target_that_is_removed_beside_errors_is_deleted(
    declared: Declared, cloud: Cloud, host: Path | None
) -> None:
    stack = up(declared, host, declared.target("orders"), declared.target("more"))
    more = id_of(stack, "more")
    cloud.behave("/v1/genesys/events/broken", status=500)
    stack.program(declared.program(declared.target("more"), declared.target("broken")))
    refused(stack.up("--continue-on-error"), "broken")
    assert cloud.living()["more"] == more
    assert "orders" not in cloud.living()


@pytest.mark.full_length
def test_a_move_without_the_alias_after_a_stack_rename(declared: Declared, cloud: Cloud) -> None:
    """The alias in each error is the URN in the state, not that of the mark, which is still the old one."""
    stack = up(declared, OWN_HOST, declared.target("orders"), declared.sync("orders"))
    target_id = id_of(stack)
    stack.rename("live")
    stack.program(declared.program(*in_component(declared)))
    output = refused(stack.up("--continue-on-error"), f'aliases=["{stack.urn("orders")}"]', "stays, since")
    stack.program(declared.program(*in_component(declared, aliases=pasted(output))))
    succeeded(stack.up())
    assert cloud.living() == {"orders": target_id}
    assert cloud.marks() == {"orders": stack.urn("orders", COMPONENT)}


@pytest.mark.full_length
def test_a_move_out_of_a_component_requires_the_alias(
    declared: Declared, cloud: Cloud, host: Path | None
) -> None:
    stack = up(declared, host, *in_component(declared))
    target_id = id_of(stack)
    stack.program(declared.program(declared.target("orders")))
    output = refused(stack.up(), f'aliases=["{urn("orders", COMPONENT)}"]')
    assert cloud.living() == {"orders": target_id}
    stack.program(declared.program(declared.target("orders", opts=opts(aliases=pasted(output)))))
    succeeded(stack.up())
    assert cloud.marks() == {"orders": urn("orders")}
    assert cloud.living() == {"orders": target_id}
    succeeded(stack.destroy())
    assert cloud.living() == {}


@pytest.mark.full_length
def test_a_move_with_its_alias_is_shown_and_marked(
    declared: Declared, cloud: Cloud, host: Path | None
) -> None:
    stack = up(declared, host)
    target_id = id_of(stack)
    stack.program(
        declared.program(*in_component(declared, aliases="[pulumi.Alias(parent=pulumi.ROOT_STACK_RESOURCE)]"))
    )
    assert_marks(succeeded(stack.preview("--diff")), urn("orders", COMPONENT))
    cloud.requests()
    succeeded(stack.up())
    assert cloud.writes() == ["PUT 200"]
    assert cloud.marks() == {"orders": urn("orders", COMPONENT)}
    assert stack.resources()["orders"]["outputs"]["owner"] == urn("orders", COMPONENT)
    assert cloud.living() == {"orders": target_id}
    assert "3 unchanged" in succeeded(stack.up())


@pytest.mark.full_length
def test_a_moved_component_keeps_its_target(declared: Declared, cloud: Cloud, host: Path | None) -> None:
    inner = declared.component("inner", "B", parent="outer")
    target = declared.target("orders", opts=opts(parent="inner"))
    stack = up(declared, host, declared.component("outer"), inner, target)
    target_id = id_of(stack)
    assert cloud.marks() == {"orders": urn("orders", COMPONENT, OTHER_COMPONENT)}
    moved = declared.component(
        "inner", "B", aliases="[pulumi.Alias(parent='urn:pulumi:dev::house::house:parts:A::outer')]"
    )
    stack.program(declared.program(moved, target))
    succeeded(stack.up())
    assert cloud.marks() == {"orders": urn("orders", OTHER_COMPONENT)}
    assert cloud.living() == {"orders": target_id}


@pytest.mark.full_length
def test_a_move_with_a_new_target_in_the_old_place(
    declared: Declared, cloud: Cloud, host: Path | None
) -> None:
    """The second of two targets with one name in Genesys is refused; with another name both exist."""
    stack = up(declared, host)
    target_id = id_of(stack)
    moved = [
        declared.component("parts"),
        declared.target("moved", called="orders", name="'orders'", opts=opts(parent="parts")),
    ]
    stack.program(declared.program(declared.target("orders"), *moved))
    refused(stack.up(), urn("orders"), target_id, "name=")
    assert cloud.living() == {"orders": target_id}
    moved[1] = declared.target("moved", called="orders", name="'more'", opts=opts(parent="parts"))
    stack.program(declared.program(declared.target("orders"), *moved))
    succeeded(stack.up())
    assert cloud.marks() == {"orders": urn("orders"), "more": urn("orders", COMPONENT)}
    assert cloud.living()["orders"] == target_id


@pytest.mark.full_length
def test_children_with_one_name_in_two_components(
    declared: Declared, cloud: Cloud, host: Path | None
) -> None:
    def program(second_name: str, *, first: bool = True) -> str:
        one = [declared.component("a", "A"), declared.target("one", called="events", opts=opts(parent="a"))]
        two = [
            declared.component("b", "B"),
            declared.target("two", called="events", name=second_name, opts=opts(parent="b")),
        ]
        return declared.program(*(one if first else []), *two)

    stack = declared.stack(program("'events'"), host=host)
    output = refused(stack.up(), "name=")
    held = cloud.marks()
    assert list(held.values()) in ([urn("events", COMPONENT)], [urn("events", OTHER_COMPONENT)])
    assert str(held["events"]) in output
    target_id = cloud.living()["events"]
    assert target_id in output
    refused(stack.up(), target_id)
    assert cloud.living() == {"events": target_id}

    stack.program(program("'other'"))
    succeeded(stack.up())
    assert cloud.marks() == {"events": urn("events", COMPONENT), "other": urn("events", OTHER_COMPONENT)}
    other = cloud.living()["other"]
    stack.program(program("'other'", first=False))
    succeeded(stack.up())
    assert cloud.living() == {"other": other}


@pytest.mark.full_length
def test_the_mark_is_the_urn_under_any_parent(declared: Declared, cloud: Cloud) -> None:
    """A name may contain the separator of URNs; the stack is a parent that is in no URN."""
    lines = [
        "team = pulumi.ComponentResource('house:parts:A', 'team::orders')",
        declared.target("events", opts=opts(parent="team")),
        declared.target("root", opts=opts(parent="pulumi.runtime.get_root_resource()")),
    ]
    stack = declared.stack(declared.program(*lines))
    succeeded(stack.up())
    assert cloud.marks() == {"events": urn("events", COMPONENT), "root": urn("root")}
    before = cloud.living()
    replaced = opts(parent="team", replace_on_changes="['headers']")
    lines[1] = declared.target("events", headers="{'X-Key': 'new'}", opts=replaced)
    stack.program(declared.program(*lines))
    succeeded(stack.up())
    assert cloud.marks() == {"events": urn("events", COMPONENT), "root": urn("root")}
    assert cloud.living()["events"] != before["events"]


@pytest.mark.full_length
def test_a_transform_that_ignores_all_changes_does_not_hide_a_move(declared: Declared, cloud: Cloud) -> None:
    stack = up(declared, OWN_HOST, IGNORE_ALL, declared.target("orders"))
    target_id = id_of(stack)
    moved = in_component(declared, aliases=f"[{urn('orders')!r}]")
    stack.program(declared.program(IGNORE_ALL, *moved))
    succeeded(stack.up())
    assert cloud.marks() == {"orders": urn("orders", COMPONENT)}
    another = declared.target("another", called="orders", name="'orders'")
    stack.program(declared.program(IGNORE_ALL, another, *in_component(declared, depends_on="[another]")))
    refused(stack.up(), urn("orders", COMPONENT))
    assert cloud.living() == {"orders": target_id}


@pytest.mark.full_length
def test_a_transform_that_ignores_all_changes_does_not_hide_a_missing_mark(
    declared: Declared, cloud: Cloud
) -> None:
    """The target was made by hand, without the password that its endpoint requires."""
    target_id = made_by_hand(cloud)
    eventually(lambda: cloud.targets()["orders"]["status"] == "FAILED")
    stack = declared.stack(declared.program())
    stack.import_(TARGET_TYPE, "orders", target_id, "--protect=false")
    stack.program(declared.program(IGNORE_ALL, declared.target("orders")))
    output = refused(stack.up(), "endpoint answered 401")
    assert "Traceback" not in output
    assert cloud.marks() == {"orders": urn("orders")}


@pytest.mark.full_length
def test_a_target_that_no_state_has_any_more_can_be_imported(declared: Declared, cloud: Cloud) -> None:
    stack = up(declared, OWN_HOST)
    target_id = id_of(stack)
    stack.must("state", "delete", urn("orders"))
    stack.program(declared.program(declared.target("bills", name="'orders'")))
    output = refused(stack.up(), "if no state has the target any more")
    found = set(re.findall(r"`pulumi (import [^`]+)`", output))
    assert found == {f"import {TARGET_TYPE} bills {target_id}"}
    succeeded(stack.run(*found.pop().split(), "--yes", "--skip-preview", "--protect=false"))
    stack.program(
        declared.program(
            declared.target("bills", name="'orders'", endpoint_url=repr(cloud.endpoint("orders")))
        )
    )
    succeeded(stack.up())
    assert cloud.marks() == {"orders": urn("bills")}
    assert cloud.living() == {"orders": target_id}


COMPANY = """\
class CompanyTarget(EventBridgeTarget):
    def __init__(self, name, **arguments):
        super().__init__(name, **{"retry_policy": RetryPolicy(max_retries=7), **arguments})

class CompanySync(GatewaySync):
    pass
"""


@pytest.mark.full_length
def test_a_subclass_keeps_the_type(declared: Declared, cloud: Cloud, host: Path | None) -> None:
    policy = "RetryPolicy(max_retries=7)"
    stack = up(declared, host, declared.target("orders", retry_policy=policy), declared.sync("orders"))
    target_id = id_of(stack)
    stack.program(
        declared.program(
            COMPANY,
            declared.target("orders", kind="CompanyTarget"),
            declared.sync("orders").replace("GatewaySync", "CompanySync"),
        )
    )
    assert "3 unchanged" in succeeded(stack.up())
    assert cloud.living() == {"orders": target_id}
    resources = stack.resources()
    assert resources["orders"]["type"] == TARGET_TYPE
    assert resources["orders-sync"]["type"] == SYNC_TYPE
    assert "3 unchanged" in succeeded(stack.refresh())
    succeeded(stack.destroy())
    assert cloud.living() == {}


# Renames.


@pytest.mark.full_length
def test_a_renamed_resource_and_a_new_one_with_the_old_name(
    declared: Declared, cloud: Cloud, host: Path | None
) -> None:
    stack = up(declared, host, declared.target("former", name="'orders'"))
    target_id = id_of(stack, "former")
    renamed = declared.target("later", name="'orders'", opts=opts(aliases="[pulumi.Alias(name='former')]"))
    stack.program(declared.program(renamed))
    succeeded(stack.up())
    assert cloud.marks() == {"orders": urn("later")}
    assert cloud.living() == {"orders": target_id}

    renamed = declared.target("later", name="'orders'")
    stack.program(declared.program(renamed, declared.target("former", name="'orders'")))
    refused(stack.up(), urn("later"), target_id, "name=")
    assert cloud.living() == {"orders": target_id}
    assert "former" not in stack.resources()
    stack.program(declared.program(renamed))
    assert "2 unchanged" in succeeded(stack.up())
    assert cloud.living() == {"orders": target_id}


@pytest.mark.full_length
def test_a_rename_without_the_alias(declared: Declared, cloud: Cloud, host: Path | None) -> None:
    stack = up(declared, host, declared.target("former", name="'orders'"))
    target_id = id_of(stack, "former")
    stack.program(declared.program(declared.target("later", name="'orders'")))
    output = refused(stack.up(), f'aliases=["{urn("former")}"]', target_id)
    assert cloud.living() == {"orders": target_id}
    stack.program(
        declared.program(declared.target("later", name="'orders'", opts=opts(aliases=pasted(output))))
    )
    succeeded(stack.up())
    assert cloud.marks() == {"orders": urn("later")}
    assert cloud.living() == {"orders": target_id}


@pytest.mark.full_length
def test_a_state_rename_is_shown_and_marked(declared: Declared, cloud: Cloud, host: Path | None) -> None:
    stack = up(declared, host, declared.target("former", name="'orders'"))
    target_id = id_of(stack, "former")
    stack.must("state", "rename", urn("former"), "later", "--yes")
    stack.program(declared.program(declared.target("later", name="'orders'")))
    assert_marks(succeeded(stack.preview("--diff")), urn("later"))
    cloud.requests()
    succeeded(stack.up())
    assert cloud.writes() == ["PUT 200"]
    assert cloud.marks() == {"orders": urn("later")}
    # The next resource with that name does not get the target.
    stack.program(
        declared.program(
            declared.target("later", name="'orders'"), declared.target("former", name="'orders'")
        )
    )
    refused(stack.up(), urn("later"), target_id, "name=")
    assert cloud.living() == {"orders": target_id}


@pytest.mark.full_length
def test_a_renamed_stack_and_a_new_one_with_the_old_name(
    declared: Declared, cloud: Cloud, host: Path | None
) -> None:
    stack = up(declared, host)
    target_id = id_of(stack)
    stack.rename("prod")
    assert_marks(succeeded(stack.preview("--diff")), stack.urn("orders"))
    succeeded(stack.up())
    assert cloud.marks() == {"orders": urn("orders", stack="prod")}
    assert "2 unchanged" in succeeded(stack.up("--refresh"))

    rival = declared.stack(declared.targets(["orders"]), host=host, backend=stack.backend)
    output = refused(rival.up(), urn("orders", stack="prod"), target_id, "state move")
    assert "aliases" not in output
    assert "orders" not in rival.resources()
    succeeded(rival.destroy())
    assert cloud.living() == {"orders": target_id}
    assert "2 unchanged" in succeeded(stack.up("--refresh"))


@pytest.mark.full_length
def test_a_renamed_project(declared: Declared, cloud: Cloud, host: Path | None) -> None:
    stack = up(declared, host)
    target_id = id_of(stack)
    stack.rename(project="home")
    assert stack.urn("orders") == urn("orders", project="home")
    succeeded(stack.up())
    assert cloud.marks() == {"orders": urn("orders", project="home")}
    rival = declared.stack(declared.targets(["orders"]), host=host, backend=stack.backend)
    refused(rival.up(), urn("orders", project="home"), target_id, "state move")
    assert cloud.living() == {"orders": target_id}


@pytest.mark.full_length
@pytest.mark.parametrize("how", ["destroyed", "removed"])
def test_a_renamed_stack_can_delete_its_targets(
    declared: Declared, cloud: Cloud, host: Path | None, how: str
) -> None:
    """The delete has the new URN, but outputs with the old mark."""
    stack = up(declared, host)
    stack.rename("prod")
    if how == "removed":
        stack.program(declared.program())
        succeeded(stack.up())
    else:
        succeeded(stack.destroy())
    assert cloud.living() == {}


def test_a_target_that_moves_to_another_stack(declared: Declared, cloud: Cloud, host: Path | None) -> None:
    stack = up(declared, host, declared.target("orders"), declared.target("kept"))
    ids = cloud.living()
    other = declared.stack(declared.targets(["orders"]), host=host, backend=stack.backend, name="other")
    refused(other.up(), urn("orders"), ids["orders"], "state move")
    assert cloud.living() == ids

    stack.must(
        "state", "move", "--yes", "--source", stack.qualified, "--dest", other.qualified, urn("orders")
    )
    stack.program(declared.targets(["kept"]))
    assert_marks(succeeded(other.preview("--diff")), other.urn("orders"))
    # In either order.
    assert "2 unchanged" in succeeded(stack.up())
    succeeded(other.up())
    assert cloud.marks() == {"orders": other.urn("orders"), "kept": urn("kept")}
    assert cloud.living() == ids
    # Its old mark does not bring it back.
    stack.program(declared.targets(["kept", "orders"]))
    refused(stack.up(), other.urn("orders"), ids["orders"], "state move")
    succeeded(stack.destroy())
    assert cloud.living() == {"orders": ids["orders"]}


# Targets of other owners.


@pytest.mark.full_length
def test_a_target_of_another_project_is_left_alone(
    declared: Declared, cloud: Cloud, host: Path | None
) -> None:
    stack = up(declared, host)
    target_id = id_of(stack)
    rival = declared.stack(declared.targets(["orders"]), host=host, name="rival")
    output = refused(rival.up(), urn("orders"), target_id, "state move")
    assert "aliases" not in output
    rival.program(declared.program(declared.target("orders", name="'others'")))
    succeeded(rival.up())
    assert cloud.marks() == {"orders": urn("orders"), "others": rival.urn("orders")}
    succeeded(rival.destroy())
    assert cloud.living() == {"orders": target_id}


def test_an_unmarked_target_must_be_imported(declared: Declared, cloud: Cloud, host: Path | None) -> None:
    target_id = made_by_hand(cloud)
    stack = declared.stack(declared.targets(["orders"]), host=host)
    refused(stack.up(), f"pulumi import {TARGET_TYPE} orders {target_id}")
    assert cloud.living() == {"orders": target_id}
    if host is None:
        return
    succeeded(stack.import_(TARGET_TYPE, "orders", target_id, "--protect=false"))
    succeeded(stack.up())
    assert cloud.marks() == {"orders": urn("orders")}
    assert cloud.living() == {"orders": target_id}


FOREIGN = urn("orders", project="theirs", stack="prod")


def given_away(cloud: Cloud, target_id: str, owner: str = FOREIGN) -> None:
    """Writes another owner's mark to a target."""
    cloud.requests()
    cloud.change(target_id, headers={OWNER_HEADER: owner})


@pytest.mark.full_length
def test_a_delete_checks_the_owner(declared: Declared, cloud: Cloud, host: Path | None) -> None:
    stack = up(declared, host, declared.target("orders"), declared.target("kept"))
    ids = cloud.living()
    given_away(cloud, ids["orders"])
    stack.program(declared.targets(["kept"]))
    result = stack.up()
    assert cloud.living() == ids
    assert host is None or FOREIGN in result.output, result.output


@pytest.mark.full_length
def test_a_destroy_keeps_targets_of_other_owners(declared: Declared, cloud: Cloud, host: Path | None) -> None:
    stack = up(declared, host, declared.target("orders"), declared.target("kept"))
    ids = cloud.living()
    given_away(cloud, ids["orders"])
    result = stack.destroy()
    assert cloud.living() == {"orders": ids["orders"]}
    assert host is None or FOREIGN in result.output, result.output


@pytest.mark.full_length
def test_an_update_checks_the_owner(declared: Declared, cloud: Cloud, host: Path | None) -> None:
    stack = up(declared, host)
    target_id = id_of(stack)
    given_away(cloud, target_id)
    # The status is pending, since the endpoint is verified again.
    before = cloud.configuration(target_id)
    stack.program(declared.program(declared.target("orders", retry_policy="RetryPolicy(max_retries=9)")))
    refused(stack.up(), FOREIGN, target_id)
    cloud.requests()
    assert cloud.configuration(target_id) == before


@pytest.mark.full_length
def test_a_refresh_shows_a_changed_owner(declared: Declared, cloud: Cloud, host: Path | None) -> None:
    stack = up(declared, host)
    target_id = id_of(stack)
    given_away(cloud, target_id)
    stack.refresh()
    outputs = stack.resources()["orders"]["outputs"]
    assert outputs["claimedBy"] == FOREIGN
    assert outputs["owner"] == urn("orders")
    result = stack.destroy()
    assert host is None or FOREIGN in result.output, result.output
    assert cloud.living() == {"orders": target_id}


@pytest.mark.full_length
def test_a_target_without_a_mark_still_belongs_to_its_resource(
    declared: Declared, cloud: Cloud, host: Path | None
) -> None:
    """Somebody replaced the configuration manually, without the header."""
    stack = up(declared, host)
    target_id = id_of(stack)
    cloud.requests()
    cloud.change(target_id, headers={})
    assert cloud.marks() == {"orders": None}
    succeeded(stack.up("--refresh"))
    assert cloud.marks() == {"orders": urn("orders")}
    cloud.change(target_id, headers={})
    succeeded(stack.destroy())
    assert cloud.living() == {}


@pytest.mark.full_length
def test_an_import_from_another_stack_warns(declared: Declared, cloud: Cloud) -> None:
    stack = up(declared, OWN_HOST)
    target_id = id_of(stack)
    rival = declared.stack(declared.targets(["orders"]), name="rival")
    imported = rival.import_(TARGET_TYPE, "orders", target_id, "--protect=false")
    assert "warning" in succeeded(imported)
    assert urn("orders") in imported.output, imported.output
    # The user continues despite the warning; with its first update this stack owns the target.
    succeeded(rival.up())
    assert cloud.marks() == {"orders": rival.urn("orders")}
    # The other stack releases it without writing or deleting it.
    stack.program(declared.program(declared.target("orders", retry_policy="RetryPolicy(max_retries=9)")))
    refused(stack.up(), rival.urn("orders"))
    assert rival.urn("orders") in stack.destroy().output
    assert cloud.living() == {"orders": target_id}
    assert cloud.marks() == {"orders": rival.urn("orders")}


@pytest.mark.full_length
@pytest.mark.parametrize("refreshed", [False, True], ids=["at once", "refreshed"])
def test_an_import_alone_does_not_change_the_owner(declared: Declared, cloud: Cloud, refreshed: bool) -> None:
    stack = up(declared, OWN_HOST)
    target_id = id_of(stack)
    succeeded(stack.import_(TARGET_TYPE, "again", target_id, "--protect=false"))
    if refreshed:
        succeeded(stack.refresh())
    assert "was left unchanged" in succeeded(stack.destroy("--target", urn("again")))
    assert cloud.living() == {"orders": target_id}
    succeeded(stack.import_(TARGET_TYPE, "again", target_id, "--protect=false"))
    if refreshed:
        succeeded(stack.refresh())
    stack.must("state", "delete", urn("orders"))
    again = declared.target("again", name="'orders'", endpoint_url=repr(cloud.endpoint("orders")))
    stack.program(declared.program(again))
    succeeded(stack.up())
    assert cloud.marks() == {"orders": urn("again")}
    succeeded(stack.destroy())
    assert cloud.living() == {}


@pytest.mark.full_length
def test_one_target_can_not_be_two_resources(declared: Declared, cloud: Cloud) -> None:
    stack = up(declared, OWN_HOST)
    target_id = id_of(stack)
    stack.import_(TARGET_TYPE, "twice", target_id, "--protect=false")
    stack.program(declared.program(declared.target("orders"), declared.target("twice", name="'orders'")))
    refused(stack.up(), target_id, urn("orders"))
    assert cloud.living() == {"orders": target_id}


# Replacements.


@pytest.mark.full_length
def test_a_replacement(declared: Declared, cloud: Cloud, host: Path | None) -> None:
    stack = up(declared, host, declared.target("orders"), declared.sync("orders"))
    target_id = id_of(stack)
    succeeded(stack.up("--replace", urn("orders")))
    assert id_of(stack) != target_id
    assert cloud.living() == {"orders": id_of(stack)}
    assert cloud.marks() == {"orders": urn("orders")}
    assert "3 unchanged" in succeeded(stack.up("--refresh"))


@pytest.mark.full_length
def test_a_replacement_that_creates_first(declared: Declared, cloud: Cloud, host: Path | None) -> None:
    """Otherwise the create would adopt the old target."""
    stack = up(declared, host, declared.target("orders", opts=opts(delete_before_replace="False")))
    target_id = id_of(stack)
    for _ in range(2):
        refused(stack.up("--replace", urn("orders")), "delete_before_replace")
        assert cloud.living() == {"orders": target_id}
        assert id_of(stack) == target_id
    assert cloud.marks() == {"orders": urn("orders")}
    assert "2 unchanged" in succeeded(stack.up("--refresh"))


@pytest.mark.full_length
@pytest.mark.parametrize("before", ["True", "False"])
def test_a_replacement_that_the_program_requests(declared: Declared, cloud: Cloud, before: str) -> None:
    """Under the stock host, which has no detailed diff, this is an update."""
    options = opts(delete_before_replace=before, replace_on_changes="['endpointUrl']")
    stack = up(declared, OWN_HOST, declared.target("orders", opts=options))
    target_id = id_of(stack)
    stack.program(
        declared.program(declared.target("orders", endpoint_url=repr(cloud.endpoint("new")), opts=options))
    )
    result = stack.up()
    if before == "True":
        succeeded(result)
        assert id_of(stack) != target_id
    else:
        refused(result, "delete_before_replace")
        assert id_of(stack) == target_id
    assert cloud.living() == {"orders": id_of(stack)}
    assert cloud.marks() == {"orders": urn("orders")}


@pytest.mark.full_length
def test_a_replacement_by_a_trigger(declared: Declared, cloud: Cloud, host: Path | None) -> None:
    """The engine replaces it although nothing that `Diff` sees has changed."""

    def program(trigger: str) -> str:
        return declared.program(
            declared.target("orders", opts=opts(replacement_trigger=repr(trigger))),
            declared.target("beside", opts=opts(replace_with="[orders]")),
        )

    stack = declared.stack(program("one"), host=host)
    succeeded(stack.up())
    before = cloud.living()
    stack.program(program("two"))
    succeeded(stack.up())
    after = cloud.living()
    assert after == {name: id_of(stack, name) for name in ("orders", "beside")}
    assert not set(before.values()) & set(after.values())
    assert "3 unchanged" in succeeded(stack.up("--refresh"))


# Leftovers.


@pytest.mark.full_length
def test_a_replacement_that_retains(declared: Declared, cloud: Cloud) -> None:
    """The old target keeps the name, so no new one can be created; the solution keeps the target."""

    def program(value: str) -> str:
        options = opts(retain_on_delete="True", replace_on_changes="['headers']")
        target = declared.target("orders", headers=f"{{'X-Key': {value!r}}}", opts=options)
        return declared.program(target, declared.sync("orders"))

    stack = declared.stack(program("old"))
    succeeded(stack.up())
    target_id = id_of(stack)
    stack.program(program("new"))
    output = refused(stack.up(), "retain_on_delete=True")
    way_out = f"pulumi state delete '{urn('orders')}' --target-dependents"
    assert way_out in output
    stack.must("state", "delete", urn("orders"), "--target-dependents", "--yes")
    succeeded(stack.up())
    assert cloud.living() == {"orders": target_id}
    assert cloud.configuration(target_id)["headers"]["X-Key"] == "new"


@pytest.mark.full_length
def test_a_leftover_of_an_earlier_run_is_adopted(declared: Declared, cloud: Cloud, host: Path | None) -> None:
    stack = up(declared, host, *in_component(declared))
    target_id = id_of(stack)
    stack.must("state", "delete", "--yes", urn("orders", COMPONENT))
    succeeded(stack.up())
    assert cloud.living() == {"orders": target_id}
    assert id_of(stack) == target_id
    assert mark(cloud.targets()["orders"]) == urn("orders", COMPONENT)
