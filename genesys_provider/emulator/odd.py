"""Targets and integrations of other owners that are hard to read, for the behaviour `oddEntries`.

Each breaks the contract in one way. They are in every list and can be read by id, but nobody can change them.
"""

from __future__ import annotations

from typing import Any

from genesys_provider.emulator.integration_types import EVENTBRIDGE
from genesys_provider.emulator.paths import integration_path, target_path

_ID = "0ddba110-0000-4000-8000-{:012d}"

_ODDITIES: tuple[dict[str, Any], ...] = (
    {"headers": {"X-Retries": 3}},
    {"status": ...},
    {"authConfig": ["relay", "sesame"]},
    {"owner": {"id": "7d2c4f0e-0000-4000-8000-000000000002", "name": "Somebody"}},
    {"name": None},
    {"retryPolicy": None},
    {"eventTypes": "CONVERSATION_STARTED"},
    {"headers": None},
    {"status": 7},
    {"endpointUrl": ..., "authType": "MTLS"},
    {"name": 12, "headers": {"X-Pulumi-Resource": ["urn"]}},
    {"retryPolicy": {"maxRetries": "many", "backoffStrategy": None}},
)
"""The deviation of each; `...` stands for a missing field."""


def odd_entries(count: int) -> dict[str, dict[str, Any]]:
    """The first `count` odd targets by id, as the API returns them; always the same."""
    return {_ID.format(number): _odd(number) for number in range(count)}


def _odd(number: int) -> dict[str, Any]:
    target_id = _ID.format(number)
    entry = {
        "id": target_id,
        "name": f"somebody-elses-{number}",
        "endpointUrl": "https://somebody.example/events",
        "authType": "NONE",
        "authConfig": {},
        "retryPolicy": {"maxRetries": 5, "backoffStrategy": "EXPONENTIAL", "initialDelaySeconds": 2},
        "headers": {},
        "eventTypes": ["CONVERSATION_STARTED"],
        "status": "VERIFIED",
        "selfUri": target_path(target_id),
        **_ODDITIES[number % len(_ODDITIES)],
    }
    return _without_missing(entry)


_ODD_INTEGRATIONS: tuple[dict[str, Any], ...] = (
    {"config": None, "reportedState": None},
    {"integrationType": ...},
    {"name": None, "notes": None},
    {"config": {"current": {"version": 4, "properties": None, "notes": "node_dynamodb_empty_string"}}},
    {"reportedState": {"code": "REPAIRING", "effective": "?", "lastUpdated": None}},
    {"config": {"current": {"version": "3", "properties": ["awsAccountId"], "notes": 7}}, "attributes": []},
    {"intendedState": "DELETED", "config": ...},
    {"integrationType": EVENTBRIDGE, "intendedState": ...},
    {
        "config": {
            "current": {"version": 2, "properties": {"eventFilter": "v2.flows.{id}", "awsAccountId": 1}}
        }
    },
    {"name": 12, "reportedState": {"code": 7, "detail": "text"}, "owner": {"id": "x"}},
)


def odd_integrations(count: int) -> dict[str, dict[str, Any]]:
    """The first `count` odd integrations by id; always the same. They are in lists of any type."""
    return {_ID.format(number): _odd_integration(number) for number in range(count)}


def _odd_integration(number: int) -> dict[str, Any]:
    integration_id = _ID.format(number)
    entry = {
        "id": integration_id,
        "name": f"somebody-elses-{number}",
        "integrationType": {"id": EVENTBRIDGE},
        "notes": "",
        "intendedState": "ENABLED",
        "config": {"current": {"version": 1, "properties": {}, "notes": ""}},
        "reportedState": {"code": "ACTIVE", "lastUpdated": "2026-01-31T12:00:00.000Z"},
        "selfUri": integration_path(integration_id),
        **_ODD_INTEGRATIONS[number % len(_ODD_INTEGRATIONS)],
    }
    return _without_missing(entry)


def _without_missing(entry: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if value is not ...}
