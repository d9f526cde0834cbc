"""Shares an organization's rate limit among the stacks that run at the same time.

Genesys Cloud allows 300 requests a minute for each token and 3,000 for the organization, over all its tokens. Each
stack logs in separately and so has its own token, whose limit the provider keeps. The organization's limit can only
be kept here, where stacks are started. A stack starts when the limit has room for the most that it may use. What it
actually used counts for another minute after its end.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

REQUESTS_PER_MINUTE = 2400
"""The fleet's share of the organization's 3,000; the rest is for other clients of its API."""
TOKEN_LIMIT = 300
"""The most that a stack uses in a minute."""
REQUESTS_PER_CHANGE = 1.1
"""One, and sometimes a retry."""
REQUESTS_PER_STACK = 5
"""For login, organization and so on."""
LISTS_PER_STACK = 2
"""How often a stack may list all targets, with 100 targets per request."""
POLLS_PER_SECOND = 1.25
"""While a stack waits for verifications: the provider uses at most a quarter of the token's limit for polls."""
MINUTE = 60.0


@dataclass
class Share:
    """The requests of one stack."""

    requests: int
    until: float = math.inf
    """The time on the clock from which it no longer counts."""


class Budget:
    """The budget of one organization. Safe for threads.

    Args:
        per_minute: The requests per minute that all stacks may use together.
        targets: The approximate number of targets in the organization.
        stopped: Ends all waits once it is set.
        clock: A clock in seconds.
    """

    def __init__(
        self,
        per_minute: int,
        targets: int,
        stopped: threading.Event,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._per_minute = per_minute
        self._per_stack = REQUESTS_PER_STACK + LISTS_PER_STACK * math.ceil(targets / 100)
        self._stopped = stopped
        self._clock = clock
        self._shares: list[Share] = []
        self._lock = threading.Lock()

    def requests(self, changes: int, seconds: float = MINUTE) -> int:
        """The most that a stack uses in a minute, if it makes this many changes in this time."""
        polls = POLLS_PER_SECOND * min(seconds, MINUTE) if changes else 0
        return min(TOKEN_LIMIT, math.ceil(self._per_stack + REQUESTS_PER_CHANGE * changes + polls))

    @contextmanager
    def share(self, changes: int) -> Iterator[Share]:
        """Waits until the limit has room for this many changes, and reserves it; correct the share after use."""
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
            # A single stack may always start, since its token's limit is below the organization's.
            used = sum(each.requests for each in self._shares)
            room = not self._shares or used + share.requests <= self._per_minute
            if room:
                self._shares.append(share)
            return room
