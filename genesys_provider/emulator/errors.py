"""The error answers of the API: one exception, one envelope.

The envelope's fields are those of Genesys Cloud's `ErrorBody` [G]. The codes are [C], except those that the
contract names (`bad.credentials`).
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic import ValidationError

CODES = {
    400: "bad.request",
    401: "bad.credentials",
    403: "missing.any.permissions",
    404: "not.found",
    405: "method.not.allowed",
    409: "conflict",
    413: "request.too.large",
    429: "too.many.requests",
    500: "internal.server.error",
    503: "service.unavailable",
    504: "gateway.timeout",
}
"""The default `code` of an error answer."""

_INVALID = "invalid.value"
"""The code of a broken rule."""


@dataclass(frozen=True)
class BrokenRule:
    """A rule that a request breaks: the property (`retryPolicy.maxRetries`) and the reason; never the value."""

    property: str
    reason: str


def broken_rules(error: ValidationError) -> list[BrokenRule]:
    """The rules of its model that a body of the control plane breaks."""
    return [
        BrokenRule(".".join(map(str, each["loc"])), each["msg"])
        for each in error.errors(include_url=False, include_input=False, include_context=False)
    ]


class ErrorResponse(Exception):
    """An error answer.

    Args:
        status: The HTTP status.
        message: What went wrong, for humans; never contains a secret.
        code: What went wrong, for programs; by default the code of the status.
        broken: The broken rules. The envelope's `details` name their properties; the reasons are in `message`
            and `errors`, since the official SDKs drop a `message` in the details [G].
        headers: Additional headers of the answer, such as `Retry-After`.
        entity_name: The name of the target or integration concerned.
        limit: The limit that was reached: its `key`, `namespace` and `value`.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        broken: Sequence[BrokenRule] = (),
        headers: Mapping[str, str] | None = None,
        entity_name: str | None = None,
        limit: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code or CODES.get(status) or _phrase(status).lower().replace(" ", ".")
        self.broken = broken
        self.headers = headers
        self.entity_name = entity_name
        self.limit = limit

    def answer(self, correlation_id: str) -> JSONResponse:
        """The error as the API sends it; `contextId` is the request's correlation id [G]."""
        reasons = [f"{each.property} {each.reason}".strip() for each in self.broken]
        message = f"{self.message}: {'; '.join(reasons)}" if reasons else self.message
        details = [{"errorCode": _INVALID, "fieldName": each.property} for each in self.broken]

        def body(message: str, code: str, details: list[dict[str, str]], errors: list[Any]) -> dict[str, Any]:
            return {
                "message": message,
                "code": code,
                "status": self.status,
                "contextId": correlation_id,
                "entityId": None,
                "entityName": self.entity_name,
                "messageWithParams": message,
                "messageParams": {},
                "details": details,
                "errors": errors,
            }

        errors = [
            body(reason, _INVALID, [detail], []) for reason, detail in zip(reasons, details, strict=True)
        ]
        whole = body(message, self.code, details, errors)
        if self.limit is not None:
            whole["limit"] = self.limit
        return JSONResponse(whole, self.status, headers=self.headers)


def plain_error(status: int) -> ErrorResponse:
    """The usual error for a status, as sent by an injected fault."""
    messages = {401: "Invalid login credentials.", 429: "Rate limit exceeded the maximum."}
    return ErrorResponse(status, messages.get(status, _phrase(status)))


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return f"Status {status}"
