"""OAuth2 client credentials: one token for all threads, renewed before it expires."""

from __future__ import annotations

import math
import re
import threading
import time
from collections.abc import Callable

import httpx

from genesys_provider.client.errors import (
    GenesysError,
    RateLimited,
    ServerError,
    Unauthorized,
    UnexpectedAnswer,
    in_envelope,
)
from genesys_provider.client.redaction import hide, shortened
from genesys_provider.client.retries import retry_after, retrying, too_long
from genesys_provider.client.settings import Settings
from genesys_provider.client.shared import SharedCall
from genesys_provider.client.transport import Answer, exchange, where_to_look

RENEW_SECONDS_EARLY = 60.0
"""How long before its expiry a token is renewed [S]."""

SHORTEST_LIFETIME = 300.0
"""Seconds: the shortest lifetime of a token [G], for a login response that does not give it."""

TIMEOUT_SECONDS = 10.0
"""Time limit of a login [S]."""

_REFUSED = (400, 401, 403)
"""400 or 401 for wrong credentials [G]; 403 is OAuth's status for a client that may not log in."""

_TOKEN = re.compile(r"[\x21-\x7e]+")
"""Characters that are valid in a header."""


class Login:
    """The token of one OAuth client. Thread-safe: concurrent callers share one login."""

    def __init__(
        self,
        settings: Settings,
        client: httpx.Client,
        cancelled: threading.Event,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        hide(settings.client_secret, f"{settings.client_id}:{settings.client_secret}")
        self._settings = settings
        self._client = client
        self._cancelled = cancelled
        self._clock = clock
        self._call: SharedCall[str] = SharedCall()
        self._token: str | None = None
        self._renew_at = 0.0
        self.count = 0
        """How many tokens there have been."""

    def token(self) -> str:
        """Returns a valid token, logging in if necessary.

        Raises:
            MissingSetting: No OAuth client is configured.
            Unauthorized: The login refused the client.
            GenesysError: The login is unreachable, or still throttled after all retries.
        """
        return self._call.result(self._valid, self._log_in)

    def _valid(self) -> str | None:
        return self._token if self._clock() < self._renew_at else None

    def forget(self, token: str) -> None:
        """Drops a token that the API refused, unless another thread has already renewed it.

        At worst, a renewal at this very moment costs one extra login.
        """
        if self._token == token:
            self._token = None

    def _log_in(self) -> str:
        self._settings.require_client()
        schedule = retrying(self._settings.max_retries, self._cancelled, idempotent=True)
        try:
            self._token = token = schedule(self._ask)
            self.count += 1
        except GenesysError as error:
            error.tried_enough = True
            raise
        return token

    def _ask(self) -> str:
        """`POST {login}/oauth/token` [S][G]."""
        asked_at = self._clock()
        url = f"{self._settings.login_url}/oauth/token"
        answer = exchange(
            self._client,
            "POST",
            url,
            what=f"login: POST {url}",
            data={"grant_type": "client_credentials"},
            auth=httpx.BasicAuth(self._settings.client_id, self._settings.client_secret),
            timeout=TIMEOUT_SECONDS,
        )
        body = answer.json_object() or {}
        token, seconds = body.get("access_token"), _lifetime(body.get("expires_in"))
        # Before anything else, since an error shows what was answered.
        hide(str(token or ""))
        if not 200 <= answer.status < 300:
            raise self._refusal(answer, url)
        if not isinstance(token, str) or not _TOKEN.fullmatch(token):
            raise self._unexpected(f"login: the answer of {url} holds no token")
        # A token with a lifetime shorter than the margin is used for half of that lifetime.
        self._renew_at = asked_at + max(seconds - RENEW_SECONDS_EARLY, seconds / 2)
        return token

    def _refusal(self, answer: Answer, url: str) -> GenesysError:
        body = answer.json_object()
        said = body or {}
        kind, words = str(said.get("error") or ""), str(said.get("description") or said.get("message") or "")
        correlation_id = shortened(answer.headers.get("ININ-Correlation-Id", ""))
        asked = retry_after(answer.headers)
        # The token endpoint throttles with a 400 [G].
        if answer.status == 429 or (answer.status == 400 and "rate limit" in words.lower()):
            return RateLimited(
                "the login is throttled",
                status=answer.status,
                code=kind,
                correlation_id=correlation_id,
                retry_after=asked,
                hint=too_long(asked),
            )
        message = f"login refused: {shortened(words) or answer.reason}"
        if answer.status in _REFUSED and (kind or in_envelope(body)):
            return Unauthorized(message, status=answer.status, code=kind, correlation_id=correlation_id)
        if answer.status >= 500:
            return ServerError(
                message,
                status=answer.status,
                code=kind,
                correlation_id=correlation_id,
                retry_after=asked,
                hint=too_long(asked),
            )
        what = "a redirect that is not followed" if answer.redirects else "which is not a login response"
        failure = self._unexpected(f"login: {url} answered HTTP {answer.status}, {what}: {answer.said}")
        # A retry would meet the same server.
        failure.tried_enough = True
        return failure

    def _unexpected(self, message: str) -> UnexpectedAnswer:
        return UnexpectedAnswer(message, hint=where_to_look("loginUrl", self._settings))


def _lifetime(given: object) -> float:
    """The seconds in `expires_in`, which is recommended but not required (RFC 6749)."""
    try:
        seconds = float(str(given))
    except ValueError:
        return SHORTEST_LIFETIME
    return seconds if math.isfinite(seconds) else SHORTEST_LIFETIME
