"""Many readers share few requests, and no read is older than our own last write."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from genesys_provider.client.api import GenesysClient
from genesys_provider.client.errors import ServerError, UnexpectedAnswer
from genesys_provider.common.directory import Directory
from genesys_provider.common.writes import Writes
from genesys_provider.targets.models import Target
from genesys_provider.targets.reading import TargetReading, parsed
from tests.support.cloud import TARGETS
from tests.support.shared_cloud import at_once, body, counted, outcomes_at_once, settings_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.cloud import Cloud


@pytest.fixture
def client(cloud: Cloud, tmp_path: Path) -> Iterator[GenesysClient]:
    client = GenesysClient(settings_of(cloud, tmp_path, maxRetries=0))
    yield client
    client.close()


@pytest.fixture
def writes() -> Writes[Target]:
    return Writes(threading.Event())


@pytest.fixture
def directory(client: GenesysClient, writes: Writes[Target]) -> Directory[Target]:
    return Directory(TargetReading(client), writes, threading.Event())


def populated(cloud: Cloud, client: GenesysClient, count: int) -> list[str]:
    """Creates a number of targets, none of them verified, and returns their ids."""
    unreachable = {"endpointUrl": "https://localhost:1"}
    made = at_once(
        16,
        lambda first: [
            client.create_target(body(cloud, f"t{number}", **unreachable))["id"]
            for number in range(first, count, 16)
        ],
    )
    cloud.requests()
    return [target_id for some in made for target_id in some]


def test_500_targets_read_by_64_threads_cost_few_requests(
    cloud: Cloud, client: GenesysClient, directory: Directory[Target]
) -> None:
    ids = populated(cloud, client, 500)
    read = at_once(64, lambda first: [directory.get(ids[number]) for number in range(first, 500, 64)])
    found = {target.id for some in read for target in some if target}
    assert found == set(ids)
    requests = cloud.requests()
    assert len(requests) <= 7, requests


@pytest.mark.full_length
def test_2_targets_of_1000_do_not_read_the_list(
    cloud: Cloud, client: GenesysClient, directory: Directory[Target], writes: Writes[Target]
) -> None:
    ids = populated(cloud, client, 1000)
    read = at_once(2, lambda number: directory.get(ids[number * 999]))
    assert [target.id for target in read if target] == [ids[0], ids[999]]
    requests = cloud.requests()
    assert len(requests) <= 4, requests
    # And the list is not read again for each later reader.
    for target_id in ids[:30]:
        directory.get(target_id)
        target = directory.get(target_id)
        assert target
        writes.wrote(target)
    requests = cloud.requests()
    assert len(requests) <= 60 + 60, len(requests)


def test_one_target_takes_one_request(
    cloud: Cloud, client: GenesysClient, directory: Directory[Target]
) -> None:
    (target_id,) = populated(cloud, client, 1)
    assert directory.get(target_id)
    assert cloud.requests() == [f"GET /{target_id} 200"]


def test_a_missing_target_takes_one_request(
    cloud: Cloud, client: GenesysClient, directory: Directory[Target]
) -> None:
    client.list_targets()
    cloud.requests()
    assert directory.get("gone") is None
    assert cloud.requests() == ["GET /gone 404"]


def test_targets_missing_in_the_list_are_read_singly(
    cloud: Cloud, client: GenesysClient, directory: Directory[Target]
) -> None:
    ids = populated(cloud, client, 3)
    at_once(3, lambda number: directory.get(ids[number]))
    later = client.create_target(body(cloud, "later"))["id"]
    assert directory.get(later)
    assert directory.get("gone") is None


@pytest.mark.parametrize("write", ["put", "delete"])
def test_a_write_makes_a_reading_stale(
    cloud: Cloud, client: GenesysClient, directory: Directory[Target], writes: Writes[Target], write: str
) -> None:
    ids = populated(cloud, client, 10)
    at_once(10, lambda number: directory.get(ids[number]))
    if write == "put":
        answer = client.update_target(ids[0], body(cloud, "renamed"))
        writes.wrote(parsed(answer, "it"))
        target = directory.get(ids[0])
        assert target
        assert target.name == "renamed"
    else:
        client.delete_target(ids[0])
        writes.deleted(ids[0])
        assert directory.get(ids[0]) is None


def test_a_write_of_ours_during_a_reading_is_not_overwritten(
    cloud: Cloud, client: GenesysClient, directory: Directory[Target], writes: Writes[Target]
) -> None:
    ids = populated(cloud, client, 5)
    list_of_targets = {"method": "GET", "path": TARGETS}
    cloud.control("faults", match=list_of_targets, action="delay", seconds=0.3, times=1)

    def act(number: int) -> None:
        if number:
            directory.get(ids[number])
        else:
            writes.wrote(parsed(client.update_target(ids[0], body(cloud, "renamed")), "it"))

    at_once(5, act)
    target = directory.get(ids[0])
    assert target
    assert target.name == "renamed"


def test_a_reading_expires(cloud: Cloud, client: GenesysClient) -> None:
    now = 0.0
    writes = Writes[Target](threading.Event(), lambda: now)
    directory = Directory(TargetReading(client), writes, threading.Event(), lambda: now)
    ids = populated(cloud, client, 5)
    at_once(5, lambda number: directory.get(ids[number]))
    cloud.requests()
    directory.get(ids[0])
    assert cloud.requests() == []
    now = 31.0
    directory.get(ids[0])
    assert len(cloud.requests()) == 1


def test_100_look_ups_by_name_take_one_reading(
    cloud: Cloud, client: GenesysClient, directory: Directory[Target]
) -> None:
    populated(cloud, client, 150)
    found = at_once(100, lambda number: directory.find(f"t{number + 100}"))
    assert sum(target is not None for target in found) == 50
    requests = cloud.requests()
    # The list has two pages; the first readers may have read singly, before it was known that many would come.
    assert len(requests) <= 4, requests


def test_targets_written_since_the_reading_are_found_by_name(
    cloud: Cloud, client: GenesysClient, directory: Directory[Target], writes: Writes[Target]
) -> None:
    at_once(5, lambda number: directory.find(f"t{number}"))
    writes.wrote(parsed(client.create_target(body(cloud, "t1")), "it"))
    cloud.requests()
    assert directory.find("t1")
    assert directory.find("t2") is None
    assert cloud.requests() == []


def test_many_share_a_failed_reading(cloud: Cloud, directory: Directory[Target]) -> None:
    cloud.control("faults", match={"path": TARGETS}, action="status", status=503)
    outcomes = outcomes_at_once(30, lambda number: directory.find(f"t{number}"))
    assert all(isinstance(outcome, ServerError) for outcome in outcomes)
    assert counted(cloud.requests(), "GET / 503") <= 5


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"entities": 5, "pageCount": 1},
        {"message": "welcome"},
        {"targets": [{"id": "a"}], "pageSize": 100, "pageNumber": 1, "pageCount": 1},
        {"pageSize": 100, "pageNumber": 1, "pageCount": 1, "total": 3},
        {"entities": None, "total": 3},
    ],
)
def test_an_invalid_list_is_a_typed_error(cloud: Cloud, directory: Directory[Target], answer: object) -> None:
    cloud.control("faults", match={"path": TARGETS}, action="status", status=200, body=answer)
    with pytest.raises(UnexpectedAnswer, match="list of targets"):
        directory.find_now("orders")


def test_an_endless_list_is_abandoned(cloud: Cloud, directory: Directory[Target]) -> None:
    answer = {"entities": [], "pageCount": 10**9}
    cloud.control("faults", match={"path": TARGETS}, action="status", status=200, body=answer)
    assert directory.find_now("orders") is None
