"""Waiting for verdicts: one thread that asks for all who wait.

Requests are what Genesys Cloud counts, so the asking is shared. Few targets are asked for one by one
(`…/verify`), many by pages of the list, 100 to a request; of a failure only the message is asked for singly.
The first look comes early, later ones spread out; once verdicts were seen, the looks come when the next is due.
"""

from __future__ import annotations

import logging
import statistics
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from pydantic import ValidationError

from genesys_provider.client.api import GenesysClient
from genesys_provider.client.errors import (
    Cancelled,
    ConfigurationError,
    Forbidden,
    GenesysError,
    NotFound,
    Unauthorized,
    UnexpectedAnswer,
)
from genesys_provider.client.progress import report
from genesys_provider.targets.directory import pages
from genesys_provider.targets.models import PENDING_VERIFICATION, VERIFIED, Verification

FIRST_LOOK = 0.3
"""Seconds from the request to the first look, as long as no verdict was seen."""
SHORTEST_STEP = 0.5
LONGEST_STEP = 5.0
"""Seconds between two looks, at least and at most; the source always waits 5 [S]."""
STEP_SHARE = 0.15
"""The next look comes after this share of the time waited so far."""
TYPICAL_SHARE = 0.9
"""Where it was seen how long a verification takes, the next look comes at this share of it."""
REPORT_EVERY = 5.0
"""Seconds after which a waiting target says again what it waits for."""
SINGLE_LOOKS_AT_ONCE = 8
ENOUGH_A_PAGE = 4
"""A look at the list waits for no more targets where so many are due for each of its pages."""

_HOPELESS = (Cancelled, ConfigurationError, Forbidden, NotFound, Unauthorized)
"""Errors that asking again does not mend; over any other the wait goes on until its time limit."""

_log = logging.getLogger(__name__)


@dataclass(eq=False)
class _Waiter:
    target_id: str
    since: float
    look_at: float
    deadline: float
    status: str = PENDING_VERIFICATION
    trouble: GenesysError | None = None
    """Why the last look saw nothing."""
    verdict: Verification | None = None
    error: Exception | None = None
    done: threading.Event = field(default_factory=threading.Event)


class NoVerdict(GenesysError):
    """The time limit came first; the message says what was seen last."""


