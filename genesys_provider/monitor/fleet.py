"""The current knowledge of the monitor: a row for each target and source, and the result of the last reading.

Thread-safe. Each row has the version of the fleet in which it last changed, so that a browser only gets what is new
to it.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Literal, NamedTuple

from genesys_provider.client.limits import RateLimit
from genesys_provider.client.redaction import shortened
from genesys_provider.monitor.views import facts_of, iso, seconds, status_of
from genesys_provider.sources.models import Source
from genesys_provider.sources.vocabulary import ACTIVE, ERROR
from genesys_provider.targets.models import Target
from genesys_provider.targets.vocabulary import FAILED, FINAL_STATUSES, PENDING_VERIFICATION, TIMEOUT

Kind = Literal["target", "source"]
Key = tuple[Kind, str]
"""The kind and the id of an object."""

GONE = "GONE"
"""The monitor's own status for an object that no longer exists."""
BARS = 40
"""How many readings a row shows."""
ASK_AGAIN_SECONDS = 60.0
"""After how long a reason that could not be read is requested again."""
FIRST_READING_SECONDS = 8.0
"""How long others wait for the first reading: less than Prometheus waits for an answer, which is 10 s."""
LONGEST_READING = 60.0
"""How many seconds, in addition to the interval, a reading may take before the data counts as old."""


class Change(NamedTuple):
    """A changed status or health; None means that it was unknown before."""

    at: float
    """Seconds since 1970."""
    kind: Kind
    id: str
    name: str
    what: Literal["status", "health"]
    before: str | None
    after: str
    reason: str | None = None


@dataclass
class Row:
    """A target or a source."""

    kind: Kind
    facts: dict[str, Any]
    status: str
    since: float | None = None
    """When the status began; None if it was already so at the monitor's first reading."""
    reason: str | None = None
    """The reason for the status, as the service gives it."""
    ask_at: float | None = 0.0
    """From when on the reason may be requested, by `time.monotonic`; None once it was read."""
    health: str | None = None
    health_at: float | None = None
    verification_seconds: float | None = None
    bars: deque[str] = field(default_factory=lambda: deque(maxlen=BARS))
    thing: Target | Source | None = None
    """The object in the last reading; None if it is only known from earlier."""
    missed: bool = False
    """Whether the last reading lacked it. Pages can shift during a listing, so only the second absence counts."""
    version: int = 0

    @property
    def id(self) -> str:
        """Its id."""
        return str(self.facts["id"])

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.facts["name"])

    @property
    def failed(self) -> bool:
        """Whether it needs attention."""
        return self.status in (FAILED, TIMEOUT, ERROR)

    def as_json(self) -> dict[str, Any]:
        """The row in `/api/targets` and `/api/sources`."""
        return {
            **self.facts,
            "status": self.status,
            "since": iso(self.since),
            "reason": self.reason,
            "health": self.health,
            "healthAt": iso(self.health_at),
            "verificationSeconds": self.verification_seconds,
        }

    def for_page(self) -> dict[str, Any]:
        """The row for the page, with its bars: `bars` are runs of the same status, oldest first."""
        # Of a copy, since a reading may add one at this moment.
        runs = [[status, len(list(run))] for status, run in groupby(tuple(self.bars))]
        return {"kind": self.kind, **self.as_json(), "bars": runs}


@dataclass(frozen=True)
class Reading:
    """The state of reading the lists."""

    read_at: float | None = None
    """When the last successful reading ended: seconds since 1970."""
    error: str | None = None
    """Why the last reading failed; None if it succeeded."""
    reads: int = 0
    errors: int = 0
    rate_limit: RateLimit | None = None
    organization: str | None = None


