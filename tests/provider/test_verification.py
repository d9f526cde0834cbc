"""`pulumi up` blocks until the verdict, whatever it is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.support.cloud import Cloud
from tests.support.declared import Declared
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.engine import StackMaker


@pytest.fixture
def slow_cloud(tmp_path: Path) -> Iterator[Cloud]:
    with Cloud(tmp_path, verification_seconds=5) as cloud:
        yield cloud


def test_twenty_targets_wait_together(slow_cloud: Cloud, make_stack: StackMaker) -> None:
    declared = Declared(slow_cloud, make_stack)
    stack = declared.stack(declared.targets(f"t{number}" for number in range(20)))
    result = stack.up("--parallel", "64")
    assert result.code == 0, result.output
    waited = sum(each["outputs"]["verificationSeconds"] for each in stack.resources().values())
    assert waited > result.seconds, "one after the other they can't wait longer than the whole run"
    assert re.search(r" verifying \d+/75 s", result.output)
    requests = slow_cloud.requests()
    assert len(requests) <= 20 + 20
    targets = slow_cloud.targets()
    assert len(targets) == 20
    assert {target["status"] for target in targets.values()} == {"VERIFIED"}


def test_one_of_five_fails_and_recovers(declared: Declared, cloud: Cloud) -> None:
    names = [f"t{number}" for number in range(5)]
    stack = declared.stack(declared.targets(names))
    cloud.behave("/v1/genesys/events/t3", status=503)
    failed = stack.up()
    assert failed.code != 0
    assert "target 't3'" in failed.output
    assert "endpoint answered 503" in failed.output
    assert "Traceback" not in failed.output
    assert failed.output.count("is not verified") == 1
    resources = stack.resources()
    assert {name: resources[name]["outputs"]["status"] for name in names} == {
        **dict.fromkeys(names, "VERIFIED"),
        "t3": "FAILED",
    }
    assert "503" in resources["t3"]["initErrors"][0]
    preview = stack.preview()
    assert re.search(r"will verify again: target 't3' \(\S+\) is FAILED", preview.output)

    cloud.behave_as_usual()
    healed = stack.up()
    assert healed.code == 0, healed.output
    assert "initErrors" not in stack.resources()["t3"]
    cloud.requests()
    assert {name: target["status"] for name, target in cloud.targets().items()} == dict.fromkeys(
        names, "VERIFIED"
    )


@pytest.mark.full_length
def test_ctrl_c_keeps_created_resources(slow_cloud: Cloud, make_stack: StackMaker) -> None:
    declared = Declared(slow_cloud, make_stack)
    names = [f"t{number}" for number in range(6)]
    stack = declared.stack(declared.targets(names))
    running = stack.start("up", "--yes", "--skip-preview", "--parallel", "64")
    # The login, the look-up, and a POST for each.
    eventually(lambda: len(slow_cloud.control("requests", "GET")) >= 2 + len(names))
    running.interrupt()
    result = running.wait(limit=3)
    assert result.code != 0
    assert "Traceback" not in result.output
    assert stack.pending() == []
    slow_cloud.requests()
    assert {name: each["id"] for name, each in stack.resources().items() if name in names} == {
        name: each["id"] for name, each in slow_cloud.targets().items()
    }
    again = stack.up()
    assert again.code == 0, again.output
    # Their verifications continued meanwhile; a write would have restarted them.
    assert slow_cloud.writes() == []
    assert {each["status"] for each in slow_cloud.targets().values()} == {"VERIFIED"}


def test_the_precedence_of_time_limits(slow_cloud: Cloud, make_stack: StackMaker) -> None:
    declared = Declared(slow_cloud, make_stack)
    short = "opts=pulumi.ResourceOptions(custom_timeouts=pulumi.CustomTimeouts(create='1s'))"
    stack = declared.stack(
        declared.program(
            declared.target("by_option", verification_timeout="60").replace(
                "verification_timeout", f"{short}, verification_timeout"
            ),
            declared.target("by_resource", verification_timeout="1.5"),
            declared.target("by_config"),
        ),
        env={"GENESYSCLOUD_VERIFICATION_TIMEOUT": "2"},
    )
    result = stack.up()
    assert result.code != 0
    assert "no verdict within 1 s" in result.output
    assert "no verdict within 2 s" in result.output
    assert "verification_timeout of the target" in result.output
    assert len(stack.resources()) == 3


@pytest.mark.full_length
def test_a_target_of_an_unrecorded_run_is_adopted(declared: Declared, cloud: Cloud) -> None:
    stack = declared.stack(declared.targets(["orders"]))
    assert stack.up().code == 0
    target_id = stack.resources()["orders"]["id"]
    stack.must("state", "delete", "--yes", stack.resources()["orders"]["urn"])
    cloud.requests()
    assert stack.up().code == 0
    assert cloud.writes() == ["PUT 200"]
    assert stack.resources()["orders"]["id"] == target_id
    assert '"TARGET_ADOPTED"' in cloud.audit_log.read_text()


@pytest.mark.parametrize("action", [pytest.param("drop_before", marks=pytest.mark.full_length), "drop_after"])
def test_a_post_whose_answer_is_lost_creates_one_target(
    declared: Declared, cloud: Cloud, action: str
) -> None:
    stack = declared.stack(declared.targets(["orders"]))
    path = "/api/v2/integrations/eventbridge/targets"
    cloud.control("faults", match={"method": "POST", "path": path}, action=action, times=1)
    result = stack.up()
    assert result.code == 0, result.output
    cloud.requests()
    assert list(cloud.targets()) == ["orders"]
    assert stack.resources()["orders"]["id"] == cloud.targets()["orders"]["id"]


@pytest.mark.full_length
def test_refresh_reports_a_target_that_has_failed(declared: Declared, cloud: Cloud) -> None:
    stack = declared.stack(declared.targets(["orders"]))
    assert stack.up().code == 0
    target_id = stack.resources()["orders"]["id"]
    cloud.control(f"targets/{target_id}/status", status="FAILED", message="endpoint answered 502")
    refreshed = stack.refresh()
    assert refreshed.code == 0
    assert "is FAILED: endpoint answered 502" in refreshed.output
    cloud.requests()
    assert stack.up().code == 0
    assert cloud.writes() == ["PUT 200"]
    assert cloud.targets()["orders"]["status"] == "VERIFIED"
