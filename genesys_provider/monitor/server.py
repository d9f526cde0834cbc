"""The monitor as a process: threads that read and check health, and one that serves.

It listens as soon as it is created, so that an occupied port is reported before anything else happens.
"""

from __future__ import annotations

import logging
import math
import signal
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import uvicorn

from genesys_provider.client.settings import Settings
from genesys_provider.monitor.app import Site
from genesys_provider.monitor.audit_file import AuditFile
from genesys_provider.monitor.fleet import FIRST_READING_SECONDS, LONGEST_READING, Change, Fleet
from genesys_provider.monitor.guard import Guard
from genesys_provider.monitor.health import HealthChecks
from genesys_provider.monitor.history import History, HistoryError
from genesys_provider.monitor.metrics import Metrics
from genesys_provider.monitor.news import News, WebhookSettings
from genesys_provider.monitor.reading import Readings
from genesys_provider.monitor.views import seconds
from genesys_provider.sources.manager import SourceManager
from genesys_provider.targets.manager import TargetManager
from genesys_provider.targets.verdicts import Verdict
from genesys_provider.targets.vocabulary import VERIFIED

_BACKLOG = 1024
_STEP = 0.5
"""Seconds between two checks for a signal."""
_log = logging.getLogger(__name__)
THINNED_EVERY = 3600.0
"""Seconds between two clean-ups of the history."""


@dataclass(frozen=True)
class MonitorSettings:
    """The settings of a monitor.

    Attributes:
        interval: Seconds between two readings.
        health_interval: Seconds in which each target's health is checked once; 0 means only on request.
        history: The file that keeps the history over restarts.
        audit_log: The audit file with verification times and entries.
        token: The token that clients must present.
        webhook: The webhook that receives changes.
    """

    interval: float = 15.0
    health_interval: float = 300.0
    history: Path | None = None
    audit_log: Path | None = None
    token: str | None = field(default=None, repr=False)
    webhook: WebhookSettings | None = None


