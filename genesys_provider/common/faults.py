"""What is wrong with a configuration, rule by rule."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import ValidationError

from genesys_provider.common.paths import property_path


@dataclass(frozen=True)
class Fault:
    """One broken rule: the property's path as Pulumi writes it (`retryPolicy.maxRetries`), and the reason."""

    path: str
    reason: str


def faults_of(error: ValidationError) -> list[Fault]:
    """The faults of a model's `ValidationError`; no reason holds the value that was refused."""
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
"""What a user reads, where pydantic's own words are about Python."""


def reason(kind: str, message: str) -> str:
    """What a user reads of a fault that pydantic has found."""
    if kind in _REASONS:
        return _REASONS[kind]
    words = message.removeprefix("Value error, ").removeprefix("Input ").removeprefix("String ")
    words = words.removeprefix("List ").removeprefix("Value ").partition(" after validation")[0]
    return words.replace("should ", "must ", 1)
