"""Reads what an audit file says about targets, continuing where the last read ended, since the file only grows."""

from __future__ import annotations

import logging
from collections import defaultdict, deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from genesys_provider.common.audit_chain import parsed
from genesys_provider.targets.verdicts import Verdict, Verdicts

ENTRIES_A_TARGET = 50
"""How many entries are kept in memory."""

_log = logging.getLogger(__name__)


class AuditFile:
    """The entries of one file. One thread reads it; others may ask for entries.

    Args:
        path: The file. None means no file; a missing file counts as empty.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._read = 0
        self._entries: dict[str, deque[dict[str, Any]]] = defaultdict(lambda: deque(maxlen=ENTRIES_A_TARGET))
        self._verdicts = Verdicts()
        self._readable = True

    def look(self) -> Iterator[tuple[str, Verdict]]:
        """Reads new entries; yields each verification in them, with its target."""
        for entry in self._new():
            target_id = entry.get("targetId")
            if not isinstance(target_id, str):
                continue
            shown = {name: entry.get(name) for name in ("timestamp", "event", "latencySeconds", "error")}
            self._entries[target_id].append(shown)
            verdict = self._verdicts.take(entry)
            if verdict is not None:
                yield target_id, verdict

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
