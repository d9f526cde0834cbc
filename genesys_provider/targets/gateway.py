"""Telling the gateway that a target has changed: a signed webhook [S].

The source sends it unsigned, so that anyone could forge it. Ours is signed after the Standard Webhooks
specification [C]: `webhook-id`, `webhook-timestamp` and `webhook-signature`.
"""

from __future__ import annotations

import json
import threading
import time
import uuid
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
from genesys_provider.targets.audit import AuditEvent, AuditTrail
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

ALREADY_DELIVERED = 409
"""What a gateway may answer to a `webhook-id` that it has taken before."""


@dataclass(frozen=True)
class Delivery:
    """A webhook that the gateway took: its `webhook-id`, and when (UTC, ISO 8601)."""

    delivery_id: str
    synced_at: str


class Gateway:
    """Sends the webhooks of one process. Safe for threads."""

    def __init__(
        self, ca_file: Path | None, audit: AuditTrail, *, max_retries: int, cancelled: threading.Event
    ) -> None:
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
        self, webhook_url: str, event: SyncEvent, target_id: str, *, signing_secret: str | None = None
    ) -> Delivery:
        """Sends the webhook until the gateway takes it; each try has the same `webhook-id`.

        Raises:
            SyncFailed: The gateway refused it, or could not be reached.
            Cancelled: The run was cancelled between two tries.
        """
        delivery_id = f"msg_{uuid.uuid4().hex}"
        started = time.monotonic()
        schedule = retrying(self._max_retries, self._cancelled, idempotent=True)
        try:
            url = _checked(webhook_url)
            key = _key(signing_secret)
            for attempt in schedule:
                with attempt:
                    tries = attempt.retry_state.attempt_number
                    self._send(url, event, target_id, delivery_id, key, repeated=tries > 1)
        except GenesysError as error:
            self._audit.record(
                AuditEvent.WEBHOOK_FAILED,
                target_id,
                latency_seconds=time.monotonic() - started,
                error=error.message,
            )
            if isinstance(error, (SyncFailed, Cancelled)):
                raise
            raise SyncFailed(
                f"the gateway was not told of target {target_id}: {error.message}",
                hint=error.hint if isinstance(error, ConfigurationError) else None,
            ) from error
        self._audit.record(AuditEvent.WEBHOOK_SYNCED, target_id, latency_seconds=time.monotonic() - started)
        return Delivery(delivery_id, _now())

    def _send(
        self,
        url: str,
        event: SyncEvent,
        target_id: str,
        delivery_id: str,
        key: bytes | None,
        *,
        repeated: bool,
    ) -> None:
        body = json.dumps({"eventType": event, "targetId": target_id, "timestamp": _now(), "source": SOURCE})
        headers = {"Content-Type": "application/json", "webhook-id": delivery_id}
        if key is not None:
            sent_at = datetime.now(timezone.utc)
            headers["webhook-timestamp"] = str(int(sent_at.timestamp()))
            headers["webhook-signature"] = Webhook(key).sign(delivery_id, sent_at, body)
        what = f"POST {shown_url(url)}"
        http = self._connections()
        answer = exchange(http, "POST", url, what=what, content=body.encode(), headers=headers)
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


def _key(signing_secret: str | None) -> bytes | None:
    if signing_secret is None:
        return None
    hide(signing_secret)
    try:
        return signing_key(signing_secret)
    except ValueError as error:
        raise SyncFailed(str(error), hint="") from error


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds").replace("+00:00", "Z")
