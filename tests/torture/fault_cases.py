"""The faults between the provider and the service, and the required outcome of each.

A fault is either a burst, which ends while the provider is still retrying, or lasting. Each row defines the outcome
of both: `ABSORBED` means that the command succeeds and everything agrees; `ERROR` means that it fails with a
message that tells what happened and what to do, that nothing is lost, and that the next command without the fault
recovers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from enum import Enum
from typing import TYPE_CHECKING, Any

from tests.support.cloud import ORGANIZATION, TARGETS

if TYPE_CHECKING:
    from collections.abc import Callable

API = f"{TARGETS}*"
LOGIN = "/oauth/token"


class Outcome(Enum):
    """The required outcome of a fault."""

    ABSORBED = "absorbed"
    ERROR = "one clear error, healed by the next run"


ABSORBED, ERROR = Outcome.ABSORBED, Outcome.ERROR


def in_two_seconds() -> dict[str, str]:
    """A `Retry-After` with a date."""
    return {"Retry-After": format_datetime(datetime.now(timezone.utc) + timedelta(seconds=2), usegmt=True)}


@dataclass(frozen=True)
class FaultCase:
    """One fault, with its required outcomes."""

    name: str
    fault: Callable[[], dict[str, Any]]
    says: str
    """The text that the error of a lasting fault must contain."""
    burst: Outcome = ABSORBED
    lasting: Outcome = ERROR
    path: str = API
    burst_length: int = 2
    env: dict[str, str] = field(default_factory=lambda: {"GENESYSCLOUD_MAX_RETRIES": "1"})
    """The environment for a lasting fault, so that hopeless retries end soon."""

    def outcome(self, *, lasts: bool) -> Outcome:
        """The required outcome."""
        return self.lasting if lasts else self.burst

    def __str__(self) -> str:
        return self.name.replace(" ", "_").replace(",", "")


def _status(status: int, **more: Any) -> Callable[[], dict[str, Any]]:
    return lambda: {"action": "status", "status": status, **more}


def _action(action: str, **more: Any) -> Callable[[], dict[str, Any]]:
    return lambda: {"action": action, **more}


NOT_THE_API = "Something between here and Genesys Cloud may have answered in its place"
NOT_REACHED = "Check that the API is reachable from here"

FAULT_CASES = (
    FaultCase(
        "429, Retry-After in seconds",
        _status(429, headers={"Retry-After": "1"}),
        "raise GENESYSCLOUD_MAX_RETRIES",
    ),
    FaultCase(
        "429, Retry-After as a date",
        lambda: {"action": "status", "status": 429, "headers": in_two_seconds()},
        "raise GENESYSCLOUD_MAX_RETRIES",
    ),
    FaultCase("429 without Retry-After", _status(429), "raise GENESYSCLOUD_MAX_RETRIES"),
    *(FaultCase(f"{status}", _status(status), "see its status page") for status in (500, 502, 503, 504)),
    FaultCase("connection reset, not acted", _action("drop_before"), NOT_REACHED),
    FaultCase("connection reset, acted", _action("drop_after"), NOT_REACHED),
    FaultCase("slow", _action("delay", seconds=0.4), "", lasting=ABSORBED),
    FaultCase("cut in the middle of a body", _action("truncate"), NOT_REACHED),
    FaultCase("not JSON", _action("malformed"), NOT_THE_API),
    FaultCase("not JSON, 200, not acted", _status(200, body="<html>log in</html>"), NOT_THE_API),
    # It is JSON, so the call itself has succeeded.
    FaultCase(
        "not the schema", _status(200, body={"surprise": True}), NOT_THE_API, burst=ERROR, burst_length=4
    ),
    FaultCase("huge", _action("huge"), NOT_THE_API),
    FaultCase("token refused", _status(401), "make a new secret", burst_length=1),
    FaultCase("scope missing", _status(403), "Give the role of the OAuth client the permission", burst=ERROR),
    FaultCase("login throttled by its 400", _status(400), "the login is throttled", path=LOGIN),
    FaultCase("login 503", _status(503), "see its status page", path=LOGIN),
    FaultCase("login not JSON", _action("malformed"), NOT_THE_API, path=LOGIN),
    FaultCase("organization 503", _status(503), "see its status page", path=ORGANIZATION),
    FaultCase("organization not JSON", _action("malformed"), NOT_THE_API, path=ORGANIZATION),
)

STORM = (
    ("POST", LOGIN, _status(400)()),
    ("POST", LOGIN, _action("drop_before")()),
    ("GET", TARGETS, _status(503)()),
    ("GET", TARGETS, _action("truncate")()),
    ("POST", TARGETS, _status(429, headers={"Retry-After": "1"})()),
    ("POST", TARGETS, _action("drop_after")()),
    ("PUT", f"{TARGETS}/*", _status(500)()),
    ("PUT", f"{TARGETS}/*", _action("malformed")()),
    ("GET", f"{TARGETS}/*/verify", _status(504)()),
    ("GET", f"{TARGETS}/*/verify", _action("huge")()),
    ("DELETE", f"{TARGETS}/*", _action("drop_after")()),
    ("DELETE", f"{TARGETS}/*", _status(429)()),
)
"""All faults together, but no more for one call than its retries absorb."""
