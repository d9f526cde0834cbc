"""The answers of the calls for integrations, under a behaviour.

An enum without a value is left out rather than null, since the official SDKs fail on a null there [G].
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from genesys_provider.emulator.integration_types import type_view
from genesys_provider.emulator.paths import integration_path

if TYPE_CHECKING:
    from genesys_provider.emulator.behaviour import Behaviour
    from genesys_provider.emulator.integration_store import StoredIntegration

EXPANDED = "config.current"
NO_NOTES = "node_dynamodb_empty_string"
"""How empty notes may be returned [G]."""

_BY = {"id": None, "selfUri": "/me"}


def configuration_view(integration: StoredIntegration, behaviour: Behaviour) -> dict[str, Any]:
    """The configuration as the API returns it."""
    return {
        "id": integration.id,
        "name": integration.name,
        "version": integration.version,
        **integration.configuration,
        "notes": _notes(integration, behaviour),
        "selfUri": f"{integration_path(integration.id)}/config/current",
        **({"lastModifiedBy": _BY, "schemaVersion": 3} if behaviour.extra_fields else {}),
    }


def integration_view(
    integration: StoredIntegration, behaviour: Behaviour, max_instances: int, *, expanded: bool
) -> dict[str, Any]:
    """The integration as the API returns it; with `expanded`, including its configuration."""
    return {
        "id": integration.id,
        "name": integration.name,
        "integrationType": type_view(integration.type, max_instances),
        "notes": _notes(integration, behaviour),
        "intendedState": behaviour.cased(integration.intended),
        **({"config": {"current": configuration_view(integration, behaviour)}} if expanded else {}),
        "reportedState": _state_view(integration, behaviour),
        "attributes": {},
        "selfUri": integration_path(integration.id),
        **({"labels": ["new"], "division": {"id": None}} if behaviour.extra_fields else {}),
    }


def _state_view(integration: StoredIntegration, behaviour: Behaviour) -> dict[str, Any]:
    message = integration.message
    return {
        "code": behaviour.cased(integration.code),
        "effective": integration.code.capitalize(),
        **({} if message is None else {"detail": _detail(integration.code, message)}),
        "lastUpdated": integration.last_updated,
        **({"attempt": 1} if behaviour.extra_fields else {}),
    }


def _detail(code: str, message: str) -> dict[str, Any]:
    return {
        "localizableMessageCode": f"integration.{code.lower()}",
        "message": message,
        "messageWithParams": message,
        "messageParams": {},
    }


def _notes(integration: StoredIntegration, behaviour: Behaviour) -> str:
    notes: str = integration.configuration["notes"]
    return NO_NOTES if behaviour.empty_notes == "word" and not notes else notes
