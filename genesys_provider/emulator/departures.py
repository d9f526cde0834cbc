"""Deletions that were accepted, and are carried out a moment later: what a DELETE answered with 202 begins."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from genesys_provider.emulator.tasks import Tasks

if TYPE_CHECKING:
    from collections.abc import Callable

    from genesys_provider.emulator.database import Database

DEPARTURE_SECONDS = 1
"""How long a thing is there after a DELETE that was answered with 202."""


class Departures(Tasks):
    """What will be gone soon; at the end of the emulator the rest is left to the next start."""

    def __init__(self, database: Database) -> None:
        super().__init__()
        self._database = database

    def depart(self, row_id: str, remove: Callable[[str], None]) -> None:
        """Call `remove` with the id in a moment."""
        self._database.depart(row_id)
        self.start(row_id, _later(row_id, remove))


async def _later(row_id: str, remove: Callable[[str], None]) -> None:
    await asyncio.sleep(DEPARTURE_SECONDS)
    remove(row_id)
