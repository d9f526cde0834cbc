"""Times, as states, audits and the service have them: UTC, ISO 8601."""

from __future__ import annotations

import math
from datetime import datetime, timezone

MAX_CLOCK_SKEW = 300.0
"""Seconds that two machines' clocks may differ: a time further ahead says nothing."""


def utc_now() -> str:
    """The time, as states and audits have it: UTC, ISO 8601, to the second."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds").replace("+00:00", "Z")


def seconds_since(time: object) -> float:
    """How long ago a time of `utc_now` was; endlessly long where it is none.

    The clock may have been another machine's: one that is a little ahead counts as now.
    """
    try:
        then = datetime.fromisoformat(str(time).replace("Z", "+00:00"))
        passed = (datetime.now(timezone.utc) - then).total_seconds()
    except (ValueError, TypeError):
        return math.inf
    return max(0.0, passed) if passed > -MAX_CLOCK_SKEW else math.inf
