"""Waiting for a verdict: until it is there, the time is up, or the run is cancelled.

The first look comes early, later ones as the caller says, the last one at the time limit. A look that fails is made
up for by the next.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import NamedTuple, TypeVar

from genesys_provider.client.errors import HOPELESS, Cancelled, GenesysError, NotFound
from genesys_provider.client.progress import report

TROUBLE_STEP = 1.0
"""Seconds to the next look after one that failed, at least."""

V = TypeVar("V")


class NoVerdict(GenesysError):
    """The time limit came first; `seen` is the status that showed last."""

    def __init__(self, message: str, seen: str) -> None:
        super().__init__(message)
        self.seen = seen


class Patience(NamedTuple):
    """How long to wait, and when to look."""

    since: float
    """When the wait began, by the clock."""
    timeout: float
    """Seconds from then. The time that looks wait for the rate limit does not end it: one look comes after it."""
    first: float
    """Seconds from then to the first look."""
    step: Callable[[float], float]
    """Seconds to the next look, by how long it has taken so far."""


def until(
    look: Callable[[], tuple[str, V | None]],
    patience: Patience,
    *,
    what: str,
    seen: str,
    lags: Callable[[], bool],
    cancelled: threading.Event,
    clock: Callable[[], float] = time.monotonic,
) -> V:
    """The verdict, as soon as it is known.

    Args:
        look: Looks once: the status that shows, and the verdict where there is one.
        patience: How long, and when.
        what: What is waited for, for the status line.
        seen: The status to begin with.
        lags: Whether an absence may only mean that the service has not caught up.
        cancelled: When set, the wait ends.
        clock: Seconds.

    Raises:
        NoVerdict: None came within the timeout.
        NotFound: It is gone.
        Cancelled: The run was cancelled.
        GenesysError: One of `HOPELESS`; over any other the wait goes on until the time limit.
    """
    since, timeout = patience.since, patience.timeout
    due, trouble = since + patience.first, ""
    while True:
        report(f"waits for {what}: {seen}, {clock() - since:.0f} s, at most {timeout:.0f} s")
        if cancelled.wait(max(0.0, min(due, since + timeout) - clock())):
            raise Cancelled(f"cancelled while waiting for {what}")
        is_last = clock() >= since + timeout
        step = patience.step(max(clock() - since, 0.0))
        try:
            seen, verdict = look()
            trouble = ""
            if verdict is not None:
                return verdict
        except HOPELESS:
            raise
        except NotFound as error:
            if not lags():
                raise
            trouble = f"; it does not show yet: {error.message}"
        except GenesysError as error:
            trouble, step = f"; the last look failed: {error.message}", max(step, TROUBLE_STEP)
        if is_last:
            raise NoVerdict(f"no verdict within {timeout:.0f} s, the status is {seen}{trouble}", seen)
        due = clock() + step
