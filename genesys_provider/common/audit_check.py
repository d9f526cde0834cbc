"""Checks the chain of an audit file, and reads its entries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any

from genesys_provider.client.settings import AUDIT_KEY
from genesys_provider.common.audit_chain import (
    FIRST_HASH,
    TORN,
    as_line,
    canonical,
    head_of,
    parsed,
    sealed,
    torn_seal,
)


class NotAnAuditFile(ValueError):
    """A file with content but without an entry; the message is for the user."""


def problems_of(path: Path, key: str | None = None) -> Iterator[str]:
    """Yields one line for each problem of an audit file; nothing if its chain is intact.

    Args:
        path: The file.
        key: The key of its entries, if they have one.
    """
    lines = [_Line(number, text) for number, text in enumerate(path.read_bytes().split(b"\n"), start=1)]
    if lines[-1].entry is None:
        # An empty line, or one left by a dying writer that nobody has sealed yet.
        lines.pop()
    keyed = [line for line in lines if line.keyed]
    checkable = bool(key) and any(line.is_sound(key) for line in keyed)
    if keyed and not key:
        yield f"{keyed[0]}: it was written with a key: set {AUDIT_KEY} to it"
    elif keyed and not checkable:
        yield (
            f"{keyed[0]}: {AUDIT_KEY} is not the key with which this entry and the later ones were written, or "
            "all of them were changed"
        )
    elif key and not keyed:
        yield f"no entry was written with {AUDIT_KEY}: whoever can write the file may have written all of it"
    yield from _breaks(lines, key if checkable else None)
    if checkable or not keyed:
        yield from _cut_off(Path(f"{path}.head"), lines, key)


def _breaks(lines: Sequence[_Line], key: str | None) -> Iterator[str]:
    """The places at which the chain is broken; without the key the seals of entries are not checked."""
    previous, with_key = FIRST_HASH, False
    for line in lines:
        if line.entry is None:
            if not line.is_sealed(previous, key, with_key=with_key):
                yield f"{line}: it is not an entry: it was inserted, or a writer of an earlier version died here"
            continue
        if (key or not line.keyed) and not line.is_sound(key if line.keyed else None):
            yield f"{line}: the entry was changed after it was written"
        elif line.entry.get("previous") != previous:
            yield f"{line}: it does not follow the previous entry: one was removed, inserted or moved"
        elif with_key and not line.keyed:
            yield f"{line}: it was written without a key, after entries with one"
        previous, with_key = line.hash, with_key or line.keyed


class _Line:
    """A line of an audit file; `entry` is None if the line is not an entry."""

    def __init__(self, number: int, text: bytes) -> None:
        self.number = number
        self.text = text
        self.entry = parsed(text)
        self.keyed = self.entry is not None and self.entry.get("keyed") is True
        self.hash = "" if self.entry is None else str(self.entry["hash"])

    def __str__(self) -> str:
        return f"line {self.number}"

    def is_sound(self, key: str | None) -> bool:
        """Whether the line is unchanged since it was written, with or without a key."""
        linked = dict(self.entry or {})
        try:
            return as_line(linked) == self.text and linked.pop("hash") == sealed(canonical(linked), key)
        except RecursionError:
            return False

    def is_sealed(self, previous: str, key: str | None, *, with_key: bool) -> bool:
        """Whether this is an unfinished line after the entry `previous`, sealed by the next writer."""
        torn = TORN.fullmatch(self.text)
        if torn is None or (with_key and not torn["keyed"]):
            return False
        if torn["keyed"] and key is None:
            return True  # As with entries, the seal can't be checked without the key.
        return torn["seal"].decode() == torn_seal(torn["rest"], previous, key if torn["keyed"] else None)


def _cut_off(head_file: Path, lines: Sequence[_Line], key: str | None) -> Iterator[str]:
    entries = [line for line in lines if line.entry is not None]
    if head_file.exists():
        head = head_file.read_text("ascii", "replace").strip()
        if all(head_of(line.hash, key if line.keyed else None) != head for line in entries):
            yield "entries are missing at the end"
    elif entries:
        yield f"{head_file} is missing: entries may be missing at the end"


def without_key(path: Path) -> int:
    """How many entries of an intact file were written before there was a key; all of them, if there is none yet."""
    entries = filter(None, map(parsed, path.read_bytes().split(b"\n")))
    return sum(1 for _ in takewhile(lambda entry: not entry.get("keyed"), entries))


def entries_of(path: Path) -> list[dict[str, Any]]:
    """The entries of an audit file, oldest first, unchecked; `problems_of` checks them.

    Raises:
        NotAnAuditFile: The file has content, but no entry.
        OSError: The file can't be read.
    """
    content = path.read_bytes()
    entries = [entry for entry in map(parsed, content.split(b"\n")) if entry is not None]
    if content and not entries:
        raise NotAnAuditFile(f"{path} is not an audit file: no line of it is an entry")
    return entries
