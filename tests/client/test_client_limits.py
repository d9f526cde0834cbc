"""The rate limit is respected without provoking a 429: bursts, windows, other clients, priorities."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

import pytest

from genesys_provider.client.api import GenesysClient
from genesys_provider.client.errors import Cancelled
from genesys_provider.client.limits import MAX_CONNECTIONS, Allowance, Priority
from genesys_provider.client.progress import reporting_to
from tests.support.cloud import Cloud
from tests.support.shared_cloud import SkippedWaits, counted, settings_of
from tests.support.waiting import LIMIT, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def cancelled() -> Iterator[threading.Event]:
    """Ends all waits at the end of a test."""
    cancelled = threading.Event()
    yield cancelled
    cancelled.set()


def headers(count: int | str, allowed: int | str = 20, reset: int | str = 60) -> dict[str, str]:
    return {
        "inin-ratelimit-count": str(count),
        "inin-ratelimit-allowed": str(allowed),
        "inin-ratelimit-reset": str(reset),
    }


def request(allowance: Allowance, counts: int | None, priority: Priority = Priority.BULK) -> None:
    with allowance.place(priority):
        if counts is not None:
            allowance.learn(headers(counts))


def waits(allowance: Allowance) -> bool:
    """Whether a request would have to wait now."""
    with allowance._lock:
        return not allowance._has_room()


def test_a_burst_is_sent_immediately_and_the_rest_waits_for_the_window(
    clock: Clock, cancelled: threading.Event
) -> None:
    allowance = Allowance(cancelled, clock)
    for count in range(1, 21):
        request(allowance, count)
    done = threading.Event()

    def late() -> None:
        request(allowance, 1)
        done.set()

    thread = threading.Thread(target=late)
    thread.start()
    clock.now += 60
    assert not done.wait(0.3)
    clock.now += 1
    assert done.wait(LIMIT)
    thread.join()


def test_requests_of_other_clients_count(clock: Clock, cancelled: threading.Event) -> None:
    allowance = Allowance(cancelled, clock)
    request(allowance, 1)
    assert not waits(allowance)
    request(allowance, 20)
    assert waits(allowance)
    clock.now += 61
    assert not waits(allowance)


def test_requests_in_flight_count(clock: Clock, cancelled: threading.Event) -> None:
    allowance = Allowance(cancelled, clock)
    request(allowance, 18)
    with allowance.place(), allowance.place():
        assert waits(allowance)
    assert not waits(allowance)


def test_a_late_answer_of_an_earlier_window_changes_nothing(clock: Clock, cancelled: threading.Event) -> None:
    allowance = Allowance(cancelled, clock)
    request(allowance, 1)
    allowance.learn(headers(20, reset=10))
    assert not waits(allowance)


def test_a_new_window_resets_the_count(clock: Clock, cancelled: threading.Event) -> None:
    allowance = Allowance(cancelled, clock)
    with allowance.place():
        allowance.learn(headers(20, reset=10))
    assert waits(allowance)
    allowance.learn(headers(1, reset=60))
    assert not waits(allowance)


@pytest.mark.parametrize(
    "odd", [{}, headers("many"), headers(1, "x"), headers(500, 20, "nan"), headers(500, 20, "inf")]
)
def test_headers_without_figures_delay_nothing(
    clock: Clock, cancelled: threading.Event, odd: dict[str, str]
) -> None:
    allowance = Allowance(cancelled, clock)
    with allowance.place():
        allowance.learn(odd)
    assert not waits(allowance)


def test_without_a_limit_nothing_waits(clock: Clock, cancelled: threading.Event) -> None:
    allowance = Allowance(cancelled, clock)
    with allowance.place():
        allowance.learn(headers(1_000_000, 0))
    assert not waits(allowance)


def test_after_a_429_all_requests_wait_for_its_retry_after(clock: Clock, cancelled: threading.Event) -> None:
    allowance = Allowance(cancelled, clock)
    request(allowance, 1)
    allowance.exhausted(5)
    assert waits(allowance)
    clock.now += 4.9
    assert waits(allowance)
    clock.now += 0.2
    assert not waits(allowance)


def test_polls_for_verdicts_go_before_bulk_requests(clock: Clock, cancelled: threading.Event) -> None:
    allowance = Allowance(cancelled, clock)
    with allowance.place():
        # One at a time, so that the order is visible.
        allowance.learn(headers(1, allowed=1))
    order: list[str] = []

    def queue(name: str, priority: Priority) -> None:
        with allowance.place(priority):
            order.append(name)

    def queued(count: int) -> bool:
        return len(allowance._queue) == count

    names = [("bulk", Priority.BULK), ("bulk", Priority.BULK), ("watcher", Priority.INTERACTIVE)]
    with ThreadPoolExecutor(3) as pool:
        for number, (name, priority) in enumerate(names, start=1):
            pool.submit(queue, name, priority)
            eventually(partial(queued, number))
        clock.now += 61
    assert order == ["watcher", "bulk", "bulk"]


def test_cancel_wakes_queued_requests(clock: Clock, cancelled: threading.Event) -> None:
    allowance = Allowance(cancelled, clock)
    request(allowance, 20)
    said: list[str] = []

    def cancel(message: str) -> None:
        said.append(message)
        cancelled.set()

    # Nothing else wakes it, since the time of the clock does not pass.
    with reporting_to(cancel), pytest.raises(Cancelled):
        request(allowance, 20)
    assert said == ["rate limit, 61 s (20 requests a minute)"]
    assert allowance._queue == []


def test_an_error_frees_the_slot(clock: Clock, cancelled: threading.Event) -> None:
    allowance = Allowance(cancelled, clock)
    request(allowance, 19)
    with pytest.raises(ValueError), allowance.place():
        raise ValueError
    assert not waits(allowance)


def test_sixty_threads_never_provoke_a_429(tmp_path: Path) -> None:
    time_ = SkippedWaits()
    with Cloud(tmp_path, rate_limit=20) as cloud, ThreadPoolExecutor(60) as pool:
        client = GenesysClient(settings_of(cloud, tmp_path), cancelled=time_, clock=time_.clock)
        calls = [pool.submit(client.list_targets) for _ in range(60)]

        def done(count: int) -> bool:
            return sum(call.done() for call in calls) >= count

        seen: list[str] = []
        for window in (1, 2, 3):
            eventually(partial(done, 20 * window))
            # No request exceeds the limit, although forty wait.
            time.sleep(0.25)
            seen += [each for each in cloud.requests() if each.startswith("GET")]
            assert len(seen) == 20 * window
            cloud.control("reset")
            time_.skipped += 62
        client.close()
    assert seen == ["GET / 200"] * 60


def test_the_first_answer_shows_the_requests_of_other_clients(tmp_path: Path) -> None:
    time_ = SkippedWaits()
    with Cloud(tmp_path, rate_limit=20) as cloud, ThreadPoolExecutor(10) as pool:
        mine = GenesysClient(settings_of(cloud, tmp_path), cancelled=time_, clock=time_.clock)
        mine.list_targets()
        token = mine._login.token()
        for _ in range(15):
            cloud._at_emulator.get(
                "/api/v2/integrations/eventbridge/targets", headers={"Authorization": f"Bearer {token}"}
            ).raise_for_status()
        mine.list_targets()
        calls = [pool.submit(mine.list_targets) for _ in range(10)]
        eventually(lambda: sum(call.done() for call in calls) == 3)
        time.sleep(0.25)
        assert counted(cloud.requests(), "GET / 200") == 20
        cloud.control("reset")
        time_.skipped += 62
        for call in calls:
            call.result()
        assert counted(cloud.requests(), "GET / 429") == 0
        mine.close()


def test_queued_requests_are_not_sent_after_a_cancel(cancelled: threading.Event) -> None:
    allowance = Allowance(cancelled)
    with allowance.place():
        allowance.learn(headers(1, allowed=0))
    sent: list[int] = []
    hold, on_their_way = threading.Event(), threading.Barrier(MAX_CONNECTIONS + 1)

    def send(number: int) -> None:
        with allowance.place():
            sent.append(number)
            on_their_way.wait()
            hold.wait()

    with ThreadPoolExecutor(160) as pool:
        calls = [pool.submit(send, number) for number in range(160)]
        on_their_way.wait()
        eventually(lambda: len(allowance._queue) == 160 - MAX_CONNECTIONS)
        cancelled.set()
        queued = [call for number, call in enumerate(calls) if number not in sent]
        assert all(isinstance(call.exception(), Cancelled) for call in queued)
        hold.set()
    assert len(sent) == MAX_CONNECTIONS


def test_nothing_is_sent_after_a_cancel(cancelled: threading.Event) -> None:
    allowance = Allowance(cancelled)
    cancelled.set()
    with pytest.raises(Cancelled), allowance.place():
        pytest.fail("was let through")
    assert allowance._under_way == 0
