"""Reads the lists of targets and sources once per interval, however many clients there are.

This takes ⌈n/100⌉ requests for n targets, and the same for n sources. After a failed reading the last data stays
until the next one succeeds.
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
        fleet: Stores the results.
        claim: Called with the id of each organization that was read; an exception ends the monitor.
        after_reading: Called after each successful reading, with the changes.
        cancelled: The event that also cancels the managers.
    """

    def __init__(
        self,
        targets: TargetManager,
        sources: SourceManager,
        fleet: Fleet,
        claim: Callable[[str], None],
        after_reading: Callable[[Sequence[Change]], None],
        cancelled: threading.Event,
    ) -> None:
        self._targets = targets
        self._sources = sources
        self._fleet = fleet
        self._claim = claim
        self._after_reading = after_reading
        self._cancelled = cancelled
        self._may_read_sources = True
        self._trouble: str | None = None
        self._organization_id: str | None = None

    def run(self) -> None:
        """Reads at a fixed rate: the duration of a reading is part of its interval."""
        while not self._cancelled.is_set():
            started = time.monotonic()
            try:
                self._read()
            except Cancelled:
                return
            except GenesysError as error:
                self._fleet.failed(str(error), self._targets.allowance.rate_limit)
                # Not its whole text, in which the correlation id is new each time.
                if error.message != self._trouble:
                    _log.warning(
                        "can't read Genesys Cloud, retrying every %g s: %s", self._fleet.interval, error
                    )
                self._trouble = error.message
            self._cancelled.wait(max(0.0, self._fleet.interval - (time.monotonic() - started)))

    def _read(self) -> None:
        targets = list(self._targets.list())
        sources = self._list_sources()
        # Afterwards, since another organization may stand at the address since a moment ago.
        organization = self._targets.organization()
        # While the service does not tell it, the address alone counts.
        if organization.id is not None and organization.id != self._organization_id:
            self._claim(organization.id)
            self._organization_id = organization.id
        changes = self._fleet.take(
            targets,
            sources,
            rate_limit=self._targets.allowance.rate_limit,
            organization=organization.name or organization.id,
        )
        if self._trouble is not None:
            _log.warning("reading succeeds again")
        self._trouble = None
        self._after_reading(changes)

    def _list_sources(self) -> list[Source] | None:
        """The sources. If the client may not read them, this logs it once, and only targets are watched."""
        try:
            found = list(self._sources.list())
        except Forbidden as error:
            if self._may_read_sources:
                _log.warning("watching targets only, since this client may not read sources: %s", error)
            self._may_read_sources = False
            return None
        self._may_read_sources = True
        return found
