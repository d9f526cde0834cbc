"""Scheduled health checks, and the reasons of failures: one request per target, and therefore a budget.

The checks are spread over their interval: with n targets, there is one every interval/n seconds. Together with the
requests for reasons they use at most a tenth of the rate limit; if that is not enough, a round takes longer.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from genesys_provider.client.errors import Cancelled, GenesysError
from genesys_provider.monitor.fleet import Change, Fleet
from genesys_provider.monitor.metrics import Metrics
from genesys_provider.targets.manager import UNKNOWN_HEALTH, TargetManager

SHARE = 10
"""We use at most one in this many requests of the rate limit."""


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
        fleet.listen(self._wake.set)

    def run(self) -> None:
        """Requests reasons first, since whoever is on call waits for them."""
        next_check = time.monotonic()
        while not self._cancelled.is_set():
            self._wake.clear()
            now = time.monotonic()
            try:
                if (row := self._fleet.unexplained()) is not None:
                    self._explain(row.id, row.status)
                elif (
                    self._interval and now >= next_check and (row := self._fleet.least_checked()) is not None
                ):
                    next_check = now + self._seconds_between()
                    self.check(row.id)
                else:
                    self._wake.wait(max(0.01, next_check - now) if self._interval else None)
                    continue
            except Cancelled:
                return
            self._cancelled.wait(SHARE * self._targets.allowance.seconds_a_request)

    def stop(self) -> None:
        """Ends a wait; `cancelled` must be set before."""
        self._wake.set()

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
        self._metrics.checks.labels(health).inc()
        change = self._fleet.take_health(("target", target_id), health, reason)
        self._tell([change] if change else [])
        return health, reason

    def _explain(self, target_id: str, status: str) -> None:
        try:
            reason = self._targets.reason(target_id)
        except Cancelled:
            raise
        except GenesysError as error:
            reason = f"the reason can't be read: {error.message}"
        change = self._fleet.explain(("target", target_id), status, reason)
        self._tell([change] if change else [])

    def _seconds_between(self) -> float:
        return self._interval / max(1, self._fleet.size("target"))
