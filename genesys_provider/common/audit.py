"""The audit trail: what was created, verified, synced or deleted, when, and how long it took [S].

The trail is always kept in memory, and also in a JSON Lines file if a path is given. Several processes may append
to one file: each entry is a single write under a lock, and starts on a line of its own even if an earlier writer
died in the middle of a line.

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
import logging
import os
import re
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from enum import Enum
from itertools import takewhile
from pathlib import Path
from typing import Any

from filelock import FileLock

from genesys_provider.client.errors import ConfigurationError
from genesys_provider.client.redaction import hide
from genesys_provider.client.settings import AUDIT_KEY

FIRST_HASH = "0" * 64
MEMORY_ENTRIES = 10_000
"""How many entries are kept in memory; the file keeps all of them."""
LOCK_SECONDS = 30.0
"""How long to wait for other writers; nobody holds the lock for longer than one write."""

_TORN = re.compile(rb"(?P<rest>.*) torn(?P<keyed> keyed)? (?P<seal>[0-9a-f]{64})", re.DOTALL)
"""An unfinished line with its seal."""

_log = logging.getLogger(__name__)


class AuditEvent(str, Enum):
    """What an entry records; the first seven are from the guide [S]."""

    TARGET_CREATED = "TARGET_CREATED"
    TARGET_FAILED = "TARGET_FAILED"
    TARGET_VERIFIED = "TARGET_VERIFIED"
    TARGET_VERIFICATION_FAILED = "TARGET_VERIFICATION_FAILED"
    WEBHOOK_SYNCED = "WEBHOOK_SYNCED"
    WEBHOOK_FAILED = "WEBHOOK_FAILED"
    HEALTH_CHECK_TRIGGERED = "HEALTH_CHECK_TRIGGERED"
    TARGET_ADOPTED = "TARGET_ADOPTED"
    TARGET_UPDATED = "TARGET_UPDATED"
    TARGET_DELETED = "TARGET_DELETED"
    SOURCE_CREATED = "SOURCE_CREATED"
    SOURCE_ADOPTED = "SOURCE_ADOPTED"
    SOURCE_CONFIGURED = "SOURCE_CONFIGURED"
    SOURCE_ENABLED = "SOURCE_ENABLED"
    SOURCE_DISABLED = "SOURCE_DISABLED"
    SOURCE_SETTLED = "SOURCE_SETTLED"
    SOURCE_NOT_SETTLED = "SOURCE_NOT_SETTLED"
    SOURCE_FAILED = "SOURCE_FAILED"
    SOURCE_DELETED = "SOURCE_DELETED"


@dataclass(frozen=True)
class AuditEntry:
    """One event. `latency_seconds` runs from the request to the event: the response, or the verdict.

    For events of a source, `target_id` is the id of the source.
    """

    timestamp: str
    event: AuditEvent
    target_id: str | None
    latency_seconds: float | None
    error: str | None

    def as_json(self) -> dict[str, Any]:
        """The entry as it stands in the file, without the chain."""
        return {
            "timestamp": self.timestamp,
            "event": self.event.value,
            "targetId": self.target_id,
            "latencySeconds": self.latency_seconds,
            "error": self.error,
        }


class AuditTrail:
    """Records events. Thread-safe; the file is safe for several processes.

    Args:
        path: The file to append to, created with mode 0600 along with its directory. None writes no file.
        key: The key for the HMACs. If it is None or empty, entries are hashed without a key.

    Raises:
        ConfigurationError: The file can't be written.
    """

    def __init__(self, path: Path | None = None, key: str | None = None) -> None:
        self._path = path
        self._key = key or None
        if key:
            hide(key)
        self._entries: deque[AuditEntry] = deque(maxlen=MEMORY_ENTRIES)
        self._lock = threading.Lock()
        if path is not None:
            try:
                with _opened(path):
                    pass
            except OSError as error:
                raise ConfigurationError(
                    f"genesys:auditLog {path} can't be written: {error.strerror or error}",
                    hint="Name a file in a directory that this user may write to, or unset the setting",
                ) from error

    @property
    def entries(self) -> list[AuditEntry]:
        """The entries that this process recorded, oldest first."""
        with self._lock:
            return list(self._entries)

    def latencies(self, event: AuditEvent) -> list[float]:
        """The latencies of one kind of event in seconds, oldest first."""
        return [
            entry.latency_seconds
            for entry in self.entries
            if entry.event == event and entry.latency_seconds is not None
        ]

    def record(
        self,
        event: AuditEvent,
        target_id: str | None,
        *,
        latency_seconds: float | None = None,
        error: str | None = None,
    ) -> None:
        """Adds an entry, which is in the file when this returns.

        If the file can't be written, that is only a warning: the event has happened anyway, and its result must not
        be lost because of the entry.
        """
        entry = AuditEntry(
            timestamp=datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            event=event,
            target_id=target_id,
            latency_seconds=None if latency_seconds is None else round(latency_seconds, 3),
            error=error,
        )
        with self._lock:
            self._entries.append(entry)
            if self._path is not None:
                try:
                    _append(self._path, entry.as_json(), self._key)
                except OSError as failure:
                    _log.warning(
                        "the audit file %s lacks the entry %s of %s: %s",
                        self._path,
                        event.value,
                        target_id,
                        failure,
                    )


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    """Opens the file, locked against other processes."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with FileLock(f"{path}.lock", mode=0o600, timeout=LOCK_SECONDS):
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            yield descriptor
        finally:
            os.close(descriptor)


