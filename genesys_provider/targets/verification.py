"""Waiting for a verdict: when to look, and what a look means.

The looks themselves are the directory's, shared by all who wait. The first comes early, later ones spread out, the
last one comes at the time limit. The source always waits 5 s [S].
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from genesys_provider.client.errors import (
    HOPELESS,
    Cancelled,
    GenesysError,
    NotFound,
)
from genesys_provider.client.progress import report
from genesys_provider.targets.directory import LAG_SECONDS, Directory, Look
from genesys_provider.targets.models import FINAL_STATUSES, PENDING_VERIFICATION, VERIFIED, Target

FIRST_LOOK = 0.3
"""Seconds from the accepted request to the first look."""
STEP_SHARE = 0.15
"""The next look comes after this share of the time waited so far."""
TROUBLE_STEP = 1.0
"""Seconds to the next look after one that failed, at least."""
LONGEST_STEP = 5.0
"""Seconds between two looks, at most, as far as the rate limit allows."""


@dataclass(frozen=True)
class Written:
    """A target as a write of ours left it.

    Attributes:
        target: As the answer said, completed by what was sent.
        at: When the service accepted it, by the clock.
        before: As it was; None where it is new, or was not written at all.
    """

    target: Target
    at: float
    before: Target | None = None


class NoVerdict(GenesysError):
    """The time limit came first; the message says what was seen last."""


class Verifications:
    """The one place where a process waits for verdicts. Safe for threads."""

    def __init__(
        self,
        directory: Directory,
        cancelled: threading.Event,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._directory = directory
        self._cancelled = cancelled
        self._clock = clock

    def wait(self, written: Written, timeout: float) -> Look:
        """The verdict on a target, as soon as it is known.

        Args:
            written: The target, since when it is verified.
            timeout: Seconds from the accepted request. The time that looks wait for the rate limit does not end it:
                one look always comes after it.

        Raises:
            NoVerdict: None came within the timeout.
            NotFound: The target is gone.
            Cancelled: The run was cancelled.
            GenesysError: One of `HOPELESS`; over any other the wait goes on until the time limit.
        """
        target_id = written.target.id
        deadline = written.at + timeout
        news = _News(self._directory, written, self._clock)
        # Where only a verdict shows, at once: it is soon the same as before.
        due = written.at + (FIRST_LOOK if news.shows else 0.0)
        seen, trouble = written.target.status or PENDING_VERIFICATION, ""
        while True:
            report(
                f"waits for verification: {seen}, {self._clock() - written.at:.0f} s, at most {timeout:.0f} s"
            )
            if self._cancelled.wait(max(0.0, min(due, deadline) - self._clock())):
                raise Cancelled("cancelled while waiting for verification")
            is_last = self._clock() >= deadline
            step = min(max((self._clock() - written.at) * STEP_SHARE, 0.0), LONGEST_STEP)
            try:
                look = self._directory.look(target_id)
                seen, trouble = look.status, ""
                new = news.of(look)
                if new is not None and new.status in FINAL_STATUSES:
                    self._directory.write_has_shown(target_id)
                    return self._with_reason(target_id, new)
            except HOPELESS:
                raise
            except NotFound as error:
                if self._directory.settled(target_id):
                    raise
                trouble = f"; it does not show yet: {error.message}"
            except GenesysError as error:
                trouble, step = f"; the last look failed: {error.message}", max(step, TROUBLE_STEP)
            if is_last:
                raise NoVerdict(f"no verdict within {timeout:.0f} s, the status is {seen}{trouble}")
            due = self._clock() + step

    def _with_reason(self, target_id: str, look: Look) -> Look:
        """The look, with what only `verify` says: why a verification failed."""
        if look.status == VERIFIED or look.message is not None or look.target is None:
            return look
        try:
            said = self._directory.verification(target_id)
        except HOPELESS:
            raise
        except GenesysError:
            # The verdict counts without its reason.
            return look
        return said if said.status == look.status else look


class _News:
    """Tells a look that shows our write from one at what was there before it, where the service lags."""

    def __init__(self, directory: Directory, written: Written, clock: Callable[[], float]) -> None:
        self._directory = directory
        self._before = written.before
        self._ends = written.at + LAG_SECONDS
        self._clock = clock
        self.shows = written.before is None or written.before.visible != written.target.visible
        """Whether more of the write shows than its verdict, as of a new password or another try it does not."""

    def of(self, look: Look) -> Look | None:
        """The look, or a newer one, if it or an earlier one has shown the write."""
        before = self._before
        if before is None:
            return look
        if self._clock() >= self._ends or (look.status != before.status and (before.final or not self.shows)):
            # A verdict changes only by a write.
            self._before = None
            return look
        if self.shows:
            now = look.target or self._directory.get_now(before.id)
            if now is not None and now.visible != before.visible:
                self._before = None
                # The verdict that belongs to it: `verify` may lag behind the target.
                return look if look.target or look.status == now.status else Look(now.status, None, now)
        return None
