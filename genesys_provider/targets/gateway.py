"""Telling the gateway that a target has changed: a signed webhook [S].

The source sends it unsigned, so that anyone could forge it. Ours is signed after the Standard Webhooks
specification [C]: `webhook-id`, `webhook-timestamp` and `webhook-signature`.
"""

from __future__ import annotations

import json
import math
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Final, Literal

import httpx
from standardwebhooks import Webhook

from genesys_provider.client.errors import (
    Cancelled,
    ConfigurationError,
    GenesysError,
    RateLimited,
    ServerError,
    shortened,
)
from genesys_provider.client.redaction import hide
from genesys_provider.client.retries import retry_after, retrying
from genesys_provider.client.transport import connections, exchange
from genesys_provider.client.urls import checked_url, shown_url
from genesys_provider.common.audit import AuditEvent, AuditTrail
from genesys_provider.targets.errors import SyncFailed
from genesys_provider.targets.signature import signing_key

UPDATED: Final = "TARGET_CONFIGURATION_UPDATED"
DELETED: Final = "TARGET_CONFIGURATION_DELETED"
SyncEvent = Literal["TARGET_CONFIGURATION_UPDATED", "TARGET_CONFIGURATION_DELETED"]

SOURCE = "genesys-eventbridge-manager"
"""What the webhook names as its source [S]."""

TIMEOUT_SECONDS = 10.0
"""Time limit of one try [S]."""

MAX_CONNECTIONS = 32
"""Kept open and reused."""

SigningSecrets = str | Sequence[str]
"""One secret, or several during a rotation: a webhook then carries a signature of each [C]."""

ALREADY_DELIVERED = 409
"""What a gateway may answer to a `webhook-id` that it has taken before."""


@dataclass(frozen=True)
class Delivery:
    """A webhook that the gateway took: its `webhook-id`, and when (UTC, ISO 8601)."""

    delivery_id: str
    synced_at: str


class Gateway:
    """Sends the webhooks of one process. Safe for threads.

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
        self._max_retries = max_retries
        self._cancelled = cancelled
        self._ca_file = ca_file
        self._lock = threading.Lock()
        self._http: httpx.Client | None = None

    def close(self) -> None:
        """Closes the connections."""
        if self._http is not None:
            self._http.close()

    def _connections(self) -> httpx.Client:
        # Made when they are first used: most runs send no webhook, and a TLS context takes time and memory.
        with self._lock:
            if self._http is None:
                self._http = connections(self._ca_file, seconds=TIMEOUT_SECONDS, most=MAX_CONNECTIONS)
            return self._http

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
        delivery_id = f"msg_{uuid.uuid4().hex}"
        started = self._clock()

        def seconds_left() -> float:
            return math.inf if timeout is None else started + timeout - self._clock()

        schedule = retrying(self._max_retries, self._cancelled, idempotent=True, seconds_left=seconds_left)
        try:
            url = _checked(webhook_url)
            keys = _keys(signing_secret)
            for attempt in schedule:
                with attempt:
                    tries = attempt.retry_state.attempt_number
                    self._send(
                        url,
                        event,
                        target_id,
                        delivery_id,
                        keys,
                        repeated=tries > 1,
                        timeout=max(0.001, min(TIMEOUT_SECONDS, seconds_left())),
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
        return Delivery(delivery_id, _now())

    def _send(
        self,
        url: str,
        event: SyncEvent,
        target_id: str,
        delivery_id: str,
        keys: Sequence[bytes],
        *,
        repeated: bool,
        timeout: float,
    ) -> None:
        body = json.dumps({"eventType": event, "targetId": target_id, "timestamp": _now(), "source": SOURCE})
        headers = {"Content-Type": "application/json", "webhook-id": delivery_id}
        if keys:
            sent_at = datetime.now(timezone.utc)
            headers["webhook-timestamp"] = str(int(sent_at.timestamp()))
            headers["webhook-signature"] = " ".join(
                Webhook(key).sign(delivery_id, sent_at, body) for key in keys
            )
        what = f"POST {shown_url(url)}"
        http = self._connections()
        answer = exchange(
            http, "POST", url, what=what, content=body.encode(), headers=headers, timeout=timeout
        )
        if 200 <= answer.status < 300 or (repeated and answer.status == ALREADY_DELIVERED):  # noqa: PLR2004
            return
        message = f"{what}: HTTP {answer.status} {shortened(answer.text) or answer.reason}"
        if answer.status == 429:  # noqa: PLR2004
            raise RateLimited(message, status=429, retry_after=retry_after(answer.headers))
        if answer.status >= 500:  # noqa: PLR2004
            raise ServerError(message, status=answer.status)
        raise SyncFailed(f"the gateway refused the webhook for target {target_id}: {message}")


def _checked(url: str) -> str:
    try:
        return checked_url(url)
    except ValueError as error:
        raise SyncFailed(f"webhook_url {error}", hint="") from error


def _keys(signing_secret: SigningSecrets | None) -> list[bytes]:
    secrets = [signing_secret] if isinstance(signing_secret, str) else list(signing_secret or ())
    hide(*secrets)
    try:
        return [signing_key(secret) for secret in secrets]
    except ValueError as error:
        raise SyncFailed(str(error), hint="") from error


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds").replace("+00:00", "Z")
