"""The chain of an audit file: how an entry and `FILE.head` are written, hashed and read.

Each entry contains the hash of the previous one, so that a changed, removed, inserted or moved entry is detected.
`FILE.head` stores the last hash, so that a missing end is detected too. With a key each hash is an HMAC (the entry
says `"keyed": true`), so that nobody without the key can rewrite the file. The first keyed entry also secures the
entries that were written before there was a key.

The chain can't detect that FILE and `FILE.head` were both restored to an earlier state, or both deleted. Without a
key, whoever can write both can also remove the end, or rewrite the whole chain.

An unfinished line left by a dying writer is not an entry. The next writer seals the line before ending it, so that
no other line can pass for one; that writer may die in the middle of this too.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from typing import Any

FIRST_HASH = "0" * 64
"""The `previous` of the first entry."""

TORN = re.compile(rb"(?P<rest>.*) torn(?P<keyed> keyed)? (?P<seal>[0-9a-f]{64})", re.DOTALL)
"""An unfinished line with its seal."""


def chained(entry: dict[str, Any], previous: str, key: str | None = None) -> dict[str, Any]:
    """The entry with the hash of the previous one and its own."""
    linked = {**entry, **({"keyed": True} if key else {}), "previous": previous}
    return {**linked, "hash": sealed(canonical(linked), key)}


def canonical(linked: dict[str, Any]) -> str:
    """The text of an entry that is hashed."""
    return json.dumps(linked, sort_keys=True)


def as_line(linked: dict[str, Any]) -> bytes:
    """The entry as a line of the file. A lone surrogate is written as a JSON escape."""
    return json.dumps(linked, ensure_ascii=False).encode("utf-8", "backslashreplace")


def head_of(last: str, key: str | None) -> str:
    """The content of `FILE.head`. With a key it is an HMAC, since anybody can read the last entry's hash."""
    return sealed(f"head {last}", key) if key else last


def sealed(text: str, key: str | None) -> str:
    """The hash of a text; an HMAC if there is a key."""
    if key is None:
        return hashlib.sha256(text.encode()).hexdigest()
    return hmac.new(key.encode("utf-8", "surrogateescape"), text.encode(), hashlib.sha256).hexdigest()


def parsed(line: bytes) -> dict[str, Any] | None:
    """The entry in a line of the file, or None if it is not one."""
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return entry if isinstance(entry, dict) and "hash" in entry else None


def ending(rest: bytes, previous: str, key: str | None) -> bytes:
    """The end of an unfinished line; empty if there is none."""
    if not rest:
        return b""
    if parsed(rest) is not None:
        return b"\n"
    return f" torn{' keyed' if key else ''} {torn_seal(rest, previous, key)}\n".encode()


def torn_seal(rest: bytes, previous: str, key: str | None) -> str:
    """The seal of an unfinished line after the entry with the hash `previous`."""
    return sealed(f"torn {previous} {hashlib.sha256(rest).hexdigest()}", key)
