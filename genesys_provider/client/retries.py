"""Decides whether a failed request is retried, and when.

tenacity runs the schedule; this module decides which errors are worth a retry and how long the server asked us to
wait. A throttled request is always retried. Any other failure is retried only if acting twice is harmless: a POST
that creates something is never repeated blindly [C].
"""

from __future__ import annotations

import math
import random
import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

import tenacity

from genesys_provider.client.errors import (
    ApiError,
    Cancelled,
    ConnectionFailed,
    GenesysError,
    NotFound,
    RateLimited,
    ServerError,
    UnexpectedAnswer,
)
from genesys_provider.client.progress import report

LONGEST_WAIT = 600.0
"""Seconds. If a server asks for a longer wait, its error is shown instead."""

REQUEST_TIMEOUT = 408
"""HTTP status of a request on which the server timed out: always worth a retry."""

TOO_EARLY = 425
"""HTTP status of a request that the server did not process, and that may be sent again (RFC 8470)."""

LONGEST_BACK_OFF = 64.0
"""Seconds: about one window of the rate limit. Doubling it further would only lose time."""


def retry_after(
    headers: Mapping[str, str], now: Callable[[], datetime] = lambda: datetime.now(timezone.utc)
) -> float | None:
    """The seconds given by a `Retry-After` header, as a number or an HTTP date (RFC 9110).

    A date is compared with the response's own `Date`, since our clock may be wrong. An invalid header counts as
    absent.
    """
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return float(text)
    date = _http_date(text)
    if date is None:
        return None
    return max(0.0, (date - (_http_date(headers.get("Date", "")) or now())).total_seconds())


def too_long(asked: float | None) -> str | None:
    """The hint for a server that asks for a wait of more than `LONGEST_WAIT`; None for any other."""
    if asked is None or asked <= LONGEST_WAIT:
        return None
    when = f"in {asked:.0f} s" if math.isfinite(asked) else "later"
    return f"It asks for a longer wait than the {LONGEST_WAIT:.0f} s that are waited here: try again {when}"


def _http_date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=timezone.utc)


def back_off(attempt: int) -> float:
    """2^attempt seconds [S], minus up to half of it at random [C], so that clients don't all return at once."""
    return min(2.0 ** min(attempt, 10), LONGEST_BACK_OFF) * random.uniform(0.5, 1)  # noqa: S311  (not for security)


def worth_retrying(error: BaseException, *, idempotent: bool) -> bool:
    """Whether a retry may succeed and can't act twice."""
    if not isinstance(error, GenesysError) or error.tried_enough:
        return False
    if isinstance(error, ApiError) and (error.retry_after or 0) > LONGEST_WAIT:
        return False
    if isinstance(error, RateLimited):
        return True
    if isinstance(error, NotFound):
        # A timeout means absence only if it happens on every attempt.
        return idempotent and error.status == REQUEST_TIMEOUT
    if isinstance(error, ConnectionFailed):
        return idempotent or not error.maybe_acted
    return idempotent and isinstance(error, (ServerError, UnexpectedAnswer))


def _cause(error: GenesysError) -> str:
    """A few words for a narrow terminal, which cuts off the message; the message begins with the call."""
    if isinstance(error, ApiError):
        return f"HTTP {error.status}"
    return "no answer" if isinstance(error, ConnectionFailed) else "unexpected answer"


def retrying(
    max_retries: int,
    cancelled: threading.Event,
    *,
    idempotent: bool,
    seconds_left: Callable[[], float] | None = None,
) -> tenacity.Retrying:
    """The retry schedule of one call; the last failure is raised unchanged.

    Setting `cancelled` ends a wait at once with `Cancelled`, chained to the failure that caused the wait. A wait
    that would last longer than `seconds_left` is not started.
    """

    def wait(state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = error.retry_after if isinstance(error, ApiError) else None
        # A wait of 0 seconds would use up all retries at once.
        return asked or back_off(state.attempt_number - 1)

    def sleep(seconds: float) -> None:
        if cancelled.wait(seconds):
            raise Cancelled("cancelled while waiting to try again")

    def say(state: tenacity.RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        seconds = state.next_action.sleep if state.next_action else 0
        if isinstance(error, RateLimited):
            report(f"rate limit, {seconds:.0f} s: {error.message}")
        elif isinstance(error, GenesysError):
            report(f"retry in {seconds:.0f} s: {_cause(error)}, {error.message}")

    def stop(state: tenacity.RetryCallState) -> bool:
        if state.attempt_number > max_retries:
            return True
        return seconds_left is not None and seconds_left() <= state.upcoming_sleep

    return tenacity.Retrying(
        retry=tenacity.retry_if_exception(lambda error: worth_retrying(error, idempotent=idempotent)),
        stop=stop,
        wait=wait,
        sleep=sleep,
        before_sleep=say,
        reraise=True,
    )
