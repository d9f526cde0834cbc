"""The stored integrations of the emulator."""

# ruff: noqa: S608 (the words of each statement are our own)
from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from genesys_provider.emulator.database import Table
from genesys_provider.emulator.events import timestamp

if TYPE_CHECKING:
    from genesys_provider.emulator.database import Database, TableView

ENABLED, DISABLED, DELETED = "ENABLED", "DISABLED", "DELETED"
"""The intended states of an integration [G]; `RESTORED`, which a client may ask for too, leads to `DISABLED`."""

ACTIVE, ACTIVATING, INACTIVE, DEACTIVATING = "ACTIVE", "ACTIVATING", "INACTIVE", "DEACTIVATING"
ERROR = "ERROR"
"""The reported states of an integration [G]."""

EMPTY = {"properties": {}, "advanced": {}, "notes": "", "credentials": {}}
"""The configuration of a new integration; nothing in it is null [G~]."""


@dataclass(frozen=True)
class StoredIntegration:
    """One stored integration.

    Attributes:
        configuration: The `properties`, `advanced`, `notes` and `credentials` of the last PUT.
        version: The version of the configuration.
        message: The reason for the state, for humans.
        last_updated: When `code` last changed, or was forced.
        generation: The number of state changes from outside; a change in progress is void after another one.
        leads_to: The code of the state that a change in progress leads to, if any; it resumes after a restart.
    """

    id: str
    name: str
    type: str
    configuration: dict[str, Any]
    version: int
    intended: str
    code: str
    message: str | None
    last_updated: str
    generation: int
    leads_to: str | None

    @property
    def properties(self) -> dict[str, Any]:
        """The configuration's properties."""
        properties: dict[str, Any] = self.configuration["properties"]
        return properties


def _integration(row: tuple[Any, ...]) -> StoredIntegration:
    integration_id, name, kind, configuration, *rest = row
    return StoredIntegration(integration_id, name, kind, json.loads(configuration), *rest)


INTEGRATIONS = Table(
    "integrations",
    {
        "name": "TEXT NOT NULL",
        "type": "TEXT NOT NULL",
        "configuration": "TEXT NOT NULL",
        "version": "INTEGER NOT NULL",
        "intended": "TEXT NOT NULL",
        "code": "TEXT NOT NULL",
        "message": "TEXT",
        "last_updated": "TEXT NOT NULL",
        "generation": "INTEGER NOT NULL",
        "leads_to": "TEXT",
    },
    _integration,
)

_TO_A_STATE = (
    "last_updated = CASE WHEN code = :code THEN last_updated ELSE :now END, code = :code, message = :message,"
    " leads_to = :leads_to"
)


class IntegrationStore:
    """The storage of integrations."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, integration_id: str, name: str, kind: str) -> None:
        """Add a new integration, disabled and not configured."""
        self._database.execute(
            "INSERT INTO integrations (id, name, type, configuration, version, intended, code, last_updated,"
            " generation) VALUES (?, ?, ?, ?, 1, ?, ?, ?, 1)",
            (integration_id, name, kind, json.dumps(EMPTY), DISABLED, INACTIVE, timestamp()),
        )

    def as_of(self, seconds_ago: float) -> TableView[StoredIntegration]:
        """The integrations as they were this many seconds ago, at most an hour; 0 means now."""
        return self._database.as_of(INTEGRATIONS, seconds_ago)

    def get(self, integration_id: str) -> StoredIntegration | None:
        """The integration, if it exists now."""
        return self.as_of(0).get(integration_id)

    def all(self) -> list[StoredIntegration]:
        """Every integration, oldest first."""
        return self.as_of(0).all()

    def configure(self, integration_id: str, name: str, configuration: dict[str, Any]) -> None:
        """Store another configuration, under the next version."""
        self._database.execute(
            "UPDATE integrations SET name = ?, configuration = ?, version = version + 1 WHERE id = ?",
            (name, json.dumps(configuration), integration_id),
        )

    def move(self, integration_id: str, intended: str, code: str, leads_to: str | None = None) -> None:
        """Change the state on request; `leads_to` is the code of the state that this change leads to."""
        self._database.execute(
            f"UPDATE integrations SET {_TO_A_STATE}, intended = :intended,"
            " generation = generation + 1 WHERE id = :id",
            {
                "code": code,
                "now": timestamp(),
                "message": None,
                "leads_to": leads_to,
                "intended": intended,
                "id": integration_id,
            },
        )

    def settle(self, integration_id: str, generation: int, code: str, message: str | None) -> bool:
        """Complete a change of state; False if the integration was changed or deleted since the change began."""
        settled = self._database.execute(
            f"UPDATE integrations SET {_TO_A_STATE} WHERE id = :id AND generation = :generation",
            {
                "code": code,
                "now": timestamp(),
                "message": message,
                "leads_to": None,
                "id": integration_id,
                "generation": generation,
            },
        )
        return settled.rowcount > 0

    def force(self, integration_id: str, code: str, message: str | None) -> bool:
        """Force a state, and end any change in progress; False if there is no such integration."""
        forced = self._database.execute(
            "UPDATE integrations SET code = ?, message = ?, last_updated = ?, leads_to = NULL,"
            " generation = generation + 1 WHERE id = ?",
            (code, message, timestamp(), integration_id),
        )
        return forced.rowcount > 0

    def delete(self, integration_id: str) -> bool:
        """Delete the integration; False if there was none."""
        return self._database.delete(INTEGRATIONS, integration_id)
