"""Reading a request's JSON body, and checking it against the rules of a target."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from genesys_provider.emulator.errors import ApiError, BrokenRule
from genesys_provider.targets.models import TargetConfig, faults_of

if TYPE_CHECKING:
    from starlette.requests import Request

MAX_BODY_BYTES = 512_000
"""[G]"""

_READ_ONLY = frozenset({"id", "status", "selfUri"})
"""What an answer holds besides the configuration: ignored, so that it can be changed and PUT back [C]."""

_KNOWN = frozenset({"name", "endpointUrl", "authType", "authConfig", "retryPolicy", "headers", "eventTypes"})
_KNOWN_INSIDE = {
    "authConfig": frozenset({"username", "password", "clientId", "clientSecret", "tokenUrl"}),
    "retryPolicy": frozenset({"maxRetries", "backoffStrategy", "initialDelaySeconds"}),
}


async def read_body(request: Request) -> bytes:
    """The request's body.

    Raises:
        ApiError: 413 if it is too large [G]; the rest of it is not read.
    """
    length = request.headers.get("content-length", "")
    too_large = ApiError(413, f"The request body is larger than {MAX_BODY_BYTES} bytes.")
    if length.isdecimal() and int(length) > MAX_BODY_BYTES:
        raise too_large
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise too_large
    return bytes(body)


async def read_object(request: Request) -> dict[str, Any]:
    """The request's body, which must be a JSON object.

    Raises:
        ApiError: 413, or 400 for anything else.
    """
    raw = await read_body(request)
    try:
        body = json.loads(raw)
        # Half a surrogate pair is valid JSON, but can't be answered as UTF-8.
        json.dumps(body, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise ApiError(400, "The request body is not valid JSON.", code="invalid.json") from error
    if not isinstance(body, dict):
        raise ApiError(400, "The request body must be a JSON object.", code="invalid.json")
    return body


def checked_config(body: dict[str, Any]) -> dict[str, Any]:
    """The configuration in the body of a POST or PUT, defaults filled in, **secrets in plain text**.

    `headers` and `eventTypes` stay as they were sent.

    Raises:
        ApiError: 400 with every broken rule in `details`.
    """
    # An explicit null is an absent value.
    given = {name: value for name, value in body.items() if name not in _READ_ONLY and value is not None}
    faults = [_unknown(name) for name in given if name not in _KNOWN]
    given = {name: value for name, value in given.items() if name in _KNOWN}
    for name, known in _KNOWN_INSIDE.items():
        if isinstance(inner := given.get(name), dict):
            faults += [_unknown(f"{name}.{key}") for key in inner if key not in known]
            given[name] = {key: value for key, value in inner.items() if key in known}
    try:
        config = TargetConfig.model_validate(given)
    except ValidationError as error:
        faults += [BrokenRule(each.path, each.reason) for each in faults_of(error)]
    if faults:
        raise ApiError(400, "The target is not valid", code="invalid.target", broken=faults)
    return {
        "authConfig": {},
        **config.payload(),
        "headers": given.get("headers", {}),
        "eventTypes": given["eventTypes"],
    }


def _unknown(path: str) -> BrokenRule:
    return BrokenRule(path, "is not a property of a target")
