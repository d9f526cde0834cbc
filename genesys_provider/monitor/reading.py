"""The reading: the list of targets and the list of sources, once an interval, however many look on.

That is ⌈n/100⌉ requests for n targets and as many for n sources. A reading that fails is made up for by the next;
until then the last picture stays.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence

from genesys_provider.client.errors import Cancelled, Forbidden, GenesysError
from genesys_provider.monitor.fleet import Change, Fleet
from genesys_provider.sources.manager import SourceManager
from genesys_provider.sources.models import Source
from genesys_provider.targets.manager import TargetManager

_log = logging.getLogger(__name__)


class Readings:
    """Reads until `cancelled` is set.

    Args:
        targets: Reads targets.
        sources: Reads sources.
        fleet: Takes in what was read.
        claim: Called with the organization's id before a reading; what it raises ends the monitor.
        took: Called after each reading that succeeded, with what it has changed.
        cancelled: That of the managers.
    """

    def __init__(
        self,
        targets: TargetManager,
        sources: SourceManager,
        fleet: Fleet,
        claim: Callable[[str | None], None],
        took: Callable[[Sequence[Change]], None],
        cancelled: threading.Event,
    ) -> None:
        self._targets = targets
        self._sources = sources
        self._fleet = fleet
        self._claim = claim
        self._took = took
        self._cancelled = cancelled
        self._may_read_sources = True

    def run(self) -> None:
        """Reads at even distances: what a reading takes is a part of its interval."""
        while not self._cancelled.is_set():
            started = time.monotonic()
            try:
                self._read()
            except Cancelled:
                return
            except GenesysError as error:
                if self._fleet.failed(str(error), self._targets.rate_limit):
                    _log.warning(
                        "can't read now, and tries again every %g s: %s", self._fleet.interval, error
                    )
            self._cancelled.wait(max(0.0, self._fleet.interval - (time.monotonic() - started)))

    def _read(self) -> None:
        was_in_trouble = self._fleet.reading.error is not None
        organization = self._targets.organization()
        self._claim(organization.id)
        targets = list(self._targets.list())
        sources = self._list_sources()
        changes = self._fleet.take(
            targets,
            sources,
            rate_limit=self._targets.rate_limit,
            organization=organization.name or organization.id,
        )
        if was_in_trouble:
            _log.warning("reads again")
        self._took(changes)

    def _list_sources(self) -> list[Source] | None:
        """The sources. A client that may not read them is told once, and its targets are watched all the same."""
        try:
            found = list(self._sources.list())
        except Forbidden as error:
            if self._may_read_sources:
                _log.warning("watches targets only, since this client may not read sources: %s", error)
            self._may_read_sources = False
            return None
        self._may_read_sources = True
        return found
