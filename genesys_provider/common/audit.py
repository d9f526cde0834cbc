"""The audit trail: what was created, verified, synced or deleted, when, and how long it took [S].

The trail is always kept in memory, and also in a JSON Lines file if a path is given. Several processes may append
to one file: each entry is a single write under a lock, and starts on a line of its own even if an earlier writer
died in the middle of a line.

`audit_chain` links the entries, and `audit_check` checks a file.
"""

from __future__ import annotations

import errno
import logging
import os
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from io import RawIOBase
from pathlib import Path
from typing import Any

from genesys_provider.client.errors import ConfigurationError
from genesys_provider.client.redaction import hide
from genesys_provider.common.audit_chain import FIRST_HASH, as_line, chained, ending, head_of, parsed
from genesys_provider.common.times import utc_now

MEMORY_ENTRIES = 10_000
"""How many entries are kept in memory; the file keeps all of them."""
LOCK_SECONDS = 30.0
"""How long to wait for other writers; nobody holds the lock for longer than one write."""

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
            timestamp=utc_now("milliseconds"),
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
def _opened(path: Path) -> Iterator[RawIOBase]:
    """Opens the file, locked against other processes; what is written to it goes to its end."""
    from filelock import FileLock

    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.exists() and not path.is_file():
        # A pipe or a device can't be read, so nothing could be chained to it.
        raise OSError(errno.EINVAL, "it is not a regular file")
    with (
        FileLock(f"{path}.lock", mode=0o600, timeout=LOCK_SECONDS),
        open(path, "a+b", buffering=0, opener=_private) as file,
    ):
        yield file


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _append(path: Path, entry: dict[str, Any], key: str | None) -> None:
    with _opened(path) as file:
        previous, rest = _tail(file)
        linked = chained(entry, previous, key)
        # A single write: wherever a writer dies, only entries and sealed lines end with a newline.
        os.write(file.fileno(), ending(rest, previous, key) + as_line(linked) + b"\n")
        _remember_head(path, head_of(linked["hash"], key))


def _tail(file: RawIOBase) -> tuple[str, bytes]:
    """The hash of the last entry, and what follows the last newline."""
    start = file.seek(0, os.SEEK_END)
    tail = b""
    while start > 0:
        start = max(0, start - 4096)
        file.seek(start)
        tail = file.readall()
        for line in reversed(tail.split(b"\n")[1 if start else 0 :]):
            if (entry := parsed(line)) is not None:
                return str(entry["hash"]), tail.rpartition(b"\n")[2]
    return FIRST_HASH, tail.rpartition(b"\n")[2]


def _remember_head(path: Path, head: str) -> None:
    # Not truncated first: a writer that dies in between must not leave it empty.
    descriptor = _private(f"{path}.head", os.O_WRONLY | os.O_CREAT)
    try:
        os.write(descriptor, (head + "\n").encode())
    finally:
        os.close(descriptor)
