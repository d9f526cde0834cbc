"""Requests that wait on purpose: a test sees that one is there, does what it wants, and lets it go on."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any, Literal

When = Literal["before", "after"]
"""Whether a request waits before it is served, or after that and before its answer."""


@dataclass(eq=False)
class _Held:
    method: str
    path: str
    when: When
    released: asyncio.Event = field(default_factory=asyncio.Event)


class HeldRequests:
    """The requests of one server that wait now."""

    def __init__(self) -> None:
        self._held: list[_Held] = []

    async def hold(self, method: str, path: str, when: When, seconds: float) -> None:
        """Return after so many seconds, or when `release` is called."""
        if not seconds:
            return
        held = _Held(method, path, when)
        self._held.append(held)
        try:
            await asyncio.wait_for(held.released.wait(), seconds)
        except asyncio.TimeoutError:
            pass
        finally:
            self._held.remove(held)

    def all(self) -> list[dict[str, Any]]:
        """The requests that wait, oldest first."""
        return [{"method": each.method, "path": each.path, "when": each.when} for each in self._held]

    def release(self) -> None:
        """All of them go on."""
        for each in self._held:
            each.released.set()
