"""Waits for verdicts share their polls, end promptly, and never hang."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import pytest

from genesys_provider.client.api import GenesysClient
from genesys_provider.client.errors import Cancelled, Forbidden, NotFound
from genesys_provider.client.progress import reporting_to
from genesys_provider.common.directory import Directory
from genesys_provider.common.reader import Look
from genesys_provider.common.waiting import NoVerdict
from genesys_provider.common.writes import Writes
from genesys_provider.common.writing import Written
from genesys_provider.targets.models import Target
from genesys_provider.targets.reading import TargetReading
from genesys_provider.targets.verification import Verifications
from tests.support.cloud import TARGETS, Cloud
from tests.support.shared_cloud import SkippedWaits, at_once, body, outcomes_at_once, settings_of
from tests.support.waiting import LIMIT, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def slow_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """An organization whose verifications last until a test forces a verdict."""
    with Cloud(tmp_path_factory.mktemp("slow"), verification_seconds=600) as cloud:
        yield cloud


@pytest.fixture
def slow(slow_cloud: Cloud) -> Cloud:
    slow_cloud.control("reset")
    return slow_cloud


class Waiting:
    """Waits in an organization, with their own `cancelled`."""

    def __init__(self, cloud: Cloud, directory: Path) -> None:
        self.cloud = cloud
        self.cancelled = threading.Event()
        skipped = SkippedWaits()
        self.client = GenesysClient(settings_of(cloud, directory), cancelled=skipped, clock=skipped.clock)
        reader, writes = TargetReading(self.client), Writes[Target](self.cancelled)
        self.directory = Directory(reader, writes, self.cancelled)
        self.verifications = Verifications(reader, self.directory, writes, self.cancelled)

    def targets(self, count: int, prefix: str = "t") -> list[str]:
        made = at_once(
            min(count, 16),
            lambda first: [
                self.client.create_target(body(self.cloud, f"{prefix}{number}"))["id"]
                for number in range(first, count, min(count, 16))
            ],
        )
        return [target_id for some in made for target_id in some]

    def wait(self, target_id: str, timeout: float = 10, ago: float = 0) -> Look[Target]:
        """Waits for a target that was written so many seconds ago."""
        return self.verifications.wait(
            Written(Target(id=target_id, name="t", endpoint_url="https://a.example"), time.monotonic() - ago),
            timeout,
        )

    def force(self, target_id: str, status: str, message: str | None = None) -> None:
        self.cloud.control(f"targets/{target_id}/status", status=status, message=message)


@pytest.fixture
def waiting(slow: Cloud, tmp_path: Path) -> Iterator[Waiting]:
    waiting = Waiting(slow, tmp_path)
    yield waiting
    waiting.cancelled.set()
    eventually(lambda: not pollers())
    waiting.client.close()


def pollers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "looks"]


def test_a_hundred_waits_share_their_polls(cloud: Cloud, tmp_path: Path) -> None:
    waiting = Waiting(cloud, tmp_path)
    ids = waiting.targets(100)
    cloud.requests()
    verdicts = at_once(100, lambda number: waiting.wait(ids[number]))
    assert {verdict.status for verdict in verdicts} == {"VERIFIED"}
    requests = cloud.requests()
    assert len(requests) <= 5, requests
    eventually(lambda: not pollers())
    waiting.client.close()


@pytest.mark.parametrize(
    ("order", "in_turn"),
    [
        # In the order of creation the new ones are on the last page; otherwise the list tells where they are.
        pytest.param("created", [3], marks=pytest.mark.full_length),
        ("name", [3, 1]),
    ],
)
def test_polls_only_read_the_pages_that_show_those_who_wait(
    waiting: Waiting, order: str, in_turn: list[int]
) -> None:
    waiting.cloud.set_behaviour(listOrder=order)
    waiting.targets(250)
    # Like the look-ups before creates, which read the list.
    at_once(10, lambda number: waiting.directory.find(f"new-{number}"))
    ids = waiting.targets(40, prefix="a")
    waiting.cloud.requests()
    with ThreadPoolExecutor(len(ids)) as pool:
        verdicts = pool.map(waiting.wait, ids)
        eventually(lambda: pages_read(waiting.cloud).count(in_turn[-1]) > 3)
        for target_id in ids:
            waiting.force(target_id, "VERIFIED")
        assert {verdict.status for verdict in verdicts} == {"VERIFIED"}
    assert [page for page, _ in groupby(pages_read(waiting.cloud))] == in_turn


@pytest.mark.parametrize(
    "why", ["the others are deleted", pytest.param("another order", marks=pytest.mark.full_length)]
)
def test_polls_find_those_who_wait_on_another_page(waiting: Waiting, why: str) -> None:
    others = waiting.targets(250)
    at_once(10, lambda number: waiting.directory.find(f"new-{number}"))
    ids = waiting.targets(40, prefix="a")

    def look_at_all() -> None:
        at_once(len(ids), lambda number: waiting.directory.look(ids[number]))

    look_at_all()
    if why == "another order":
        waiting.cloud.set_behaviour(listOrder="name")
    else:
        at_once(16, lambda first: [waiting.client.delete_target(each) for each in others[first::16]])
    waiting.cloud.requests()
    look_at_all()
    look_at_all()
    assert [page for page, _ in groupby(pages_read(waiting.cloud))] == [3, 1]


def pages_read(cloud: Cloud) -> list[int]:
    """The pages of the list that were requested, in order."""
    queries = (
        parse_qs(each["query"]) for each in cloud.control("requests", "GET") if each["path"] == TARGETS
    )
    return [int(query["pageNumber"][0]) for query in queries]


def test_a_failure_among_many_has_its_message(waiting: Waiting) -> None:
    ids = waiting.targets(30)
    for number, target_id in enumerate(ids):
        status = "FAILED" if number == 7 else "TIMEOUT" if number == 8 else "VERIFIED"
        waiting.force(target_id, status, f"because of {number}")
    verdicts = at_once(30, lambda number: waiting.wait(ids[number]))
    assert (verdicts[7].status, verdicts[7].message) == ("FAILED", "because of 7")
    assert (verdicts[8].status, verdicts[8].message) == ("TIMEOUT", "because of 8")
    assert {verdict.status for verdict in verdicts[9:]} == {"VERIFIED"}


def test_a_verdict_reaches_its_waiter_promptly(waiting: Waiting) -> None:
    early, late = waiting.targets(2)
    seen: dict[str, float] = {}

    def wait(target_id: str) -> None:
        waiting.wait(target_id, timeout=LIMIT)
        seen[target_id] = time.monotonic()

    threads = [threading.Thread(target=wait, args=(target_id,)) for target_id in (early, late)]
    for thread in threads:
        thread.start()
    waiting.force(early, "VERIFIED")
    at = time.monotonic()
    threads[0].join(LIMIT)
    assert seen[early] - at < LIMIT / 10, "the time limit of the wait is no part of it"
    assert late not in seen
    waiting.force(late, "FAILED")
    threads[1].join(LIMIT)
    assert late in seen


def test_a_verdict_just_before_the_time_limit_is_seen(waiting: Waiting) -> None:
    (target_id,) = waiting.targets(1)
    timer = threading.Timer(1.0, waiting.force, (target_id, "VERIFIED"))
    timer.start()
    # By then the polls are 5 s apart.
    assert waiting.wait(target_id, ago=60, timeout=64).status == "VERIFIED"
    timer.join()


def test_the_error_of_a_time_limit_has_the_last_status(waiting: Waiting) -> None:
    (target_id,) = waiting.targets(1)
    at = time.monotonic()
    with pytest.raises(NoVerdict, match="no verdict within 1 s, the status is PENDING_VERIFICATION"):
        waiting.wait(target_id, timeout=0.6)
    assert time.monotonic() - at >= 0.6
    eventually(lambda: not pollers())


def test_a_timed_out_wait_does_not_affect_others(waiting: Waiting) -> None:
    ids = waiting.targets(2)
    timer = threading.Timer(0.8, waiting.force, (ids[1], "VERIFIED"))
    timer.start()
    outcomes = outcomes_at_once(2, lambda number: waiting.wait(ids[number], timeout=(0.4, LIMIT)[number]))
    timer.join()
    assert isinstance(outcomes[0], NoVerdict)
    assert isinstance(outcomes[1], Look)


def test_a_cancel_ends_all_waits_immediately(waiting: Waiting) -> None:
    ids = waiting.targets(20)
    threading.Timer(0.3, waiting.cancelled.set).start()
    outcomes = outcomes_at_once(20, lambda number: waiting.wait(ids[number], timeout=600))
    assert all(isinstance(outcome, Cancelled) for outcome in outcomes)
    eventually(lambda: not pollers())


@pytest.mark.parametrize("count", [1, 3])
def test_a_deleted_target_only_ends_its_own_wait(waiting: Waiting, count: int) -> None:
    ids = waiting.targets(count)
    threading.Timer(0.3, waiting.client.delete_target, (ids[0],)).start()
    outcomes = outcomes_at_once(
        count, lambda number: waiting.wait(ids[number], timeout=2 if number else LIMIT)
    )
    assert isinstance(outcomes[0], NotFound)
    assert all(isinstance(outcome, NoVerdict) for outcome in outcomes[1:])


@pytest.mark.parametrize("count", [1, 5])
def test_revoked_scopes_end_the_waits(waiting: Waiting, count: int) -> None:
    ids = waiting.targets(count)
    waiting.cloud.control("scopes", scopes=["integration:write"])
    waiting.cloud.control("tokens/revoke")
    outcomes = outcomes_at_once(count, lambda number: waiting.wait(ids[number]))
    assert all(isinstance(outcome, Forbidden) for outcome in outcomes)


@pytest.mark.parametrize("count", [1, 5])
def test_temporary_server_errors_are_absorbed(waiting: Waiting, count: int) -> None:
    ids = waiting.targets(count)
    for target_id in ids:
        waiting.force(target_id, "VERIFIED")
    for action in ({"action": "status", "status": 503}, {"action": "drop_before"}, {"action": "malformed"}):
        waiting.cloud.control("faults", match={"method": "GET"}, times=1, **action)
    verdicts = at_once(count, lambda number: waiting.wait(ids[number], timeout=LIMIT))
    assert {verdict.status for verdict in verdicts} == {"VERIFIED"}


def test_the_error_of_a_time_limit_names_a_lasting_fault(slow: Cloud, tmp_path: Path) -> None:
    waiting = Waiting(slow, tmp_path)
    waiting.client._settings = settings_of(slow, tmp_path, maxRetries=0)
    (target_id,) = waiting.targets(1)
    slow.control("faults", match={"path": TARGETS + "/*"}, action="status", status=503)
    with pytest.raises(NoVerdict, match=r"the last poll failed: .*Service Unavailable"):
        waiting.wait(target_id, timeout=1)
    slow.control("faults", "DELETE")
    waiting.client.close()


UNREADABLE: list[dict[str, Any]] = [
    {"status": 200, "body": {}},
    {"status": 200, "body": {"status": None}},
    {"status": 200, "body": {"status": 5}},
    {"status": 204},
    {"status": 405},
    {"status": 503},
]


@pytest.mark.parametrize("answer", UNREADABLE, ids=str)
def test_the_target_itself_tells_a_verdict_that_verify_does_not(
    waiting: Waiting, answer: dict[str, Any]
) -> None:
    verified, deleted = waiting.targets(2)
    waiting.cloud.control("faults", match={"path": "*/verify"}, action="status", **answer)
    waiting.force(verified, "VERIFIED")
    waiting.client.delete_target(deleted)
    assert waiting.wait(verified).status == "VERIFIED"
    with pytest.raises(NotFound):
        waiting.wait(deleted)
    waiting.cloud.control("faults", "DELETE")


def test_what_verify_lacks_is_named_if_the_target_does_not_tell_it_either(waiting: Waiting) -> None:
    (target_id,) = waiting.targets(1)
    waiting.cloud.set_behaviour(omit=["status"])
    waiting.cloud.control("faults", match={"path": "*/verify"}, action="status", status=200, body={})
    with pytest.raises(NoVerdict, match="the answer to verify has no status"):
        waiting.wait(target_id, timeout=0.8)
    waiting.cloud.control("faults", "DELETE")


def test_no_wait_hangs_when_the_poller_crashes(waiting: Waiting) -> None:
    ids = waiting.targets(5)
    # No answer can cause this: the connections are closed while the poller uses them.
    waiting.client.close()
    outcomes = outcomes_at_once(5, lambda number: waiting.wait(ids[number], timeout=LIMIT))
    assert all(isinstance(outcome, RuntimeError) for outcome in outcomes)
    eventually(lambda: not pollers())


def test_a_wait_reports_its_progress(waiting: Waiting) -> None:
    (target_id,) = waiting.targets(1)
    waiting.force(target_id, "VERIFIED")
    said: list[str] = []
    with reporting_to(said.append):
        waiting.wait(target_id)
    assert said[0] == "verifying 0/10 s"


def test_the_poller_restarts_for_later_waits(waiting: Waiting) -> None:
    for target_id in waiting.targets(2):
        waiting.force(target_id, "VERIFIED")
        assert waiting.wait(target_id).status == "VERIFIED"
        eventually(lambda: not pollers())
