"""Background tasks of the emulator, at most one for each key."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Coroutine


class Tasks:
    """The running tasks."""

    def __init__(self) -> None:
        self._running: dict[str, asyncio.Task[None]] = {}

    def start(self, key: str, work: Coroutine[Any, Any, None]) -> None:
        """Start a task, and cancel an earlier one with the same key."""
        self.stop(key)
        task = self._running[key] = asyncio.create_task(work)
        task.add_done_callback(lambda done: self._forget(key, done))

    def stop(self, key: str) -> None:
        """Cancel the task with this key."""
        if task := self._running.pop(key, None):
            task.cancel()

    async def close(self) -> None:
        """Cancel all tasks, and wait for them to end."""
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _forget(self, key: str, task: asyncio.Task[None]) -> None:
        if self._running.get(key) is task:
            del self._running[key]
