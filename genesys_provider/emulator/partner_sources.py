"""The partner event sources that Genesys Cloud creates in AWS accounts: one for each integration once it is active.

A source is `PENDING` until an event bus of its name exists, then `ACTIVE`. It becomes `DELETED` when the
integration is deleted, or gets another account, region or suffix [G]. Disabling the integration does not change
it [C].
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from genesys_provider.emulator.events import SOURCE_PREFIX

if TYPE_CHECKING:
    from genesys_provider.emulator.database import Database
    from genesys_provider.emulator.integration_store import StoredIntegration

PENDING, ACTIVE, DELETED = "PENDING", "ACTIVE", "DELETED"
"""The states of a partner event source [G]."""

SCHEMA = (
    """
    CREATE TABLE IF NOT EXISTS partner_sources (
        name TEXT NOT NULL,
        account TEXT NOT NULL,
        region TEXT NOT NULL,
        state TEXT NOT NULL,
        integration TEXT NOT NULL,
        PRIMARY KEY (name, account, region)
    )
    """,
)


@dataclass(frozen=True)
class PartnerSource:
    """One partner event source.

    Attributes:
        name: The name of the source, and of its event bus.
        integration: The id of the integration that created it.
    """

    name: str
    account: str
    region: str
    state: str
    integration: str

    def view(self) -> dict[str, Any]:
        """The source in `GET /emulator/partner-sources`."""
        return {
            "name": self.name,
            "account": self.account,
            "region": self.region,
            "state": self.state,
            "integrationId": self.integration,
        }


class PartnerSources:
    """The partner event sources of the organization, in all accounts.

    Args:
        organization_id: The organization's id, which is part of each name.
    """

    def __init__(self, database: Database, organization_id: str) -> None:
        self._database = database
        self._organization_id = organization_id

    def name_of(self, suffix: str) -> str:
        """The name of the source with this suffix."""
        return f"{SOURCE_PREFIX}/{self._organization_id}/{suffix}"

    def all(self) -> list[PartnerSource]:
        """Every source, oldest first."""
        return [
            PartnerSource(*row)
            for row in self._database.execute(
                "SELECT name, account, region, state, integration FROM partner_sources ORDER BY rowid"
            )
        ]

    def of(self, integration: StoredIntegration) -> PartnerSource | None:
        """The integration's current source, if any."""
        return next(
            (each for each in self.all() if each.integration == integration.id and each.state != DELETED),
            None,
        )

    def appear(self, integration: StoredIntegration) -> None:
        """Create the integration's source, and delete any earlier one.

        A source that was deleted and is created again must be associated again [G].
        """
        properties = integration.properties
        name = self.name_of(properties["eventSourceSuffix"])
        place = (name, properties["awsAccountId"], properties["awsAccountRegion"])
        self._database.execute(
            "UPDATE partner_sources SET state = ? WHERE integration = ?"
            " AND (name, account, region) != (?, ?, ?)",
            (DELETED, integration.id, *place),
        )
        self._database.execute(
            "INSERT INTO partner_sources VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
            " state = CASE WHEN state = ? THEN excluded.state ELSE state END, integration = excluded.integration",
            (*place, PENDING, integration.id, DELETED),
        )

    def leave(self, integration_id: str) -> None:
        """Delete the sources of an integration that was deleted."""
        self._database.execute(
            "UPDATE partner_sources SET state = ? WHERE integration = ?", (DELETED, integration_id)
        )

    def associate(self, name: str) -> list[PartnerSource]:
        """Create an event bus of this name in each account; returns the sources that are now associated."""
        return self._change(name, PENDING, ACTIVE)

    def dissociate(self, name: str) -> list[PartnerSource]:
        """Delete the event bus of this name; returns the sources that are now pending [G]."""
        return self._change(name, ACTIVE, PENDING)

    def clear(self) -> None:
        """Delete all sources."""
        self._database.execute("DELETE FROM partner_sources")

    def _change(self, name: str, before: str, after: str) -> list[PartnerSource]:
        self._database.execute(
            "UPDATE partner_sources SET state = ? WHERE name = ? AND state = ?", (after, name, before)
        )
        return [each for each in self.all() if each.name == name and each.state == after]
