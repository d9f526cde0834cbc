"""A small selection [C] of the integration types, with the fields that clients read [G]."""

from __future__ import annotations

from typing import Any

from genesys_provider.emulator.contract import DOCUMENT
from genesys_provider.emulator.paths import INTEGRATIONS_PATH

EVENTBRIDGE = "amazon-eventbridge-source"
TYPES_PATH = f"{INTEGRATIONS_PATH}/types"
PROPERTIES = "EventBridgeProperties"
"""The contract's schema for the configuration of an `amazon-eventbridge-source`."""

NAMES = {
    EVENTBRIDGE: "Amazon EventBridge Source",
    "custom-rest-actions": "Web Services Data Actions",
    "custom-smtp-server": "Custom SMTP Server",
    "embedded-client-app": "Client Application",
    "embedded-client-app-interaction-widget": "Interaction Widget",
    "purecloud-data-actions": "Genesys Cloud Data Actions",
    "webhook": "Webhook",
}
"""The default name of an integration of each type."""

VIEW = "integrations:integration:view"
"""The permission to read integrations and their types [G]."""


def type_view(type_id: str, max_instances: int) -> dict[str, Any]:
    """One type, as the API returns it; `max_instances` applies to `amazon-eventbridge-source`."""
    schemas = f"{TYPES_PATH}/{type_id}/configschemas"
    return {
        "id": type_id,
        "name": NAMES[type_id],
        "description": f"An integration of the type {NAMES[type_id]}.",
        "provider": "emulator",
        "category": "Emulated",
        "configPropertiesSchemaUri": f"{schemas}/properties",
        "configAdvancedSchemaUri": f"{schemas}/advanced",
        "credentials": {},
        "nonInstallable": False,
        **({"maxInstances": max_instances} if type_id == EVENTBRIDGE else {}),
        "userPermissions": [VIEW],
        "selfUri": f"{TYPES_PATH}/{type_id}",
    }


def config_schema(type_id: str, part: str) -> dict[str, Any]:
    """The schema of `properties` or `advanced`. For most types the emulator accepts any object."""
    known = part == "properties" and type_id == EVENTBRIDGE
    rules = DOCUMENT["components"]["schemas"][PROPERTIES] if known else {}
    return {
        "id": f"{type_id}.{part}",
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"{NAMES[type_id]}: {part}",
        "description": "What is configured.",
        "type": "object",
        "required": rules.get("required", []),
        "properties": rules.get("properties", {}),
        "additionalProperties": True,
    }