def _append(path: Path, entry: dict[str, Any], key: str | None) -> None:
    with _opened(path) as descriptor:
        previous, rest = _tail(descriptor)
        linked = chained(entry, previous, key)
        # A single write: wherever a writer dies, only entries and sealed lines end with a newline.
        os.write(descriptor, _ending(rest, previous, key) + _line(linked) + b"\n")
        _remember_head(path, _head(linked["hash"], key))


def _ending(rest: bytes, previous: str, key: str | None) -> bytes:
    """The end of an unfinished line; empty if there is none."""
    if not rest:
        return b""
    if _parsed(rest) is not None:
        return b"\n"
    return f" torn{' keyed' if key else ''} {_torn_seal(rest, previous, key)}\n".encode()


def _torn_seal(rest: bytes, previous: str, key: str | None) -> str:
    return _sealed(f"torn {previous} {hashlib.sha256(rest).hexdigest()}", key)


def chained(entry: dict[str, Any], previous: str, key: str | None = None) -> dict[str, Any]:
    """The entry with the hash of the previous one and its own."""
    linked = {**entry, **({"keyed": True} if key else {}), "previous": previous}
    return {**linked, "hash": _sealed(_canonical(linked), key)}


def _canonical(linked: dict[str, Any]) -> str:
    return json.dumps(linked, sort_keys=True)


def _line(linked: dict[str, Any]) -> bytes:
    """The entry as a line of the file. A lone surrogate is written as a JSON escape."""
    return json.dumps(linked, ensure_ascii=False).encode("utf-8", "backslashreplace")


def _head(last: str, key: str | None) -> str:
    """The content of `FILE.head`. With a key it is an HMAC, since anybody can read the last entry's hash."""
    return _sealed(f"head {last}", key) if key else last


def _sealed(text: str, key: str | None) -> str:
    if key is None:
        return hashlib.sha256(text.encode()).hexdigest()
    return hmac.new(key.encode("utf-8", "surrogateescape"), text.encode(), hashlib.sha256).hexdigest()


def _tail(descriptor: int) -> tuple[str, bytes]:
    """The hash of the last entry, and what follows the last newline."""
    end = os.lseek(descriptor, 0, os.SEEK_END)
    tail, start = b"", end
    while start > 0:
        start = max(0, start - 4096)
        tail = os.pread(descriptor, end - start, start)
        for line in reversed(tail.split(b"\n")[1 if start else 0 :]):
            if (entry := _parsed(line)) is not None:
                return str(entry["hash"]), tail.rpartition(b"\n")[2]
    return FIRST_HASH, tail.rpartition(b"\n")[2]


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return entry if isinstance(entry, dict) and "hash" in entry else None


def _remember_head(path: Path, head: str) -> None:
    descriptor = os.open(f"{path}.head", os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        os.pwrite(descriptor, (head + "\n").encode(), 0)
    finally:
        os.close(descriptor)


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
                yield f"{line}: it is no entry: it was inserted, or a writer of an earlier version died here"
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
        self.entry = _parsed(text)
        self.keyed = self.entry is not None and self.entry.get("keyed") is True
        self.hash = "" if self.entry is None else str(self.entry["hash"])

    def __str__(self) -> str:
        return f"line {self.number}"

    def is_sound(self, key: str | None) -> bool:
        """Whether the line is unchanged since it was written, with or without a key."""
        linked = dict(self.entry or {})
        try:
            return _line(linked) == self.text and linked.pop("hash") == _sealed(_canonical(linked), key)
        except RecursionError:
            return False

    def is_sealed(self, previous: str, key: str | None, *, with_key: bool) -> bool:
        """Whether this is an unfinished line after the entry `previous`, sealed by the next writer."""
        torn = _TORN.fullmatch(self.text)
        if torn is None or (with_key and not torn["keyed"]):
            return False
        if torn["keyed"] and key is None:
            return True  # As with entries, the seal can't be checked without the key.
        return torn["seal"].decode() == _torn_seal(torn["rest"], previous, key if torn["keyed"] else None)


def _cut_off(head_file: Path, lines: Sequence[_Line], key: str | None) -> Iterator[str]:
    entries = [line for line in lines if line.entry is not None]
    if head_file.exists():
        head = head_file.read_text("ascii", "replace").strip()
        if all(_head(line.hash, key if line.keyed else None) != head for line in entries):
            yield "entries are missing at the end"
    elif entries:
        yield f"{head_file} is missing: entries may be missing at the end"


def without_key(path: Path) -> int:
    """How many entries of an intact file were written before there was a key; all of them, if there is none yet."""
    entries = filter(None, map(_parsed, path.read_bytes().split(b"\n")))
    return sum(1 for _ in takewhile(lambda entry: not entry.get("keyed"), entries))


def entries_of(path: Path) -> list[dict[str, Any]]:
    """The entries of an audit file, oldest first, unchecked; `problems_of` checks them."""
    return [entry for entry in map(_parsed, path.read_bytes().split(b"\n")) if entry is not None]
