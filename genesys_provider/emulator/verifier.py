"""Verification: an endpoint proves that it accepts events, some time after its registration [S].

The verifier sends a POST to the endpoint. The verdict follows the endpoint's answer, but not before a minimum
time, since the real service takes some time too.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from genesys_provider.emulator.events import VERIFICATION, event
from genesys_provider.emulator.statuses import FAILED, TIMEOUT, VERIFIED
from genesys_provider.emulator.tasks import Tasks

if TYPE_CHECKING:
    from genesys_provider.emulator.outbound import Outbound
    from genesys_provider.emulator.target_store import StoredTarget, TargetStore


class Verifier:
    """Runs verifications, at most one per target.

    Args:
        minimum_seconds: The minimum time for which a verification stays pending.
    """

    def __init__(
        self, store: TargetStore, outbound: Outbound, organization_id: str, minimum_seconds: float
    ) -> None:
        self._store = store
        self._organization_id = organization_id
        self._outbound = outbound
        self._minimum_seconds = minimum_seconds
        self._running = Tasks()

    def start(self, target: StoredTarget) -> None:
        """Verify the target as it is now; an earlier verification of it ends without a verdict."""
        self._running.start(target.id, self._verify(target))

    def stop(self, target_id: str) -> None:
        """End the target's verification without a verdict."""
        self._running.stop(target_id)

    def resume(self) -> None:
        """Restart the verifications that an earlier process left pending."""
        for target in self._store.all():
            if target.verifying:
                self.start(target)

    async def close(self) -> None:
        """End every verification without a verdict; `resume` can restart them."""
        await self._running.close()

    async def _verify(self, target: StoredTarget) -> None:
        question = event(VERIFICATION, {"targetId": target.id}, self._organization_id)
        outcome, _ = await asyncio.gather(
            self._outbound.post(target, question),
            asyncio.sleep(self._minimum_seconds),
        )
        status = VERIFIED if outcome.error is None else TIMEOUT if outcome.timed_out else FAILED
        message = outcome.error or f"endpoint answered {outcome.status}"
        self._store.settle(target.id, target.generation, status, message)
