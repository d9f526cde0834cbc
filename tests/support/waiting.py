"""Waits for what other threads and processes do."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

LIMIT = 60.0
"""In seconds: far more than anything takes on a busy machine, so only what never happens reaches it."""


def eventually(look: Callable[[], T | None], limit: float = LIMIT) -> T:
    """Calls `look` until it returns something true, and returns that; `limit` is in seconds.

    Raises:
        AssertionError: It returned nothing true within the limit.
    """
    deadline = time.monotonic() + limit
    while not (found := look()):
        assert time.monotonic() < deadline, f"it did not happen within {limit:.0f} s"
        time.sleep(0.01)
    return found