class Monitor:
    """One monitor of one organization.

    Args:
        connection: The connection to Genesys Cloud.
        settings: The settings of the monitor.
        host: The address that it listens on.
        port: The port; 0 means any free port.

    Attributes:
        url: The base URL, without a trailing slash.

    Raises:
        OSError: The address can't be listened on.
        HistoryError: The history can't be used.
    """

    def __init__(self, connection: Settings, settings: MonitorSettings, host: str, port: int) -> None:
        self._socket = _listening(host, port)
        name = f"[{host}]" if ":" in host else host
        self.url = f"http://{name}:{self._socket.getsockname()[1]}"
        self._ended = threading.Event()
        self._failed = False
        # One retry only, since the next reading is soon. And checks don't belong in the audit file that we read.
        connection = replace(connection, max_retries=1, audit_log=None)
        self._targets = TargetManager(connection, cancelled=self._ended)
        sources = SourceManager(connection, cancelled=self._ended, beside=self._targets)
        self._fleet = Fleet(settings.interval, connection.api_url)
        self._metrics = Metrics(self._fleet)
        self._history = History(settings.history)
        self._fleet.restore(*self._history.restored())
        self._known_to_history = self._fleet.version
        self._first_look = self._fleet.reading.read_at is None
        self._thin_at = 0.0
        self._audit = AuditFile(settings.audit_log)
        self._news = News(self._metrics, settings.webhook, self._ended)
        self._readings = Readings(
            self._targets, sources, self._fleet, self._history.claim, self._after_reading, self._ended
        )
        self._health = HealthChecks(
            self._targets,
            self._fleet,
            self._metrics,
            self._between_readings,
            settings.health_interval,
            self._ended,
        )
        self._site = Site(self._fleet, self._metrics, self._audit, self._history, self._health)
        self._server = uvicorn.Server(
            uvicorn.Config(
                Guard(self._site.app(), host, settings.token),
                ws="none",
                loop="asyncio",
                lifespan="on",
                log_level="error",
                access_log=False,
                timeout_graceful_shutdown=1,
                server_header=False,
            )
        )

    def run(self, ready: Callable[[], None]) -> None:
        """Watches and serves until SIGTERM or SIGINT.

        Args:
            ready: Called once it serves, and the first reading has ended, or takes longer than it should.
        """
        for number in (signal.SIGINT, signal.SIGTERM):
            # In a thread: this one may be waiting for the event, and then holds the lock that setting it takes.
            signal.signal(number, lambda *_: threading.Thread(target=self._end, daemon=True).start())
        serving = threading.Thread(target=self._run_part, args=(self._serve,), name="serving")
        # Daemon threads, since one that waits for an answer must not delay the end.
        watching = [
            threading.Thread(target=self._run_part, args=(each.run,), name=name, daemon=True)
            for name, each in (("reading", self._readings), ("health", self._health))
        ]
        for thread in (serving, *watching):
            thread.start()
        _wait(self._fleet.tried, FIRST_READING_SECONDS)
        if not self._ended.is_set():
            ready()
        _wait(self._ended)
        self._site.close()
        self._server.should_exit = True
        self._health.stop()
        serving.join()
        for thread in watching:
            thread.join(1)
        self._news.close()
        self._targets.close()
        self._history.close()
        if self._failed:
            raise SystemExit(1)

    def _serve(self) -> None:
        self._server.run(sockets=[self._socket])

    def _run_part(self, work: Callable[[], None]) -> None:
        """Runs a thread's work. Any failure ends the monitor, which must not run on with a failed part."""
        try:
            work()
        except HistoryError as error:
            _log.error("%s", error)
            self._failed = True
        except Exception:  # noqa: BLE001 - any failure ends the process
            _log.exception("a part of the monitor failed")
            self._failed = True
        finally:
            self._end()

    def _end(self) -> None:
        self._ended.set()
        # Release those who wait for the first reading.
        self._fleet.tried.set()

    def _after_reading(self, changes: Sequence[Change]) -> None:
        """Called after each reading, in its thread."""
        last: dict[str, Verdict] = {}
        for target_id, verdict in self._audit.look():
            last[target_id] = verdict
            if verdict.latency_seconds is not None and VERIFIED in verdict.statuses:
                self._metrics.verification.observe(verdict.latency_seconds)
        for target_id, verdict in last.items():
            row = self._fleet.row(("target", target_id))
            since = seconds(verdict.since) if row is not None and row.status in verdict.statuses else None
            self._fleet.note(("target", target_id), since=since, verification_seconds=verdict.latency_seconds)
        first = self._first_look
        self._first_look = False
        with self._logging_failures():
            self._record_reading(changes)
        self._news.tell(changes, first=first)

    def _record_reading(self, changes: Sequence[Change]) -> None:
        version, read_at = self._fleet.version, self._fleet.reading.read_at or time.time()
        rows = self._fleet.changed(self._known_to_history)
        self._history.reading(read_at, changes, rows, self._fleet.interval + LONGEST_READING)
        self._known_to_history = version
        if time.monotonic() >= self._thin_at:
            self._fleet.forget(self._history.thin())
            self._thin_at = time.monotonic() + THINNED_EVERY

    def _between_readings(self, changes: Sequence[Change]) -> None:
        """Called between two readings, in any thread."""
        with self._logging_failures():
            rows = [self._fleet.row((each.kind, each.id)) for each in changes]
            self._history.record(changes, [row for row in rows if row is not None])
        self._news.tell(changes)

    @contextmanager
    def _logging_failures(self) -> Iterator[None]:
        """Logs errors of the history, since a full disk must not end the monitor."""
        try:
            yield
        except sqlite3.Error as error:
            _log.warning("these changes could not be written to the history: %s", error)


def _wait(event: threading.Event, limit: float = math.inf) -> None:
    """Waits for the event in the main thread, at most `limit` seconds.

    In steps: Python runs signal handlers only in this thread, and a signal does not end a wait that begins just
    after it.
    """
    deadline = time.monotonic() + limit
    while not event.wait(min(_STEP, max(0, deadline - time.monotonic()))) and time.monotonic() < deadline:
        pass


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio only sets TCP_NODELAY if the protocol is explicit; without it, an answer takes 40 ms longer.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except BaseException:
        listener.close()
        raise
    return listener
