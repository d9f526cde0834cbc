"""One organization for a session of tests, which is reset for each of them; and waits that take no time."""

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
    """Settings for the organization, with an audit file in this directory."""
    return Settings.resolve({"auditLog": directory / "audit.jsonl", **config}, cloud.env)


def reset_cloud(cloud: Cloud) -> Iterator[Cloud]:
    """Resets the organization, so that nothing of an earlier test remains."""
    cloud.control("reset")
    cloud.behave_as_usual()
    cloud._at_gateway.delete("/received").raise_for_status()
    cloud._token = None
    yield cloud
    cloud.control("faults", "DELETE")


def at_once(count: int, call: Callable[[int], T]) -> list[T]:
    """Calls this from `count` threads at the same moment; returns the results, or raises the first error."""
    start = threading.Barrier(count)

    def run(number: int) -> T:
        start.wait()
        return call(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def outcomes_at_once(count: int, call: Callable[[int], T]) -> list[T | Exception]:
    """Like `at_once`, but an error is an outcome too."""

    def outcome(number: int) -> T | Exception:
        try:
            return call(number)
        except Exception as error:  # noqa: BLE001 - the test checks it
            return error

    return at_once(count, outcome)


class SkippedWaits(threading.Event):
    """A `cancelled` event whose waits take no time: they are recorded, and advance the clock."""

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
    """The body of a target whose endpoint the gateway accepts."""
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
