"""Whether `--parallel` made operations wait for each other's verdicts, and which value would have been enough.

Pulumi runs 4 operations per core at a time, unless `PULUMI_PARALLEL` or `--parallel` says otherwise. A create holds
its slot until its verdict is known. The engine checks the next resource before it has a slot for it. So a resource
that was checked, and whose operation has not begun, is queued. A resource that depends on others is not declared,
and so not checked, before they are done, so waiting for them does not count as queueing.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from genesys_provider.client.errors import Cancelled

WORTH_SAYING = 3.0
"""Seconds. A run that would gain less gets no advice."""
LEAST_QUEUED = 0.5
"""Seconds. An operation that begins sooner after its check had a free slot; the engine itself takes that long."""


class Parallelism:
    """What was queued, and what waited for a verdict, in one process. Thread-safe.

    Args:
        clock: The current time in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._started = clock()
        self._last_change = self._started
        self._queued: dict[str, float] = {}
        """Since when, in seconds of `_waited`."""
        self._waiting = 0
        self._most_waiting = 0
        self._waits: dict[str, int] = {}
        self._longest_wait = 0.0
        self._waited = 0.0
        """Seconds in which some operation waited for a verdict."""
        self._held_up: list[tuple[float, float]] = []
        """The spans in which another one was queued, in seconds of `_waited`: in order, without overlap."""
        self._cut_short = False

    def queued(self, urn: str) -> None:
        """Records that a create or update of this resource may come.

        One that never comes does not count: a refresh may find a difference that the program does not see, and what
        fails its check is not created.
        """
        with self._lock:
            self._pass_time()
            self._queued[urn] = self._waited

    def begun(self, urn: str) -> None:
        """Records that the create or update of this resource has begun."""
        with self._lock:
            self._pass_time()
            since, now = self._queued.pop(urn, self._waited), self._waited
            if now - since >= LEAST_QUEUED:
                while self._held_up and self._held_up[-1][1] >= since:
                    since = min(since, self._held_up.pop()[0])
                self._held_up.append((since, now))

    @contextmanager
    def awaiting_verdict(self, kind: str) -> Iterator[None]:
        """Counts an operation as one that waits for a verdict.

        Args:
            kind: What messages call the object that it waits for: "target".
        """
        with self._lock:
            self._pass_time()
            began = self._last_change
            self._waiting += 1
            self._most_waiting = max(self._most_waiting, self._waiting)
            self._waits[kind] = self._waits.get(kind, 0) + 1
        cancelled = False
        try:
            yield
        except Cancelled:
            cancelled = True
            raise
        finally:
            with self._lock:
                self._pass_time()
                self._waiting -= 1
                self._longest_wait = max(self._longest_wait, self._last_change - began)
                self._cut_short |= cancelled

    def advice(self, *, least_seconds: float = 0.0) -> str | None:
        """How a run like this could be faster. None if it would gain little, or if it was cancelled.

        The option wins over the variable, and the engine does not tell a provider which of them there was.

        Args:
            least_seconds: How long the run takes at least, for another reason.
        """
        with self._lock:
            self._pass_time()
            taken = self._last_change - self._started
            held_up = sum(end - start for start, end in self._held_up)
            possible = max(taken - held_up, self._longest_wait, least_seconds)
            if self._cut_short or taken - possible < WORTH_SAYING:
                return None
            total = sum(self._waits.values())
            kinds = " and ".join(f"{kind}s" for kind in sorted(self._waits, reverse=True))
            return (
                f"{self._most_waiting} of {total} {kinds} waited at a time; with `--parallel {total}`, or "
                f"`PULUMI_PARALLEL={total}` without that option, this `up` would have taken about "
                f"{possible:.0f} s, not {taken:.0f} s"
            )

    def _pass_time(self) -> None:
        now = self._clock()
        if self._waiting:
            self._waited += now - self._last_change
        self._last_change = now
