"""Deletions that were accepted with 202, and happen a moment later."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from genesys_provider.emulator.tasks import Tasks

if TYPE_CHECKING:
    from collections.abc import Callable

    from genesys_provider.emulator.database import Database

DELETION_SECONDS = 1
"""How long an object remains after a DELETE that was answered with 202."""


class PendingDeletions(Tasks):
    """Pending deletions; those still pending when the emulator ends happen at the next start."""

    def __init__(self, database: Database) -> None:
        super().__init__()
        self._database = database

    def schedule(self, row_id: str, remove: Callable[[str], None]) -> None:
        """Schedule the call of `remove` with the id."""
        self._database.mark_for_deletion(row_id)
        self.start(row_id, _later(row_id, remove))


async def _later(row_id: str, remove: Callable[[str], None]) -> None:
    await asyncio.sleep(DELETION_SECONDS)
    remove(row_id)
