"""One organization for a whole session of tests, as new for each of them; and time that can be skipped."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

from genesys_provider.client.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from tests.support.cloud import Cloud

T = TypeVar("T")


def settings_of(cloud: Cloud, directory: Path, **config: object) -> Settings:
    """Settings for the organization; the audit file is the test's own."""
    return Settings.resolve({"auditLog": directory / "audit.jsonl", **config}, cloud.env)


def as_new(cloud: Cloud) -> Iterator[Cloud]:
    """The organization without anything that an earlier test left behind."""
    cloud.control("reset")
    cloud.behave_well()
    cloud._at_gateway.delete("/received").raise_for_status()
    cloud._token = None
    yield cloud
    cloud.control("faults", "DELETE")


def at_once(count: int, call: Callable[[int], T]) -> list[T]:
    """What so many threads return that call at the same moment; the first error is raised."""
    start = threading.Barrier(count)

    def run(number: int) -> T:
        start.wait()
        return call(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def outcomes_at_once(count: int, call: Callable[[int], T]) -> list[T | Exception]:
    """As `at_once`; an error is an outcome too."""

    def outcome(number: int) -> T | Exception:
        try:
            return call(number)
        except Exception as error:  # noqa: BLE001 - the test looks at it
            return error

    return at_once(count, outcome)


class SkippedWaits(threading.Event):
    """A `cancelled` whose waits take no time: they are recorded, and move the clock on."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float] = []
        self.skipped = 0.0

    def wait(self, timeout: float | None = None) -> bool:
        if self.is_set():
            return True
        assert timeout is not None
        self.waits.append(timeout)
        self.skipped += timeout
        return False

    def clock(self) -> float:
        return time.monotonic() + self.skipped


def body(cloud: Cloud, name: str = "orders", **fields: Any) -> dict[str, Any]:
    """A target that the gateway lets in."""
    return {
        "name": name,
        "endpointUrl": cloud.endpoint(name),
        "authType": "BASIC",
        "authConfig": {"username": "genesys-relay", "password": "canary-password-7c1"},
        "retryPolicy": {"maxRetries": 5, "backoffStrategy": "EXPONENTIAL", "initialDelaySeconds": 2},
        "eventTypes": ["CONVERSATION_STARTED"],
        **fields,
    }


def counted(requests: Sequence[str], prefix: str) -> int:
    return sum(request.startswith(prefix) for request in requests)
