"""The gateway's last information is true: UPDATED for an existing target, DELETED for a deleted one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.cloud import SIGNING_SECRET
from tests.support.declared import COMPONENT, opts
from tests.support.engine import SYNC_TYPE, id_of, urn
from tests.support.process import refused, succeeded

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from genesys_provider.emulator import GatewayServer
    from tests.support.cloud import Cloud
    from tests.support.declared import Declared
    from tests.support.engine import Stack

WEBHOOK = "/webhooks/genesys/targets"
REPLACED = opts(replace_on_changes="['target_id']")


@pytest.fixture
def stack(declared: Declared, cloud: Cloud, host: Path | None) -> Stack:
    """Two targets; one has a sync, of which the gateway has heard."""
    stack = declared.stack(
        declared.program(declared.target("orders"), declared.target("more"), declared.sync("orders")),
        host=host,
    )
    succeeded(stack.up())
    assert cloud.told() == [("UPDATED", id_of(stack))]
    return stack


@pytest.fixture
def new_gateway(cloud: Cloud) -> Iterator[GatewayServer]:
    """A second gateway, to which syncs are moved."""
    with cloud.new_gateway() as gateway:
        yield gateway


def told(cloud: Cloud, gateway: GatewayServer) -> list[tuple[str, str]]:
    """The syncs that this gateway has received."""
    syncs = cloud.received_at(gateway)["syncs"]
    return [(each["body"]["eventType"].rpartition("_")[2], each["body"]["targetId"]) for each in syncs]


# A sync is removed, and its target stays.


@pytest.mark.parametrize(
    "how",
    [
        "removed",
        *(
            pytest.param(each, marks=pytest.mark.full_length)
            for each in ("renamed", "renamed with an alias", "moved", "moved with an alias", "replaced")
        ),
    ],
)
def test_a_sync_is_removed_alone(
    declared: Declared, cloud: Cloud, stack: Stack, host: Path | None, how: str
) -> None:
    target_id = id_of(stack)
    former = urn("orders-sync", type_=SYNC_TYPE)
    component = []
    if how == "removed":
        sync = ""
    elif how == "replaced":
        sync = declared.sync("orders")
    elif how.startswith("renamed"):
        options = {"opts": opts(aliases=f"[{former!r}]")} if "alias" in how else {}
        sync = declared.sync("orders", called="later", **options)
    else:
        component = [declared.component("parts")]
        aliases = {"aliases": f"[{former!r}]"} if "alias" in how else {}
        sync = declared.sync("orders", opts=opts(parent="parts", **aliases))
    stack.program(declared.program(*component, declared.target("orders"), declared.target("more"), sync))
    succeeded(stack.up(*(["--replace", former] if how == "replaced" else [])))
    words = cloud.told()
    assert {word for word, _ in words} == {"UPDATED"}, words
    assert {each for _, each in words} == {target_id}
    assert cloud.living()["orders"] == target_id
    # At the end both are deleted, while a sync can still report it.
    succeeded(stack.destroy())
    assert cloud.living() == {}
    assert cloud.told()[-1] == (("UPDATED" if how == "removed" else "DELETED"), target_id)


@pytest.mark.full_length
def test_a_target_that_moves_with_its_sync(declared: Declared, cloud: Cloud, stack: Stack) -> None:
    target_id = id_of(stack)
    former = urn("orders"), urn("orders-sync", type_=SYNC_TYPE)
    stack.program(
        declared.program(
            declared.component("parts"),
            declared.target("orders", opts=opts(parent="parts", aliases=f"[{former[0]!r}]")),
            declared.target("more"),
            declared.sync("orders", opts=opts(parent="parts", aliases=f"[{former[1]!r}]")),
        )
    )
    succeeded(stack.up())
    assert cloud.marks()["orders"] == urn("orders", COMPONENT)
    assert set(cloud.told()) == {("UPDATED", target_id)}


# A target is deleted.


@pytest.mark.full_length
def test_a_target_is_removed_with_its_sync(declared: Declared, cloud: Cloud, stack: Stack) -> None:
    target_id = id_of(stack)
    stack.program(declared.targets(["more"]))
    succeeded(stack.up())
    assert "orders" not in cloud.living()
    assert cloud.told() == [("UPDATED", target_id), ("DELETED", target_id)]


@pytest.mark.full_length
def test_a_stack_is_destroyed(cloud: Cloud, stack: Stack) -> None:
    target_id = id_of(stack)
    succeeded(stack.destroy())
    assert cloud.living() == {}
    assert cloud.told() == [("UPDATED", target_id), ("DELETED", target_id)]


@pytest.mark.full_length
def test_a_target_is_replaced(cloud: Cloud, stack: Stack) -> None:
    former = id_of(stack)
    succeeded(stack.up("--replace", urn("orders")))
    later = id_of(stack)
    assert later != former
    words = cloud.told()
    assert words[-1] == ("UPDATED", later)
    assert [word for word, each in words if each == former] == ["UPDATED", "DELETED"]
    assert [word for word, each in words if each == later] == ["UPDATED"]


def replacing_both(declared: Declared, event_type: str, *more: str) -> str:
    """A program that replaces a target and its sync if the event type is another one."""
    target = declared.target(
        "orders", event_types=f"[{event_type!r}]", opts=opts(replace_on_changes="['event_types']")
    )
    return declared.program(target, declared.sync("orders", opts=REPLACED), *more)


@pytest.mark.parametrize(
    "how",
    [
        "changed",
        *(pytest.param(each, marks=pytest.mark.full_length) for each in ("requested", "both tainted")),
    ],
)
def test_a_target_is_replaced_together_with_its_sync(declared: Declared, cloud: Cloud, how: str) -> None:
    """The engine first deletes the sync, while it still seems that the target stays."""
    stack = declared.stack(replacing_both(declared, "A"))
    succeeded(stack.up())
    former = id_of(stack)
    urns = stack.urn("orders"), stack.urn("orders-sync", type_=SYNC_TYPE)
    if how == "changed":
        stack.program(replacing_both(declared, "B"))
    elif how == "both tainted":
        stack.must("state", "taint", "--yes", *urns)
    succeeded(stack.up(*(["--replace", urns[0]] if how == "requested" else [])))
    assert cloud.told() == [("UPDATED", former), ("DELETED", former), ("UPDATED", id_of(stack))]


@pytest.mark.full_length
def test_a_gateway_refuses_to_hear_of_a_target_that_is_replaced_together_with_its_sync(
    declared: Declared, cloud: Cloud, new_gateway: GatewayServer
) -> None:
    """The target is deleted by then, so it is replaced all the same, and the other gateway hears of it."""
    url = repr(new_gateway.url + WEBHOOK)
    other = declared.sync("orders", called="other", webhook_url=url, opts=REPLACED)
    stack = declared.stack(replacing_both(declared, "A", other))
    succeeded(stack.up())
    former = id_of(stack)
    cloud.behave(WEBHOOK, status=400)
    stack.program(replacing_both(declared, "B", other))
    said = refused(stack.up(), "HTTP 400", f"Target {former} is deleted", "remove it there")
    assert "repeat this command" not in said
    later = id_of(stack)
    assert cloud.living() == {"orders": later}
    cloud.behave_as_usual()
    succeeded(stack.up())
    assert cloud.told() == [("UPDATED", former), ("UPDATED", later)]
    assert told(cloud, new_gateway) == [("UPDATED", former), ("DELETED", former), ("UPDATED", later)]


@pytest.mark.full_length
def test_the_gateway_hears_before_the_deletion_and_can_refuse(cloud: Cloud, stack: Stack) -> None:
    target_id = id_of(stack)
    cloud.behave(WEBHOOK, status=400)
    result = stack.destroy()
    assert result.code != 0
    assert cloud.living()["orders"] == target_id
    cloud.behave_as_usual()
    succeeded(stack.destroy())
    assert cloud.told()[-1] == ("DELETED", target_id)
    assert cloud.living() == {}


@pytest.mark.full_length
def test_a_targeted_destroy_of_a_sync_is_the_exception(cloud: Cloud, stack: Stack) -> None:
    """A destroy of only the sync can't know that its target stays."""
    target_id = id_of(stack)
    succeeded(stack.destroy("--target", urn("orders-sync", type_=SYNC_TYPE)))
    assert cloud.told() == [("UPDATED", target_id), ("DELETED", target_id)]
    assert cloud.living()["orders"] == target_id
    # The next `up` corrects it.
    succeeded(stack.up())
    assert cloud.told()[-1] == ("UPDATED", target_id)


