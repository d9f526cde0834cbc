"""The rate limit: a number of requests per minute for each token, in fixed windows [G].

A token's window begins with its first request and lasts a minute. Every answer reports the token's current count.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

from genesys_provider.emulator.errors import ErrorResponse

WINDOW_SECONDS = 60
UNLIMITED = 1_000_000
"""The value of `inin-ratelimit-allowed` without a limit, too high to slow a client down [C]."""

_MAX_WINDOWS = 1000


@dataclass
class Window:
    """The current minute of one token."""

    ends_at: float
    count: int = 0


class RateLimiter:
    """Counts the requests of each token.

    Args:
        allowed: Requests per minute; 0 means no limit.
    """

    def __init__(self, allowed: int) -> None:
        self._limited = allowed > 0
        self._allowed = allowed if self._limited else UNLIMITED
        self._windows: dict[str, Window] = {}

    def count(self, token: str) -> None:
        """Count a request of the token.

        Raises:
            ErrorResponse: 429 over the limit, with the seconds until the end of the window as `Retry-After`.
        """
        now = time.monotonic()
        window = self._window(token)
        if window is None:
            if len(self._windows) >= _MAX_WINDOWS:
                self._windows = {name: each for name, each in self._windows.items() if each.ends_at > now}
            window = self._windows[token] = Window(now + WINDOW_SECONDS)
        window.count += 1
        if self._limited and window.count > self._allowed:
            seconds = _seconds_left(window)
            raise ErrorResponse(
                429,
                f"Rate limit exceeded the maximum. Retry the request in [{seconds}] seconds",
                headers={"Retry-After": str(seconds)},
            )

    def headers(self, token: str | None) -> list[tuple[bytes, bytes]]:
        """The three headers of every answer; without a known token the count is 0."""
        window = self._window(token)
        count, reset = (0, WINDOW_SECONDS) if window is None else (window.count, _seconds_left(window))
        return [
            (b"inin-ratelimit-count", b"%d" % count),
            (b"inin-ratelimit-allowed", b"%d" % self._allowed),
            (b"inin-ratelimit-reset", b"%d" % reset),
        ]

    def _window(self, token: str | None) -> Window | None:
        window = None if token is None else self._windows.get(token)
        return window if window is not None and window.ends_at > time.monotonic() else None

    def reset(self) -> None:
        """Reset all windows."""
        self._windows.clear()


def _seconds_left(window: Window) -> int:
    return max(1, math.ceil(window.ends_at - time.monotonic()))
