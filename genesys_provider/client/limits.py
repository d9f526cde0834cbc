"""The API's limits, above all the rate limit of a token.

Genesys Cloud counts a token's requests in windows of one minute. Each response says how many it has counted
(`inin-ratelimit-count`), how many it allows, and when the window ends [G]. `Allowance` admits a request at once if
the window has room, otherwise when the next window begins. Requests by other clients of the same token are part of
the reported count, so they are taken into account.
"""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import IntEnum
from typing import NamedTuple

from genesys_provider.client.errors import Cancelled
from genesys_provider.client.progress import report

MAX_BODY_BYTES = 512_000
"""The largest request body that the API accepts [G]."""

DEFAULT_ALLOWED = 300
"""Requests per minute for one token [G], until the first response says otherwise."""

LONGEST_RESET = 3600.0
"""Seconds. A longer reset can't be that of a one-minute window; it may be a time of day."""

WINDOW_MARGIN = 1.0
"""Seconds added to the announced end of a window: `reset` is in whole seconds, and an early request gets a 429."""


MAX_CONNECTIONS = 32
"""Concurrent requests, each on its own connection. More would not help within the rate limit, and a cancel can't
call back a request that is already sent."""

CANCEL_SECONDS = 0.05
"""How often waiting requests check for a cancel."""


class Priority(IntEnum):
    """The order in which waiting requests are admitted: polls for a verdict before bulk requests.

    Interactive requests are not retried, since polls come again anyway.
    """

    INTERACTIVE = 0
    BULK = 1


class RateLimit(NamedTuple):
    """What is left of a token's rate limit in the current window."""

    allowed: int
    """Requests per minute."""
    left: int


@dataclass(order=True)
class _Ticket:
    priority: Priority
    arrival: int
    answered: threading.Event = field(default_factory=threading.Event, compare=False)
    """Set once the ticket is admitted or the run is cancelled."""
    admitted: bool = field(default=False, compare=False)


class Allowance:
    """Admits the requests of all threads according to the token's rate limit. The last step before sending."""

    def __init__(self, cancelled: threading.Event, clock: Callable[[], float] = time.monotonic) -> None:
        self._cancelled = cancelled
        self._clock = clock
        self._lock = threading.Lock()
        self._queue: list[_Ticket] = []
        self._watched = False
        self._arrivals = itertools.count()
        self._allowed: int | None = DEFAULT_ALLOWED
        self._counted = 0
        self._under_way = 0
        self._window_ends: float | None = None
        self._paused_until = float("-inf")
        self._answered = False
        self._sent = 0

    @property
    def seconds_a_request(self) -> float:
        """Seconds between requests at which the limit is just used up; 0 if there is no limit."""
        return 60 / self._allowed if self._allowed else 0.0

    @property
    def least_seconds(self) -> float:
        """How long the requests so far take at least within the limit; the first minute's may all go at once."""
        return max(0, self._sent - (self._allowed or self._sent)) * self.seconds_a_request

    @property
    def rate_limit(self) -> RateLimit | None:
        """What is left according to the latest responses; None if there is no limit or no response yet."""
        with self._lock:
            if not self._answered or self._allowed is None:
                return None
            over = self._window_ends is None or self._clock() >= self._window_ends
            counted = 0 if over else self._counted
            return RateLimit(self._allowed, max(0, self._allowed - counted))

    @contextmanager
    def place(self, priority: Priority = Priority.BULK) -> Iterator[None]:
        """Waits until the window has room, and occupies a place in it until the response has arrived.

        Raises:
            Cancelled: The run was cancelled, so nothing more may be sent.
        """
        self._wait(_Ticket(priority, next(self._arrivals)))
        try:
            if self._cancelled.is_set():
                raise Cancelled("cancelled before the request was sent")
            yield
        finally:
            with self._lock:
                self._answered = True
                self._under_way -= 1
                self._admit()

    def _wait(self, ticket: _Ticket) -> None:
        with self._lock:
            heapq.heappush(self._queue, ticket)
            self._admit()
            if ticket.admitted:
                return
            if not self._watched:
                try:
                    threading.Thread(target=self._watch, name="allowance", daemon=True).start()
                except RuntimeError:
                    # The thread could not be started, so nobody would ever admit this request.
                    self._queue.remove(ticket)
                    heapq.heapify(self._queue)
                    raise
                self._watched = True
            wait = self._seconds_to_wait()
        if wait is None and not ticket.answered.wait(1):
            wait = self._seconds_to_wait()
        if wait is not None and wait > 1 and not ticket.answered.is_set():
            report(f"rate limit, {wait:.0f} s ({self._allowed} requests a minute)")
        ticket.answered.wait()
        if not ticket.admitted:
            raise Cancelled("cancelled while waiting for the rate limit")

    def _watch(self) -> None:
        """Admits requests when the window ends, or wakes them after a cancel. Runs while the queue is not empty."""
        while True:
            time.sleep(CANCEL_SECONDS)
            with self._lock:
                if self._cancelled.is_set():
                    for ticket in self._queue:
                        ticket.answered.set()
                    self._queue.clear()
                self._admit()
                if not self._queue:
                    self._watched = False
                    return

    def _admit(self) -> None:
        """Admits queued requests while the window has room."""
        while self._queue and self._has_room():
            self._under_way += 1
            self._sent += 1
            ticket = heapq.heappop(self._queue)
            ticket.admitted = True
            ticket.answered.set()

    def _has_room(self) -> bool:
        if self._window_ends is not None and self._clock() >= self._window_ends:
            self._counted, self._window_ends = 0, None
        if self._clock() < self._paused_until:
            return False
        if not self._answered:
            # Send a single request first, to learn the limit.
            return self._under_way == 0
        if self._under_way >= MAX_CONNECTIONS:
            return False
        return self._allowed is None or self._counted + self._under_way < self._allowed

    def _seconds_to_wait(self) -> float | None:
        if (paused := self._paused_until - self._clock()) > 0:
            return paused
        return None if self._window_ends is None else self._window_ends - self._clock()

    def learn(self, headers: Mapping[str, str]) -> None:
        """Updates the window from the headers of a response, if it has them."""
        try:
            counted = int(headers["inin-ratelimit-count"])
            allowed = int(headers["inin-ratelimit-allowed"])
            reset = float(headers["inin-ratelimit-reset"])
        except (KeyError, ValueError):
            return
        if not 0 <= reset <= LONGEST_RESET:  # also refuses nan
            return
        with self._lock:
            self._allowed = allowed if allowed > 0 else None
            ends = self._clock() + reset + WINDOW_MARGIN
            if self._window_ends is None or abs(ends - self._window_ends) <= 2 * WINDOW_MARGIN:
                self._counted = max(self._counted, counted)
                self._window_ends = max(ends, self._window_ends or 0)
            elif ends > self._window_ends:
                # The server has started a new window earlier than we thought.
                self._counted, self._window_ends = counted, ends
            self._admit()

    def exhausted(self, seconds: float) -> None:
        """After a 429: sends nothing for this many seconds."""
        with self._lock:
            self._paused_until = max(self._clock() + seconds, self._paused_until)
            self._admit()
