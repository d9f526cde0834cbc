"""The calls of the API: one method each, JSON in and JSON out.

The docstring of each gives its method and path, after which the official SDK `PureCloudPlatformClientV2` names
its own methods (`post_integrations_…`), so that who knows the one finds the other.
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

from genesys_provider.client.errors import (
    ApiError,
    GenesysError,
    InvalidRequest,
    RateLimited,
    Unauthorized,
    UnexpectedAnswer,
    api_error,
    in_envelope,
    shortened,
)
from genesys_provider.client.limits import MAX_BODY_BYTES, Allowance, Priority
from genesys_provider.client.login import Login
from genesys_provider.client.redaction import hide_secrets_of
from genesys_provider.client.retries import LONGEST_WAIT, back_off, retry_after, retrying
from genesys_provider.client.settings import Settings
from genesys_provider.client.transport import Answer, connections, exchange, where_to_look

TARGETS = "/api/v2/integrations/eventbridge/targets"
MY_ORGANIZATION = "/api/v2/organizations/me"
MAX_PAGE_SIZE = 100
"""Targets a page, at most [G]."""

TIMEOUT_SECONDS = 30.0
"""Time limit of a call [S]."""

MAX_CONNECTIONS = 32
"""Kept open and reused; more would not help within the rate limit."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Request:
    method: str
    path: str
    content: bytes | None
    query: Mapping[str, str | int] | None
    priority: Priority

    @property
    def what(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def names_a_target(self) -> bool:
        """Whether a 404 would say of a target that it is not there."""
        return self.path.startswith(f"{TARGETS}/")


class GenesysClient:
    """Genesys Cloud for one OAuth client. Safe for threads.

    Every call may raise any `GenesysError`; what it adds is said in its docstring.

    Args:
        settings: Where, as whom, how patient.
        cancelled: When set, every wait of every call ends with `Cancelled`.
        clock: Seconds, by which tokens expire and the windows of the rate limit end.
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
        self._allowance = Allowance(self._cancelled, clock)

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()

    def create_target(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """`POST /api/v2/integrations/eventbridge/targets` [S].

        Never sent twice unless it is certain that it did not act.

        Raises:
            ConnectionFailed: With `maybe_acted`, the target may exist: look it up by its name.
            ServerError: Likewise.
            Conflict: The name is taken.
        """
        return self._call("POST", TARGETS, body=body, idempotent=False)

    def get_target(self, target_id: str) -> dict[str, Any]:
        """`GET /api/v2/integrations/eventbridge/targets/{id}` [C]."""
        return self._call("GET", _path(target_id))

    def update_target(self, target_id: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """`PUT /api/v2/integrations/eventbridge/targets/{id}`: replaces the whole configuration [C]."""
        return self._call("PUT", _path(target_id), body=body)

    def delete_target(self, target_id: str) -> None:
        """`DELETE /api/v2/integrations/eventbridge/targets/{id}`: 204 [C].

        Raises:
            UnexpectedAnswer: Any other success may be somebody else's, and the target still there.
        """
        self._call("DELETE", _path(target_id))

    def list_targets(self, page_number: int = 1, *, name: str | None = None) -> dict[str, Any]:
        """`GET /api/v2/integrations/eventbridge/targets?pageSize=100&pageNumber=…&name=…` [C], paging [G]."""
        query: dict[str, str | int] = {"pageSize": MAX_PAGE_SIZE, "pageNumber": page_number}
        if name is not None:
            query["name"] = name
        return self._call("GET", TARGETS, query=query)

    def get_verification(self, target_id: str) -> dict[str, Any]:
        """`GET /api/v2/integrations/eventbridge/targets/{id}/verify` [S]: goes before bulk work."""
        return self._call("GET", _path(target_id) + "/verify", priority=Priority.INTERACTIVE)

    def check_health(self, target_id: str) -> dict[str, Any]:
        """`POST /api/v2/integrations/eventbridge/targets/{id}/health` [S]: one check now; harmless if repeated."""
        return self._call("POST", _path(target_id) + "/health")

    def get_organization(self) -> dict[str, Any]:
        """`GET /api/v2/organizations/me` [G]: the organisation that the client belongs to, `id` and `name`."""
        return self._call("GET", MY_ORGANIZATION)

    def _call(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, str | int] | None = None,
        idempotent: bool = True,
        priority: Priority = Priority.BULK,
    ) -> dict[str, Any]:
        content = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        if content is not None and len(content) > MAX_BODY_BYTES:
            raise InvalidRequest(
                f"{method} {path}: the body has {len(content)} bytes, the API takes {MAX_BODY_BYTES}",
                status=413,
            )
        schedule = retrying(self._settings.max_retries, self._cancelled, idempotent=idempotent)
        hide_secrets_of(body or {})
        answer: dict[str, Any] = schedule(self._with_token, _Request(method, path, content, query, priority))
        return answer

    def _with_token(self, request: _Request) -> dict[str, Any]:
        """One try; a token that is refused is renewed once [C]."""
        token = self._login.token()
        try:
            return self._once(request, token)
        except Unauthorized:
            self._login.forget(token)
            return self._once(request, self._login.token())

    def _once(self, request: _Request, token: str) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {token}"}
        if request.content is not None:
            headers["Content-Type"] = "application/json"
        with self._allowance.place(request.priority):
            answer = exchange(
                self._http,
                request.method,
                self._settings.api_url + request.path,
                what=request.what,
                content=request.content,
                params=request.query,
                headers=headers,
            )
            self._allowance.learn(answer.headers)
        correlation_id = shortened(answer.headers.get("ININ-Correlation-Id", ""))
        _log.debug("%s: %d, correlation id %s", request.what, answer.status, correlation_id or "none")
        return self._understood(request, answer, correlation_id)

    def _understood(self, request: _Request, answer: Answer, correlation_id: str) -> dict[str, Any]:
        what = request.what
        if answer.status == 204:  # noqa: PLR2004
            return {}
        if not 200 <= answer.status < 300:  # noqa: PLR2004
            raise self._refusal(request, answer, correlation_id)
        if request.method == "DELETE":
            raise UnexpectedAnswer(f"{what}: HTTP {answer.status}, but a deletion is answered with 204")
        body = answer.json_object()
        if body is None:
            raise self._unexpected(f"{what}: HTTP {answer.status}, but the body is not a JSON object")
        return body

    def _refusal(self, request: _Request, answer: Answer, correlation_id: str) -> GenesysError:
        status, body = answer.status, answer.json_object()
        if answer.redirects:
            return self._unexpected(f"{request.what}: HTTP {status}, a redirect that is not followed")
        words = _words(body, answer)
        message = f"{request.what}: {words}"
        code = shortened(str((body or {}).get("code") or ""))
        if status == 429:  # noqa: PLR2004
            asked = retry_after(answer.headers)
            if asked is None or asked <= LONGEST_WAIT:
                self._allowance.exhausted(back_off(0) if asked is None else asked)
            return RateLimited(
                message, status=429, code=code, correlation_id=correlation_id, retry_after=asked
            )
        hint = None
        if status < 500 and not in_envelope(body):  # noqa: PLR2004
            if status == 404:  # noqa: PLR2004
                failure = self._unexpected(f"{request.what}: HTTP 404, but not in the API's form: {words}")
                # It is set up so: another try meets the same.
                failure.tried_enough = True
                return failure
            hint = self._where_to_look()
        elif status == 404 and not request.names_a_target:  # noqa: PLR2004
            return ApiError(
                message, status=404, code=code, correlation_id=correlation_id, hint=self._no_such_call()
            )
        return api_error(status, message, code=code, correlation_id=correlation_id, hint=hint)

    def _unexpected(self, message: str) -> UnexpectedAnswer:
        return UnexpectedAnswer(message, hint=self._where_to_look())

    def _where_to_look(self) -> str:
        return where_to_look("apiUrl", self._settings.api_url)

    def _no_such_call(self) -> str:
        return (
            "The API does not know this call: check that genesys:apiUrl or genesys:region, which lead to "
            f"{self._settings.api_url}, are right, and that this organisation has EventBridge targets"
        )


def _path(target_id: str) -> str:
    return f"{TARGETS}/{quote(target_id, safe='')}"


def _words(body: dict[str, Any] | None, answer: Answer) -> str:
    """What an error says: the envelope's message, what its details name, and the messages of its errors [G]."""
    if body is None:
        return shortened(answer.text) or answer.reason
    message = str(body.get("message") or answer.reason)
    errors = [str(error.get("message") or "") for error in _objects(body.get("errors"))]
    words = [message]
    for detail in _objects(body.get("details")):
        name, why = str(detail.get("fieldName") or ""), detail.get("message")
        if why is None and name and any(error.startswith(name) for error in errors):
            continue  # The error says why; the detail has but a code.
        why = why or detail.get("errorCode")
        words.append(": ".join(str(part) for part in (name, why) if part))
    words += [error for error in errors if error not in message]
    return shortened("; ".join(word for word in dict.fromkeys(words) if word))


def _objects(value: object) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
