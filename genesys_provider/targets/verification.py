"""Waits for the verdict on a target: when to poll, and how to interpret the result.

The directory shares the polls between all who wait. The first comes early, later ones at growing intervals; the
source always waits 5 s [S].
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from genesys_provider.client.errors import PERMANENT, GenesysError
from genesys_provider.common.directory import Directory
from genesys_provider.common.reader import Look
from genesys_provider.common.waiting import PollSchedule, poll_until_verdict
from genesys_provider.common.writes import LAG_SECONDS, Writes
from genesys_provider.common.writing import Written
from genesys_provider.targets.models import Target
from genesys_provider.targets.reading import TargetReading
from genesys_provider.targets.vocabulary import FINAL_STATUSES, PENDING_VERIFICATION, VERIFIED

FIRST_LOOK = 0.3
"""Seconds from the accepted request to the first poll."""
STEP_SHARE = 0.15
"""The interval to the next poll, as a share of the time waited so far."""
LONGEST_STEP = 5.0
"""Maximum seconds between two polls, if the rate limit permits."""


class Verifications:
    """The single place where a process waits for verdicts. Thread-safe."""

    def __init__(
        self,
        reader: TargetReading,
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
        """Returns the verdict on a target as soon as it is known.

        Args:
            written: The target, and when its verification began.
            timeout: Seconds from the accepted request.

        Raises:
            NoVerdict: There was none within the timeout.
            NotFound: The target is gone.
            Cancelled: The run was cancelled.
            GenesysError: One of `PERMANENT`. After any other error the wait goes on until the time limit.
        """
        target_id = written.thing.id
        after_write = _AfterWrite(self._directory, written, self._clock)

        def look() -> tuple[str, Look[Target] | None]:
            now = self._directory.look(target_id)
            new = after_write.of(now)
            if new is None or new.status not in FINAL_STATUSES:
                return now.status, None
            self._writes.has_shown(target_id)
            return now.status, self._with_reason(target_id, new)

        # If only the status can show our write, poll at once, before it changes back.
        first = FIRST_LOOK if after_write.shows else 0.0
        return poll_until_verdict(
            look,
            PollSchedule(written.at, timeout, first, lambda waited: min(waited * STEP_SHARE, LONGEST_STEP)),
            what="verifying",
            seen=written.thing.status or PENDING_VERIFICATION,
            lags=lambda: not self._writes.settled(target_id),
            cancelled=self._cancelled,
            clock=self._clock,
        )

    def _with_reason(self, target_id: str, look: Look[Target]) -> Look[Target]:
        """Adds what only `verify` tells: why a verification failed."""
        if look.status == VERIFIED or look.message is not None or look.thing is None:
            return look
        try:
            said = self._reader.verification(target_id)
        except PERMANENT:
            raise
        except GenesysError:
            # The verdict counts even without its reason.
            return look
        return said if said.status == look.status else look


class _AfterWrite:
    """Recognizes polls that show the state after our write, in case the service lags."""

    def __init__(
        self, directory: Directory[Target], written: Written[Target], clock: Callable[[], float]
    ) -> None:
        self._directory = directory
        self._before = written.before
        self._ends = written.at + LAG_SECONDS
        self._clock = clock
        self.shows = written.before is None or not written.before.visible.same_as(written.thing.visible)
        """Whether a read can show the write itself; a new password or a mere retry is only visible in the
        status."""

    def of(self, look: Look[Target]) -> Look[Target] | None:
        """The poll, or a newer one, once a poll has shown the write; else None."""
        before = self._before
        if before is None:
            return look
        if self._clock() >= self._ends or (look.status != before.status and (before.final or not self.shows)):
            # The status only changes after a write.
            self._before = None
            return look
        if self.shows:
            now = look.thing or self._directory.get_now(before.id)
            if now is not None and not now.visible.same_as(before.visible):
                self._before = None
                # Use the matching status, since `verify` may lag behind the target.
                return look if look.thing or look.status == now.status else Look(now.status, None, now)
        return None