# Changes of the gateway, of the target, and of both.


@pytest.mark.full_length
def test_another_gateway(declared: Declared, cloud: Cloud, stack: Stack, new_gateway: GatewayServer) -> None:
    """The target stays, so the old gateway hears nothing more of it."""
    target_id = id_of(stack)
    sync = declared.sync("orders", webhook_url=repr(new_gateway.url + WEBHOOK))
    stack.program(declared.program(declared.target("orders"), declared.target("more"), sync))
    succeeded(stack.up())
    assert cloud.told() == [("UPDATED", target_id)]
    assert told(cloud, new_gateway) == [("UPDATED", target_id)]


@pytest.mark.full_length
@pytest.mark.parametrize("stays", [True, False], ids=["stays", "goes"])
def test_another_target(declared: Declared, cloud: Cloud, stack: Stack, stays: bool) -> None:
    former, later = id_of(stack), id_of(stack, "more")
    sync = declared.sync("more", called="orders-sync")
    orders = [declared.target("orders")] if stays else []
    stack.program(declared.program(*orders, declared.target("more"), sync))
    succeeded(stack.up())
    assert [word for word, each in cloud.told() if each == former] == (
        ["UPDATED"] if stays else ["UPDATED", "DELETED"]
    )
    assert [word for word, each in cloud.told() if each == later] == ["UPDATED"]
    assert ("orders" in cloud.living()) is stays


