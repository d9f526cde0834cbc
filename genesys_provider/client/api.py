"""The API calls: one method each, JSON in and JSON out.

Each docstring names the HTTP method and path. The official SDK `PureCloudPlatformClientV2` names its methods after
them (`post_integrations_…`), so that SDK users can find the matching call.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from genesys_provider.client.answers import Call, Success, correlation_id_of, read
from genesys_provider.client.errors import (
    Cancelled,
    Conflict,
    GenesysError,
    InvalidRequest,
    NotFound,
    RateLimited,
    ServerError,
    StaleVersion,
    Unauthorized,
)
from genesys_provider.client.limits import MAX_BODY_BYTES, MAX_CONNECTIONS, Allowance, Priority
from genesys_provider.client.login import Login
from genesys_provider.client.redaction import hide_secrets_of
from genesys_provider.client.retries import LONGEST_WAIT, REQUEST_TIMEOUT, back_off, retrying
from genesys_provider.client.settings import Settings
from genesys_provider.client.transport import connections, exchange

TARGETS = "/api/v2/integrations/eventbridge/targets"
INTEGRATIONS = "/api/v2/integrations"
MY_ORGANIZATION = "/api/v2/organizations/me"
TOPICS = "/api/v2/notifications/availabletopics"
MAX_PAGE_SIZE = 100
"""Targets or integrations per page: the API's maximum [G]."""

STALE = "does not match the current version"
"""The text by which a 400 shows that it stands for a 409 [G]."""

GONE = 204
"""The status of a DELETE that has taken effect [C]."""