class Fleet:
    """All rows.

    Args:
        interval: Seconds between two readings.
        api_url: The URL of the API.
    """

    def __init__(self, interval: float, api_url: str) -> None:
        self.interval = interval
        self.api_url = api_url
        self.tried = threading.Event()
        """Set after the first reading, whether it succeeded or not."""
        self.read = threading.Event()
        """Set after the first successful reading: only then are restored rows known to be of this organization."""
        self._lock = threading.RLock()
        self._rows: dict[Key, Row] = {}
        self._reading = Reading()
        self._version = 0
        self._listeners: list[Callable[[], None]] = []

    def restore(self, rows: Iterable[Row], read_at: float | None) -> None:
        """Restores the rows of an earlier process, until the first reading."""
        with self._lock:
            self._rows = {(row.kind, row.id): row for row in rows}
            self._reading = Reading(read_at=read_at)

    def listen(self, listener: Callable[[], None]) -> None:
        """Calls the listener after each change, in the thread that made it."""
        self._listeners.append(listener)

    def take(
        self,
        targets: Iterable[Target],
        sources: Iterable[Source] | None,
        *,
        rate_limit: RateLimit | None,
        organization: str | None,
    ) -> list[Change]:
        """Stores a reading and returns the changes; without sources, none were read."""
        now = time.time()
        with self._lock:
            self._version += 1
            seen: dict[Key, Target | Source] = {("target", each.id): each for each in targets}
            seen.update({("source", each.id): each for each in sources or ()})
            changes = [change for key, thing in seen.items() for change in self._seen(key, thing, now)]
            changes += [
                change
                for key, row in self._rows.items()
                if key not in seen and row.status != GONE and (sources is not None or row.kind == "target")
                for change in self._missing(row, now)
            ]
            for row in self._rows.values():
                row.bars.append(row.status)
            was = self._reading
            self._reading = Reading(now, None, was.reads + 1, was.errors, rate_limit, organization)
        self.tried.set()
        self.read.set()
        self._tell()
        return changes

    def _seen(self, key: Key, thing: Target | Source, now: float) -> Iterable[Change]:
        facts, status = facts_of(thing), status_of(thing)
        row = self._rows.get(key)
        before = None if row is None else row.status
        if row is None:
            row = self._rows[key] = Row(key[0], facts, status)
        changed, configured = before != status, row.facts != facts
        if changed or configured or row.missed:
            row.version = self._version
        row.facts, row.thing, row.missed = facts, thing, False
        if changed:
            row.status, row.since, row.reason = status, None if before is None else now, None
        if changed or configured:
            # Between two readings it may have been verified again, and failed for another reason.
            row.ask_at = 0.0
        if isinstance(thing, Source):
            # For a source the service itself tells both.
            row.since = seconds(thing.last_updated)
            row.reason = shortened(thing.reason) if thing.reason else None
        if changed:
            yield Change(now, row.kind, row.id, row.name, "status", before, status, row.reason)

    def _missing(self, row: Row, now: float) -> Iterable[Change]:
        if not row.missed:
            row.missed = True
            return
        before, row.status, row.since, row.reason = row.status, GONE, now, None
        row.version = self._version
        yield Change(now, row.kind, row.id, row.name, "status", before, GONE)

    def failed(self, error: str, rate_limit: RateLimit | None) -> None:
        """Records a failed reading."""
        with self._lock:
            was = self._reading
            self._version += 1
            self._reading = Reading(
                was.read_at, error, was.reads + 1, was.errors + 1, rate_limit, was.organization
            )
        self.tried.set()
        self._tell()

    def explain(self, key: Key, status: str, reason: str | None, *, read: bool) -> Change | None:
        """Records why a target has a status, if it still has it; returns the history entry.

        Args:
            key: The target.
            status: The status.
            reason: Why it has it, or why that could not be read.
            read: Whether it could be read; if not, it is requested again later.
        """
        with self._lock:
            row = self._rows.get(key)
            if row is None or row.status != status:
                return None
            row.ask_at = None if read else time.monotonic() + ASK_AGAIN_SECONDS
            if reason is None or row.reason == reason or (row.reason and not read):
                return None
            self._version += 1
            row.reason, row.version = reason, self._version
            change = Change(time.time(), row.kind, row.id, row.name, "status", status, status, reason)
        self._tell()
        return change

    def take_health(self, key: Key, health: str, reason: str | None) -> Change | None:
        """Records the result of a health check; returns the change, if any."""
        now = time.time()
        with self._lock:
            row = self._rows.get(key)
            if row is None:
                return None
            self._version += 1
            before, row.health, row.health_at, row.version = row.health, health, now, self._version
            change = Change(now, row.kind, row.id, row.name, "health", before, health, reason)
        self._tell()
        return None if before == health else change

    def note(
        self, key: Key, *, since: float | None = None, verification_seconds: float | None = None
    ) -> None:
        """Records what an audit file knows about a target."""
        with self._lock:
            row = self._rows.get(key)
            if row is None:
                return
            self._version += 1
            row.version = self._version
            if since is not None and row.since is None:
                row.since = since
            if verification_seconds is not None:
                row.verification_seconds = verification_seconds

    def _tell(self) -> None:
        for listener in self._listeners:
            listener()

    @property
    def reading(self) -> Reading:
        """The state of reading the lists."""
        return self._reading

    @property
    def version(self) -> int:
        """The version, which counts all records."""
        return self._version

    def is_old(self) -> bool:
        """Whether the data is older than a current reading would be."""
        reading = self._reading
        return (
            reading.error is not None
            or reading.read_at is None
            or time.time() - reading.read_at > self.interval + LONGEST_READING
        )

    def rows(self, kind: Kind, *, gone: bool = False) -> list[Row]:
        """The rows of a kind, by name; with `gone` also those of deleted objects."""
        with self._lock:
            found = [row for row in self._rows.values() if row.kind == kind and (gone or row.status != GONE)]
        return sorted(found, key=lambda row: (row.name.casefold(), row.id))

    def row(self, key: Key) -> Row | None:
        """One row."""
        return self._rows.get(key)

    def size(self, kind: Kind) -> int:
        """The number of objects."""
        with self._lock:
            return sum(row.kind == kind and row.status != GONE for row in self._rows.values())

    def unexplained(self) -> Row | None:
        """A failed target whose reason should be requested now; those that were never requested come first."""
        now = time.monotonic()
        with self._lock:
            due = [
                (row.ask_at, row)
                for row in self._rows.values()
                if row.kind == "target" and row.failed and row.ask_at is not None and row.ask_at <= now
            ]
        return min(due, key=lambda each: each[0], default=(0.0, None))[1]

    def least_checked(self) -> Row | None:
        """The target whose last health check is the oldest."""
        now = time.time()

        def checked_at(row: Row) -> float:
            # The clock may have been wrong, and set back: a time in the future would put off every further check.
            return 0.0 if row.health_at is None or row.health_at > now else row.health_at

        with self._lock:
            there = [row for row in self._rows.values() if row.kind == "target" and row.status != GONE]
            return min(there, key=checked_at, default=None)

    def changed(self, after: int) -> list[Row]:
        """The rows that changed after a version."""
        with self._lock:
            return [row for row in self._rows.values() if row.version > after]

    def forget(self, keys: Iterable[Key]) -> None:
        """Drops the rows of objects that were deleted long ago."""
        with self._lock:
            for key in keys:
                self._rows.pop(key, None)

    def counts(self, kind: Kind) -> Mapping[str, int]:
        """The number of objects by status; for targets including the contract's statuses with a count of zero."""
        known = (*sorted(FINAL_STATUSES), PENDING_VERIFICATION) if kind == "target" else (ACTIVE,)
        with self._lock:
            found = Counter(row.status for row in self._rows.values() if row.kind == kind)
        return dict.fromkeys(known, 0) | found

    def picture(self, after: int | None = None) -> tuple[int, dict[str, Any]]:
        """The version, and the rows that changed after an earlier one, with the state of reading."""
        with self._lock:
            reading, version = self._reading, self._version
            rows = [row.for_page() for row in self._rows.values() if after is None or row.version > after]
        return version, {"version": version, "reading": self._as_json(reading), "rows": rows}

    def _as_json(self, reading: Reading) -> dict[str, Any]:
        limit = reading.rate_limit
        return {
            "readAt": iso(reading.read_at),
            "error": reading.error,
            "old": self.is_old(),
            "succeeded": reading.reads - reading.errors,
            "interval": self.interval,
            "rateLimit": None if limit is None else {"allowed": limit.allowed, "left": limit.left},
            "organization": reading.organization,
            "apiUrl": self.api_url,
        }
