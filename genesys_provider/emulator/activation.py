"""State changes that take time: `ACTIVATING` to `ACTIVE` or `ERROR`, `DEACTIVATING` to `INACTIVE`.

How long they take is not published [C]. An integration that becomes `ACTIVE` gets its partner event source.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from genesys_provider.emulator.integration_store import (
    ACTIVATING,
    ACTIVE,
    DEACTIVATING,
    DISABLED,
    ENABLED,
    ERROR,
    INACTIVE,
)
from genesys_provider.emulator.integration_types import EVENTBRIDGE, PROPERTIES
from genesys_provider.emulator.judge import broken_rules_of_schema
from genesys_provider.emulator.tasks import Tasks

if TYPE_CHECKING:
    from genesys_provider.emulator.behaviour import Behaving
    from genesys_provider.emulator.integration_store import IntegrationStore, StoredIntegration
    from genesys_provider.emulator.partner_sources import PartnerSources


class Activation:
    """Moves integrations to their intended states.

    Args:
        seconds: How long each change takes.
    """

    def __init__(
        self, store: IntegrationStore, sources: PartnerSources, behaving: Behaving, seconds: float
    ) -> None:
        self._store = store
        self._sources = sources
        self._behaving = behaving
        self._seconds = seconds
        self._under_way = Tasks()

    def enable(self, integration_id: str) -> None:
        """Begin the activation."""
        self._store.move(integration_id, ENABLED, ACTIVATING, ACTIVE)
        self._begin(integration_id)

    def disable(self, integration_id: str) -> None:
        """Begin the deactivation."""
        self._store.move(integration_id, DISABLED, DEACTIVATING, INACTIVE)
        self._begin(integration_id)

    def force(self, integration_id: str, code: str, message: str | None) -> bool:
        """Force a state, which holds until another is requested; False if there is no such integration."""
        if not self._store.force(integration_id, code, message):
            return False
        if code == ACTIVE:
            self._create_source(integration_id)
        return True

    def resume(self) -> None:
        """Restart the changes that an earlier process did not complete."""
        for integration in self._store.all():
            if integration.leads_to is not None:
                self._begin(integration.id)

    async def close(self) -> None:
        """Cancel all changes; `resume` can restart them."""
        await self._under_way.close()

    def _begin(self, integration_id: str) -> None:
        if integration := self._store.get(integration_id):
            self._under_way.start(integration_id, self._complete(integration))

    async def _complete(self, integration: StoredIntegration) -> None:
        await asyncio.sleep(self._seconds)
        code, message = integration.leads_to or INACTIVE, None
        if code == ACTIVE and (reason := self._behaving.now.activation_error or _why_not(integration)):
            code, message = ERROR, reason
        if self._store.settle(integration.id, integration.generation, code, message) and code == ACTIVE:
            self._create_source(integration.id)

    def _create_source(self, integration_id: str) -> None:
        integration = self._store.get(integration_id)
        if integration is not None and integration.type == EVENTBRIDGE and not _why_not(integration):
            self._sources.appear(integration)


def _why_not(integration: StoredIntegration) -> str | None:
    """Why the integration can't become active: the missing configuration."""
    if integration.type != EVENTBRIDGE:
        return None
    broken = broken_rules_of_schema(PROPERTIES, integration.properties)
    return "; ".join(f"{each.property} {each.reason}" for each in broken) or None
