"""The requests a minute that an organization takes, shared by the stacks that run side by side.

Genesys Cloud allows 300 requests a minute for each token and 3,000 for the organization, over all its tokens. Each
stack logs in for itself and so has a token of its own, whose limit the provider keeps. The organization's limit can
only be kept here, where stacks are started: one starts when there is room for the most that it may use, and what it
did use still counts for a minute after its end.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

REQUESTS_A_MINUTE = 2400
"""The fleet's part of the organization's 3,000; the rest is for everybody else who calls its API."""
TOKEN_LIMIT = 300
"""No stack uses more in a minute."""
REQUESTS_A_CHANGE = 1.1
"""One, and now and then a second: what failed is sent again."""
REQUESTS_A_STACK = 5
"""Login, organization and the like."""
LISTS_A_STACK = 2
"""How often a stack may list the organization, at 100 targets a request."""
LOOKS_A_SECOND = 1.25
"""While a stack waits for verdicts: the provider spends at most a quarter of the token's limit on looks."""
MINUTE = 60.0


@dataclass
class Share:
    """What one stack uses."""

    requests: int
    until: float = math.inf
    """By the clock: from then on it no longer counts."""


class Budget:
    """The budget of one organization. Safe for threads.

    Args:
        a_minute: How many requests a minute all stacks may use together.
        targets: How many targets the organization has, about.
        stopped: When set, nobody waits any more.
        clock: Seconds.
    """

    def __init__(
        self,
        a_minute: int,
        targets: int,
        stopped: threading.Event,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._a_minute = a_minute
        self._a_stack = REQUESTS_A_STACK + LISTS_A_STACK * math.ceil(targets / 100)
        self._stopped = stopped
        self._clock = clock
        self._shares: list[Share] = []
        self._lock = threading.Lock()

    def requests(self, changes: int, seconds: float = MINUTE) -> int:
        """The most that a stack uses in a minute, for so many changes in so many seconds."""
        looks = LOOKS_A_SECOND * min(seconds, MINUTE) if changes else 0
        return min(TOKEN_LIMIT, math.ceil(self._a_stack + REQUESTS_A_CHANGE * changes + looks))

    @contextmanager
    def share(self, changes: int) -> Iterator[Share]:
        """Waits until there is room for so many changes, and holds it; say in the share what was used of it."""
        share = Share(self.requests(changes))
        while not self._admit(share) and not self._stopped.wait(0.1):
            pass
        try:
            yield share
        finally:
            share.until = self._clock() + MINUTE

    def _admit(self, share: Share) -> bool:
        with self._lock:
            self._shares = [each for each in self._shares if each.until > self._clock()]
            # One alone may always go: its token's limit is below the organization's.
            used = sum(each.requests for each in self._shares)
            room = not self._shares or used + share.requests <= self._a_minute
            if room:
                self._shares.append(share)
            return room