TIMEOUT_SECONDS = 30.0
"""Time limit of one request [S]."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Request:
    call: Call
    content: bytes | None
    query: Mapping[str, str | int] | None
    priority: Priority


class GenesysClient:
    """Genesys Cloud for one OAuth client. Thread-safe.

    Every call may raise any `GenesysError`. The docstrings only name errors that are specific to a call.

    Args:
        settings: Address, credentials, retries.
        cancelled: When set, every waiting call ends with `Cancelled`.
        clock: The current time in seconds, for the expiry of tokens and of rate-limit windows.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        cancelled: threading.Event | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._cancelled = cancelled or threading.Event()
        self._http = connections(
            settings.ca_file,
            seconds=TIMEOUT_SECONDS,
            most=MAX_CONNECTIONS,
            headers={"Accept": "application/json", "User-Agent": "genesys-eventbridge"},
        )
        self._login = Login(settings, self._http, self._cancelled, clock)
        self.allowance = Allowance(self._cancelled, clock)
        """What the rate limit leaves to the token."""

    @property
    def logins(self) -> int:
        """How often the client has logged in."""
        return self._login.count

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()

    def create_target(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """`POST /api/v2/integrations/eventbridge/targets` [S].

        Not repeated unless the first attempt certainly had no effect. Returns an empty dict if there is no body.

        Raises:
            ConnectionFailed: If `maybe_acted` is set, the target may exist: look it up by its name.
            ServerError: As above.
            Conflict: The name is taken.
        """
        return self._call(Call("POST", TARGETS, idempotent=False), body=body).body

    def get_target(self, target_id: str) -> dict[str, Any]:
        """`GET /api/v2/integrations/eventbridge/targets/{id}` [C]."""
        return self._call(_of_target("GET", target_id)).body

    def update_target(self, target_id: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """`PUT /api/v2/integrations/eventbridge/targets/{id}`: replaces the whole configuration [C].

        Returns what the service sent: the target, part of it, or nothing.
        """
        return self._call(_of_target("PUT", target_id), body=body).body

    def delete_target(self, target_id: str) -> bool:
        """`DELETE /api/v2/integrations/eventbridge/targets/{id}` [C].

        Returns:
            Whether the service says that the target is gone (204). Any other success only means that the request
            was accepted, or came from a proxy, so that a read must confirm it.

        Raises:
            NotFound: The target does not exist, or is not visible yet.
        """
        return self._call(_of_target("DELETE", target_id)).status == GONE

    def list_targets(
        self, page_number: int = 1, *, name: str | None = None, priority: Priority = Priority.BULK
    ) -> dict[str, Any]:
        """`GET /api/v2/integrations/eventbridge/targets?pageSize=100&pageNumber=…&name=…` [C], paging [G]."""
        query: dict[str, str | int] = {"pageSize": MAX_PAGE_SIZE, "pageNumber": page_number}
        if name is not None:
            query["name"] = name
        return self._call(Call("GET", TARGETS), query=query, priority=priority).body

    def get_verification(self, target_id: str) -> dict[str, Any]:
        """`GET /api/v2/integrations/eventbridge/targets/{id}/verify` [S], admitted before bulk requests."""
        return self._call(_of_target("GET", target_id, "/verify"), priority=Priority.INTERACTIVE).body

    def check_health(self, target_id: str) -> dict[str, Any]:
        """`POST /api/v2/integrations/eventbridge/targets/{id}/health` [S]: runs one check now; safe to repeat."""
        return self._call(_of_target("POST", target_id, "/health")).body

    def list_integrations(
        self, page_number: int = 1, *, integration_type: str, priority: Priority = Priority.BULK
    ) -> dict[str, Any]:
        """`GET /api/v2/integrations?integrationType=…&expand=config.current&pageSize=100&pageNumber=…` [G].

        The service may ignore the filter [C].
        """
        query: dict[str, str | int] = {
            "integrationType": integration_type,
            "expand": "config.current",
            "pageSize": MAX_PAGE_SIZE,
            "pageNumber": page_number,
        }
        return self._call(Call("GET", INTEGRATIONS), query=query, priority=priority).body

    def create_integration(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """`POST /api/v2/integrations` [G]: takes a name and a type only; other calls set the rest.

        Not repeated unless the first attempt certainly had no effect, as in `create_target`.
        """
        return self._call(Call("POST", INTEGRATIONS, idempotent=False), body=body).body

    def get_integration(self, integration_id: str, priority: Priority = Priority.BULK) -> dict[str, Any]:
        """`GET /api/v2/integrations/{id}` [G]."""
        return self._call(_of_integration("GET", integration_id), priority=priority).body

    def set_intended_state(self, integration_id: str, intended: str) -> dict[str, Any]:
        """`PATCH /api/v2/integrations/{id}` with `intendedState`: `ENABLED` or `DISABLED` [G]."""
        return self._call(_of_integration("PATCH", integration_id), body={"intendedState": intended}).body

    def delete_integration(self, integration_id: str) -> bool:
        """`DELETE /api/v2/integrations/{id}` [G]. It answers 200 with the integration, which proves nothing.

        Returns:
            Whether the service says that the integration is gone (204).

        Raises:
            NotFound: The integration does not exist, or is not visible yet.
        """
        return self._call(_of_integration("DELETE", integration_id)).status == GONE

    def get_configuration(self, integration_id: str) -> dict[str, Any]:
        """`GET /api/v2/integrations/{id}/config/current` [G]."""
        return self._call(_of_integration("GET", integration_id, "/config/current")).body

    def configure_integration(self, integration_id: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """`PUT /api/v2/integrations/{id}/config/current` [G]: replaces the whole configuration.

        Raises:
            StaleVersion: `version` is not the current one.
        """
        call = _of_integration("PUT", integration_id, "/config/current")
        try:
            return self._call(call, body=body).body
        except (Conflict, InvalidRequest) as error:
            if isinstance(error, Conflict) or STALE in error.message:
                raise error.as_a(StaleVersion) from None
            raise

    def list_topics(self) -> dict[str, Any]:
        """`GET /api/v2/notifications/availabletopics?expand=transports` [G]: all of them, without paging.

        Not retried, since only a warning depends on it.
        """
        query = {"expand": "transports"}
        return self._call(Call("GET", TOPICS), query=query, priority=Priority.INTERACTIVE).body

    def get_organization(self) -> dict[str, Any]:
        """`GET /api/v2/organizations/me` [G]: the organization of the OAuth client, with `id` and `name`."""
        return self._call(Call("GET", MY_ORGANIZATION)).body

    def _call(
        self,
        call: Call,
        *,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, str | int] | None = None,
        priority: Priority = Priority.BULK,
    ) -> Success:
        content = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        if content is not None and len(content) > MAX_BODY_BYTES:
            raise InvalidRequest(
                f"{call}: the body has {len(content)} bytes, the API takes {MAX_BODY_BYTES}", status=413
            )
        # Polls come again anyway, and a poll that retries would delay the other waiters.
        max_retries = 0 if priority is Priority.INTERACTIVE else self._settings.max_retries
        schedule = retrying(max_retries, self._cancelled, idempotent=call.idempotent)
        hide_secrets_of(body or {})
        maybe_acted = failed_otherwise = False

        def attempt(request: _Request) -> Success:
            nonlocal maybe_acted, failed_otherwise
            try:
                return self._with_token(request)
            except NotFound as error:
                error.repeated = maybe_acted
                raise
            except GenesysError as error:
                maybe_acted = maybe_acted or error.maybe_acted
                failed_otherwise = True
                raise

        try:
            answer: Success = schedule(attempt, _Request(call, content, query, priority))
        except NotFound as error:
            retried = schedule.statistics["attempt_number"] > 1
            if error.status != REQUEST_TIMEOUT or (retried and not failed_otherwise):
                raise
            # A timeout means absence only if it happens on every attempt.
            raise error.as_a(ServerError) from None
        return answer

    def _with_token(self, request: _Request) -> Success:
        """Makes one attempt. If the token is refused, it is renewed once [C]."""
        if self._cancelled.is_set():
            raise Cancelled(f"cancelled before {request.call} was sent")
        token = self._login.token()
        try:
            return self._once(request, token)
        except Unauthorized:
            self._login.forget(token)
            return self._once(request, self._login.token())

    def _once(self, request: _Request, token: str) -> Success:
        headers = {"Authorization": f"Bearer {token}"}
        if request.content is not None:
            headers["Content-Type"] = "application/json"
        with self.allowance.place(request.priority):
            url = self._settings.api_url + request.call.path
            answer = exchange(
                self._http,
                request.call.method,
                url,
                what=f"{request.call.method} {url}",
                content=request.content,
                params=request.query,
                headers=headers,
            )
            self.allowance.learn(answer.headers)
        if _log.isEnabledFor(logging.DEBUG):
            correlation_id = correlation_id_of(answer) or "none"
            _log.debug("%s: %d, correlation id %s", request.call, answer.status, correlation_id)
        try:
            return read(request.call, answer, self._settings)
        except RateLimited as error:
            if error.retry_after is None or error.retry_after <= LONGEST_WAIT:
                self.allowance.exhausted(error.retry_after or back_off(0))
            raise


def _of_target(method: str, target_id: str, rest: str = "") -> Call:
    return Call(method, f"{TARGETS}/{quote(target_id, safe='')}{rest}", names_one=True)


def _of_integration(method: str, integration_id: str, rest: str = "") -> Call:
    return Call(method, f"{INTEGRATIONS}/{quote(integration_id, safe='')}{rest}", names_one=True)
