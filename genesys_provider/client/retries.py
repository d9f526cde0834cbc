"""When a request is sent again, and how long after.

The schedule itself is tenacity's; this module says what is worth another try and how long the server asked to
wait. A throttled request is always sent again. Any other failure only where acting twice does no harm: a POST
that made something is never blindly repeated [C].
"""

from __future__ import annotations

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
"""Seconds: a server that asks for more gets its error shown instead."""

REQUEST_TIMEOUT = 408
"""The HTTP status of a request that the server gave up waiting for: always worth another try."""

LONGEST_BACK_OFF = 64.0
"""Seconds: about a window of the rate limit; doubling further would only lose time."""


def retry_after(
    headers: Mapping[str, str], now: Callable[[], datetime] = lambda: datetime.now(timezone.utc)
) -> float | None:
    """The seconds that an answer's `Retry-After` asks for: a number of seconds or an HTTP date (RFC 9110).

    A date is taken by the server's own clock, which the answer's `Date` tells; ours may be wrong. A header that
    is neither counts as absent.
    """
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return float(text)
    date = _http_date(text)
    if date is None:
        return None
    return max(0.0, (date - (_http_date(headers.get("Date", "")) or now())).total_seconds())


def _http_date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=timezone.utc)


def back_off(attempt: int) -> float:
    """2^attempt seconds [S], less up to half of it by chance [C], so that many do not come back at once."""
    return min(2.0 ** min(attempt, 10), LONGEST_BACK_OFF) * random.uniform(0.5, 1)  # noqa: S311  (no secret hangs on it)


def worth_retrying(error: BaseException, *, idempotent: bool) -> bool:
    """Whether another try may succeed, and can't act twice."""
    if not isinstance(error, GenesysError) or error.tried_enough:
        return False
    if isinstance(error, ApiError) and (error.retry_after or 0) > LONGEST_WAIT:
        return False
    if isinstance(error, RateLimited):
        return True
    if isinstance(error, NotFound):
        # A request that timed out means an absence only where it lasts.
        return idempotent and error.status == REQUEST_TIMEOUT
    if isinstance(error, ConnectionFailed):
        return idempotent or not error.maybe_acted
    return idempotent and isinstance(error, (ServerError, UnexpectedAnswer))


def retrying(
    max_retries: int,
    cancelled: threading.Event,
    *,
    idempotent: bool,
    seconds_left: Callable[[], float] | None = None,
) -> tenacity.Retrying:
    """The schedule of one call; the last failure is raised as it is.

    Its waits end at once when `cancelled` is set: `Cancelled` then names the failure that it was waiting over.
    A wait that would last longer than `seconds_left` is not begun.
    """

    def wait(state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = error.retry_after if isinstance(error, ApiError) else None
        return back_off(state.attempt_number - 1) if asked is None else asked

    def sleep(seconds: float) -> None:
        if cancelled.wait(seconds):
            raise Cancelled("cancelled while waiting to try again")

    def say(state: tenacity.RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        seconds = state.next_action.sleep if state.next_action else 0
        if isinstance(error, GenesysError):
            report(f"retry in {seconds:.0f} s: {error.message}")

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
