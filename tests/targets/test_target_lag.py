"""A service that shows writes with a delay, or answers them differently than the contract says."""

from __future__ import annotations

import re
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest

from genesys_provider import TargetConfig, TargetManager
from genesys_provider.client.errors import NotFound
from genesys_provider.client.progress import reporting_to
from genesys_provider.common.errors import NameTaken, StillThere
from genesys_provider.common.times import utc_now
from genesys_provider.common.writes import LastWrite
from genesys_provider.targets.errors import VerificationFailed
from genesys_provider.targets.models import Target
from tests.support.cloud import TARGETS
from tests.support.shared_cloud import SkippedWaits, at_once, body, counted, settings_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.cloud import Cloud

POST = {"method": "POST", "path": TARGETS}
LAG = 1.2


@pytest.fixture
def manager(cloud: Cloud, tmp_path: Path) -> Iterator[TargetManager]:
    settings = settings_of(cloud, tmp_path, maxRetries=1, verificationTimeout=20)
    with TargetManager(settings) as manager:
        yield manager


def config(cloud: Cloud, name: str = "orders", **fields: Any) -> TargetConfig:
    return TargetConfig.model_validate({**body(cloud, name), "owner": f"mark of {name}", **fields})


def test_a_new_target_that_reads_do_not_show_yet_is_kept(cloud: Cloud, manager: TargetManager) -> None:
    cloud.set_behaviour(readLagSeconds=LAG)
    target = manager.register(config(cloud)).target
    assert target.verified
    assert manager.get(target.id) is not None


def test_an_absence_right_after_a_write_means_not_yet(cloud: Cloud, manager: TargetManager) -> None:
    """An earlier process wrote it, and its `up` was interrupted."""
    cloud.set_behaviour(readLagSeconds=LAG)
    target_id = cloud.api("POST", json=config(cloud).payload()).json()["id"]
    said: list[str] = []
    with reporting_to(said.append):
        found = manager.get(target_id, shared=True, last_write=LastWrite(utc_now(), seen=False))
    assert found is not None
    assert [each for each in said if re.fullmatch(r"rereading \d/30 s: not found", each)]


def test_an_absence_long_after_a_write_is_final(cloud: Cloud, manager: TargetManager) -> None:
    assert manager.get("gone", shared=True, last_write=LastWrite("2026-01-31T12:00:00Z", seen=True)) is None
    assert cloud.requests()[-1] == "GET /gone 404"


def test_reads_wait_for_the_last_write(cloud: Cloud, manager: TargetManager) -> None:
    target = manager.register(config(cloud)).target
    cloud.set_behaviour(readLagSeconds=LAG)
    cloud.api("PUT", f"/{target.id}", json=config(cloud, eventTypes=["NEW"]).payload())

    def new(target: Target) -> bool:
        return target.event_types == ["NEW"]

    read = manager.get(target.id, shared=True, last_write=LastWrite(utc_now(), seen=False), expected=new)
    assert read is not None
    assert read.event_types == ["NEW"]


def test_an_old_verdict_is_not_mistaken_for_a_new_one(cloud: Cloud, manager: TargetManager) -> None:
    cloud.set_behaviour(readLagSeconds=LAG)
    target = manager.register(config(cloud)).target
    cloud.behave("/v1/genesys/events/other", status=500)
    other = config(cloud, endpointUrl=cloud.endpoint("other"))
    with pytest.raises(VerificationFailed, match="500"):
        manager.update(target.id, other)
    # And vice versa: it failed before, and passes now.
    cloud.behave_as_usual()
    assert manager.update(target.id, config(cloud)).target.verified


def test_after_a_lost_answer_the_list_is_polled_while_it_may_lag(
    cloud: Cloud, manager: TargetManager
) -> None:
    cloud.set_behaviour(readLagSeconds=LAG)
    cloud.control("faults", match=POST, action="drop_after", times=1)
    outcome = manager.register(config(cloud))
    assert outcome.target.verified
    assert counted(cloud.requests(), "POST / ") == 1
    assert len(cloud.targets()) == 1


def test_a_leftover_of_an_earlier_run_is_found_by_the_name_conflict(
    cloud: Cloud, manager: TargetManager
) -> None:
    cloud.set_behaviour(readLagSeconds=LAG)
    left = cloud.api("POST", json=config(cloud).payload()).json()
    outcome = manager.register(config(cloud))
    assert outcome.adopted
    assert outcome.target.id == left["id"]


@pytest.mark.parametrize("answer", [200, 202])
@pytest.mark.parametrize("lag", [0, LAG])
def test_a_deletion_counts_once_a_read_confirms_it(
    cloud: Cloud, manager: TargetManager, answer: int, lag: float
) -> None:
    cloud.set_behaviour(deleteAnswer=answer, readLagSeconds=lag)
    target = manager.register(config(cloud)).target
    manager.delete(target.id)
    cloud.requests()
    assert cloud.targets() == {}


def test_confirmations_of_deletions_share_reads(cloud: Cloud, manager: TargetManager) -> None:
    ids = [outcome.target.id for outcome in at_once(60, lambda n: manager.register(config(cloud, f"t{n}")))]
    cloud.set_behaviour(deleteAnswer=200)
    cloud.requests()
    at_once(60, lambda number: manager.delete(ids[number]))
    requests = cloud.requests()
    assert cloud.targets() == {}
    assert counted(requests, "DELETE") == 60
    # Targets that the list no longer has are read singly.
    assert counted(requests, "GET") <= 60 + 5


