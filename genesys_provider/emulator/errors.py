"""The error answers of the API: one exception, one envelope.

The envelope's fields are those of Genesys Cloud's `ErrorBody` [G]; which code stands for which fault is [C]
except where the contract names it (`bad.credentials`).
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from genesys_provider.targets.models import Fault

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
"""The `code` of an error answer whose raiser names no other."""


class ApiError(Exception):
    """An answer other than success, on its way to the caller.

    Args:
        status: The HTTP status.
        message: What went wrong, for a human; never with a secret.
        code: The machine's name of it; by default the status's own.
        faults: The broken rules of the body, one entry of `details` each.
        headers: Further headers of the answer, such as `Retry-After`.
        entity_name: The name of the target that it is about.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        faults: Sequence[Fault] = (),
        headers: Mapping[str, str] | None = None,
        entity_name: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code or CODES.get(status) or _phrase(status).lower().replace(" ", ".")
        self.faults = faults
        self.headers = headers
        self.entity_name = entity_name

    def answer(self, correlation_id: str) -> JSONResponse:
        """The error as the API sends it; `contextId` is the request's correlation id [G]."""
        body: dict[str, Any] = {
            "message": self.message,
            "code": self.code,
            "status": self.status,
            "contextId": correlation_id,
            "entityId": None,
            "entityName": self.entity_name,
            "messageWithParams": self.message,
            "messageParams": {},
            "details": [
                {"errorCode": "invalid.value", "fieldName": fault.path, "message": fault.reason}
                for fault in self.faults
            ],
            "errors": [],
        }
        return JSONResponse(body, self.status, headers=self.headers)


def plain_error(status: int) -> ApiError:
    """The error that a bare status means, as an injected fault sends it."""
    messages = {401: "Invalid login credentials.", 429: "Rate limit exceeded the maximum."}
    return ApiError(status, messages.get(status, _phrase(status)))


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return f"Status {status}"
