"""Reads what an audit file says about targets, continuing where the last read ended, since the file only grows."""

from __future__ import annotations

import logging
from collections import defaultdict, deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from genesys_provider.common.audit import AuditEvent
from genesys_provider.common.audit_chain import parsed
from genesys_provider.monitor.views import seconds

ENTRIES_A_TARGET = 50
"""How many entries are kept in memory."""
VERDICTS = {
    AuditEvent.TARGET_VERIFIED.value: ("VERIFIED",),
    AuditEvent.TARGET_VERIFICATION_FAILED.value: ("FAILED", "TIMEOUT"),
}
"""The status that begins with each event."""

_log = logging.getLogger(__name__)


class Verdict(NamedTuple):
    """The last verification of a target in the file."""

    statuses: tuple[str, ...]
    at: float | None
    latency_seconds: float | None


class AuditFile:
    """The entries of one file. One thread reads it; others may ask for entries.

    Args:
        path: The file. None means no file; a missing file counts as empty.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._read = 0
        self._entries: dict[str, deque[dict[str, Any]]] = defaultdict(lambda: deque(maxlen=ENTRIES_A_TARGET))
        self._readable = True

    def look(self) -> Iterator[tuple[str, Verdict]]:
        """Reads new entries; yields each verification in them, with its target."""
        for entry in self._new():
            target_id = entry.get("targetId")
            if not isinstance(target_id, str):
                continue
            shown = {name: entry.get(name) for name in ("timestamp", "event", "latencySeconds", "error")}
            self._entries[target_id].append(shown)
            statuses = VERDICTS.get(str(entry.get("event")))
            latency = entry.get("latencySeconds")
            if statuses is not None:
                took = float(latency) if isinstance(latency, int | float) else None
                yield target_id, Verdict(statuses, seconds(str(entry.get("timestamp"))), took)

    def entries(self, target_id: str) -> list[dict[str, Any]]:
        """The entries of a target, oldest first."""
        return list(self._entries.get(target_id, ()))

    def _new(self) -> Iterator[dict[str, Any]]:
        if self._path is None:
            return
        try:
            with self._path.open("rb") as file:
                if file.seek(0, 2) < self._read:
                    # The file was replaced.
                    self._read = 0
                file.seek(self._read)
                for line in file:
                    if not line.endswith(b"\n"):
                        # Its writer has not finished the line yet.
                        return
                    self._read += len(line)
                    entry = parsed(line)
                    if entry is not None:
                        yield entry
        except FileNotFoundError:
            return
        except OSError as error:
            if self._readable:
                _log.warning("the audit file %s can't be read: %s", self._path, error.strerror or error)
            self._readable = False
