"""No secret appears in plain text anywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.cloud import BASIC, CANARIES, CLIENT_SECRET, PASSWORD, SECRET_HEADER

if TYPE_CHECKING:
    from tests.support.cloud import Cloud
    from tests.support.declared import Declared


@pytest.mark.full_length
def test_no_secret_anywhere(declared: Declared, cloud: Cloud) -> None:
    """State, backups, history, audit, logs at full verbosity, the terminal: after each kind of operation."""
    program = declared.program(
        declared.target("orders"),
        declared.target(
            "billing", auth=f"OAuth2Auth('id', {CLIENT_SECRET!r}, {cloud.emulator.url + '/oauth/token'!r})"
        ),
        declared.sync("orders"),
    )
    secret_env = {name: value for name, value in cloud.env.items() if "SECRET" not in name}
    stack = declared.stack(
        program,
        config={"genesys:region": "eu-central-1"},
        secrets={"genesys:clientSecret": CLIENT_SECRET},
        env={**secret_env, "GENESYSCLOUD_OAUTHCLIENT_SECRET": ""},
    )
    verbose = ("-v=11", "--logtostderr")
    said = [stack.preview("--diff", *verbose).output]
    cloud.behave("/v1/genesys/events/orders", status=503)
    said.append(stack.up(*verbose).output)  # a failed verification
    assert stack.resources()["orders"]["outputs"]["status"] == "FAILED"
    said.append(stack.refresh("--diff", *verbose).output)
    cloud.behave_as_usual()
    said.append(stack.up(*verbose).output)
    cloud.requests()
    cloud.change(stack.resources()["orders"]["id"], eventTypes=["OTHER"])
    said.append(stack.refresh("--diff", *verbose).output)
    said.append(stack.up("--diff", *verbose).output)
    stack.must("state", "delete", "--yes", stack.resources()["orders-sync"]["urn"])
    stack.must("state", "delete", "--yes", stack.resources()["orders"]["urn"])
    target_id = cloud_id(cloud, "orders")
    said.append(
        stack.run(
            "import",
            "pulumi-python:dynamic/genesys:EventBridgeTarget",
            "orders",
            target_id,
            "--yes",
            *verbose,
        ).output
    )
    said.append(stack.stored())
    stack.program(program.replace("sync', ", "sync', opts=pulumi.ResourceOptions(protect=False), "))
    said.append(stack.up("--diff", *verbose).output)
    said.append(stack.destroy(*verbose).output)
    said += [stack.stored(), cloud.audit_log.read_text()]
    assert '"TARGET_DELETED"' in said[-1]
    for canary in CANARIES:
        for number, text in enumerate(said):
            where = text.find(canary)
            assert where < 0, f"{canary} in text {number}: …{text[max(0, where - 200) : where]}…"


def cloud_id(cloud: Cloud, name: str) -> str:
    cloud.requests()
    found: str = cloud.targets()[name]["id"]
    return found


@pytest.mark.full_length
def test_a_secret_that_the_service_repeats_is_not_shown(declared: Declared, cloud: Cloud) -> None:
    """In the reason of a failure or an API error; not shown in the terminal, the state or the audit file."""
    stack = declared.stack(declared.targets(["orders"]))
    assert stack.up().code == 0
    told = f"endpoint refused {PASSWORD}, Basic {BASIC} and {SECRET_HEADER}"
    target_id = stack.resources()["orders"]["id"]
    cloud.control(f"targets/{target_id}/status", status="FAILED", message=told)
    refreshed = stack.refresh()
    assert "is FAILED: endpoint refused [secret], Basic [secret] and [secret]" in refreshed.output

    cloud.control(
        "faults",
        match={"method": "PUT"},
        action="status",
        status=400,
        body={"message": f"{told}; {CLIENT_SECRET}", "code": "bad.request", "status": 400},
    )
    failed = stack.up()
    assert failed.code != 0
    assert "endpoint refused [secret]" in failed.output
    for text in (refreshed.output, failed.output, stack.stored(), cloud.audit_log.read_text()):
        assert [canary for canary in (*CANARIES, BASIC) if canary in text] == []
