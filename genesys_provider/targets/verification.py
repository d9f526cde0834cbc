"""Waiting for a verdict on a target: when to look, and what a look means.

The looks themselves are the directory's, shared by all who wait. The first comes early, later ones spread out. The
source always waits 5 s [S].
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from genesys_provider.client.errors import HOPELESS, GenesysError
from genesys_provider.common.directory import Directory, Look
from genesys_provider.common.waiting import Patience, until
from genesys_provider.common.writes import LAG_SECONDS, Writes
from genesys_provider.common.writing import Written
from genesys_provider.targets.models import Target
from genesys_provider.targets.reading import TargetReader
from genesys_provider.targets.vocabulary import FINAL_STATUSES, PENDING_VERIFICATION, VERIFIED

FIRST_LOOK = 0.3
"""Seconds from the accepted request to the first look."""
STEP_SHARE = 0.15
"""The next look comes after this share of the time waited so far."""
LONGEST_STEP = 5.0
"""Seconds between two looks, at most, as far as the rate limit allows."""


class Verifications:
    """The one place where a process waits for verdicts. Safe for threads."""

    def __init__(
        self,
        reader: TargetReader,
        directory: Directory[Target],
        writes: Writes[Target],
        cancelled: threading.Event,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._reader = reader
        self._directory = directory
        self._writes = writes
        self._cancelled = cancelled
        self._clock = clock

    def wait(self, written: Written[Target], timeout: float) -> Look[Target]:
        """The verdict on a target, as soon as it is known.

        Args:
            written: The target, since when it is verified.
            timeout: Seconds from the accepted request.

        Raises:
            NoVerdict: None came within the timeout.
            NotFound: The target is gone.
            Cancelled: The run was cancelled.
            GenesysError: One of `HOPELESS`; over any other the wait goes on until the time limit.
        """
        target_id = written.thing.id
        news = _News(self._directory, written, self._clock)

        def look() -> tuple[str, Look[Target] | None]:
            now = self._directory.look(target_id)
            new = news.of(now)
            if new is None or new.status not in FINAL_STATUSES:
                return now.status, None
            self._writes.has_shown(target_id)
            return now.status, self._with_reason(target_id, new)

        # Where only a verdict shows, at once: it is soon the same as before.
        first = FIRST_LOOK if news.shows else 0.0
        return until(
            look,
            Patience(written.at, timeout, first, lambda waited: min(waited * STEP_SHARE, LONGEST_STEP)),
            what="verifying",
            seen=written.thing.status or PENDING_VERIFICATION,
            lags=lambda: not self._writes.settled(target_id),
            cancelled=self._cancelled,
            clock=self._clock,
        )

    def _with_reason(self, target_id: str, look: Look[Target]) -> Look[Target]:
        """The look, with what only `verify` says: why a verification failed."""
        if look.status == VERIFIED or look.message is not None or look.thing is None:
            return look
        try:
            said = self._reader.verification(target_id)
        except HOPELESS:
            raise
        except GenesysError:
            # The verdict counts without its reason.
            return look
        return said if said.status == look.status else look


class _News:
    """Tells a look that shows our write from one at what was there before it, where the service lags."""

    def __init__(
        self, directory: Directory[Target], written: Written[Target], clock: Callable[[], float]
    ) -> None:
        self._directory = directory
        self._before = written.before
        self._ends = written.at + LAG_SECONDS
        self._clock = clock
        self.shows = written.before is None or written.before.visible != written.thing.visible
        """Whether more of the write shows than its verdict, as of a new password or another try it does not."""

    def of(self, look: Look[Target]) -> Look[Target] | None:
        """The look, or a newer one, if it or an earlier one has shown the write."""
        before = self._before
        if before is None:
            return look
        if self._clock() >= self._ends or (look.status != before.status and (before.final or not self.shows)):
            # A verdict changes only by a write.
            self._before = None
            return look
        if self.shows:
            now = look.thing or self._directory.get_now(before.id)
            if now is not None and now.visible != before.visible:
                self._before = None
                # The verdict that belongs to it: `verify` may lag behind the target.
                return look if look.thing or look.status == now.status else Look(now.status, None, now)
        return None
