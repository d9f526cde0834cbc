"""Whether operations waited for verdicts in turns, because the engine let only so many go at a time.

Pulumi carries out 4 operations for each core at a time, unless `PULUMI_PARALLEL` or `--parallel` says otherwise,
and a create occupies its place until its verdict is there. The engine checks the next resource before it has a
place for it: so a resource that was checked, and whose operation has not begun, waits for its turn. A resource that
depends on others is not even declared before they are done.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from genesys_provider.client.errors import Cancelled

WORTH_SAYING = 3.0
"""In seconds: a run that would be faster by less is not worth a word."""
LEAST_TURN = 0.5
"""In seconds: what begins sooner after its check had a place at once, and the engine itself took that long."""


class Turns:
    """Who waited, and for what, in one process. Safe for threads.

    Args:
        clock: Seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._started = clock()
        self._last_change = self._started
        self._expected: dict[str, float] = {}
        """Since when, in seconds of `_waited`."""
        self._waiting = 0
        self._most_waiting = 0
        self._waits: dict[str, int] = {}
        self._longest_wait = 0.0
        self._waited = 0.0
        """Seconds in which some waited for verdicts."""
        self._turns: list[tuple[float, float]] = []
        """When another waited for its turn, in seconds of `_waited`: spans in order, which do not overlap."""
        self._cut_short = False

    def expect(self, urn: str, *, changes: bool = True) -> None:
        """Notes that an operation on this resource is about to come, or that there will be none.

        One that never comes counts for nothing: a refresh looks at what the program no longer has, and what fails
        its check is not created.
        """
        with self._lock:
            self._pass_time()
            self._expected.pop(urn, None)
            if changes:
                self._expected[urn] = self._waited

    def begin(self, urn: str) -> None:
        """Notes that the operation on this resource has begun."""
        with self._lock:
            self._pass_time()
            since, now = self._expected.pop(urn, self._waited), self._waited
            if now - since >= LEAST_TURN:
                while self._turns and self._turns[-1][1] >= since:
                    since = min(since, self._turns.pop()[0])
                self._turns.append((since, now))

    @contextmanager
    def waiting(self, kind: str) -> Iterator[None]:
        """Counts an operation as one that waits for a verdict.

        Args:
            kind: What messages call what it waits for: «target».
        """
        with self._lock:
            self._pass_time()
            began = self._last_change
            self._waiting += 1
            self._most_waiting = max(self._most_waiting, self._waiting)
            self._waits[kind] = self._waits.get(kind, 0) + 1
        try:
            yield
        except Cancelled:
            self._cut_short = True
            raise
        finally:
            with self._lock:
                self._pass_time()
                self._waiting -= 1
                self._longest_wait = max(self._longest_wait, self._last_change - began)

    def advice(self, *, least_seconds: float = 0.0) -> str | None:
        """How a run like this could be faster; nothing where it would gain little, or was cancelled.

        Args:
            least_seconds: What the run takes at least, for another reason.
        """
        with self._lock:
            self._pass_time()
            taken = self._last_change - self._started
            in_turns = sum(end - start for start, end in self._turns)
            possible = max(taken - in_turns, self._longest_wait, least_seconds)
            if self._cut_short or taken - possible < WORTH_SAYING:
                return None
            total = sum(self._waits.values())
            kinds = " and ".join(f"{kind}s" for kind in sorted(self._waits, reverse=True))
            return (
                f"{self._most_waiting} of {total} {kinds} waited at a time; with `PULUMI_PARALLEL={total}` "
                f"this `up` would have taken about {possible:.0f} s, not {taken:.0f} s"
            )

    def _pass_time(self) -> None:
        now = self._clock()
        if self._waiting:
            self._waited += now - self._last_change
        self._last_change = now
