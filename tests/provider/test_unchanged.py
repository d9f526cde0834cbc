"""Unchanged resources are cheap: inputs that were valid before don't load the models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from genesys_provider.resources import passed
from genesys_provider.resources.sync_provider import GatewaySyncProvider
from genesys_provider.resources.target_provider import EventBridgeTargetProvider

if TYPE_CHECKING:
    from tests.support.cloud import Cloud
    from tests.support.declared import Declared

HEAVY = ("pydantic", "httpx", "rich", "click")
IMPORTS = {"PYTHONPROFILEIMPORTTIME": "1"}
"""Makes Python write each import to standard error, which the engine shows."""

TARGET = {
    "name": "orders",
    "endpointUrl": "https://gateway.example.com/events",
    "eventTypes": ["CONVERSATION_STARTED"],
    "authType": "BASIC",
    "authConfig": {"username": "relay", "password": "a password"},
    "owner": "urn:pulumi:dev::house::pulumi-python:dynamic/genesys:EventBridgeTarget::orders",
}

BY_OTHER_CODE = {"checkedBy": "0000cafe"}
"""What the state of another version has."""


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> EventBridgeTargetProvider:
    monkeypatch.setenv("GENESYSCLOUD_API_URL", "http://localhost:1")
    monkeypatch.setenv("GENESYSCLOUD_LOGIN_URL", "http://localhost:1")
    return EventBridgeTargetProvider()


def imported(output: str) -> set[str]:
    lines = [line for line in output.splitlines() if "import time:" in line]
    assert any(line.endswith(" genesys_provider.resources.passed") for line in lines), output
    return {line.rpartition("|")[2].strip().partition(".")[0] for line in lines} & set(HEAVY)


def test_a_no_op_loads_no_models(declared: Declared, cloud: Cloud) -> None:
    stack = declared.stack(
        declared.program(declared.target("orders"), declared.sync("orders"), declared.source("calls"))
    )
    result = stack.up(env=IMPORTS)
    assert result.code == 0, result.output
    assert {"pydantic", "httpx"} <= imported(result.output)
    recorded = stack.recorded()
    for command in (stack.up, stack.preview):
        result = command(env=IMPORTS)
        assert result.code == 0, result.output
        assert imported(result.output) == set()
    assert stack.recorded() == recorded


def test_valid_inputs_are_checked_again_by_other_code(
    provider: EventBridgeTargetProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = looked(provider, monkeypatch)
    first = provider.check({}, TARGET).inputs
    assert provider.check(first, TARGET).inputs == first
    assert looks == [1]
    upgraded = provider.check({**first, **BY_OTHER_CODE}, TARGET).inputs
    assert looks == [1, 1]
    assert provider.check(upgraded, TARGET).inputs == upgraded == first
    assert looks == [1, 1]


def test_a_new_rule_applies_to_inputs_that_were_valid_before(provider: EventBridgeTargetProvider) -> None:
    passed_before = provider.check({}, TARGET).inputs
    broken = {**TARGET, "name": "x" * 101}
    state = {**passed_before, "name": "x" * 101, **BY_OTHER_CODE}
    assert [each.property for each in provider.check(state, broken).failures] == ["name"]


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"name": "x" * 101}, id="text"),
        # These are equal to the old values in Python.
        pytest.param({"healthCheck": 0}, id="a-number-for-False"),
        pytest.param({"retryPolicy": {"maxRetries": True}}, id="True-for-a-number"),
    ],
)
def test_changed_inputs_are_checked(provider: EventBridgeTargetProvider, other: dict[str, Any]) -> None:
    was = {**TARGET, "retryPolicy": {"maxRetries": 1}}
    first = provider.check({}, was).inputs
    result = provider.check(first, {**was, **other})
    assert result.failures


def test_inputs_from_a_read_are_checked(provider: EventBridgeTargetProvider) -> None:
    broken = {**TARGET, "name": "x" * 101}
    read = {**provider.check({}, broken).inputs}
    assert "checkedBy" not in read
    assert provider.check(read, broken).failures


def test_without_source_files_everything_is_checked(
    provider: EventBridgeTargetProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = looked(provider, monkeypatch)
    monkeypatch.setattr(passed, "_code", lambda: None)
    first = provider.check({}, TARGET).inputs
    assert provider.check(first, TARGET).inputs == first
    assert looks == [1, 1]


def test_a_valid_sync_is_checked_again_by_other_code() -> None:
    sync = {"targetId": "id", "revision": 1, "webhookUrl": "https://gateway.example.com/hook"}
    provider = GatewaySyncProvider()
    first = provider.check({}, sync).inputs
    broken = {**first, "revision": -1}
    assert not provider.check(broken, {**sync, "revision": -1}).failures
    assert provider.check({**broken, **BY_OTHER_CODE}, {**sync, "revision": -1}).failures


def looked(provider: EventBridgeTargetProvider, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of checks so far."""
    looks: list[int] = []
    rules = provider.rules()
    faults = rules.faults

    def counted(olds: Any, inputs: Any) -> Any:
        looks.append(1)
        return faults(olds, inputs)

    monkeypatch.setattr(rules, "faults", counted)
    return looks