@pytest.mark.full_length
@pytest.mark.parametrize("stays", [True, False], ids=["stays", "goes"])
def test_another_target_and_another_gateway(
    declared: Declared, cloud: Cloud, stack: Stack, new_gateway: GatewayServer, stays: bool
) -> None:
    """Each gateway hears of its own target; the new one hears nothing of the old target."""
    former, later = id_of(stack), id_of(stack, "more")
    sync = declared.sync("more", called="orders-sync", webhook_url=repr(new_gateway.url + WEBHOOK))
    orders = [declared.target("orders")] if stays else []
    stack.program(declared.program(*orders, declared.target("more"), sync))
    succeeded(stack.up())
    assert told(cloud, new_gateway) == [("UPDATED", later)]
    assert cloud.told() == [("UPDATED", former), *([] if stays else [("DELETED", former)])]
    assert ("orders" in cloud.living()) is stays


# Changes of sending options take effect with the next `up`.


@pytest.mark.full_length
def test_a_sync_that_is_no_longer_required(
    declared: Declared, cloud: Cloud, stack: Stack, host: Path | None
) -> None:
    """The gateway is permanently gone."""
    cloud.behave(WEBHOOK, status=410)
    assert stack.destroy().code != 0
    assert "orders" in cloud.living()
    sync = declared.sync("orders", required="False")
    stack.program(declared.program(declared.target("orders"), declared.target("more"), sync))
    assert "required" in stack.preview("--diff").output
    succeeded(stack.up())
    said = succeeded(stack.destroy())
    assert host is None or "the gateway refused the webhook" in said
    assert cloud.living() == {}


@pytest.mark.full_length
def test_a_sync_that_is_no_longer_required_and_removed(
    declared: Declared, cloud: Cloud, stack: Stack
) -> None:
    cloud.behave(WEBHOOK, status=410)
    sync = declared.sync("orders", required="False")
    stack.program(declared.program(declared.target("orders"), declared.target("more"), sync))
    succeeded(stack.up())
    assert [word for word, _ in cloud.told()] == ["UPDATED"], "this sends nothing"
    stack.program(declared.targets(["more"]))
    succeeded(stack.up())
    assert list(cloud.living()) == ["more"]


@pytest.mark.full_length
def test_a_time_limit_of_a_sync(declared: Declared, cloud: Cloud) -> None:
    """`customTimeouts`, which our host supports and the stock one does not."""
    target = declared.target("orders")
    stack = declared.stack(declared.program(target))
    succeeded(stack.up())
    cloud.behave(WEBHOOK, seconds=8)
    limits = "pulumi.CustomTimeouts(create='1s', update='1s', delete='1s')"
    stack.program(declared.program(target, declared.sync("orders", opts=opts(custom_timeouts=limits))))
    result = stack.up()
    assert result.code != 0, result.output
    assert "the gateway was not told of target" in result.output


@pytest.mark.full_length
def test_a_time_limit_applies_to_a_destroy(declared: Declared, cloud: Cloud) -> None:
    target = declared.target("orders")
    stack = declared.stack(declared.program(target, declared.sync("orders")))
    succeeded(stack.up())
    limits = "pulumi.CustomTimeouts(delete='1s')"
    stack.program(declared.program(target, declared.sync("orders", opts=opts(custom_timeouts=limits))))
    succeeded(stack.up())
    cloud.behave(WEBHOOK, seconds=8)
    assert stack.destroy().code != 0
    assert "orders" in cloud.living()
    cloud.behave_as_usual()
    succeeded(stack.destroy())


# The signing secret.

NEW_SECRET = "canary-signing-new"


def signatures(cloud: Cloud) -> list[int]:
    """The number of signatures of each sync."""
    return [len(each["headers"]["webhook-signature"].split()) for each in cloud.received()["syncs"]]


@pytest.mark.full_length
def test_a_rotation_of_the_signing_secret(declared: Declared, cloud: Cloud, stack: Stack) -> None:
    """While both secrets sign, the gateway accepts syncs with the old one and with the new one."""
    for secrets in ([SIGNING_SECRET, NEW_SECRET], [NEW_SECRET, SIGNING_SECRET]):
        sync = declared.sync("orders", signing_secret=repr(secrets))
        stack.program(declared.program(declared.target("orders"), declared.target("more"), sync))
        succeeded(stack.up())
    assert signatures(cloud) == [1, 2, 2]
    stored = stack.stored()
    assert [each for each in (SIGNING_SECRET, NEW_SECRET) if each in stored] == []
    succeeded(stack.destroy())
    assert signatures(cloud)[-1] == 2
