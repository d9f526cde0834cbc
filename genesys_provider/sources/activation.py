"""Waiting until a source is what it is to be: when to look, and what a look means (contract, section 5).

Nothing public says how long an activation takes, nor in what order the states come [C].
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from genesys_provider.common.directory import Directory
from genesys_provider.common.waiting import Patience, until
from genesys_provider.common.writes import Writes
from genesys_provider.common.writing import Written
from genesys_provider.sources.models import Source
from genesys_provider.sources.reading import SourceReader
from genesys_provider.sources.vocabulary import ACTIVE, ERROR

ACTIVATION_TIMEOUT = 120.0
"""Seconds to wait unless told otherwise [C]."""
FIRST_LOOK = 1.0
"""Seconds from the accepted request to the first look."""
STEP_SHARE = 0.2
"""The next look comes after this share of the time waited so far, but not within a second."""
LONGEST_STEP = 5.0
STEADY_SECONDS = 5.0
"""For so long an active source must stay active after a write that may have made it activate again; or until the
time limit, where that comes first."""


class Activations:
    """The one place where a process waits for states. Safe for threads."""

    def __init__(
        self,
        reader: SourceReader,
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
        """The source, once it has the wanted state, or says `ERROR`.

        Args:
            written: The source, since when the wait counts.
            wanted: `ACTIVE` or `INACTIVE`.
            timeout: Seconds from the accepted request.

        Raises:
            NoVerdict: Neither came within the timeout.
            NotFound: The source is gone.
            Cancelled: The run was cancelled.
            GenesysError: One of `HOPELESS`; over any other the wait goes on until the time limit.
        """
        source, news = written.thing, _News(written, wanted, written.at + timeout, self._clock)

        def look() -> tuple[str, Source | None]:
            now = self._directory.look(source.id)
            shown = now.thing
            if shown is not None and shown.config_version is None and news.must_know_version:
                shown = self._reader.configuration(shown)
            if shown is None or not news.of(shown):
                return now.status or source.status, None
            self._writes.has_shown(source.id)
            state = {"status": shown.status, "reason": shown.reason, "last_updated": shown.last_updated}
            return now.status, source.model_copy(update=state)

        return until(
            look,
            Patience(
                written.at,
                timeout,
                FIRST_LOOK,
                lambda waited: min(max(waited * STEP_SHARE, FIRST_LOOK), LONGEST_STEP),
            ),
            what="activating" if wanted == ACTIVE else "deactivating",
            seen=source.status or "unknown",
            lags=lambda: not self._writes.settled(source.id),
            cancelled=self._cancelled,
            clock=self._clock,
        )


class _News:
    """Tells a state that comes of our write from the one that was there before it.

    A reading may lag behind the write: it counts once it shows the version, and the intended state, that we wrote.
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
        """Whether only the version of the configuration tells that a reading is from after our write."""
        return (
            self._before is not None
            and self._shown_at is None
            and self._before.config_version != self._written.config_version
        )

    def of(self, seen: Source) -> bool:
        """Whether it is the end of the wait."""
        before = self._before
        if before is not None:
            if self._shown_at is None:
                if not seen.shows(self._written):
                    return False
                self._shown_at = self._clock()
            if seen.status != before.status or self._changed_since(before, seen):
                # Whatever comes from now on comes after our write.
                before = self._before = None
        if seen.status not in (self._wanted, ERROR):
            return False
        if before is None or self._shown_at is None:
            return True
        # As it was before. An `ERROR` that does not move may be the old one; a state that stays the wanted one is.
        steady_at = min(self._shown_at + STEADY_SECONDS - FIRST_LOOK, self._ends)
        return seen.status == self._wanted and self._clock() >= steady_at

    @staticmethod
    def _changed_since(before: Source, seen: Source) -> bool:
        """Server time against server time: when the code changed last."""
        return None not in (before.last_updated, seen.last_updated) and (
            before.last_updated != seen.last_updated
        )
