"""What the emulator does in the background: at most one task for each key."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Coroutine


class Tasks:
    """The tasks that run now."""

    def __init__(self) -> None:
        self._running: dict[str, asyncio.Task[None]] = {}

    def start(self, key: str, work: Coroutine[Any, Any, None]) -> None:
        """Begin this work; older work of the key ends unfinished."""
        self.stop(key)
        task = self._running[key] = asyncio.create_task(work)
        task.add_done_callback(lambda done: self._forget(key, done))

    def stop(self, key: str) -> None:
        """End the key's work unfinished."""
        if task := self._running.pop(key, None):
            task.cancel()

    async def close(self) -> None:
        """End all work unfinished."""
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _forget(self, key: str, task: asyncio.Task[None]) -> None:
        if self._running.get(key) is task:
            del self._running[key]
