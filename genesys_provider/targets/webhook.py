"""Webhooks, signed according to the Standard Webhooks specification [C].

From `webhook-id`, `webhook-timestamp` and `webhook-signature` the receiver can tell who sent a webhook, and that it
is not a replay.
"""

from __future__ import annotations

import json
import math
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import httpx
from standardwebhooks import Webhook

from genesys_provider.client.errors import RateLimited, ServerError
from genesys_provider.client.redaction import hide
from genesys_provider.client.retries import REQUEST_TIMEOUT, TOO_EARLY, retry_after, retrying
from genesys_provider.client.transport import connections, exchange
from genesys_provider.client.urls import checked_url, shown_url
from genesys_provider.common.times import utc_now
from genesys_provider.targets.errors import SyncFailed, SyncRefused
from genesys_provider.targets.signature import signing_key

TIMEOUT_SECONDS = 10.0
"""Time limit of one attempt [S]."""

MAX_CONNECTIONS = 32
"""Kept open and reused."""

SigningSecrets = str | Sequence[str]
"""One secret, or several during a rotation: then the webhook has a signature for each [C]."""

ALREADY_DELIVERED = 409
"""What a receiver may answer to a `webhook-id` that it has already accepted."""


class Webhooks:
    """Sends the webhooks of one process. Thread-safe.

    Args:
        ca_file: An additional trusted CA.
        max_retries: How often a webhook is retried.
        cancelled: Ends every wait between two attempts when set.
        clock: The current time in seconds, for the time limit of a webhook.
    """

    def __init__(
        self,
        ca_file: Path | None,
        *,
        max_retries: int,
        cancelled: threading.Event,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
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
        # Created on first use: most runs send no webhook, and a TLS context takes time and memory.
        with self._lock:
            if self._http is None:
                self._http = connections(self._ca_file, seconds=TIMEOUT_SECONDS, most=MAX_CONNECTIONS)
            return self._http

    def send(
        self,
        url: str,
        body: Callable[[str], Mapping[str, Any]],
        about: str,
        *,
        signing_secret: SigningSecrets | None = None,
        timeout: float | None = None,
    ) -> str:
        """Sends a webhook until it is accepted; each attempt has the same `webhook-id`.

        Args:
            url: The receiver.
            body: The content; the time of the attempt is added.
            about: What it is about, for errors: "target 4711".
            signing_secret: Signs the webhook; if there are several, each adds a signature.
            timeout: Seconds for all attempts and the waits between them; by default only `max_retries` limits them.

        Returns:
            Its `webhook-id`.

        Raises:
            SyncFailed: It was refused (`SyncRefused`), or can't be sent.
            GenesysError: It could not be delivered in time.
        """
        delivery_id = f"msg_{uuid.uuid4().hex}"
        started = self._clock()

        def seconds_left() -> float:
            return math.inf if timeout is None else started + timeout - self._clock()

        schedule = retrying(self._max_retries, self._cancelled, idempotent=True, seconds_left=seconds_left)
        checked, keys = _checked(url), _keys(signing_secret)
        for attempt in schedule:
            with attempt:
                self._send(
                    checked,
                    json.dumps(body(utc_now())),
                    about,
                    delivery_id,
                    keys,
                    repeated=attempt.retry_state.attempt_number > 1,
                    timeout=max(0.001, min(TIMEOUT_SECONDS, seconds_left())),
                )
        return delivery_id

    def _send(
        self,
        url: str,
        body: str,
        about: str,
        delivery_id: str,
        keys: Sequence[bytes],
        *,
        repeated: bool,
        timeout: float,
    ) -> None:
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
        if 200 <= answer.status < 300 or (repeated and answer.status == ALREADY_DELIVERED):
            return
        message = f"{what}: HTTP {answer.status} {answer.said}"
        asked = retry_after(answer.headers)
        if answer.status == 429:
            raise RateLimited(message, status=answer.status, retry_after=asked)
        if answer.status >= 500 or answer.status in (REQUEST_TIMEOUT, TOO_EARLY):
            raise ServerError(message, status=answer.status, retry_after=asked)
        raise SyncRefused(f"the gateway refused the webhook for {about}: {message}")


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