def test_a_deletion_that_never_happens_is_an_error(cloud: Cloud, tmp_path: Path) -> None:
    skipped = SkippedWaits()
    settings = settings_of(cloud, tmp_path, maxRetries=0, verificationTimeout=86_000)
    with TargetManager(settings, cancelled=skipped, clock=skipped.clock) as manager:
        target = manager.register(config(cloud)).target
        cloud.control(
            "faults", match={"method": "DELETE"}, action="status", status=200, body={"id": target.id}
        )
        with pytest.raises(StillThere, match=target.id):
            manager.delete(target.id)
    assert set(cloud.targets()) == {"orders"}


@pytest.mark.parametrize("answer", [201, 200, 202])
@pytest.mark.parametrize("put", ["object", "part", "none"])
def test_any_success_status_of_a_write_is_accepted(
    cloud: Cloud, manager: TargetManager, answer: int, put: str
) -> None:
    cloud.set_behaviour(createAnswer=answer, putAnswer=put)
    target = manager.register(config(cloud)).target
    assert target.verified
    changed = manager.update(target.id, config(cloud, eventTypes=["NEW"])).target
    assert changed.verified
    assert cloud.targets()["orders"]["eventTypes"] == ["NEW"]
    assert manager.update(target.id, config(cloud, endpointUrl=cloud.endpoint("other"))).target.verified


def test_a_post_whose_answer_has_no_id_is_looked_up(cloud: Cloud, manager: TargetManager) -> None:
    cloud.set_behaviour(omit=["id"])
    outcome = manager.register(config(cloud))
    assert outcome.target.verified
    cloud.requests()
    assert outcome.target.id == cloud.targets()["orders"]["id"]


@pytest.mark.parametrize("style", ["number", "opaque"])
def test_any_id_is_accepted(cloud: Cloud, manager: TargetManager, style: str) -> None:
    cloud.set_behaviour(idStyle=style, statusCase="lower")
    made = at_once(3, lambda number: manager.register(config(cloud, f"t{number}")))
    for number, outcome in enumerate(made):
        assert outcome.target.status == "VERIFIED"
        assert manager.update(
            outcome.target.id, config(cloud, f"t{number}", eventTypes=["NEW"])
        ).target.verified
        assert manager.check_health(outcome.target.id) == "HEALTHY"
        manager.delete(outcome.target.id)
    assert cloud.targets() == {}


def test_unknown_fields_are_preserved(cloud: Cloud, manager: TargetManager) -> None:
    cloud.set_behaviour(extraFields=True)
    target = manager.register(config(cloud)).target
    cloud.requests()
    before = cloud.api("GET", f"/{target.id}").json()
    read = manager.get(target.id)
    assert read is not None
    assert read.unknown
    assert manager.update(target.id, config(cloud, eventTypes=["NEW"])).target.verified
    cloud.requests()
    after = cloud.api("GET", f"/{target.id}").json()
    assert after == {**before, "eventTypes": ["NEW"]}


def test_unreadable_targets_of_others_do_not_interfere(
    cloud: Cloud, manager: TargetManager, caplog: pytest.LogCaptureFixture
) -> None:
    cloud.set_behaviour(oddEntries=12)
    made = at_once(5, lambda number: manager.register(config(cloud, f"t{number}")))
    assert all(outcome.target.verified for outcome in made)
    listed = {target.name for target in manager.list()}
    assert {f"t{number}" for number in range(5)} <= listed
    assert any("skipping target" in record.message for record in caplog.records)


def test_a_list_ends_without_a_page_count(cloud: Cloud, manager: TargetManager) -> None:
    for number in range(130):
        cloud.api("POST", json=config(cloud, f"t{number}").payload())
    omissions = (["pageCount"], ["pageCount", "total", "nextUri"], ["pageSize", "pageCount"])
    for omit, order in product(omissions, ("created", "name", "random")):
        cloud.set_behaviour(omit=omit, listOrder=order)
        assert len({target.id for target in manager.list()}) == 130, (omit, order)


def test_a_failing_list_is_replaced_by_single_reads(cloud: Cloud, tmp_path: Path) -> None:
    settings = settings_of(cloud, tmp_path, maxRetries=0, verificationTimeout=20)
    with TargetManager(settings) as manager:
        # Waits use the list until it fails.
        ids = [
            outcome.target.id for outcome in at_once(4, lambda n: manager.register(config(cloud, f"t{n}")))
        ]
        cloud.control("faults", match={"method": "GET", "path": TARGETS}, action="status", status=500)
        cloud.requests()
        changed = at_once(
            4,
            lambda n: manager.update(ids[n], config(cloud, f"t{n}", endpointUrl=cloud.endpoint(f"new{n}"))),
        )
        assert all(outcome.target.verified for outcome in changed)
        assert counted(cloud.requests(), "GET / 500") >= 1


def test_an_update_of_a_deleted_target_is_not_found_under_lag(cloud: Cloud, manager: TargetManager) -> None:
    with pytest.raises(NotFound, match="is gone"):
        manager.update("gone", config(cloud))


def test_a_name_conflict_is_reported_although_the_list_lags(cloud: Cloud, manager: TargetManager) -> None:
    cloud.set_behaviour(readLagSeconds=LAG)
    cloud.api("POST", json=config(cloud, owner="somebody").payload())
    with pytest.raises(NameTaken, match="somebody"):
        manager.register(config(cloud))
