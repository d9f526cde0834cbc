"""Interprets the API's responses: the only place that tells success, absence and "this is not the API" apart.

| response | meaning |
|---|---|
| any 2xx with a JSON object | success |
| any 2xx with the API's envelope of an error | not a success, and no conclusion about absence is drawn |
| any 2xx to a POST, PUT or PATCH without a body | success; the current object must be read separately |
| 204 to a DELETE | the object is gone |
| another 2xx to a DELETE | accepted; a read must tell whether the object is gone |
| 404 or 410, in the API's envelope, to a call that names a target or an integration | the object does not exist |
| 408 to such a GET, in the API's envelope, on each of several attempts | the object does not exist |
| another 404, a redirect, an HTML page | not the API: no conclusion is drawn |
| anything else | an error, by its status |

Nobody has seen what the target calls return beyond [S], so we accept more than the contract names [C].
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
)
from genesys_provider.client.redaction import shortened
from genesys_provider.client.retries import REQUEST_TIMEOUT, TOO_EARLY, retry_after, too_long
from genesys_provider.client.settings import Settings
from genesys_provider.client.transport import Answer, where_to_look

_KINDS: dict[int, type[ApiError]] = {
    400: InvalidRequest,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    410: NotFound,
    412: Conflict,
    423: Conflict,
    429: RateLimited,
}


@dataclass(frozen=True)
class Call:
    """One API call, with what is needed to interpret its response.

    Attributes:
        method: HTTP method.
        path: The path, including the id if it names an object.
        names_one: Whether a 404 means that the named object does not exist.
        idempotent: Whether it is safe to send the call twice.
    """

    method: str
    path: str
    names_one: bool = False
    idempotent: bool = True

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def writes(self) -> bool:
        """Whether this is a write, which can succeed without a response body."""
        return self.method in ("PUT", "PATCH", "DELETE") or not self.idempotent


@dataclass(frozen=True)
class Success:
    """A successful response; the body is empty if a write was answered without one."""

    status: int
    body: dict[str, Any]


def read(call: Call, answer: Answer, settings: Settings) -> Success:
    """Returns the content of a successful response.

    Args:
        call: The call.
        answer: Its response.
        settings: Where the call was sent, for the error message.

    Raises:
        UnexpectedAnswer: The response is not from the API.
        ApiError: The API refused the call.
    """
    if not 200 <= answer.status < 300:
        raise _refusal(call, answer, settings)
    if call.writes and answer.body.strip() in (b"", b"null"):
        return Success(answer.status, {})
    body = answer.json_object()
    if body is None:
        raise _not_the_api(f"{call}: HTTP {answer.status}, but the body is not a JSON object", settings)
    if in_envelope(body) and isinstance(code := body["status"], int) and code >= 400:
        said = f"HTTP {answer.status}, but the body is an error ({code}): {_words(body, answer)}"
        raise UnexpectedAnswer(f"{call}: {said}")
    return Success(answer.status, body)


def correlation_id_of(answer: Answer) -> str:
    """The correlation id that Genesys Cloud support asks for [G]; empty if the response has none."""
    return shortened(answer.headers.get("ININ-Correlation-Id", ""))


def _refusal(call: Call, answer: Answer, settings: Settings) -> GenesysError:
    status, body = answer.status, answer.json_object()
    if answer.redirects:
        return _lasting(f"{call}: HTTP {status}, a redirect that is not followed", settings)
    enveloped = in_envelope(body)
    words, asked = _words(body, answer), retry_after(answer.headers)
    kind, hint = _kind(call, status, enveloped=enveloped), None
    if kind is NotFound and not enveloped:
        return _lasting(f"{call}: HTTP {status}, but not in the API's form: {words}", settings)
    if kind is NotFound and not call.names_one:
        kind, hint = ApiError, _no_such_call(settings)
    elif kind in (RateLimited, ServerError):
        hint = too_long(asked)
    elif not enveloped:
        hint = where_to_look("apiUrl", settings)
    elif kind is Conflict and call.method not in ("POST", "PUT"):
        hint = "Something else is in the way: try again later"
    return kind(
        f"{call}: {words}",
        status=status,
        code=shortened(str((body or {}).get("code") or "")),
        correlation_id=correlation_id_of(answer),
        retry_after=asked,
        in_envelope=enveloped,
        hint=hint,
    )


def _kind(call: Call, status: int, *, enveloped: bool) -> type[ApiError]:
    if status == TOO_EARLY:
        return ServerError
    if status == REQUEST_TIMEOUT:
        # For a write, a 408 only says that the write may have taken effect.
        return NotFound if call.method == "GET" and call.names_one and enveloped else ServerError
    return ServerError if status >= 500 else _KINDS.get(status, ApiError)


def _lasting(message: str, settings: Settings) -> UnexpectedAnswer:
    failure = _not_the_api(message, settings)
    # A retry would meet the same redirect or server.
    failure.tried_enough = True
    return failure


def _not_the_api(message: str, settings: Settings) -> UnexpectedAnswer:
    return UnexpectedAnswer(message, hint=where_to_look("apiUrl", settings))


def _no_such_call(settings: Settings) -> str:
    return (
        f"The API does not know this call: check {settings.origin_of('apiUrl')}, and check that this organization "
        "has this part of the API"
    )


def _words(body: Mapping[str, Any] | None, answer: Answer) -> str:
    """An error's text: the envelope's message, its details and errors, and the limit that was hit [G]."""
    if body is None:
        return answer.said
    message = str(body.get("message") or answer.reason)
    errors = [str(error.get("message") or "") for error in _objects(body.get("errors"))]
    words = [message]
    for detail in _objects(body.get("details")):
        name, why = str(detail.get("fieldName") or ""), detail.get("message")
        if why is None and name and any(error.startswith(name) for error in errors):
            continue  # The error gives the reason; the detail only has a code.
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
