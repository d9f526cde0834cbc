"""What an answer of the API means: the one place that tells success, absence and «not the API» apart.

| answer | means |
|---|---|
| any 2xx with a JSON object | success |
| any 2xx of a POST, PUT or PATCH without a body | success; what is there now has to be asked for |
| 204 of a DELETE | it is gone |
| another 2xx of a DELETE | accepted; whether it is gone has to be asked for |
| 404 or 410 of a call that names a target or an integration, in the API's envelope | it is absent |
| 408 of such a GET, in the API's envelope, which lasts for all its tries | it is absent |
| another 404, a redirect, a page of HTML | not the API: nothing is concluded from it |
| any other | an error, by its status |

What the targets' calls answer beyond [S] was never seen in reality, so more is taken than the contract names [C].
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from genesys_provider.client.errors import (
    ApiError,
    Conflict,
    Forbidden,
    GenesysError,
    InvalidRequest,
    NotFound,
    RateLimited,
    ServerError,
    Unauthorized,
    UnexpectedAnswer,
    in_envelope,
    shortened,
)
from genesys_provider.client.retries import REQUEST_TIMEOUT, retry_after
from genesys_provider.client.transport import Answer, where_to_look

_KINDS: dict[int, type[ApiError]] = {
    400: InvalidRequest,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    410: NotFound,
    429: RateLimited,
}


@dataclass(frozen=True)
class Call:
    """One call of the API, as its answer is read.

    Attributes:
        method: HTTP method.
        path: The path, with an id in it where it names one.
        names_one: Whether a 404 says of the one that it names that it is not there.
        idempotent: Whether sending it twice does no harm.
    """

    method: str
    path: str
    names_one: bool = False
    idempotent: bool = True

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def writes(self) -> bool:
        """Whether it is a write, whose success needs no body."""
        return self.method in ("PUT", "PATCH", "DELETE") or not self.idempotent


@dataclass(frozen=True)
class Success:
    """A successful answer; the body is empty where a write was answered without one."""

    status: int
    body: dict[str, Any]


def read(call: Call, answer: Answer, api_url: str) -> Success:
    """What a successful answer holds.

    Args:
        call: The call.
        answer: Its answer.
        api_url: Where it was sent, for the error.

    Raises:
        UnexpectedAnswer: Not the API's.
        ApiError: A refusal.
    """
    if not 200 <= answer.status < 300:  # noqa: PLR2004
        raise _refusal(call, answer, api_url)
    if call.writes and not answer.body.strip():
        return Success(answer.status, {})
    body = answer.json_object()
    if body is None:
        raise _not_the_api(f"{call}: HTTP {answer.status}, but the body is not a JSON object", api_url)
    return Success(answer.status, body)


def correlation_id_of(answer: Answer) -> str:
    """What Genesys Cloud's support asks for [G]; empty where the answer has none."""
    return shortened(answer.headers.get("ININ-Correlation-Id", ""))


def _refusal(call: Call, answer: Answer, api_url: str) -> GenesysError:
    status, body = answer.status, answer.json_object()
    if answer.redirects:
        return _set_up_so(f"{call}: HTTP {status}, a redirect that is not followed", api_url)
    enveloped = in_envelope(body)
    words = _words(body, answer)
    kind, hint = _kind(call, status, enveloped=enveloped), None
    if kind is NotFound and not enveloped:
        return _set_up_so(f"{call}: HTTP {status}, but not in the API's form: {words}", api_url)
    if kind is NotFound and not call.names_one:
        kind, hint = ApiError, _no_such_call(api_url)
    elif not enveloped and kind not in (RateLimited, ServerError):
        hint = where_to_look("apiUrl", api_url)
    return kind(
        f"{call}: {words}",
        status=status,
        code=shortened(str((body or {}).get("code") or "")),
        correlation_id=correlation_id_of(answer),
        retry_after=retry_after(answer.headers),
        in_envelope=enveloped,
        hint=hint,
    )


def _kind(call: Call, status: int, *, enveloped: bool) -> type[ApiError]:
    if status == REQUEST_TIMEOUT:
        # Of a write it only says that it may have acted.
        return NotFound if call.method == "GET" and call.names_one and enveloped else ServerError
    return ServerError if status >= 500 else _KINDS.get(status, ApiError)  # noqa: PLR2004


def _set_up_so(message: str, api_url: str) -> UnexpectedAnswer:
    failure = _not_the_api(message, api_url)
    # Another try meets the same.
    failure.tried_enough = True
    return failure


def _not_the_api(message: str, api_url: str) -> UnexpectedAnswer:
    return UnexpectedAnswer(message, hint=where_to_look("apiUrl", api_url))


def _no_such_call(api_url: str) -> str:
    return (
        "The API does not know this call: check that GENESYSCLOUD_API_URL or GENESYSCLOUD_REGION, which lead to "
        f"{api_url}, are right, and that this organization has this part of the API"
    )


def _words(body: Mapping[str, Any] | None, answer: Answer) -> str:
    """What an error says: the envelope's message, what its details and errors say, and its limit [G]."""
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
    words += [
        f"the limit {limit['key']} is {limit.get('value')}"
        for limit in _objects([body.get("limit")])
        if limit.get("key")
    ]
    return shortened("; ".join(word.removesuffix(".") for word in dict.fromkeys(words) if word))


def _objects(value: object) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
