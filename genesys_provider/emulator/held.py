"""Requests that are held on purpose: a test can wait for one, act meanwhile, and release it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any, Literal

When = Literal["before", "after"]
"""Whether a request is held before it is served, or afterwards, before the answer."""


@dataclass(eq=False)
class _Held:
    method: str
    path: str
    when: When
    released: asyncio.Event = field(default_factory=asyncio.Event)


class HeldRequests:
    """The requests that one server is holding."""

    def __init__(self) -> None:
        self._held: list[_Held] = []

    async def hold(self, method: str, path: str, when: When, seconds: float) -> None:
        """Hold a request for this many seconds, or until `release` is called."""
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
        """The held requests, oldest first."""
        return [{"method": each.method, "path": each.path, "when": each.when} for each in self._held]

    def release(self) -> None:
        """Let all held requests continue."""
        for each in self._held:
            each.released.set()
