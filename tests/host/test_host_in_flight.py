"""Any number of concurrent operations: none is refused, and `Cancel` does not wait for them."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.host.direct import DirectHost
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

MANY = 2_000
"""Twice as many as gRPC queues before it refuses more."""
LIMIT = 60
"""The time limit of an answer, in seconds."""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "calls.jsonl"


@pytest.fixture
def host(tmp_path: Path, installed: dict[str, str], log: Path) -> Iterator[DirectHost]:
    with DirectHost(tmp_path, {**installed, "HOUSE_LOG": str(log)}) as host:
        yield host


def started(log: Path) -> int:
    return log.read_bytes().count(b'"create starts"') if log.exists() else 0


def test_cancel_is_answered_before_the_operations_that_it_wakes(
    host: DirectHost, log: Path, record_property: Callable[[str, object], None]
) -> None:
    answered: list[str] = []
    creates = [host.create(f"t{number}", seconds=600) for number in range(MANY)]
    for create in creates:
        create.add_done_callback(lambda _: answered.append("create"))
    eventually(lambda: started(log) == MANY)
    pressed = time.monotonic()
    cancel = host.cancel()
    cancel.add_done_callback(lambda _: answered.append("cancel"))
    cancel.result(timeout=LIMIT)
    record_property("seconds until Cancel was answered", time.monotonic() - pressed)
    assert {create.exception(timeout=LIMIT).details() for create in creates} == {"interrupted while waiting"}
    assert answered == ["cancel"] + ["create"] * MANY


def test_cancel_works_when_no_thread_can_be_started(host: DirectHost, log: Path) -> None:
    def waiting(name: str, **props: Any) -> Any:
        return host.create(name, seconds=600, **props)

    creates = [waiting("a"), waiting("b")]
    eventually(lambda: started(log) == 2)
    creates.append(waiting("c", last_thread=True))
    eventually(lambda: started(log) == 3)
    creates += [waiting("d"), waiting("e")]
    host.cancel().result(timeout=LIMIT)
    # Operations that had to wait for a thread run too, and all of them are answered.
    assert {create.exception(timeout=LIMIT).details() for create in creates} == {"interrupted while waiting"}
    assert started(log) == 5


def test_a_sigterm_after_a_sigint_ends_unresponsive_operations(host: DirectHost, log: Path) -> None:
    waiting, deaf = host.create("a", seconds=600), host.create("b", stubborn=600)
    eventually(lambda: started(log) == 2)
    host.process.send_signal(signal.SIGINT)
    # The host has received it.
    assert waiting.exception(timeout=LIMIT).details() == "interrupted while waiting"
    assert host.process.poll() is None
    host.process.send_signal(signal.SIGTERM)
    assert host.process.wait(timeout=LIMIT) == 0
    assert deaf.exception(timeout=LIMIT) is not None
