"""Telling the gateway that a target has changed: a signed webhook [S].

The source sends it unsigned, so that anyone could forge it: see `webhook`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from genesys_provider.client.errors import Cancelled, ConfigurationError, GenesysError
from genesys_provider.common.audit import AuditEvent, AuditTrail
from genesys_provider.common.times import utc_now
from genesys_provider.targets.errors import SyncFailed
from genesys_provider.targets.webhook import SigningSecrets, Webhooks

UPDATED: Final = "TARGET_CONFIGURATION_UPDATED"
DELETED: Final = "TARGET_CONFIGURATION_DELETED"
SyncEvent = Literal["TARGET_CONFIGURATION_UPDATED", "TARGET_CONFIGURATION_DELETED"]

SOURCE = "genesys-eventbridge-manager"
"""What the webhook names as its source [S]."""


@dataclass(frozen=True)
class Delivery:
    """A webhook that the gateway took: its `webhook-id`, and when (UTC, ISO 8601)."""

    delivery_id: str
    synced_at: str


class Gateway:
    """Tells the gateway of one process's targets. Safe for threads.

    Args:
        ca_file: A CA that is trusted besides the system's.
        audit: Where each webhook is recorded.
        max_retries: How often a webhook is sent again.
        cancelled: When set, every wait between two tries ends at once.
        clock: Seconds, by which the time limit of a webhook runs out.
    """

    def __init__(
        self,
        ca_file: Path | None,
        audit: AuditTrail,
        *,
        max_retries: int,
        cancelled: threading.Event,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._audit = audit
        self._webhooks = Webhooks(ca_file, max_retries=max_retries, cancelled=cancelled, clock=clock)

    def close(self) -> None:
        """Closes the connections."""
        self._webhooks.close()

    def notify(
        self,
        webhook_url: str,
        event: SyncEvent,
        target_id: str,
        *,
        signing_secret: SigningSecrets | None = None,
        timeout: float | None = None,
    ) -> Delivery:
        """Sends the webhook until the gateway takes it; each try has the same `webhook-id`.

        Args:
            webhook_url: The gateway's webhook.
            event: What happened to the target.
            target_id: The target.
            signing_secret: Signs the webhook; with several, each does.
            timeout: Seconds for all tries and the waits between them; else `max_retries` alone is the limit.

        Raises:
            SyncFailed: The gateway refused it, or could not be reached in time.
            Cancelled: The run was cancelled between two tries.
        """
        started = self._clock()
        try:
            delivery_id = self._webhooks.send(
                webhook_url,
                lambda at: {"eventType": event, "targetId": target_id, "timestamp": at, "source": SOURCE},
                f"target {target_id}",
                signing_secret=signing_secret,
                timeout=timeout,
            )
        except GenesysError as error:
            self._audit.record(
                AuditEvent.WEBHOOK_FAILED,
                target_id,
                latency_seconds=self._clock() - started,
                error=error.message,
            )
            if isinstance(error, (SyncFailed, Cancelled)):
                raise
            limit = "" if timeout is None else f" within {timeout:g} s"
            raise SyncFailed(
                f"the gateway was not told of target {target_id}{limit}: {error.message}",
                hint=error.hint if isinstance(error, ConfigurationError) else None,
            ) from error
        self._audit.record(AuditEvent.WEBHOOK_SYNCED, target_id, latency_seconds=self._clock() - started)
        return Delivery(delivery_id, utc_now())
