"""Reads a request's JSON body, and extracts the known fields from it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from genesys_provider.emulator.contract import fields
from genesys_provider.emulator.errors import ErrorResponse
from genesys_provider.emulator.judge import broken_rules_of, broken_rules_of_schema

if TYPE_CHECKING:
    from starlette.requests import Request

MAX_BODY_BYTES = 512_000
"""[G]"""


async def read_body(request: Request) -> bytes:
    """The request's body.

    Raises:
        ErrorResponse: 413 if it is too large [G]; then the rest is not read.
    """
    length = request.headers.get("content-length", "")
    too_large = ErrorResponse(413, f"The request body is larger than {MAX_BODY_BYTES} bytes.")
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
        ErrorResponse: 413 if it is too large, 400 if it is anything else.
    """
    raw = await read_body(request)
    try:
        body = json.loads(raw, parse_constant=_no_number)
        # Half a surrogate pair is valid JSON, but can't be encoded as UTF-8 in an answer.
        json.dumps(body, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise ErrorResponse(400, "The request body is not valid JSON.", code="invalid.json") from error
    if not isinstance(body, dict):
        raise ErrorResponse(400, "The request body must be a JSON object.", code="invalid.json")
    return body


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def checked_config(body: dict[str, Any]) -> dict[str, Any]:
    """The configuration in the body of a POST or PUT, **secrets in plain text**.

    Fields unknown to the contract are dropped; `headers` and `eventTypes` are kept as sent.

    Raises:
        ErrorResponse: 400 with every broken rule.
    """
    if broken := broken_rules_of(body):
        raise ErrorResponse(400, "The target is not valid", code="invalid.target", broken=broken)
    config = {"headers": {}, **_known(body, "TargetBody")}
    policy = _known(config["retryPolicy"], "RetryPolicy")
    return {
        **config,
        "authConfig": {
            name: value
            for name, value in _known(config["authConfig"], "AuthConfig").items()
            if value is not None
        },
        # In JSON Schema 5.0 is an integer too.
        "retryPolicy": {
            name: int(value) if isinstance(value, float) else value for name, value in policy.items()
        },
    }


def checked(body: dict[str, Any], schema: str) -> dict[str, Any]:
    """The fields of a body that a schema of the contract knows.

    Raises:
        ErrorResponse: 400 with every broken rule.
    """
    if broken := broken_rules_of_schema(schema, body):
        raise ErrorResponse(400, "The body is not valid", code="invalid.body", broken=broken)
    return _known(body, schema)


def _known(given: dict[str, Any], schema: str) -> dict[str, Any]:
    return {name: given[name] for name in fields(schema) if name in given}
