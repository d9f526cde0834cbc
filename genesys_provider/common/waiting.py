"""Polls until there is a verdict, the time limit is reached, or the run is cancelled.

The first poll comes early, the later ones at intervals that the caller chooses, and the last one at the time limit.
A poll that fails is simply followed by the next.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import NamedTuple, TypeVar

from genesys_provider.client.errors import PERMANENT, Cancelled, GenesysError, NotFound
from genesys_provider.client.progress import report

TROUBLE_STEP = 1.0
"""Minimum seconds between a failed poll and the next one."""

V = TypeVar("V")


class NoVerdict(GenesysError):
    """The time limit was reached without a verdict; `seen` is the last status that was read."""

    def __init__(self, message: str, seen: str) -> None:
        super().__init__(message)
        self.seen = seen


class PollSchedule(NamedTuple):
    """How long to wait, and when to poll."""

    since: float
    """The clock time at which the wait began."""
    timeout: float
    """Seconds after `since`. A poll that the rate limit delays may end later; one poll always follows the limit."""
    first: float
    """Seconds from `since` to the first poll."""
    step: Callable[[float], float]
    """Maps the seconds waited so far to the seconds until the next poll."""


def poll_until_verdict(
    look: Callable[[], tuple[str, V | None]],
    schedule: PollSchedule,
    *,
    what: str,
    seen: str,
    lags: Callable[[], bool],
    cancelled: threading.Event,
    clock: Callable[[], float] = time.monotonic,
) -> V:
    """Returns the verdict as soon as it is known.

    Args:
        look: Polls once. Returns the current status, and the verdict if there is one.
        schedule: How long to wait, and when to poll.
        what: What is going on, for the status line: `verifying`.
        seen: The status before the first poll.
        lags: Whether "not found" may only mean that the service has not caught up yet.
        cancelled: Ends the wait when set.
        clock: The current time in seconds.

    Raises:
        NoVerdict: There was none within the timeout.
        NotFound: The object is gone.
        Cancelled: The run was cancelled.
        GenesysError: One of `PERMANENT`. After any other error the wait goes on until the time limit.
    """
    since, timeout = schedule.since, schedule.timeout
    due, trouble, reported = since + schedule.first, "", ""
    while True:
        # The figures come first, since a narrow terminal cuts off the rest. A log need not repeat them.
        progress = f"{what} {clock() - since:.0f}/{timeout:g} s{trouble}"
        if progress != reported:
            report(progress)
            reported = progress
        if cancelled.wait(max(0.0, min(due, since + timeout) - clock())):
            raise Cancelled(f"cancelled while {what}")
        is_last = clock() >= since + timeout
        step = schedule.step(max(clock() - since, 0.0))
        try:
            seen, verdict = look()
            trouble = ""
            if verdict is not None:
                return verdict
        except PERMANENT:
            raise
        except NotFound as error:
            if not lags():
                raise
            trouble = f"; not visible yet: {error.message}"
        except GenesysError as error:
            trouble, step = f"; the last poll failed: {error.message}", max(step, TROUBLE_STEP)
        if is_last:
            raise NoVerdict(f"no verdict within {timeout:.0f} s, the status is {seen}{trouble}", seen)
        due = clock() + step
