"""Scheduled health checks, and the reasons of failures: one request per target, and therefore a budget.

The checks are spread over their interval: with n targets, there is one every interval/n seconds. Together with the
requests for reasons they use at most a tenth of the rate limit; if that is not enough, a round takes longer.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future

from genesys_provider.client.errors import Cancelled, GenesysError
from genesys_provider.monitor.fleet import Change, Fleet
from genesys_provider.monitor.metrics import Metrics
from genesys_provider.targets.manager import TargetManager
from genesys_provider.targets.reading import unread_reason
from genesys_provider.targets.vocabulary import UNKNOWN_HEALTH

SHARE = 10
"""We use at most one in this many requests of the rate limit."""
MOST_REQUESTED = 8
"""How many checks on request may run at once: each holds a thread until the service answers."""


class TooManyChecks(Exception):
    """`MOST_REQUESTED` checks are running already."""


class HealthChecks:
    """Runs checks until `cancelled` is set.

    Args:
        targets: Makes the requests.
        fleet: Knows the targets, and stores the results.
        metrics: Count the checks.
        tell: Receives each change.
        interval: Seconds in which each target is checked once; 0 only checks on request.
        cancelled: The manager's event.
    """

    def __init__(
        self,
        targets: TargetManager,
        fleet: Fleet,
        metrics: Metrics,
        tell: Callable[[Sequence[Change]], None],
        interval: float,
        cancelled: threading.Event,
    ) -> None:
        self._targets = targets
        self._fleet = fleet
        self._metrics = metrics
        self._tell = tell
        self._interval = interval
        self._cancelled = cancelled
        self._wake = threading.Event()
        self._lock = threading.Lock()
        self._requested: set[Future[tuple[str, str | None]]] = set()
        fleet.listen(self._wake.set)

    def run(self) -> None:
        """Requests reasons first, since whoever is on call waits for them."""
        next_check = time.monotonic()
        while not self._cancelled.is_set():
            self._wake.clear()
            if not self._fleet.read.is_set():
                self._wake.wait()
                continue
            now = time.monotonic()
            failed, least_checked = self._fleet.unexplained(), self._fleet.least_checked()
            try:
                if failed is not None:
                    self._explain(failed.id, failed.status)
                elif not self._interval or least_checked is None:
                    self._wake.wait()
                    continue
                elif now < next_check:
                    self._wake.wait(next_check - now)
                    continue
                else:
                    next_check = now + self._seconds_between()
                    self.check(least_checked.id)
            except Cancelled:
                return
            self._cancelled.wait(SHARE * self._targets.allowance.seconds_a_request)

    def stop(self) -> None:
        """Ends a wait, and the requested checks; `cancelled` must be set before."""
        self._wake.set()
        with self._lock:
            for each in self._requested:
                each.set_exception(Cancelled("the monitor is ending"))
            self._requested.clear()

    def request(self, target_id: str) -> Future[tuple[str, str | None]]:
        """Starts a check for a visitor; the result is that of `check`.

        Raises:
            TooManyChecks: Too many are running.
        """
        requested: Future[tuple[str, str | None]] = Future()
        with self._lock:
            if len(self._requested) >= MOST_REQUESTED:
                raise TooManyChecks
            self._requested.add(requested)
        # A daemon thread, since one that waits for an answer must not delay the end.
        threading.Thread(
            target=self._answer, args=(target_id, requested), name="requested check", daemon=True
        ).start()
        return requested

    def _answer(self, target_id: str, requested: Future[tuple[str, str | None]]) -> None:
        found, failure = None, None
        try:
            found = self.check(target_id)
        except Exception as error:  # noqa: BLE001 - the visitor gets it
            failure = error
        with self._lock:
            if requested not in self._requested:
                return
            self._requested.remove(requested)
        if found is None:
            requested.set_exception(failure)
        else:
            requested.set_result(found)

    def check(self, target_id: str) -> tuple[str, str | None]:
        """Has Genesys Cloud check a target's endpoint now; returns the result, or `UNKNOWN` and the error.

        Raises:
            Cancelled: The monitor is stopping.
        """
        reason = None
        try:
            health = self._targets.check_health(target_id)
        except Cancelled:
            raise
        except GenesysError as error:
            health, reason = UNKNOWN_HEALTH, error.message
        self._stop_if_ended()
        self._metrics.checks.labels(health).inc()
        change = self._fleet.take_health(("target", target_id), health, reason)
        self._tell([change] if change else [])
        return health, reason

    def _explain(self, target_id: str, status: str) -> None:
        read = True
        try:
            reason = self._targets.reason(target_id)
        except Cancelled:
            raise
        except GenesysError as error:
            reason, read = unread_reason(error), False
        self._stop_if_ended()
        change = self._fleet.explain(("target", target_id), status, reason, read=read)
        self._tell([change] if change else [])

    def _stop_if_ended(self) -> None:
        """Keeps an answer that came too late from a history that is closed."""
        if self._cancelled.is_set():
            raise Cancelled("the monitor is ending")

    def _seconds_between(self) -> float:
        return self._interval / max(1, self._fleet.size("target"))
