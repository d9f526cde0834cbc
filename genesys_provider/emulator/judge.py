"""Validates bodies against the contract's schemas, and against rules that a schema cannot express.

Those rules are in the contract's descriptions: the allowed URLs, headers, and characters in a target's name or
event type. Validation reports every property that breaks a rule, each once.
"""

from __future__ import annotations

import json
import re
import unicodedata
from typing import TYPE_CHECKING, Any

from genesys_provider.emulator.contract import validator
from genesys_provider.emulator.errors import BrokenRule
from genesys_provider.emulator.headers import is_senders_own
from genesys_provider.emulator.urls import url_fault

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from jsonschema import Draft202012Validator

_TARGET = validator("TargetBody")
_INVISIBLE = frozenset({"Cc", "Cf", "Zl", "Zp"})
_JOINERS = "\u200c\u200d"

Path = tuple[str | int, ...]


def broken_rules_of(body: dict[str, Any]) -> list[BrokenRule]:
    """The rules that a target's body breaks, one for each wrong property; no reason contains a value."""
    return _collected((*_of_the_schema(_TARGET, body), *_beyond_the_schema(body)))


def broken_rules_of_schema(schema: str, body: Any, *within: str) -> list[BrokenRule]:
    """The rules of a schema that a value breaks; `within` is the path of the value in its body."""
    return _collected(
        (((*within, *path), reason) for path, reason in _of_the_schema(validator(schema), body))
    )


def _collected(faults: Iterable[tuple[Path, str]]) -> list[BrokenRule]:
    found: dict[str, BrokenRule] = {}
    for path, reason in faults:
        rule = BrokenRule(_written(path), reason)
        found.setdefault(rule.property, rule)
    return list(found.values())


def _of_the_schema(schema: Draft202012Validator, body: Any) -> Iterator[tuple[Path, str]]:
    error: Any  # The library's types allow unset attributes.
    for error in schema.iter_errors(body):
        path = tuple(error.absolute_path)
        if error.validator == "required":
            for name in error.validator_value:
                if name not in error.instance:
                    yield (*path, name), "is required"
        elif "propertyNames" in error.absolute_schema_path:
            yield (*path, error.instance), f"is not a valid header name: {error.schema['description']}"
        else:
            yield path, _reason(error)


_TYPES = {
    "string": "text",
    "integer": "a whole number",
    "object": "an object",
    "array": "a list",
    "null": "null",
}


def _reason(error: Any) -> str:
    # The library's own messages contain the value, which may be a secret.
    rule = error.validator_value
    if error.validator == "type":
        return "must be " + " or ".join(_TYPES[each] for each in ([rule] if isinstance(rule, str) else rule))
    if error.validator == "enum":
        return f"must be {', '.join(rule[:-1])} or {rule[-1]}"
    if error.validator in ("not", "pattern"):
        return f"must be {error.schema['description']}"
    return {
        "minLength": "must not be empty",
        "maxLength": f"must have at most {rule} characters",
        "minItems": "must not be empty",
        "uniqueItems": "must not contain duplicates",
        "minimum": f"must be at least {rule}",
        "maximum": f"must be at most {rule}",
    }[error.validator]


def _beyond_the_schema(body: dict[str, Any]) -> Iterator[tuple[Path, str]]:
    event_types = body.get("eventTypes")
    texts: list[tuple[Path, Any]] = [(("name",), body.get("name"))]
    if isinstance(event_types, list):
        texts += [(("eventTypes", index), each) for index, each in enumerate(event_types)]
    for path, text in texts:
        if isinstance(text, str) and (reason := _unseen(text)):
            yield path, reason
    url, auth = body.get("endpointUrl"), body.get("authConfig")
    if isinstance(url, str) and (reason := url_fault(url)):
        yield ("endpointUrl",), reason
    token_url = auth.get("tokenUrl") if isinstance(auth, dict) else None
    if isinstance(token_url, str) and (reason := url_fault(token_url, loopback_http=True)):
        yield ("authConfig", "tokenUrl"), reason
    if isinstance(headers := body.get("headers"), dict):
        for name, reason in _header_faults(headers, body.get("authType")):
            yield ("headers", name), reason


def _unseen(text: str) -> str | None:
    if text != text.strip():
        return "must have no white space around it"
    if any(unicodedata.category(each) in _INVISIBLE and each not in _JOINERS for each in text):
        return "must hold no control or other invisible characters"
    return None


def _header_faults(names: Iterable[str], auth_type: object) -> Iterator[tuple[str, str]]:
    seen: set[str] = set()
    for name in names:
        folded = name.lower()
        if folded in seen:
            yield name, "is a duplicate: header names are not case-sensitive"
        elif is_senders_own(name):
            yield name, "is set by the sender for each request"
        elif folded == "authorization" and auth_type in ("BASIC", "OAUTH2", "JWT"):
            yield name, "is set by authType"
        seen.add(folded)


def _written(path: Path) -> str:
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif re.fullmatch(r"[A-Za-z_][\w-]*", step):
            text += f".{step}" if text else step
        else:
            text += f"[{json.dumps(step, ensure_ascii=False)}]"
    return text
