"""Waits for the state of a source: when to poll, and how to interpret the result (contract, section 5).

Nothing public says how long an activation takes, nor in which order the states follow [C].
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from genesys_provider.common.directory import Directory
from genesys_provider.common.waiting import PollSchedule, poll_until_verdict
from genesys_provider.common.writes import Writes
from genesys_provider.common.writing import Written
from genesys_provider.sources.models import Source
from genesys_provider.sources.reading import SourceReading
from genesys_provider.sources.vocabulary import ACTIVE, ERROR

ACTIVATION_TIMEOUT = 120.0
"""Default time limit in seconds [C]."""
FIRST_LOOK = 1.0
"""Seconds from the accepted request to the first poll."""
STEP_SHARE = 0.3
"""The interval to the next poll, as a share of the time waited so far."""
SHORTEST_STEP = 2.0
LONGEST_STEP = 5.0
STEADY_SECONDS = 5.0
"""How long an active source must stay active after a write that may have restarted its activation, at most until
the time limit."""


class Activations:
    """The single place where a process waits for states. Thread-safe."""

    def __init__(
        self,
        reader: SourceReading,
        directory: Directory[Source],
        writes: Writes[Source],
        cancelled: threading.Event,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._reader = reader
        self._directory = directory
        self._writes = writes
        self._cancelled = cancelled
        self._clock = clock

    def wait(self, written: Written[Source], wanted: str, timeout: float) -> Source:
        """Returns the source once it has the wanted state, or reports `ERROR`.

        Args:
            written: The source, and when the wait began.
            wanted: `ACTIVE` or `INACTIVE`.
            timeout: Seconds from the accepted request.

        Raises:
            NoVerdict: It had neither within the timeout.
            NotFound: The source is gone.
            Cancelled: The run was cancelled.
            GenesysError: One of `PERMANENT`. After any other error the wait goes on until the time limit.
        """
        source, after_write = written.thing, _AfterWrite(written, wanted, written.at + timeout, self._clock)

        def look() -> tuple[str, Source | None]:
            now = self._directory.look(source.id)
            shown = now.thing
            if shown is not None and shown.config_version is None and after_write.must_know_version:
                shown = self._reader.configuration(shown)
            if shown is None or not after_write.of(shown):
                return now.status or source.status, None
            self._writes.has_shown(source.id)
            state = {"status": shown.status, "reason": shown.reason, "last_updated": shown.last_updated}
            return now.status, source.model_copy(update=state)

        return poll_until_verdict(
            look,
            PollSchedule(
                written.at,
                timeout,
                FIRST_LOOK,
                lambda waited: min(max(waited * STEP_SHARE, SHORTEST_STEP), LONGEST_STEP),
            ),
            what="activating" if wanted == ACTIVE else "deactivating",
            seen=source.status or "unknown",
            lags=lambda: not self._writes.settled(source.id),
            cancelled=self._cancelled,
            clock=self._clock,
        )


class _AfterWrite:
    """Recognizes states that follow from our write, rather than from before it.

    A read may lag behind the write: it counts once it shows the version and the intended state that we wrote.
    """

    def __init__(
        self, written: Written[Source], wanted: str, ends: float, clock: Callable[[], float]
    ) -> None:
        self._before = written.before
        self._written = written.thing
        self._wanted = wanted
        self._ends = ends
        self._clock = clock
        self._shown_at: float | None = None

    @property
    def must_know_version(self) -> bool:
        """Whether only the version of the configuration can tell that a read is from after our write."""
        return (
            self._before is not None
            and self._shown_at is None
            and self._before.config_version != self._written.config_version
        )

    def of(self, seen: Source) -> bool:
        """Whether this state ends the wait."""
        before = self._before
        if before is not None:
            if self._shown_at is None:
                if not seen.shows(self._written):
                    return False
                self._shown_at = self._clock()
            if seen.status != before.status or self._changed_since(before, seen):
                # Whatever comes from now on is from after our write.
                before = self._before = None
        if seen.status not in (self._wanted, ERROR):
            return False
        if before is None or self._shown_at is None:
            return True
        # Unchanged. A steady `ERROR` may be an old one, but a steady wanted state is the result.
        steady_at = min(self._shown_at + STEADY_SECONDS - FIRST_LOOK, self._ends)
        return seen.status == self._wanted and self._clock() >= steady_at

    @staticmethod
    def _changed_since(before: Source, seen: Source) -> bool:
        """Compares two times of the server: when the state last changed."""
        return None not in (before.last_updated, seen.last_updated) and (
            before.last_updated != seen.last_updated
        )
