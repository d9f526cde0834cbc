"""Notifies the gateway of a changed target by a signed webhook [S].

In the source document the webhook is unsigned, so that anyone could forge it: see `webhook`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from genesys_provider.client.errors import ApiError, Cancelled, ConfigurationError, GenesysError
from genesys_provider.common.audit import AuditEvent, AuditTrail
from genesys_provider.common.times import utc_now
from genesys_provider.targets.errors import SyncFailed, SyncRefused
from genesys_provider.targets.webhook import SigningSecrets, Webhooks

UPDATED: Final = "TARGET_CONFIGURATION_UPDATED"
DELETED: Final = "TARGET_CONFIGURATION_DELETED"
SyncEvent = Literal["TARGET_CONFIGURATION_UPDATED", "TARGET_CONFIGURATION_DELETED"]

SOURCE = "genesys-eventbridge-manager"
"""The source that webhooks name [S]."""


@dataclass(frozen=True)
class Delivery:
    """A webhook that the gateway accepted: its `webhook-id`, and the time (UTC, ISO 8601)."""

    delivery_id: str
    synced_at: str


class GatewayNotifier:
    """Notifies gateways, for one process. Thread-safe.

    Args:
        ca_file: An additional trusted CA.
        audit: Records each webhook.
        max_retries: How often a webhook is retried.
        cancelled: Ends every wait between two attempts when set.
        clock: The current time in seconds, for the time limit of a webhook.
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
        """Sends the webhook until the gateway accepts it; each attempt has the same `webhook-id`.

        Args:
            webhook_url: The gateway's webhook.
            event: What happened to the target.
            target_id: The target.
            signing_secret: Signs the webhook; if there are several, each adds a signature.
            timeout: Seconds for all attempts and the waits between them; by default only `max_retries` limits them.

        Raises:
            SyncFailed: The gateway refused the webhook, or could not be reached in time.
            Cancelled: The run was cancelled between two attempts.
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
            failure = SyncRefused if isinstance(error, ApiError) else SyncFailed
            raise failure(
                f"the gateway was not told of target {target_id}{limit}: {error.message}",
                hint=error.hint if isinstance(error, ConfigurationError) else None,
            ) from error
        self._audit.record(AuditEvent.WEBHOOK_SYNCED, target_id, latency_seconds=self._clock() - started)
        return Delivery(delivery_id, utc_now())
