"""The gateway's last information is true: UPDATED only for an existing target, DELETED only for a deleted one."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from genesys_provider.emulator import GatewayServer, GatewaySettings
from genesys_provider.resources import sync_properties
from tests.support.cloud import SIGNING_SECRET, Cloud

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from typing_extensions import Self

    from tests.support.declared import Declared
    from tests.support.engine import Stack

NEW_SECRET = "canary-signing-new"
SYNCS = "/webhooks/genesys/targets"


class Words:
    """What a gateway hears between two calls."""

    def __init__(self, url: str, ca_file: Path) -> None:

        self.webhook = url + SYNCS
        self._http = httpx.Client(
            base_url=url, verify=ssl.create_default_context(cafile=str(ca_file)), timeout=30
        )

    def heard(self) -> list[tuple[str, str]]:
        """The syncs since the last call: `UPDATED` or `DELETED`, and the target."""
        syncs = self._http.get("/received").json()["syncs"]
        self._http.delete("/received").raise_for_status()
        return [(each["body"]["eventType"].rpartition("_")[2], each["body"]["targetId"]) for each in syncs]

    def answers(self, status: int | None) -> None:
        """Makes the webhook answer with this status, or accept syncs again."""
        self._http.delete("/behaviour").raise_for_status()
        if status is not None:
            self._http.post("/behaviour", json={"path": SYNCS, "status": status}).raise_for_status()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()


@pytest.fixture
def gateway(cloud: Cloud) -> Iterator[Words]:
    with Words(cloud.gateway.url, cloud.gateway.ca_file) as words:
        yield words


@pytest.fixture
def new_gateway(cloud: Cloud) -> Iterator[Words]:
    """Another gateway under the same CA, with another signing secret."""
    settings = GatewaySettings(cloud.gateway.ca_file.parent, signing_secret=NEW_SECRET)
    with GatewayServer(settings) as server, Words(server.url, server.ca_file) as words:
        yield words


def at(words: Words, secret: str, **arguments: str) -> dict[str, str]:
    """The arguments of a sync with this gateway."""
    return {"webhook_url": repr(words.webhook), "signing_secret": repr(secret), **arguments}


def up(stack: Stack, *arguments: str) -> str:
    result = stack.up(*arguments)
    assert result.code == 0, result.output
    return result.output


def fails(result: Any) -> str:
    assert result.code != 0, result.output
    assert "Traceback" not in result.output or "dynamic/__main__.py" in result.output
    output: str = result.output
    return output


@pytest.fixture
def stack(declared: Declared, gateway: Words) -> Stack:
    """`orders`, with its sync."""
    stack = declared.stack(declared.program(declared.target("orders"), declared.sync("orders")))
    up(stack)
    assert gateway.heard() == [("UPDATED", stack.resources()["orders"]["id"])]
    return stack


# `required` and `customTimeouts` take effect with the next `up`.


@pytest.mark.full_length
def test_the_documented_steps_when_the_gateway_is_gone(
    declared: Declared, cloud: Cloud, gateway: Words, host: Path | None
) -> None:
    stack = declared.stack(declared.program(declared.target("orders"), declared.sync("orders")), host=host)
    up(stack)
    gateway.heard()
    gateway.answers(404)
    refused = fails(stack.destroy())
    assert "HTTP 404" in refused
    assert "set required=False" in refused
    cloud.requests()
    assert list(cloud.targets()) == ["orders"]

    before = stack.resources()["orders-sync"]["outputs"]
    stack.program(declared.program(declared.target("orders"), declared.sync("orders", required="False")))
    assert "1 updated" in up(stack)
    after = stack.resources()["orders-sync"]["outputs"]
    assert (after["required"], after["deliveryId"], after["syncedAt"]) == (
        False,
        before["deliveryId"],
        before["syncedAt"],
    )
    assert "3 unchanged" in up(stack)

    destroyed = stack.destroy()
    assert destroyed.code == 0, destroyed.output
    if host is not None:
        assert "the gateway refused the webhook" in destroyed.output
    cloud.requests()
    assert cloud.targets() == {}
    assert gateway.heard() == []


@pytest.mark.full_length
def test_a_change_of_required_sends_nothing(stack: Stack, declared: Declared, gateway: Words) -> None:
    for required in ("False", "True"):
        stack.program(declared.program(declared.target("orders"), declared.sync("orders", required=required)))
        assert "required" in stack.preview("--diff").output
        assert "1 updated" in up(stack)
        assert gateway.heard() == []
    assert "3 unchanged" in up(stack)


@pytest.mark.full_length
def test_the_time_limit_of_the_program_bounds_each_operation(
    stack: Stack, declared: Declared, gateway: Words
) -> None:
    """A change of only the time limit is in no diff, but is in the state for a `destroy`."""

    def program(**arguments: str) -> str:
        timeouts = "pulumi.CustomTimeouts(create='2s', update='3s', delete='1s')"
        opts = f"pulumi.ResourceOptions(custom_timeouts={timeouts})"
        return declared.program(declared.target("orders"), declared.sync("orders", opts=opts, **arguments))

    stack.program(program())
    assert "3 unchanged" in up(stack)
    gateway.answers(503)
    assert "within 1 s: POST " in fails(stack.destroy())
    stack.program(program(revision="orders.revision.apply(lambda revision: revision + 1)"))
    assert "within 3 s: POST " in fails(stack.up())
    stack.program(program().replace("'orders-sync'", "'another-sync'"))
    assert "within 2 s: POST " in fails(stack.up())
    gateway.answers(None)
    stack.program(program())
    up(stack)
    assert stack.destroy().code == 0


# DELETED: only for a deleted target.


@pytest.mark.full_length
def test_a_sync_removed_alone_sends_nothing(
    stack: Stack, declared: Declared, cloud: Cloud, gateway: Words
) -> None:
    target_id = stack.resources()["orders"]["id"]
    for order in ("True", "False"):
        opts = f"pulumi.ResourceOptions(delete_before_replace={order})"
        stack.program(declared.program(declared.target("orders"), declared.sync("orders", opts=opts)))
        up(stack, "--replace", stack.resources()["orders-sync"]["urn"])
        assert gateway.heard() == [("UPDATED", target_id)]
    stack.program(declared.program(declared.target("orders")))
    cloud.requests()
    assert "1 deleted" in up(stack)
    assert gateway.heard() == []
    assert cloud.requests() == []


# Another gateway, another target.


def test_only_the_new_gateway_hears_of_the_target(
    declared: Declared, cloud: Cloud, gateway: Words, new_gateway: Words, host: Path | None
) -> None:
    stack = declared.stack(declared.program(declared.target("orders"), declared.sync("orders")), host=host)
    up(stack)
    target_id = stack.resources()["orders"]["id"]
    gateway.heard()
    cloud.requests()
    stack.program(
        declared.program(declared.target("orders"), declared.sync("orders", **at(new_gateway, NEW_SECRET)))
    )
    assert "1 updated" in up(stack)
    assert (gateway.heard(), new_gateway.heard()) == ([], [("UPDATED", target_id)])
    assert cloud.requests() == []
    # The final sync goes to the gateway that heard last.
    assert stack.destroy().code == 0
    assert (gateway.heard(), new_gateway.heard()) == ([], [("DELETED", target_id)])


@pytest.mark.full_length
def test_the_check_of_the_old_target_may_come_late(declared: Declared, gateway: Words) -> None:
    """The target stays, but depends on a resource that is still in progress when the sync is updated."""
    stack = declared.stack(declared.program(declared.target("orders"), declared.sync("orders")))
    up(stack)
    gateway.heard()
    stack.program(
        declared.program(
            declared.target("bills"),
            declared.target("slow", opts="pulumi.ResourceOptions(depends_on=[bills])"),
            declared.target("orders", opts="pulumi.ResourceOptions(depends_on=[slow])"),
            declared.sync("orders", target_id="bills.id", revision="bills.revision"),
        )
    )
    up(stack)
    assert gateway.heard() == [("UPDATED", stack.resources()["bills"]["id"])]


@pytest.mark.full_length
def test_two_syncs_that_swap_their_targets(declared: Declared, gateway: Words) -> None:
    def program(first: str, second: str) -> str:
        return declared.program(
            declared.target("orders"),
            declared.target("bills"),
            declared.sync("orders", target_id=f"{first}.id", revision=f"{first}.revision"),
            declared.sync("bills", target_id=f"{second}.id", revision=f"{second}.revision"),
        )

    stack = declared.stack(program("orders", "bills"))
    up(stack)
    ids = {stack.resources()[name]["id"] for name in ("orders", "bills")}
    gateway.heard()
    stack.program(program("bills", "orders"))
    up(stack, "--parallel", "1")
    assert sorted(gateway.heard()) == sorted(("UPDATED", each) for each in ids)


@pytest.mark.full_length
def test_a_partly_failed_change_of_target_resumes(
    declared: Declared, gateway: Words, new_gateway: Words, host: Path | None
) -> None:
    """The old gateway accepted DELETED, but the new one failed: our host records this, and only sends the rest."""
    stack = declared.stack(declared.program(declared.target("orders"), declared.sync("orders")), host=host)
    up(stack)
    old_id = stack.resources()["orders"]["id"]
    gateway.heard()
    stack.program(
        declared.program(
            declared.target("bills"),
            declared.sync(
                "orders", target_id="bills.id", revision="bills.revision", **at(new_gateway, NEW_SECRET)
            ),
        )
    )
    new_gateway.answers(404)
    assert "HTTP 404" in fails(stack.up())
    assert gateway.heard() == [("DELETED", old_id)]
    new_gateway.answers(None)
    up(stack)
    assert gateway.heard() == ([] if host is not None else [("DELETED", old_id)])
    assert new_gateway.heard() == [("UPDATED", stack.resources()["bills"]["id"])]
    assert "3 unchanged" in up(stack)


@pytest.mark.full_length
def test_a_missing_old_gateway_does_not_block_a_change(
    declared: Declared, cloud: Cloud, gateway: Words, new_gateway: Words, host: Path | None
) -> None:
    stack = declared.stack(declared.program(declared.target("orders"), declared.sync("orders")), host=host)
    up(stack)
    gateway.heard()
    gateway.answers(410)

    def program(**arguments: str) -> str:
        sync = at(new_gateway, NEW_SECRET, target_id="bills.id", revision="bills.revision", **arguments)
        return declared.program(declared.target("bills"), declared.sync("orders", **sync))

    stack.program(program())
    refused = fails(stack.up())
    assert "HTTP 410" in refused
    assert "set required=False" in refused
    assert new_gateway.heard() == []
    stack.program(program(required="False"))
    up(stack)
    assert new_gateway.heard() == [("UPDATED", stack.resources()["bills"]["id"])]
    cloud.requests()
    assert list(cloud.targets()) == ["bills"]
    stack.program(program())
    up(stack)
    assert new_gateway.heard() == []
    assert gateway.heard() == []


# The signing secret.


@pytest.mark.full_length
def test_a_rotation_of_the_signing_secret_loses_no_sync(
    declared: Declared, gateway: Words, new_gateway: Words, host: Path | None
) -> None:
    """While both secrets sign, the gateway accepts each sync before and after its own change, DELETED too."""

    def program(secret: str, words: Words) -> str:
        sync = declared.sync("orders", webhook_url=repr(words.webhook), signing_secret=secret)
        return declared.program(declared.target("orders"), sync)

    both = f"[{SIGNING_SECRET!r}, pulumi.Output.secret({NEW_SECRET!r})]"
    stack = declared.stack(program(repr(SIGNING_SECRET), gateway), host=host)
    up(stack)
    target_id = stack.resources()["orders"]["id"]
    stack.program(program(both, gateway))
    said = up(stack)
    stack.program(program(f"pulumi.Output.from_input({both})", new_gateway))
    said += stack.preview("--diff").output + up(stack)
    assert gateway.heard() == [("UPDATED", target_id)] * 2
    assert new_gateway.heard() == [("UPDATED", target_id)]
    assert stack.destroy().code == 0
    assert new_gateway.heard() == [("DELETED", target_id)]
    said += stack.stored()
    assert [secret for secret in (SIGNING_SECRET, NEW_SECRET) if secret in said] == []


def test_a_list_of_one_secret_is_no_change() -> None:
    olds = {"targetId": "t", "revision": 1, "webhookUrl": "https://g", "required": True, "deliveryId": "d"}
    for old, new in (("s", ["s"]), (["s"], "s"), (["s", "t"], ["s", "t"])):
        assert sync_properties.changes({**olds, "signingSecret": old}, {**olds, "signingSecret": new}) == {}
    for old, new in (("s", ["s", "t"]), (["s", "t"], "t"), (["s"], ["t"])):
        changed = sync_properties.changes({**olds, "signingSecret": old}, {**olds, "signingSecret": new})
        assert changed == {"signingSecret": "update"}


@pytest.mark.full_length
def test_an_invalid_signing_secret_is_reported(declared: Declared) -> None:
    stack = declared.stack(declared.program("pass"))

    def refused(secret: str) -> str:
        stack.program(
            declared.program(declared.target("orders"), declared.sync("orders", signing_secret=secret))
        )
        output = fails(stack.preview())
        assert "canary" not in output
        return output

    assert "property signingSecret[1]" in refused("['canary-1', 'whsec_canar']")
    assert "property signingSecret " in refused("[]")
    assert "property signingSecret " in refused("''")


# UPDATED: only for an existing target.

NOWHERE = "3fa85f64-5717-4562-b3fc-2c963f66afa6"


@pytest.mark.full_length
def test_a_literal_target_id_must_exist(
    declared: Declared, cloud: Cloud, gateway: Words, host: Path | None
) -> None:
    literal = {"revision": "1", "target_id": repr(NOWHERE)}
    stack = declared.stack(declared.program(declared.sync("orders", **literal)), host=host)
    refused = fails(stack.up())
    assert f"target {NOWHERE}, which is gone" in refused
    assert "pulumi up --refresh" in refused
    assert stack.resources() == {}

    # If it is not required, there is a warning, and the sync stays due until the target exists.
    stack.program(declared.program(declared.sync("orders", required="False", **literal)))
    warned = up(stack)
    if host is not None:
        assert "pulumi up --refresh" in warned
    assert gateway.heard() == []
    other = declared.stack(declared.targets(["bills"]))
    up(other)
    literal["target_id"] = repr(other.resources()["bills"]["id"])
    stack.program(declared.program(declared.sync("orders", **literal)))
    cloud.requests()
    up(stack)
    assert [each for each in cloud.requests() if each.startswith("GET")] != []
    assert gateway.heard()[-1] == ("UPDATED", other.resources()["bills"]["id"])
    assert "2 unchanged" in up(stack)
    assert cloud.requests() == []


@pytest.mark.full_length
def test_a_sync_updated_alone_checks_that_its_target_exists(
    stack: Stack, declared: Declared, cloud: Cloud, gateway: Words, new_gateway: Words
) -> None:
    state = stack.resources()
    target_id, urn = state["orders"]["id"], state["orders-sync"]["urn"]
    stack.program(
        declared.program(declared.target("orders"), declared.sync("orders", **at(new_gateway, NEW_SECRET)))
    )
    cloud.requests()
    organization = cloud.organization
    cloud.api("DELETE", f"/{target_id}").raise_for_status()
    refused = fails(stack.up("--target", urn))
    assert f"target {target_id}, which is gone from organization {organization}." in refused
    assert "Run `pulumi up --refresh`" in refused
    up(stack, "--refresh")
    new_id = stack.resources()["orders"]["id"]
    assert new_gateway.heard() == [("UPDATED", new_id)]
    assert gateway.heard() == [("DELETED", target_id)]
    stack.program(declared.program(declared.target("orders"), declared.sync("orders")))
    cloud.requests()
    up(stack, "--target", urn)
    assert gateway.heard() == [("UPDATED", new_id)]
    assert cloud.requests()[1:] == ["GET /api/v2/organizations/me 200", f"GET /{new_id} 200"]


# The owner of the target at that time.


@pytest.mark.full_length
def test_no_deletion_is_reported_for_a_target_of_another_owner(
    stack: Stack, cloud: Cloud, gateway: Words
) -> None:
    target_id = stack.resources()["orders"]["id"]
    cloud.requests()
    mark = "urn:pulumi:dev::billing::pulumi-python:dynamic/genesys:EventBridgeTarget::orders"
    cloud.change(target_id, headers={"X-Pulumi-Resource": mark})
    destroyed = stack.destroy("--target", stack.resources()["orders-sync"]["urn"])
    assert destroyed.code == 0, destroyed.output
    assert f"target {target_id} is deleted: it is owned by {mark}" in destroyed.output
    assert gateway.heard() == []


@pytest.mark.full_length
def test_no_deletion_is_reported_for_a_target_that_is_only_read(
    stack: Stack, declared: Declared, cloud: Cloud, gateway: Words, tmp_path: Path
) -> None:
    target_id = stack.resources()["orders"]["id"]
    read = f"orders = EventBridgeTarget.get('theirs', {target_id!r})"
    reader = declared.stack(declared.program(read, declared.sync("orders")), name="reader")
    up(reader)
    assert gateway.heard() == [("UPDATED", target_id)]
    reader.program(declared.program(read))
    assert f"owned by {stack.urn('orders')}" in up(reader)
    reader.program(declared.program(declared.sync("orders", target_id=repr(target_id), revision="1")))
    up(reader)
    assert gateway.heard() == [("UPDATED", target_id)]

    # The target does not exist in another organization.
    cloud.requests()
    with Cloud(tmp_path / "other", beside=cloud) as other:
        refused = fails(reader.destroy(env=other.env))
    assert cloud.organization in refused
    destroyed = reader.destroy()
    assert destroyed.code == 0, destroyed.output
    assert gateway.heard() == []
    assert list(cloud.living().values()) == [target_id]


# The documented exceptions: what a sync can't know.


@pytest.mark.full_length
def test_a_sync_destroyed_with_the_target_option_reports_deleted(
    stack: Stack, declared: Declared, cloud: Cloud, gateway: Words
) -> None:
    target_id = stack.resources()["orders"]["id"]
    urn = stack.resources()["orders-sync"]["urn"]
    assert stack.destroy("--target", urn).code == 0
    assert gateway.heard() == [("DELETED", target_id)]
    # The next `up` creates the sync again, which corrects it.
    up(stack)
    assert gateway.heard() == [("UPDATED", target_id)]
    # The same if it is removed from the program, and from the state by a targeted `up`.
    stack.program(declared.program(declared.target("orders")))
    up(stack, "--target", urn)
    assert gateway.heard() == [("DELETED", target_id)]
    cloud.requests()
    assert list(cloud.targets()) == ["orders"]
