"""The monitor as a process: threads that read and check, and one that serves.

It listens from the moment that it is made, so that a port that is taken is told before anything else happens.
"""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import uvicorn

from genesys_provider.client.settings import Settings
from genesys_provider.monitor.app import Site
from genesys_provider.monitor.audit_file import AuditFile
from genesys_provider.monitor.fleet import Change, Fleet
from genesys_provider.monitor.guard import Guard
from genesys_provider.monitor.metrics import Metrics
from genesys_provider.monitor.reading import Readings
from genesys_provider.sources.manager import SourceManager
from genesys_provider.targets.manager import TargetManager

_BACKLOG = 1024
FIRST_READING_SECONDS = 10.0
"""How long the first reading is waited for before the monitor says that it is ready."""


@dataclass(frozen=True)
class MonitorSettings:
    """How to watch.

    Attributes:
        interval: Seconds between two readings.
        audit_log: The audit file to read verification times and entries from.
        token: What clients must know.
    """

    interval: float = 15.0
    audit_log: Path | None = None
    token: str | None = None


class Monitor:
    """One monitor of one organization.

    Args:
        connection: Whom to ask, and as whom.
        settings: How.
        host: The address that it listens on.
        port: The port; 0 is any free one.

    Attributes:
        url: Where it is reached, without a slash at the end.

    Raises:
        OSError: The address can't be listened on.
    """

    def __init__(self, connection: Settings, settings: MonitorSettings, host: str, port: int) -> None:
        self._socket = _listening(host, port)
        name = f"[{host}]" if ":" in host else host
        self.url = f"http://{name}:{self._socket.getsockname()[1]}"
        self._ended = threading.Event()
        # What fails is read again soon anyway. Its checks are no entries of the audit file that it reads.
        connection = replace(connection, max_retries=1, audit_log=None)
        self._targets = TargetManager(connection, cancelled=self._ended)
        sources = SourceManager(connection, cancelled=self._ended, beside=self._targets)
        self._fleet = Fleet(settings.interval, connection.api_url)
        self._metrics = Metrics(self._fleet)
        self._audit = AuditFile(settings.audit_log)
        self._readings = Readings(self._targets, sources, self._fleet, self._took, self._ended)
        self._site = Site(self._fleet, self._metrics, self._audit, self._targets)
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
            ready: Called as soon as it serves, and has read once or tried to.
        """
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self._ended.set())
        serving = threading.Thread(target=self._serve, name="serving")
        reading = threading.Thread(target=self._readings.run, name="reading", daemon=True)
        serving.start()
        reading.start()
        self._fleet.tried.wait(FIRST_READING_SECONDS)
        if not self._ended.is_set():
            ready()
        self._ended.wait()
        self._site.close()
        self._server.should_exit = True
        serving.join()
        reading.join(1)
        self._targets.close()

    def _serve(self) -> None:
        try:
            self._server.run(sockets=[self._socket])
        finally:
            # Without the page nobody sees anything: then the process ends too.
            self._ended.set()

    def _took(self, changes: Sequence[Change]) -> None:
        """After each reading, in its thread."""
        for change in changes:
            if change.before is not None:
                self._metrics.changes.labels(change.kind, change.after).inc()
        for target_id, verdict in self._audit.look():
            if verdict.latency_seconds is not None and verdict.statuses == ("VERIFIED",):
                self._metrics.verification.observe(verdict.latency_seconds)
            row = self._fleet.row(("target", target_id))
            since = verdict.at if row is not None and row.status in verdict.statuses else None
            self._fleet.note(("target", target_id), since=since, verification_seconds=verdict.latency_seconds)


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named, since asyncio sets TCP_NODELAY only then: else an answer takes 40 ms more.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except BaseException:
        listener.close()
        raise
    return listener
