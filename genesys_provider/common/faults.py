"""Broken rules of a configuration."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from genesys_provider.client.limits import MAX_BODY_BYTES
from genesys_provider.common.paths import property_path


@dataclass(frozen=True)
class Fault:
    """One broken rule: the property path in Pulumi's notation (`retryPolicy.maxRetries`), and the reason."""

    path: str
    reason: str

    def __str__(self) -> str:
        return f"{self.path or 'it'} {self.reason}"


def faults_of(error: ValidationError) -> list[Fault]:
    """The faults in a model's `ValidationError`. No reason contains the refused value, which may be secret."""
    return [
        Fault(property_path(fault["loc"]), reason(fault["type"], fault["msg"]))
        for fault in error.errors(include_url=False, include_input=False)
    ]


_REASONS = {
    "extra_forbidden": "is not a known property",
    "missing": "is required",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "list_type": "must be a list",
    "string_unicode": "must be Unicode text",
}
"""Messages for users, where pydantic's own speak of Python."""


def reason(kind: str, message: str) -> str:
    """The message for users of an error that pydantic found."""
    if kind in _REASONS:
        return _REASONS[kind]
    words = message.removeprefix("Value error, ").removeprefix("Input ").removeprefix("String ")
    words = words.removeprefix("List ").partition(" after validation")[0]
    if words.startswith("Value "):  # a secret, whose characters are items to pydantic
        words = words.removeprefix("Value ").replace(" item", " character")
    return words.replace("should ", "must ", 1)


def line_error(message: str, *path: str | int) -> InitErrorDetails:
    """An error that a model's own rule found, to be raised together with others."""
    return InitErrorDetails(type=PydanticCustomError("rule", message), loc=path, input=None)


def too_large(what: str, body: Mapping[str, Any], parts: Mapping[str, Any]) -> InitErrorDetails | None:
    """The fault of a body that exceeds the API's limit, or None.

    Args:
        what: What it configures: `target`.
        body: The body.
        parts: Its parts by property name; the fault is attributed to the largest one.
    """
    size = _json_bytes(body)
    if size <= MAX_BODY_BYTES:
        return None
    message = f"must be smaller: the whole {what} has {size} bytes, the API accepts {MAX_BODY_BYTES} bytes"
    return line_error(message, max(parts, key=lambda name: _json_bytes(parts[name])))


def _json_bytes(value: object) -> int:
    return len(json.dumps(value, ensure_ascii=False).encode())
