"""Stacks of the first version of this provider, whose mark was `{project}/{stack}/{name}`.

`landed_state.json` is what `pulumi stack export --show-secrets` said of such a stack, less times and traces.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.cloud import CANARIES, OWNER_HEADER, PASSWORD, SECRET_HEADER, USERNAME
from tests.support.engine import urn

if TYPE_CHECKING:
    from tests.support.cloud import Cloud
    from tests.support.declared import Declared
    from tests.support.engine import Stack

STATE = Path(__file__).parent / "landed_state.json"
NAMES = ("orders", "more")


@pytest.fixture
def stack(declared: Declared, cloud: Cloud, host: Path | None) -> Stack:
    """The stack with that state, its two targets with their marks, and its program."""
    text = STATE.read_text().replace("{gateway}", cloud.gateway.url)
    for name in NAMES:
        headers = {
            "X-Key": SECRET_HEADER,
            "X-Source-System": "GenesysCloud",
            OWNER_HEADER: f"house/dev/{name}",
        }
        body = {
            "name": name,
            "endpointUrl": cloud.endpoint(name),
            "authType": "BASIC",
            "authConfig": {"username": USERNAME, "password": PASSWORD},
            "eventTypes": ["CONVERSATION_STARTED", "QUEUE_MEMBER_ADDED"],
            "retryPolicy": {"maxRetries": 5, "backoffStrategy": "EXPONENTIAL", "initialDelaySeconds": 2},
            "headers": headers,
        }
        made = cloud.api("POST", json=body).json()["id"]
        text = text.replace(f"{{{name}}}", made)
    program = declared.program(*(declared.target(name) for name in NAMES), declared.sync("orders"))
    stack = declared.stack(program, host=host)
    stack.write("landed.json", text)
    stack.must("stack", "import", "--file", "landed.json")
    (stack.directory / "landed.json").unlink()
    return stack


def test_the_next_up_updates_an_old_stack(stack: Stack, cloud: Cloud) -> None:
    ids = cloud.living()
    shown = stack.preview("--diff")
    assert shown.code == 0, shown.output
    assert urn("orders") in shown.output
    result = stack.up()
    assert result.code == 0, result.output
    assert cloud.writes() == ["PUT 200"] * 2
    assert cloud.living() == ids
    assert cloud.marks() == {name: urn(name) for name in NAMES}
    for name in NAMES:
        outputs = stack.resources()[name]["outputs"]
        assert outputs["owner"] == urn(name)
        assert outputs["organizationId"] == cloud.organization
        assert outputs["apiUrl"] == cloud.emulator.url
    assert "4 unchanged" in stack.up("--refresh").output
    assert [each for each in CANARIES if each in stack.stored()] == []


@pytest.mark.full_length
@pytest.mark.parametrize("refreshed", [False, True], ids=["at once", "refreshed"])
def test_an_old_stack_can_be_destroyed(stack: Stack, cloud: Cloud, refreshed: bool) -> None:
    ids = cloud.living()
    if refreshed:
        assert stack.refresh().code == 0
    result = stack.destroy()
    assert result.code == 0, result.output
    assert cloud.living() == {}
    assert cloud.told() == [("DELETED", ids["orders"])]
    assert stack.resources() == {}


@pytest.mark.full_length
def test_a_target_can_be_removed_from_an_old_stack(declared: Declared, stack: Stack, cloud: Cloud) -> None:
    ids = cloud.living()
    stack.program(declared.targets(["more"]))
    result = stack.up()
    assert result.code == 0, result.output
    assert cloud.living() == {"more": ids["more"]}
    assert cloud.told() == [("DELETED", ids["orders"])]
    assert cloud.marks() == {"more": urn("more")}
