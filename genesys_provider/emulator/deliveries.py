"""Delivers events to the targets that subscribe to them.

Each verified target whose `eventTypes` contain the event's type gets the event, with the target's
authentication, headers and retry policy [S]. After any answer other than 2xx the delivery is retried: after
`initialDelaySeconds`, then with a delay that grows by the same amount (`LINEAR`) or doubles (`EXPONENTIAL`) [C].
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from genesys_provider.emulator.events import event, timestamp
from genesys_provider.emulator.statuses import VERIFIED

if TYPE_CHECKING:
    from genesys_provider.emulator.outbound import Outbound
    from genesys_provider.emulator.target_store import StoredTarget, TargetStore

DELIVERED = "DELIVERED"
RETRYING = "RETRYING"
FAILED = "FAILED"

_KEPT = 10_000


@dataclass
class EventDelivery:
    """The delivery of one event to one target, with all attempts so far."""

    target_id: str
    target_name: str
    event: dict[str, Any] = field(repr=False)
    id: str = field(default_factory=lambda: str(uuid4()))
    status: str = RETRYING
    attempts: list[dict[str, Any]] = field(default_factory=list)

    def view(self) -> dict[str, Any]:
        """The delivery in `GET /emulator/deliveries`."""
        return {
            "id": self.id,
            "eventId": self.event["id"],
            "eventType": self.event["detail-type"],
            "targetId": self.target_id,
            "targetName": self.target_name,
            "status": self.status,
            "attempts": list(self.attempts),
        }


class Deliveries:
    """Delivers events, and keeps the last ten thousand deliveries in memory."""

    def __init__(self, store: TargetStore, outbound: Outbound, organization_id: str) -> None:
        self._store = store
        self._organization_id = organization_id
        self._outbound = outbound
        self._deliveries: deque[EventDelivery] = deque(maxlen=_KEPT)
        self._retries: set[asyncio.Task[None]] = set()

    def all(self) -> list[dict[str, Any]]:
        """Every delivery, oldest first."""
        return [delivery.view() for delivery in self._deliveries]

    async def publish(self, event_type: str, event_body: Any) -> list[dict[str, Any]]:
        """Deliver an event; returns after all first attempts, while retries run in the background."""
        message = event(event_type, event_body, self._organization_id)
        targets = [
            target
            for target in self._store.all()
            if target.status == VERIFIED and event_type in target.config["eventTypes"]
        ]
        deliveries = [EventDelivery(target.id, target.name, message) for target in targets]
        self._deliveries.extend(deliveries)
        await asyncio.gather(*map(self._attempt, deliveries, targets))
        return [delivery.view() for delivery in deliveries]

    async def clear(self) -> None:
        """Cancel all retries and delete all deliveries."""
        self._deliveries.clear()
        tasks = list(self._retries)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _attempt(self, delivery: EventDelivery, target: StoredTarget) -> None:
        at = timestamp()
        outcome = await self._outbound.post(target, delivery.event)
        delivery.attempts.append({"at": at, "status": outcome.status, "error": outcome.error})
        retry = len(delivery.attempts)
        if outcome.error is None:
            delivery.status = DELIVERED
        elif retry > target.config["retryPolicy"]["maxRetries"]:
            delivery.status = FAILED
        else:
            task = asyncio.create_task(
                self._retry(delivery, retry_delay(target.config["retryPolicy"], retry))
            )
            self._retries.add(task)
            task.add_done_callback(self._retries.discard)

    async def _retry(self, delivery: EventDelivery, seconds: float) -> None:
        await asyncio.sleep(seconds)
        # Read it again: if the target's credentials were corrected, the retries should use the new ones.
        target = self._store.get(delivery.target_id)
        if target is None:
            delivery.status = FAILED
        else:
            await self._attempt(delivery, target)


def retry_delay(policy: dict[str, Any], retry: int) -> float:
    """The delay in seconds before a retry; retries count from 1."""
    seconds: int = policy["initialDelaySeconds"]
    return float(seconds * retry if policy["backoffStrategy"] == "LINEAR" else seconds * 2 ** (retry - 1))
