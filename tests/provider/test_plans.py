"""Update plans: `preview --save-plan` on a pull request, `up --plan` after its merge."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.cloud import CANARIES

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.cloud import Cloud
    from tests.support.declared import Declared
    from tests.support.engine import Stack


def planned_up(stack: Stack) -> str:
    stack.must("preview", "--save-plan", "plan.json")
    plan = (stack.directory / "plan.json").read_text()
    assert not any(secret in plan for secret in CANARIES)
    return stack.must("up", "--yes", "--skip-preview", "--plan", "plan.json").output


def test_an_up_holds_to_its_plan(declared: Declared, cloud: Cloud, host: Path | None) -> None:
    lines = declared.target("orders"), declared.source("billing"), declared.target("old")
    stack = declared.stack(declared.program(*lines, declared.sync("orders")), host=host)
    assert "+ 5 created" in planned_up(stack)
    stack.program(
        declared.program(
            declared.target("orders", event_types="['QUEUE_MEMBER_ADDED']"),
            declared.source("billing", topics="['v2.flows.{id}']"),
            declared.sync("orders"),
            declared.target("queues"),
            declared.sync("queues"),
        )
    )
    changed = planned_up(stack)
    assert "~ 3 updated" in changed
    assert "- 1 deleted" in changed
    assert "6 unchanged" in planned_up(stack)
    assert set(cloud.living()) == {"orders", "queues"}
