"""Partner events: what an integration sends to the event bus that is associated with its source.

An integration that is not `ACTIVE` sends nothing [C]. Events that are sent while the source is `PENDING` are lost
[G], and recorded as such.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from genesys_provider.emulator.events import envelope
from genesys_provider.emulator.integration_store import ACTIVE, ENABLED
from genesys_provider.emulator.integration_types import EVENTBRIDGE
from genesys_provider.emulator.partner_sources import ACTIVE as ASSOCIATED
from genesys_provider.emulator.topics import matches

if TYPE_CHECKING:
    from genesys_provider.emulator.database import Database
    from genesys_provider.emulator.integration_store import IntegrationStore
    from genesys_provider.emulator.partner_sources import PartnerSource, PartnerSources

DELIVERED = "DELIVERED"
LOST = "LOST"

SCHEMA = (
    "CREATE TABLE IF NOT EXISTS partner_events (number INTEGER PRIMARY KEY AUTOINCREMENT, record TEXT NOT NULL)",
)


class PartnerEvents:
    """Sends events to the partner event sources, and records them."""

    def __init__(self, database: Database, store: IntegrationStore, sources: PartnerSources) -> None:
        self._database = database
        self._store = store
        self._sources = sources

    def all(self) -> list[dict[str, Any]]:
        """Every partner event, oldest first: its content in AWS, and whether it was delivered or lost."""
        return [
            json.loads(record)
            for (record,) in self._database.execute("SELECT record FROM partner_events ORDER BY number")
        ]

    def publish(self, topic: str, body: Any) -> list[dict[str, Any]]:
        """Send an event of a topic, with or without ids, to each source that subscribes to it."""
        records = []
        integrations = [each for each in self._store.all() if each.type == EVENTBRIDGE]
        for integration in integrations:
            if integration.intended != ENABLED or integration.code != ACTIVE:
                continue
            wanted = [each for each in integration.properties.get("eventFilter", ()) if matches(each, topic)]
            source = self._sources.of(integration)
            if wanted and source is not None:
                records.append(_record(source, wanted[0], topic, body))
        for record in records:
            self._database.execute("INSERT INTO partner_events (record) VALUES (?)", (json.dumps(record),))
        return records

    def clear(self) -> None:
        """Delete all events."""
        self._database.execute("DELETE FROM partner_events")


def _record(source: PartnerSource, template: str, topic: str, body: Any) -> dict[str, Any]:
    lost = source.state != ASSOCIATED
    return {
        **_partner_event(source, template, topic, body),
        "status": LOST if lost else DELIVERED,
        "reason": f"the source is {source.state}: no event bus is associated with it" if lost else None,
        "integrationId": source.integration,
    }


def _partner_event(source: PartnerSource, template: str, topic: str, body: Any) -> dict[str, Any]:
    """The event as it arrives [G]; placeholders in the topic are replaced by new ids."""
    while "{id}" in topic:
        topic = topic.replace("{id}", str(uuid4()), 1)
    place = {"source": source.name, "account": source.account, "region": source.region}
    return envelope(template, body, **place, topic=topic, version="2")
