"""Times in states, audit entries and responses: UTC, ISO 8601."""

from __future__ import annotations

import math
from datetime import datetime, timezone

MAX_CLOCK_SKEW = 300.0
"""Seconds by which the clocks of two machines may differ; a time further in the future is ignored."""


def utc_text(moment: datetime, timespec: str = "milliseconds") -> str:
    """The time in UTC, ISO 8601."""
    return moment.astimezone(timezone.utc).isoformat(timespec=timespec).replace("+00:00", "Z")


def utc_now(timespec: str = "seconds") -> str:
    """The current time in UTC, ISO 8601."""
    return utc_text(datetime.now(timezone.utc), timespec)


def parsed_time(text: object) -> datetime | None:
    """The time in an ISO 8601 text, which is in UTC unless it says otherwise; None if it is not a time."""
    try:
        found = datetime.fromisoformat(str(text).replace("Z", "+00:00"))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=timezone.utc)


def seconds_since(time: object) -> float:
    """The seconds since a time that `utc_now` returned; infinity if it is not a time.

    It may come from another machine's clock, so a time slightly in the future counts as now.
    """
    then = parsed_time(time)
    if then is None:
        return math.inf
    passed = (datetime.now(timezone.utc) - then).total_seconds()
    return max(0.0, passed) if passed > -MAX_CLOCK_SKEW else math.inf
