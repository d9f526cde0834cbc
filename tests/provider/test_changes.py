"""Each change of a program has its effect, without unnecessary requests."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.support.cloud import PASSWORD, USERNAME

if TYPE_CHECKING:
    from tests.support.cloud import Cloud
    from tests.support.declared import Declared
    from tests.support.engine import Stack

TYPE = "pulumi-python:dynamic/genesys:EventBridgeTarget"


def write(stack: Stack, declared: Declared, **arguments: str) -> None:
    stack.program(declared.program(declared.target("orders", **arguments), declared.sync("orders")))


@pytest.fixture
def stack(declared: Declared, cloud: Cloud) -> Stack:
    stack = declared.stack(declared.program(declared.target("orders"), declared.sync("orders")))
    result = stack.up()
    assert result.code == 0, result.output
    assert cloud.writes() == ["POST 201"]
    return stack


def test_each_change_in_turn(stack: Stack, declared: Declared, cloud: Cloud) -> None:
    state = stack.resources()["orders"]["outputs"]
    assert state["status"] == "VERIFIED"
    assert state["revision"] == 1
    assert state["verificationSeconds"] >= 0.2
    assert len(cloud.received()["syncs"]) == 1
    target_id = stack.resources()["orders"]["id"]

    # A second run changes nothing, and sends no request.
    again = stack.up()
    assert "3 unchanged" in again.output, again.output
    assert cloud.requests() == []

    # The order, the case and an explicit default are not changes.
    write(
        stack,
        declared,
        event_types="['QUEUE_MEMBER_ADDED', 'CONVERSATION_STARTED']",
        headers="{'x-source-system': 'GenesysCloud', 'x-key': pulumi.Output.secret('canary-header-b52')}",
        retry_policy="RetryPolicy(max_retries=5, backoff_strategy='EXPONENTIAL', initial_delay_seconds=2)",
        name="'orders'",
    )
    assert "3 unchanged" in stack.up().output
    assert cloud.requests() == []

    # A retry policy: one PUT, no verification; the gateway hears of the new revision.
    write(stack, declared, retry_policy="RetryPolicy(max_retries=7)")
    shown = stack.preview("--diff").output
    assert "maxRetries: 5 => 7" in shown
    assert "endpointUrl" not in shown
    assert cloud.requests() == []
    assert stack.up().code == 0
    looks = ["POST /oauth/token 200", "GET /api/v2/organizations/me 200", f"GET /{target_id} 200"]
    assert cloud.requests() == [*looks, f"PUT /{target_id} 200"]
    assert stack.resources()["orders"]["outputs"]["revision"] == 2
    assert len(cloud.received()["syncs"]) == 2

    # An endpoint: one PUT, and the verification.
    write(
        stack, declared, retry_policy="RetryPolicy(max_retries=7)", endpoint_url=repr(cloud.endpoint("new"))
    )
    shown = stack.preview("--diff").output
    assert "~ endpointUrl:" in shown
    assert "retryPolicy" not in shown
    assert stack.up().code == 0
    requests = cloud.requests()
    assert requests[:4] == [*looks, f"PUT /{target_id} 200"]
    # A verdict in the first poll may be the old one, so there is one more read.
    assert set(requests[4:]) <= {f"GET /{target_id}/verify 200", f"GET /{target_id} 200"}
    assert stack.resources()["orders"]["id"] == target_id

    # A password: shown as a secret, one PUT, and the verification, which here fails.
    write(stack, declared, auth=f"BasicAuth({USERNAME!r}, 'canary-wrong-1')")
    shown = stack.preview("--diff").output
    assert "~ password: [secret] => [secret]" in shown
    failed = stack.up()
    assert failed.code != 0
    assert "endpoint answered 401" in failed.output
    assert "Traceback" not in failed.output
    assert "canary" not in shown + failed.output
    assert cloud.writes() == ["PUT 200"]
    assert stack.resources()["orders"]["outputs"]["status"] == "FAILED"

    # The old password again: verified again.
    write(stack, declared)
    assert "status" in stack.preview("--diff").output
    assert stack.up().code == 0
    assert cloud.writes() == ["PUT 200"]
    assert cloud.targets()["orders"]["status"] == "VERIFIED"
    assert cloud.targets()["orders"]["id"] == target_id

    assert stack.destroy().code == 0
    assert cloud.requests()[-1] == f"DELETE /{target_id} 204"
    assert cloud.targets() == {}
    last = cloud.received()["syncs"][-1]["body"]
    assert last["eventType"] == "TARGET_CONFIGURATION_DELETED"
    assert last["targetId"] == target_id


@pytest.mark.full_length
def test_a_name_changes_in_place(stack: Stack, declared: Declared, cloud: Cloud) -> None:
    target_id = stack.resources()["orders"]["id"]
    write(stack, declared, name="'production-orders'")
    assert "replace" not in stack.preview("--diff").output
    assert stack.up().code == 0
    assert cloud.writes() == ["PUT 200"]
    assert {name: target["id"] for name, target in cloud.targets().items()} == {
        "production-orders": target_id
    }


def test_refresh_shows_drift_and_up_corrects_it(stack: Stack, cloud: Cloud) -> None:
    target_id = stack.resources()["orders"]["id"]
    cloud.requests()
    cloud.change(target_id, retryPolicy={**cloud.targets()["orders"]["retryPolicy"], "maxRetries": 1})
    drift = stack.refresh("--diff")
    assert "maxRetries: 5 => 1" in drift.output, drift.output
    assert "endpointUrl" not in drift.output
    cloud.requests()
    assert "maxRetries: 1 => 5" in stack.preview("--diff").output
    assert stack.up().code == 0
    assert cloud.writes() == ["PUT 200"]
    assert cloud.targets()["orders"]["retryPolicy"]["maxRetries"] == 5
    assert "3 unchanged" in stack.refresh().output


@pytest.mark.full_length
def test_a_refresh_keeps_authentication_that_the_service_does_not_tell(stack: Stack, cloud: Cloud) -> None:
    cloud.set_behaviour(omit=["authConfig"])
    cloud.requests()
    before = stack.recorded()
    result = stack.must("up", "--refresh", "--yes", "--skip-preview", "--expect-no-changes")
    assert "updated" not in result.output
    assert stack.recorded() == before
    assert cloud.writes() == []


@pytest.mark.full_length
def test_the_gateway_hears_of_a_change_found_by_a_refresh(
    stack: Stack, declared: Declared, cloud: Cloud
) -> None:
    """Such as after an update that was killed after its PUT, or when the program adopts a manual change."""
    target_id = stack.resources()["orders"]["id"]
    told = len(cloud.received()["syncs"])
    cloud.change(target_id, retryPolicy={**cloud.targets()["orders"]["retryPolicy"], "maxRetries": 7})
    cloud.requests()
    write(stack, declared, retry_policy="RetryPolicy(max_retries=7)")
    result = stack.up("--refresh")
    assert result.code == 0, result.output
    assert cloud.writes() == []
    syncs = cloud.received()["syncs"][told:]
    assert [each["body"]["targetId"] for each in syncs] == [target_id]
    assert stack.resources()["orders"]["outputs"]["revision"] == 2
    assert stack.resources()["orders-sync"]["outputs"]["revision"] == 2
    assert "3 unchanged" in stack.up("--refresh").output
    assert len(cloud.received()["syncs"]) == told + 1

    # A changed status is not a new revision, since the gateway knows the configuration.
    cloud.control(f"targets/{target_id}/status", status="FAILED", message="endpoint answered 502")
    stack.refresh()
    outputs = stack.resources()["orders"]["outputs"]
    assert (outputs["status"], outputs["revision"]) == ("FAILED", 2)


def test_a_target_that_was_deleted_manually_is_created_again(stack: Stack, cloud: Cloud) -> None:
    cloud.requests()
    cloud.api("DELETE", f"/{stack.resources()['orders']['id']}")
    assert "1 deleted" in stack.refresh().output
    cloud.requests()
    assert stack.up().code == 0
    assert cloud.writes() == ["POST 201"]
    target = cloud.targets()["orders"]
    assert target["status"] == "VERIFIED"
    assert cloud.received()["syncs"][-1]["body"]["targetId"] == target["id"]


@pytest.mark.full_length
def test_without_a_refresh_an_update_of_a_deleted_target_tells_what_to_do(
    stack: Stack, declared: Declared, cloud: Cloud
) -> None:
    cloud.requests()
    cloud.api("DELETE", f"/{stack.resources()['orders']['id']}")
    write(stack, declared, retry_policy="RetryPolicy(max_retries=7)")
    failed = stack.up()
    assert failed.code != 0
    assert "was deleted outside of Pulumi. Run `pulumi up --refresh`" in failed.output
    assert stack.up("--refresh").code == 0
    cloud.requests()
    assert list(cloud.targets()) == ["orders"]


@pytest.mark.full_length
def test_a_preview_after_an_import_only_shows_the_secret_and_the_owner(
    declared: Declared, cloud: Cloud
) -> None:
    body = {
        "name": "orders",
        "endpointUrl": cloud.endpoint("orders"),
        "authType": "BASIC",
        "authConfig": {"username": USERNAME, "password": PASSWORD},
        "retryPolicy": {"maxRetries": 3, "backoffStrategy": "LINEAR", "initialDelaySeconds": 4},
        "headers": {"X-Key": "canary-header-b52"},
        "eventTypes": ["A", "B"],
    }
    target_id = cloud.api("POST", json=body).json()["id"]
    stack = declared.stack(
        declared.program(
            declared.target(
                "orders",
                retry_policy="RetryPolicy(3, 'LINEAR', 4)",
                headers="{'X-Key': pulumi.Output.secret('canary-header-b52')}",
                event_types="['B', 'A']",
                # `pulumi import` protects what it imports.
                opts="pulumi.ResourceOptions(protect=True)",
            )
        )
    )
    imported = stack.import_(TYPE, "orders", target_id)
    assert imported.code == 0, imported.output
    assert "bug" not in imported.output
    assert "canary" not in imported.output + stack.stored()
    cloud.requests()
    shown = stack.preview("--diff").output
    assert "+ password: [secret]" in shown
    assert "+ owner" in shown, "the import does not show the owner yet"
    for unchanged in ("endpointUrl", "eventTypes", "headers", "retryPolicy", "apiUrl", "healthCheck"):
        assert unchanged not in shown
    assert stack.up().code == 0
    assert cloud.writes() == ["PUT 200"]
    assert (
        cloud.targets()["orders"]["headers"]["X-Pulumi-Resource"] == f"urn:pulumi:dev::house::{TYPE}::orders"
    )
    assert "2 unchanged" in stack.up().output


def test_an_import_of_a_missing_target_is_an_error(declared: Declared, cloud: Cloud) -> None:
    stack = declared.stack(declared.program("pass"))
    failed = stack.import_(TYPE, "orders", "3fa85f64-5717-4562-b3fc-2c963f66afa6")
    assert failed.code != 0
    assert "Traceback" not in failed.output
    assert f"does not exist in organization {cloud.organization}" in failed.output


def test_health_check(declared: Declared, cloud: Cloud) -> None:
    stack = declared.stack(declared.program(declared.target("orders", health_check="True")))
    done = stack.up()
    assert done.code == 0
    # The last status that the terminal keeps is a result, not what was under way.
    said = re.search(r"orders created \(.*\) verified after [\d.]+ s, health check: HEALTHY", done.output)
    assert said, done.output
    assert stack.resources()["orders"]["outputs"]["healthStatus"] == "HEALTHY"
    assert cloud.writes() == ["POST 201", "POST 200"]


@pytest.mark.full_length
def test_a_failed_health_check_does_not_fail_the_update(declared: Declared, cloud: Cloud) -> None:
    stack = declared.stack(declared.program(declared.target("orders", verification_timeout="30")))
    assert stack.up().code == 0
    cloud.control("faults", match={"path": "*/health"}, action="status", status=403)
    stack.program(declared.program(declared.target("orders", health_check="True")))
    updated = stack.up()
    assert updated.code == 0, updated.output
    outputs = stack.resources()["orders"]["outputs"]
    assert outputs["healthStatus"] == "UNKNOWN"
    assert "verificationTimeout" not in outputs
    stack.program(declared.program(declared.target("orders")))
    assert stack.up().code == 0
    outputs = stack.resources()["orders"]["outputs"]
    assert "healthStatus" not in outputs
    assert None not in outputs.values()
    assert "unchanged" in stack.up().output


@pytest.mark.full_length
def test_a_deleted_resource_with_another_owner_is_not_touched(
    stack: Stack, declared: Declared, cloud: Cloud
) -> None:
    other = declared.stack(declared.targets(["orders"]), name="billing")
    cloud.requests()
    refused = other.up()
    assert refused.code != 0
    assert f"is owned by urn:pulumi:dev::house::{TYPE}::orders" in refused.output
    assert "state move" in refused.output
    assert "Traceback" not in refused.output
    assert cloud.writes() == []
    assert other.destroy().code == 0
    assert list(cloud.targets()) == ["orders"]


@pytest.mark.full_length
@pytest.mark.parametrize("replaced", ["orders", "orders-sync"])
def test_a_requested_replacement_deletes_before_it_creates(
    declared: Declared, cloud: Cloud, replaced: str
) -> None:
    """Otherwise the create would adopt the target that is deleted afterwards."""
    stack = declared.stack(declared.program(declared.target("orders"), declared.sync("orders")))
    assert stack.up().code == 0
    before = stack.resources()
    result = stack.up("--replace", before[replaced]["urn"])
    assert result.code == 0, result.output
    assert result.output.count("replaced") > 0, result.output
    after = stack.resources()
    assert after[replaced]["id"] != before[replaced]["id"]
    cloud.requests()
    assert [each["id"] for each in cloud.targets().values()] == [after["orders"]["id"]]
    last = str(cloud.received()["syncs"][-1]["body"])
    assert "TARGET_CONFIGURATION_UPDATED" in last
    assert after["orders"]["id"] in last
