"""The history, in SQLite: the changes, the last known rows, and the times when the monitor was reading.

Only changes are stored, not readings: between two changes the status is known while the monitor was reading
(`coverage`). So a quiet fleet of 2,000 targets writes two rows per reading.
"""

from __future__ import annotations

import json
import math
import sqlite3
import threading
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from genesys_provider.monitor.fleet import BARS, GONE, Change, Key, Kind, Row

DAY = 86_400.0
KEPT_SECONDS = 30 * DAY
"""How long changes of a status are kept, in time with readings; older ones are reduced to the last one."""
KEPT_HEALTH_SECONDS = 7 * DAY
"""How long, likewise, changes of the health are kept, and objects that no longer exist."""
KEPT_A_THING = 2_000
"""How many changes of one object are kept, so that a flapping one can't fill the disk."""
TIMELINE = 200
"""How many changes of one object are shown."""
VERSION = 1
"""The version of the schema."""

_SCHEMA = (
    """CREATE TABLE things (kind TEXT, id TEXT, facts TEXT, status TEXT, since REAL, reason TEXT, health TEXT,
    health_at REAL, verification_seconds REAL, PRIMARY KEY (kind, id)) WITHOUT ROWID""",
    """CREATE TABLE changes (number INTEGER PRIMARY KEY, at REAL, kind TEXT, thing TEXT, name TEXT, what TEXT,
    before TEXT, after TEXT, reason TEXT)""",
    "CREATE INDEX changes_of_a_thing ON changes (kind, thing, at)",
    "CREATE INDEX changes_by_time ON changes (at)",
    "CREATE TABLE readings (at REAL)",
    "CREATE TABLE coverage (since REAL, until REAL)",
    "CREATE TABLE organization (id TEXT)",
    f"PRAGMA user_version = {VERSION}",
)


class HistoryError(Exception):
    """The file can't be used; the message tells why."""


