"""The audit trail: who was created, verified, synced, deleted, when, and how long it took [S].

In memory always; in a file of JSON lines where a path is given. Several processes may append to one file: each
entry is one write under a lock, and begins on a line of its own even where a writer died in the middle of its
line. Each entry carries the hash of the one before it, so that an entry that is changed, removed or inserted
later shows; `FILE.head` remembers the last one, so that a missing end shows too.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from enum import Enum
from pathlib import Path
from typing import Any

from filelock import FileLock

from genesys_provider.client.errors import ConfigurationError

FIRST_HASH = "0" * 64
MEMORY_ENTRIES = 10_000
"""How many entries the trail keeps in memory; the file keeps all."""
LOCK_SECONDS = 30.0
"""How long to wait for other processes that write; nobody holds the lock longer than a write takes."""

_log = logging.getLogger(__name__)


class AuditEvent(str, Enum):
    """What an entry is about; the first seven are the source's [S]."""

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


@dataclass(frozen=True)
class AuditEntry:
    """One event. `latency_seconds` runs from the request to the event: to the answer, or to the verdict."""

    timestamp: str
    event: AuditEvent
    target_id: str | None
    latency_seconds: float | None
    error: str | None

    def as_json(self) -> dict[str, Any]:
        """The entry as the file has it, less the chain."""
        return {
            "timestamp": self.timestamp,
            "event": self.event.value,
            "targetId": self.target_id,
            "latencySeconds": self.latency_seconds,
            "error": self.error,
        }


class AuditTrail:
    """Records events. Safe for threads, and its file for processes.

    Args:
        path: The file to append to; made with mode 0600, its folder too. None writes no file.

    Raises:
        ConfigurationError: The file can't be written.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._entries: deque[AuditEntry] = deque(maxlen=MEMORY_ENTRIES)
        self._lock = threading.Lock()
        if path is not None:
            try:
                with _opened(path):
                    pass
            except OSError as error:
                raise ConfigurationError(
                    f"genesys:auditLog {path} can't be written: {error.strerror or error}",
                    hint="Name a file in a folder that this user may write to, or none",
                ) from error

    @property
    def entries(self) -> list[AuditEntry]:
        """What this process recorded, oldest first."""
        with self._lock:
            return list(self._entries)

    def latencies(self, event: AuditEvent) -> list[float]:
        """The latencies in seconds of one kind of event, oldest first."""
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
        """Adds an entry; the file has it when this returns.

        A file that can't be written any more is a warning: the event has happened all the same, and what it
        made must not be lost over its entry.
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
                    _append(self._path, entry.as_json())
                except OSError as failure:
                    _log.warning(
                        "the audit file %s lacks %s of target %s: %s",
                        self._path,
                        event.value,
                        target_id,
                        failure,
                    )


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    """The file, for nobody else meanwhile."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with FileLock(f"{path}.lock", mode=0o600, timeout=LOCK_SECONDS):
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            yield descriptor
        finally:
            os.close(descriptor)


def _append(path: Path, entry: dict[str, Any]) -> None:
    with _opened(path) as descriptor:
        previous, torn = _tail(descriptor)
        linked = chained(entry, previous)
        line = json.dumps(linked, ensure_ascii=False) + "\n"
        # One write: a writer that dies leaves at most one torn line, and it has no successor. Half a surrogate
        # pair becomes JSON's own escape.
        os.write(descriptor, (("\n" if torn else "") + line).encode("utf-8", "backslashreplace"))
        _remember_head(path, linked["hash"])


def chained(entry: dict[str, Any], previous: str) -> dict[str, Any]:
    """The entry with the hash of the one before it and its own."""
    linked = {**entry, "previous": previous}
    return {**linked, "hash": _hash(linked)}


def _hash(linked: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(linked, sort_keys=True).encode()).hexdigest()


def _tail(descriptor: int) -> tuple[str, bool]:
    """The hash of the last whole entry, and whether the file ends in the middle of a line."""
    end = os.lseek(descriptor, 0, os.SEEK_END)
    tail, start = b"", end
    while start > 0:
        start = max(0, start - 4096)
        tail = os.pread(descriptor, end - start, start)
        for line in reversed(tail.split(b"\n")[1 if start else 0 :]):
            if (entry := _parsed(line)) is not None:
                return str(entry["hash"]), not tail.endswith(b"\n")
    return FIRST_HASH, bool(tail) and not tail.endswith(b"\n")


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


def problems_of(path: Path) -> Iterator[str]:
    """What is wrong with an audit file, a line each; nothing where its chain is whole.

    A line that a dying writer left unfinished is no entry and no fault: whoever came after it did not build on
    it.
    """
    previous, head_seen = FIRST_HASH, False
    head_file = Path(f"{path}.head")
    head = head_file.read_text("ascii", "replace").strip() if head_file.exists() else None
    for number, line in enumerate(path.read_bytes().split(b"\n"), start=1):
        if (entry := _parsed(line)) is None:
            continue
        claimed = entry.pop("hash")
        if _hash(entry) != claimed:
            yield f"line {number}: the entry was changed after it was written"
        elif entry.get("previous") != previous:
            yield f"line {number}: it does not follow the entry before it: one was removed, inserted or moved"
        previous = claimed
        head_seen = head_seen or claimed == head
    if head is None:
        if previous != FIRST_HASH:
            yield f"{head_file} is missing: entries may be missing at the end"
    elif not head_seen:
        yield "entries are missing at the end"
