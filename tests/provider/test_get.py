"""`EventBridgeTarget.get` reads a target of another owner, and never changes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.cloud import PASSWORD
from tests.support.shared_cloud import body

if TYPE_CHECKING:
    from tests.support.cloud import Cloud
    from tests.support.declared import Declared

EXPORTS = (
    "pulumi.export('all', [theirs.id, theirs.name, theirs.endpoint_url, theirs.event_types, theirs.auth_type,"
    " theirs.self_uri, theirs.status, theirs.revision, theirs.verified_at])"
)


def made_by_hand(cloud: Cloud, name: str = "theirs") -> str:
    answer = cloud.api("POST", json=body(cloud, name, headers={"X-Key": "canary-header-b52"}))
    target_id: str = answer.json()["id"]
    while cloud.api("GET", f"/{target_id}").json()["status"] == "PENDING_VERIFICATION":
        pass
    return target_id


@pytest.mark.full_length
@pytest.mark.parametrize("own_host", [True, False])
def test_a_target_is_read_alongside_others(declared: Declared, cloud: Cloud, own_host: bool) -> None:
    target_id = made_by_hand(cloud)
    theirs = f"theirs = EventBridgeTarget.get('theirs', {target_id!r})"
    program = declared.program(
        theirs,
        declared.target("orders", headers="{'X-Theirs': theirs.name}"),
        declared.sync("theirs"),
        EXPORTS,
    )
    stack = declared.stack(program, **({} if own_host else {"host": None}))
    assert stack.preview().code == 0
    result = stack.up()
    assert result.code == 0, result.output
    assert stack.outputs()["all"] == [
        *(target_id, "theirs", cloud.endpoint("theirs"), ["CONVERSATION_STARTED"], "BASIC"),
        *(f"/api/v2/integrations/eventbridge/targets/{target_id}", "VERIFIED", 1, None),
    ]
    state = stack.resources()["theirs"]
    assert (state["external"], state["id"]) == (True, target_id)
    assert PASSWORD not in str(state)
    assert "canary-header-b52" not in stack.stored()
    assert cloud.writes() == ["POST 201"]

    # Changes by its owner are visible, but are not changes of this stack.
    cloud.change(target_id, eventTypes=["OTHER"])
    cloud.requests()
    for run in (stack.refresh, stack.up, stack.up):
        result = run()
        assert result.code == 0, result.output
    # Reads don't count as changes.
    assert "3 unchanged" in result.output
    assert stack.outputs()["all"][3] == ["OTHER"]
    assert cloud.writes() == []

    assert stack.destroy().code == 0
    assert cloud.writes() == ["DELETE 204"]
    assert list(cloud.targets()) == ["theirs"]


def test_adding_and_removing_a_get_changes_nothing(declared: Declared, cloud: Cloud) -> None:
    """Also if the same stack created the target, and released it without deleting it."""
    stack = declared.stack(declared.program(declared.target("orders")))
    assert stack.up().code == 0
    target_id = stack.resources()["orders"]["id"]
    cloud.requests()
    stack.program(declared.program(f"orders = EventBridgeTarget.get('orders', {target_id!r})"))
    assert stack.up().code == 0
    assert stack.resources()["orders"]["external"]
    stack.program(declared.program(f"theirs = EventBridgeTarget.get('theirs', {target_id!r})", EXPORTS))
    assert stack.up().code == 0
    stack.program(declared.program())
    assert stack.up().code == 0
    assert stack.resources() == {}
    assert cloud.writes() == []
    assert list(cloud.targets()) == ["orders"]


@pytest.mark.full_length
def test_an_unverified_target_is_read_too(declared: Declared, cloud: Cloud) -> None:
    """Its status is a matter for the stack that owns it."""
    target_id = made_by_hand(cloud)
    cloud.control(f"targets/{target_id}/status", status="FAILED", message="no answer")
    stack = declared.stack(
        declared.program(f"theirs = EventBridgeTarget.get('theirs', {target_id!r})", EXPORTS)
    )
    for run in (stack.up, stack.refresh, stack.up):
        result = run()
        assert result.code == 0, result.output
    assert stack.outputs()["all"][6] == "FAILED"
    assert cloud.writes() == []


@pytest.mark.full_length
def test_a_missing_target_is_reported_in_one_sentence(declared: Declared, cloud: Cloud) -> None:
    target_id = made_by_hand(cloud)
    stack = declared.stack(declared.program(f"EventBridgeTarget.get('theirs', {target_id!r})"))
    assert stack.up().code == 0
    cloud.requests()
    cloud.api("DELETE", f"/{target_id}")
    refreshed = stack.refresh()
    assert refreshed.code == 0, refreshed.output
    assert "1 deleted" in refreshed.output
    for result in (stack.preview(), stack.up()):
        assert result.code != 0
        assert f"there is no target with the id '{target_id}' in this organization" in result.output
        assert "Traceback" not in result.output
    assert stack.destroy().code == 0


@pytest.mark.full_length
def test_an_id_may_be_an_output_and_a_subclass_may_take_anything(declared: Declared, cloud: Cloud) -> None:
    company = (
        "class CompanyTarget(EventBridgeTarget):\n"
        "    def __init__(self, team): super().__init__(team, endpoint_url='', event_types=[])\n"
    )
    stack = declared.stack(
        declared.program(
            company,
            declared.target("orders"),
            "theirs = CompanyTarget.get('theirs', orders.id, pulumi.ResourceOptions("
            "depends_on=[orders], additional_secret_outputs=['endpoint_url']))",
            "assert isinstance(theirs, CompanyTarget)",
            EXPORTS,
        )
    )
    assert stack.preview().code == 0
    result = stack.up()
    assert result.code == 0, result.output
    assert stack.outputs()["all"][2] == cloud.endpoint("orders")
    theirs = stack.resources()["theirs"]
    assert theirs["type"] == "pulumi-python:dynamic/genesys:EventBridgeTarget"
    assert "ciphertext" in theirs["outputs"]["endpointUrl"]
    assert stack.destroy().code == 0
    cloud.requests()
    assert cloud.targets() == {}