class History:
    """The history of one organization. Thread-safe.

    Args:
        path: The file; None keeps the history in memory, for the life of the process.

    Raises:
        HistoryError: The file is not a history, or can't be read or written.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._lock = threading.Lock()
        with self._usable(), ExitStack() as stack:
            self._database = sqlite3.connect(
                path or ":memory:", check_same_thread=False, isolation_level=None
            )
            stack.callback(self._database.close)
            # Two monitors would write every reading and every change twice.
            self._database.execute("PRAGMA locking_mode = EXCLUSIVE")
            with self._transaction() as cursor:
                self._prepare(cursor)
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.execute("PRAGMA synchronous = NORMAL")
            stack.pop_all()

    @contextmanager
    def _usable(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            if "locked" in str(error):
                raise HistoryError(
                    f"the history {self._path} is in use, probably by another monitor. Name another file"
                ) from error
            raise HistoryError(
                f"the history {self._path} can't be used: {error}. Name another file"
            ) from error

    def _prepare(self, cursor: sqlite3.Cursor) -> None:
        (version,) = cursor.execute("PRAGMA user_version").fetchone()
        if version == VERSION:
            return
        (tables,) = cursor.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if version or tables:
            raise HistoryError(f"{self._path} is not a history that this version can read. Name another file")
        for statement in _SCHEMA:
            cursor.execute(statement)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Cursor]:
        with self._lock:
            cursor = self._database.cursor()
            cursor.execute("BEGIN IMMEDIATE")
            try:
                yield cursor
            except BaseException:
                cursor.execute("ROLLBACK")
                raise
            cursor.execute("COMMIT")

    def _ask(self, statement: str, *values: Any) -> list[Any]:
        with self._lock:
            return self._database.execute(statement, values).fetchall()

    def close(self) -> None:
        """Closes the file."""
        with self._lock:
            self._database.close()

    def claim(self, organization_id: str) -> None:
        """Binds the history to one organization; in another one, all objects would count as gone.

        Raises:
            HistoryError: The history belongs to another organization, or can't be read or written.
        """
        with self._usable(), self._transaction() as cursor:
            known = cursor.execute("SELECT id FROM organization").fetchone()
            if known is None:
                cursor.execute("INSERT INTO organization VALUES (?)", (organization_id,))
            elif known[0] != organization_id:
                which, remedy = (
                    ("of this monitor", "Start it again")
                    if self._path is None
                    else (self._path, "Name another file")
                )
                raise HistoryError(
                    f"the history {which} belongs to organization {known[0]}, and the one at this address is "
                    f"{organization_id}. {remedy}"
                )

    def record(self, changes: Iterable[Change], rows: Iterable[Row]) -> None:
        """Adds changes, and stores the current rows."""
        with self._transaction() as cursor:
            _add(cursor, changes, rows)

    def reading(self, at: float, changes: Iterable[Change], rows: Iterable[Row], longest_gap: float) -> None:
        """Stores a successful reading.

        Args:
            at: When it ended: seconds since 1970.
            changes: The changes that it found.
            rows: The rows that changed since the last reading.
            longest_gap: The longest time in seconds between two readings that still counts as covered.
        """
        with self._transaction() as cursor:
            _add(cursor, changes, rows)
            cursor.execute("INSERT INTO readings VALUES (?)", (at,))
            cursor.execute(
                # In the order of writing: a clock may have been wrong, and set back.
                "DELETE FROM readings WHERE rowid <= (SELECT max(rowid) FROM readings) - ?",
                (BARS,),
            )
            cursor.execute(
                "UPDATE coverage SET until = ? WHERE until BETWEEN ? AND ? AND "
                "rowid = (SELECT max(rowid) FROM coverage)",
                (at, at - longest_gap, at),
            )
            if cursor.rowcount < 1:
                cursor.execute("INSERT INTO coverage VALUES (?, ?)", (at, at))

    def restored(self) -> tuple[list[Row], float | None]:
        """The last known rows, and when they were read.

        Raises:
            HistoryError: The file is damaged.
        """
        with self._usable():
            return self._restored()

    def _restored(self) -> tuple[list[Row], float | None]:
        times = [at for (at,) in self._ask("SELECT at FROM readings ORDER BY rowid")]
        recent: dict[Key, list[tuple[float, str | None, str]]] = defaultdict(list)
        for at, kind, thing, before, after in self._ask(
            "SELECT at, kind, thing, before, after FROM changes WHERE what = 'status' AND at > ? "
            "ORDER BY at, number",
            min(times, default=0.0),
        ):
            recent[kind, thing].append((at, before, after))
        rows = []
        for kind, id_, facts, status, since, reason, health, health_at, verification in self._ask(
            "SELECT * FROM things"
        ):
            bars = [_status_at(at, recent[kind, id_], status) for at in times]
            rows.append(
                Row(
                    kind,
                    json.loads(facts),
                    status,
                    since,
                    reason,
                    ask_at=0.0 if reason is None else None,
                    health=health,
                    health_at=health_at,
                    verification_seconds=verification,
                    bars=deque((each for each in bars if each is not None), maxlen=BARS),
                )
            )
        return rows, times[-1] if times else None

    def timeline(self, key: Key) -> list[Change]:
        """The changes of one object, newest first."""
        found = self._ask(
            "SELECT at, kind, thing, name, what, before, after, reason FROM changes WHERE kind = ? AND thing = ? "
            "ORDER BY at DESC, number DESC LIMIT ?",
            *key,
            TIMELINE,
        )
        return [Change(*each) for each in found]

    def share(self, key: Key, wanted: str, since: float, now: float) -> float | None:
        """The share of the time in which an object had this status: from 0 to 1.

        Only the time counts in which it existed and the monitor was reading; None if there is no such time.
        """
        starts = self._ask(
            "SELECT at, after FROM changes WHERE kind = ? AND thing = ? AND what = 'status' "
            "ORDER BY at, number",
            *key,
        )
        ends = [*(at for at, _ in starts), now][1:]
        had = total = 0.0
        for begin, until in self._ask("SELECT since, until FROM coverage WHERE until > ?", since):
            for (start, status), end in zip(starts, ends, strict=True):
                seen = max(0.0, min(end, until) - max(start, begin, since))
                if status != GONE:
                    total += seen
                    had += seen if status == wanted else 0.0
        return had / total if total else None

    def thin(self) -> list[Key]:
        """Deletes old changes, and objects that have been gone for long; returns the keys of those objects."""
        with self._transaction() as cursor:
            health_from, status_from = (
                _covered_from(cursor, each) for each in (KEPT_HEALTH_SECONDS, KEPT_SECONDS)
            )
            gone: list[tuple[Kind, str]] = cursor.execute(
                "SELECT kind, id FROM things WHERE status = ? AND since < ?",
                (GONE, health_from),
            ).fetchall()
            cursor.executemany("DELETE FROM things WHERE kind = ? AND id = ?", gone)
            cursor.executemany("DELETE FROM changes WHERE kind = ? AND thing = ?", gone)
            # Keep the last change before the limit, which tells the status at that time.
            cursor.execute(
                """DELETE FROM changes WHERE at < CASE what WHEN 'health' THEN ? ELSE ? END AND EXISTS (
                SELECT 1 FROM changes AS later WHERE later.kind = changes.kind AND later.thing = changes.thing
                AND later.what = changes.what AND later.at > changes.at
                AND later.at < CASE changes.what WHEN 'health' THEN ? ELSE ? END)""",
                (health_from, status_from) * 2,
            )
            for kind, thing in cursor.execute(
                "SELECT kind, thing FROM changes GROUP BY kind, thing HAVING count(*) > ?", (KEPT_A_THING,)
            ).fetchall():
                cursor.execute(
                    """DELETE FROM changes WHERE kind = ? AND thing = ? AND at <= (SELECT at FROM changes
                    WHERE kind = ? AND thing = ? ORDER BY at DESC LIMIT 1 OFFSET ?)""",
                    (kind, thing) * 2 + (KEPT_A_THING,),
                )
            cursor.execute("DELETE FROM coverage WHERE until < ?", (status_from,))
        return gone


def _covered_from(cursor: sqlite3.Cursor, seconds: float) -> float:
    """The time since which the monitor has been reading for so many seconds; minus infinity if it has for less.

    By the clock alone, an hour in which it is ten years ahead would make all of the history look old.
    """
    for since, until in cursor.execute("SELECT since, until FROM coverage ORDER BY until DESC"):
        seconds -= until - since
        if seconds <= 0:
            return float(since - seconds)
    return -math.inf


def _add(cursor: sqlite3.Cursor, changes: Iterable[Change], rows: Iterable[Row]) -> None:
    cursor.executemany(
        "INSERT INTO changes (at, kind, thing, name, what, before, after, reason) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        changes,
    )
    cursor.executemany(
        "REPLACE INTO things VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                row.kind,
                row.id,
                json.dumps(row.facts),
                row.status,
                row.since,
                # Not that it could not be read: it is requested again.
                None if row.ask_at else row.reason,
                row.health,
                row.health_at,
                row.verification_seconds,
            )
            for row in rows
        ],
    )


def _status_at(at: float, changes: Sequence[tuple[float, str | None, str]], now: str) -> str | None:
    """The status at a time, from all changes after an earlier time; None if the object did not exist yet."""
    status = changes[0][1] if changes else now
    for when, _, after in changes:
        if when <= at:
            status = after
    return status
