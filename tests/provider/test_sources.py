"""`EventBridgeSource` on the real engine: create, update, recover, replace, import, read, delete."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.cloud import INTEGRATIONS, Cloud
from tests.support.declared import Declared, opts
from tests.support.engine import id_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.engine import Stack, StackMaker

TYPE = "pulumi-python:dynamic/genesys:EventBridgeSource"


@pytest.fixture
def stack(declared: Declared, cloud: Cloud) -> Stack:
    stack = declared.stack(declared.program(declared.source("orders")))
    result = stack.up()
    assert result.code == 0, result.output
    cloud.requests()
    return stack


def write(stack: Stack, declared: Declared, *lines: str, **arguments: str) -> None:
    stack.program(declared.program(declared.source("orders", **arguments), *lines))


def outputs(stack: Stack, name: str = "orders") -> dict[str, Any]:
    return dict(stack.resources()[name]["outputs"])


def state_of(cloud: Cloud) -> dict[str, str]:
    """The reported state of each source."""
    return {name: each["reportedState"]["code"] for name, each in cloud.integrations().items()}


def test_a_source_is_created_and_becomes_active(declared: Declared, cloud: Cloud) -> None:
    stack = declared.stack(declared.program(declared.source("orders", notes="'for the orders'")))
    assert stack.preview().code == 0
    assert cloud.requests() == []
    result = stack.up()
    assert result.code == 0, result.output
    assert "warning" not in result.output
    source_id, organization = id_of(stack), cloud_organization(cloud)
    outs = outputs(stack)
    assert outs["eventSourceName"] == f"aws.partner/genesys.com/cloud/{organization}/orders"
    assert (outs["organizationId"], outs["state"], outs["configVersion"]) == (organization, "ACTIVE", 2)
    assert outs["activationSeconds"] >= 0.2
    assert outs["activatedAt"].endswith("Z")
    there = cloud.integrations()["orders"]
    assert there["id"] == source_id
    assert there["config"]["current"]["notes"] == f"for the orders\nPulumi: {stack.urn('orders', type_=TYPE)}"
    assert there["config"]["current"]["properties"] == {
        "awsAccountId": "012345678901",
        "awsAccountRegion": "us-east-1",
        "eventSourceSuffix": "orders",
        "eventFilter": ["v2.users.{id}.presence", "v2.flows.{id}"],
    }
    again = stack.up()
    assert "2 unchanged" in again.output, again.output
    assert cloud.requests() == []
    assert stack.destroy().code == 0
    assert cloud_integrations(cloud) == {}


def cloud_organization(cloud: Cloud) -> str:
    cloud.requests()
    return cloud.organization


def cloud_integrations(cloud: Cloud) -> dict[str, dict[str, Any]]:
    cloud.requests()
    return cloud.integrations()


def test_all_errors_are_shown_together_at_their_properties(declared: Declared, cloud: Cloud) -> None:
    stack = declared.stack(
        declared.program(
            declared.source(
                "orders",
                aws_account_id="'1'",
                aws_region="'here'",
                event_source_suffix="'a b'",
                topics="['v2.users.*', 'v2.flows.{id}', 'v2.flows.{id}']",
                activation_timeout="0",
            )
        )
    )
    result = stack.preview()
    assert result.code != 0
    for each in (
        "awsAccountId must be 12 digits",
        "awsRegion must be an AWS region",
        "eventSourceSuffix must be 1 to 64",
        "topics[0] must have no wildcard",
        "topics[2] must not be there twice",
        "activationTimeout must be greater than 0",
    ):
        assert each.partition(" ")[0] in result.output, result.output
        assert each.partition(" ")[2] in result.output, result.output
    assert "Traceback" not in result.output
    assert cloud.requests() == []


def test_an_update_in_place_keeps_the_bus(stack: Stack, declared: Declared, cloud: Cloud) -> None:
    bus = "pulumi.export('bus', orders.event_source_name)"
    source_id, before = id_of(stack), outputs(stack)
    write(stack, declared, bus, topics="['v2.flows.{id}', 'v2.users.{id}.presence']")
    assert stack.up().code == 0
    assert cloud.requests() == []
    write(stack, declared, bus, topics="['v2.flows.{id}']", notes="'new'", name="'renamed'")
    shown = stack.preview("--diff").output
    assert "~ topics" in shown
    assert "+ notes" in shown
    assert "~ name" in shown
    assert "replace" not in shown
    # Resources that depend on the name see no change, not even in the preview.
    assert "unknown" not in shown
    assert "~ bus" not in shown
    assert stack.up().code == 0
    after = outputs(stack)
    assert id_of(stack) == source_id
    assert after["configVersion"] == before["configVersion"] + 1
    assert after["state"] == "ACTIVE"
    there = cloud_integrations(cloud)["renamed"]["config"]["current"]
    assert there["properties"]["eventFilter"] == ["v2.flows.{id}"]
    assert there["notes"].startswith("new\nPulumi: ")


@pytest.mark.full_length
def test_disabled_waits_until_it_is_inactive(stack: Stack, declared: Declared, cloud: Cloud) -> None:
    write(stack, declared, enabled="False")
    assert stack.up().code == 0
    assert outputs(stack)["state"] == "INACTIVE"
    assert cloud_integrations(cloud)["orders"]["reportedState"]["code"] == "INACTIVE"
    assert "2 unchanged" in stack.up().output
    write(stack, declared)
    assert stack.up().code == 0
    assert outputs(stack)["state"] == "ACTIVE"


@pytest.mark.full_length
@pytest.mark.parametrize(
    "changed",
    [
        "event_source_suffix='second'",
        "aws_account_id='210987654321'",
        "aws_region='eu-west-1'",
    ],
)
def test_another_account_region_or_suffix_is_a_replacement(
    stack: Stack, declared: Declared, cloud: Cloud, changed: str
) -> None:
    before = id_of(stack)
    name, _, value = changed.partition("=")
    write(stack, declared, **{name: value})
    assert "replace" in stack.preview().output
    assert cloud.requests() == []
    result = stack.up()
    assert result.code == 0, result.output
    assert id_of(stack) != before
    written = [each for each in cloud.requests() if each.startswith(("POST /api", "DELETE"))]
    assert [each.split()[0] for each in written] == ["DELETE", "POST"]
    assert list(cloud.integrations()) == ["orders"]


@pytest.mark.full_length
def test_drift_is_shown_by_property_and_corrected(stack: Stack, declared: Declared, cloud: Cloud) -> None:
    source_id = id_of(stack)
    cloud.configure(source_id, properties={"eventFilter": ["v2.flows.{id}"], "extra": {"kept": True}})
    cloud.intend(source_id, "DISABLED")
    result = stack.refresh("--diff")
    assert "~ topics" in result.output, result.output
    assert "~ enabled" in result.output
    assert stack.up().code == 0
    cloud.requests()
    there = cloud.integrations()["orders"]
    assert there["reportedState"]["code"] == "ACTIVE"
    assert sorted(there["config"]["current"]["properties"]["eventFilter"]) == sorted(outputs(stack)["topics"])
    assert there["config"]["current"]["properties"]["extra"] == {"kept": True}


def test_a_failed_source_is_kept_with_its_reason_and_recovers(
    stack: Stack, declared: Declared, cloud: Cloud
) -> None:
    source_id = id_of(stack)
    cloud.control(f"integrations/{source_id}/state", code="ERROR", message="the account is closed")
    refreshed = stack.refresh()
    assert "source 'orders'" in refreshed.output
    assert "is in ERROR: the account is closed" in refreshed.output
    outs = outputs(stack)
    assert (outs["state"], outs["stateReason"]) == ("ERROR", "the account is closed")
    assert "state" in stack.preview().output
    result = stack.up()
    assert result.code == 0, result.output
    outs = outputs(stack)
    assert outs["state"] == "ACTIVE"
    assert "stateReason" not in outs
    assert id_of(stack) == source_id


@pytest.mark.full_length
def test_a_source_that_was_not_active_in_time_continues(declared: Declared, cloud: Cloud) -> None:
    stack = declared.stack(declared.program(declared.source("orders", activation_timeout="0.01")))
    result = stack.up()
    assert result.code != 0
    assert "is not ACTIVE" in result.output
    assert "activation_timeout" in result.output
    source_id = id_of(stack)
    write(stack, declared)
    result = stack.up()
    assert result.code == 0, result.output
    assert id_of(stack) == source_id
    assert outputs(stack)["state"] == "ACTIVE"
    assert outputs(stack)["configVersion"] == 2
    assert list(cloud_integrations(cloud)) == ["orders"]


@pytest.mark.full_length
def test_the_stock_host_leaves_nothing_behind(declared: Declared, cloud: Cloud) -> None:
    line = declared.source("orders", activation_timeout="0.01")
    stack = declared.stack(declared.program(line), host=None)
    result = stack.up()
    assert result.code != 0
    assert "The source was deleted again" in result.output
    assert cloud_integrations(cloud) == {}


@pytest.mark.full_length
def test_a_source_that_was_deleted_manually_is_gone_immediately(stack: Stack, cloud: Cloud) -> None:
    cloud.remove(id_of(stack))
    assert stack.refresh().code == 0
    assert "orders" not in stack.resources()
    assert stack.up().code == 0
    assert list(cloud_integrations(cloud)) == ["orders"]


@pytest.mark.full_length
def test_a_source_is_imported_and_the_next_up_changes_nothing(
    stack: Stack, declared: Declared, cloud: Cloud, make_stack: StackMaker
) -> None:
    source_id = id_of(stack)
    stack.run("state", "delete", stack.urn("orders", type_=TYPE), "--yes")
    result = stack.import_(TYPE, "orders", source_id, "--protect=false")
    assert result.code == 0, result.output
    assert "EventBridgeSource" in result.output
    assert "2 unchanged" in stack.up().output
    assert id_of(stack) == source_id


@pytest.mark.full_length
def test_a_get_reads_a_source_of_another_stack(stack: Stack, declared: Declared, cloud: Cloud) -> None:
    line = f"theirs = EventBridgeSource.get('theirs', {id_of(stack)!r})"
    reader = declared.stack(declared.program(line, "pulumi.export('bus', theirs.event_source_name)"))
    result = reader.up()
    assert result.code == 0, result.output
    assert reader.run("stack", "output", "bus").output.strip() == outputs(stack)["eventSourceName"]
    assert reader.destroy().code == 0
    assert list(cloud_integrations(cloud)) == ["orders"]


@pytest.mark.full_length
def test_a_source_of_another_stack_is_not_adopted(stack: Stack, declared: Declared, cloud: Cloud) -> None:
    other = declared.stack(declared.program(declared.source("orders")), stack="prod")
    result = other.up()
    assert result.code != 0
    assert "the name 'orders' is taken by source" in result.output, result.output
    assert f"pulumi import {TYPE}" in result.output or "pulumi state move" in result.output
    assert list(cloud_integrations(cloud)) == ["orders"]


@pytest.mark.full_length
def test_another_organization_is_refused(stack: Stack, declared: Declared, cloud: Cloud) -> None:
    with Cloud(cloud.directory / "elsewhere", beside=cloud) as elsewhere:
        for command in ("refresh", "destroy"):
            result = stack.run(command, "--yes", "--skip-preview", env=elsewhere.env)
            assert result.code != 0
            assert "source 'orders'" in result.output
            assert "belongs to organization" in result.output
    assert "orders" in stack.resources()
    assert list(cloud_integrations(cloud)) == ["orders"]


@pytest.mark.full_length
def test_a_refresh_of_many_sources_reads_the_list_once(declared: Declared, cloud: Cloud) -> None:
    names = [f"s{number}" for number in range(5)]
    stack = declared.stack(declared.program(*map(declared.source, names)))
    assert stack.up().code == 0
    cloud.requests()
    assert stack.refresh().code == 0
    asked = cloud.requests()
    assert len(asked) == 3, asked
    assert [each.split()[1] for each in asked][-1] == INTEGRATIONS


def test_an_unknown_topic_is_a_warning(declared: Declared, cloud: Cloud) -> None:
    stack = declared.stack(declared.program(declared.source("orders", topics="['v2.users.{id}.presences']")))
    result = stack.up()
    assert result.code == 0
    assert "is 'v2.users.{id}.presence' meant?" in result.output


@pytest.mark.full_length
def test_a_target_and_a_source_share_login_and_organization(declared: Declared, cloud: Cloud) -> None:
    stack = declared.stack(declared.program(declared.target("relay"), declared.source("orders")))
    result = stack.up()
    assert result.code == 0, result.output
    asked = [each for each in cloud.requests() if "/oauth/token" in each or "/organizations/me" in each]
    assert len(asked) == 2, asked


@pytest.mark.full_length
def test_options_may_name_the_properties_of_a_source(stack: Stack, declared: Declared, cloud: Cloud) -> None:
    write(stack, declared, topics="['v2.flows.{id}']", opts=opts(ignore_changes="['topics']"))
    assert "2 unchanged" in stack.up().output


@pytest.mark.full_length
def test_an_unconfigured_source_is_imported_and_configured(declared: Declared, cloud: Cloud) -> None:
    """Somebody only added it in the console."""
    body = {"name": "orders", "integrationType": {"id": "amazon-eventbridge-source"}}
    source_id: str = cloud._call("POST", INTEGRATIONS, json=body).json()["id"]
    stack = declared.stack(
        declared.program(declared.source("orders", opts=opts(import_=repr(source_id), protect="True")))
    )
    assert stack.import_(TYPE, "orders", source_id).code == 0
    result = stack.up()
    assert result.code == 0, result.output
    assert (id_of(stack), outputs(stack)["state"]) == (source_id, "ACTIVE")
    assert list(cloud_integrations(cloud)) == ["orders"]


@pytest.mark.full_length
@pytest.mark.parametrize("parallel", [8, 64])
def test_the_cost_of_twenty_sources(make_stack: StackMaker, tmp_path: Path, parallel: int) -> None:
    """Each costs its three writes; the polls of all are one list, however many wait at once."""
    with Cloud(tmp_path / "slow", activation_seconds=5) as cloud:
        declared = Declared(cloud, make_stack)
        names = [f"s{number}" for number in range(20)]
        stack = declared.stack(declared.program(*map(declared.source, names)))
        result = stack.up("--parallel", str(parallel))
        assert result.code == 0, result.output
        asked = cloud.requests()
        assert 3 * len(names) < len(asked) <= 4 * len(names), asked
        assert set(state_of(cloud).values()) == {"ACTIVE"}