class Verifications:
    """The one place where a process waits for verdicts. Safe for threads."""

    def __init__(
        self,
        client: GenesysClient,
        cancelled: threading.Event,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._cancelled = cancelled
        self._clock = clock
        self._lock = threading.Lock()
        self._waiters: set[_Waiter] = set()
        self._looking = False
        self._page_count = 1
        self._durations: deque[float] = deque(maxlen=50)
        self._last_look = float("-inf")

    def wait(self, target_id: str, *, since: float, timeout: float) -> Verification:
        """The verdict on a target, as soon as it is known.

        Args:
            target_id: The target.
            since: When the request that started the verification was sent, by the clock.
            timeout: Seconds from now.

        Raises:
            NoVerdict: None came within the timeout.
            Cancelled: The run was cancelled.
            GenesysError: The verdict can't be asked for: no permission, or the target is gone.
        """
        deadline = self._clock() + timeout
        waiter = _Waiter(
            target_id, since, look_at=min(since + self._step(0.0), deadline - FIRST_LOOK), deadline=deadline
        )
        with self._lock:
            self._waiters.add(waiter)
            if not self._looking:
                self._looking = True
                threading.Thread(
                    target=self._look_until_all_are_done, name="verifications", daemon=True
                ).start()
        try:
            while (left := deadline - self._clock()) > 0:
                waited = self._clock() - since
                report(
                    f"waits for verification: {waiter.status}, {waited:.0f} s, at most {waited + left:.0f} s"
                )
                if waiter.done.wait(min(left, REPORT_EVERY)):
                    break
        finally:
            with self._lock:
                self._waiters.discard(waiter)
        if waiter.error is not None:
            raise waiter.error
        if waiter.verdict is None:
            trouble = f"; the last look failed: {waiter.trouble.message}" if waiter.trouble else ""
            raise NoVerdict(f"no verdict within {timeout:.0f} s, the status is {waiter.status}{trouble}")
        return waiter.verdict

    def _look_until_all_are_done(self) -> None:
        while True:
            with self._lock:
                waiting = list(self._waiters)
                if not waiting:
                    self._looking = False
                    return
            if self._cancelled.is_set():
                for waiter in waiting:
                    self._end(waiter, error=Cancelled("cancelled while waiting for verification"))
                continue
            now = self._clock()
            due = [waiter for waiter in waiting if waiter.look_at <= now]
            if due and now - self._last_look >= self._pause(waiting, due):
                self._last_look = now
                self._look(waiting, due)
            else:
                # Short enough for a waiter that comes meanwhile, and a cancel ends it at once.
                self._cancelled.wait(FIRST_LOOK / 2)

    def _pause(self, waiting: list[_Waiter], due: list[_Waiter]) -> float:
        """Seconds between two looks: while more are to come due, so long that one look serves many.

        Else the looks of a large fleet, which comes in slowly, would cost more with each page of the list.
        """
        if len(due) == len(waiting) or len(due) >= ENOUGH_A_PAGE * self._page_count:
            return SHORTEST_STEP
        return min(SHORTEST_STEP * min(len(due), self._page_count), LONGEST_STEP)

    def _look(self, waiting: list[_Waiter], due: list[_Waiter]) -> None:
        try:
            if len(waiting) > 1 and self._page_count <= len(due):
                self._look_at_pages(waiting)
            else:
                self._look_at_each(due)
        except GenesysError as error:
            _log.debug("a look at %d verifications failed: %s", len(due), error)
            for waiter in waiting:
                self._failed(waiter, error)
        except Exception as error:  # noqa: BLE001  (nobody may wait for a thread that has died)
            for waiter in waiting:
                self._end(waiter, error=error)

    def _look_at_pages(self, waiting: list[_Waiter]) -> None:
        unseen = {waiter.target_id: waiter for waiter in waiting}
        verdicts: list[_Waiter] = []
        for page in pages(self._client):
            self._page_count = page.page_count
            for target_id, status in page.statuses.items():
                waiter = unseen.pop(target_id, None)
                if waiter is None:
                    continue
                seen = Verification(status=status)
                if seen.final and status != VERIFIED:
                    verdicts.append(waiter)
                else:
                    self._saw(waiter, seen)
            if not unseen:
                break
        # A failure's message is in `verify` alone; a target that no page showed may be gone.
        self._look_at_each([*verdicts, *unseen.values()])

    def _look_at_each(self, waiters: list[_Waiter]) -> None:
        if not waiters:
            return
        with ThreadPoolExecutor(min(SINGLE_LOOKS_AT_ONCE, len(waiters))) as pool:
            for _ in pool.map(self._look_at_one, waiters):
                pass

    def _look_at_one(self, waiter: _Waiter) -> None:
        try:
            answer = self._client.get_verification(waiter.target_id)
            self._saw(waiter, Verification.model_validate(answer))
        except ValidationError:
            self._failed(waiter, UnexpectedAnswer("the answer to verify has no status"))
        except GenesysError as error:
            self._failed(waiter, error)

    def _saw(self, waiter: _Waiter, seen: Verification) -> None:
        waiter.status, waiter.trouble = seen.status, None
        now = self._clock()
        if seen.final:
            self._durations.append(now - waiter.since)
            self._end(waiter, verdict=seen)
        else:
            # Once more just before the time limit, so that no verdict is missed that was there.
            last = max(waiter.deadline - FIRST_LOOK, now + SHORTEST_STEP)
            waiter.look_at = min(now + self._step(now - waiter.since), last)

    def _failed(self, waiter: _Waiter, error: GenesysError) -> None:
        if isinstance(error, _HOPELESS):
            self._end(waiter, error=error)
        else:
            waiter.trouble = error
            waiter.look_at = self._clock() + LONGEST_STEP

    def _end(
        self, waiter: _Waiter, *, verdict: Verification | None = None, error: Exception | None = None
    ) -> None:
        waiter.verdict, waiter.error = verdict, error
        with self._lock:
            self._waiters.discard(waiter)
        waiter.done.set()

    def _step(self, waited: float) -> float:
        """Seconds until the next look at a target that has waited so long."""
        if not self._durations:
            return FIRST_LOOK if waited == 0 else min(max(waited * STEP_SHARE, SHORTEST_STEP), LONGEST_STEP)
        typical = statistics.median(self._durations)
        step = min(max(waited * STEP_SHARE, SHORTEST_STEP), LONGEST_STEP)
        return max(step, min(typical * TYPICAL_SHARE - waited, LONGEST_STEP))
