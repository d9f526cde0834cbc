"""The operations on targets: the manager against the emulator and the gateway."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

import pytest

from genesys_provider import TargetConfig, TargetManager
from genesys_provider.client.errors import (
    Cancelled,
    ConfigurationError,
    Conflict,
    InvalidRequest,
    NotFound,
    ServerError,
    UnexpectedAnswer,
)
from genesys_provider.common.audit import AuditEvent
from genesys_provider.common.audit_check import problems_of
from genesys_provider.common.errors import NameTaken
from genesys_provider.common.manager import StatusChange
from genesys_provider.common.writes import LAG_SECONDS
from genesys_provider.targets.errors import (
    SyncFailed,
    VerificationCancelled,
    VerificationFailed,
    VerificationTimeout,
    VerificationUnknown,
)
from genesys_provider.targets.gateway import DELETED
from genesys_provider.targets.models import Target
from genesys_provider.targets.payload import MAX_ENTRY_BYTES, payload_size
from tests.support.cloud import CANARIES, PASSWORD, SECRET_HEADER, SIGNING_SECRET, TARGETS, Cloud
from tests.support.shared_cloud import SkippedWaits, at_once, counted, outcomes_at_once, settings_of
from tests.support.waiting import LIMIT, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OWNER = "house/dev/orders"
POST = {"method": "POST", "path": TARGETS}


@pytest.fixture
def cancelled() -> threading.Event:
    return threading.Event()


@pytest.fixture
def manager(cloud: Cloud, tmp_path: Path, cancelled: threading.Event) -> Iterator[TargetManager]:
    settings = settings_of(cloud, tmp_path, maxRetries=1, verificationTimeout=10)
    with TargetManager(settings, cancelled=cancelled) as manager:
        yield manager


@pytest.fixture
def hurried(cloud: Cloud, tmp_path: Path) -> Iterator[TargetManager]:
    """A manager whose waits take no time."""
    skipped = SkippedWaits()
    settings = settings_of(cloud, tmp_path, maxRetries=1, verificationTimeout=86_000)
    with TargetManager(settings, cancelled=skipped, clock=skipped.clock) as manager:
        yield manager


def config(cloud: Cloud, name: str = "orders", **fields: Any) -> TargetConfig:
    return TargetConfig.model_validate(
        {
            "name": name,
            "endpointUrl": cloud.endpoint(name),
            "authType": "BASIC",
            "authConfig": {"username": "genesys-relay", "password": PASSWORD},
            "headers": {"X-Key": SECRET_HEADER},
            "eventTypes": ["CONVERSATION_STARTED"],
            "owner": OWNER,
            **fields,
        }
    )


def audited(manager: TargetManager) -> list[str]:
    return [entry.event.value for entry in manager.audit.entries]


def test_a_target_is_registered_verified_and_checked(cloud: Cloud, manager: TargetManager) -> None:
    outcome = manager.register(config(cloud), health_check=True)
    assert outcome.target.status == "VERIFIED"
    assert not outcome.adopted
    assert outcome.health_status == "HEALTHY"
    assert outcome.verified_at
    assert outcome.verification_seconds
    assert outcome.verification_seconds >= 0.2
    assert cloud.targets()["orders"]["headers"]["X-Pulumi-Resource"] == OWNER
    assert audited(manager) == ["TARGET_CREATED", "TARGET_VERIFIED", "HEALTH_CHECK_TRIGGERED"]
    # It lasts from the request to the verdict, and not only to the answer.
    (verified,) = manager.audit.latencies(AuditEvent.TARGET_VERIFIED)
    assert abs(verified - outcome.verification_seconds) < 0.1
    assert manager.audit.latencies(AuditEvent.TARGET_CREATED)[0] < verified


def test_a_failed_verification_is_reported_with_the_answer(cloud: Cloud, manager: TargetManager) -> None:
    cloud.behave("/v1/genesys/events/orders", status=503)
    with pytest.raises(VerificationFailed, match="endpoint answered 503") as failed:
        manager.register(config(cloud))
    assert failed.value.target.status == "FAILED"
    assert failed.value.target.id == cloud.targets()["orders"]["id"]
    assert "firewall" in str(failed.value)
    assert audited(manager) == ["TARGET_CREATED", "TARGET_VERIFICATION_FAILED"]
    assert "503" in str(manager.audit.entries[-1].error)
    # The next update tries again.
    cloud.behave_as_usual()
    assert manager.update(failed.value.target.id, config(cloud)).target.verified


def test_the_error_of_a_time_limit_has_the_target(cloud: Cloud, manager: TargetManager) -> None:
    cloud.behave("/v1/genesys/events/orders", seconds=1.5)
    with pytest.raises(VerificationTimeout, match="no verdict within") as late:
        manager.register(config(cloud), timeout=0.5)
    assert late.value.target.status == "PENDING_VERIFICATION"
    assert "GENESYSCLOUD_VERIFICATION_TIMEOUT" in str(late.value)


def test_the_error_of_a_cancel_during_the_wait_has_the_target(
    cloud: Cloud, manager: TargetManager, cancelled: threading.Event
) -> None:
    cloud.behave("/v1/genesys/events/orders", seconds=1)
    threading.Timer(0.3, cancelled.set).start()
    with pytest.raises(VerificationCancelled) as ended:
        manager.register(config(cloud))
    assert ended.value.target.name == "orders"


def test_after_a_cancel_nothing_is_sent(
    cloud: Cloud, manager: TargetManager, cancelled: threading.Event
) -> None:
    cancelled.set()
    with pytest.raises(Cancelled):
        manager.register(config(cloud))
    with pytest.raises(Cancelled):
        manager.update("some", config(cloud))
    assert cloud.requests() == []


def test_the_error_of_scopes_lost_during_the_wait_has_the_target(
    cloud: Cloud, manager: TargetManager
) -> None:
    manager.find("orders")
    cloud.control("faults", match={"path": "*/verify"}, action="status", status=403)
    with pytest.raises(VerificationUnknown) as unknown:
        manager.register(config(cloud))
    assert unknown.value.target.name == "orders"
    assert "integration:eventbridge:read" in str(unknown.value)


def test_a_target_that_is_deleted_during_the_wait_is_not_found(cloud: Cloud, hurried: TargetManager) -> None:
    cloud.control("faults", match={"method": "GET", "path": f"{TARGETS}/*"}, action="status", status=404)
    with pytest.raises(NotFound, match="was deleted during its verification"):
        hurried.register(config(cloud))


# Lost answers.


@pytest.mark.parametrize("action", ["drop_after", "truncate", "malformed"])
@pytest.mark.parametrize("owner", [OWNER, None])
def test_a_create_whose_answer_is_lost_happens_once(
    cloud: Cloud, manager: TargetManager, action: str, owner: str | None
) -> None:
    cloud.control("faults", match=POST, action=action, times=1)
    outcome = manager.register(config(cloud, owner=owner))
    assert outcome.target.verified
    cloud.requests()
    assert outcome.target.id == cloud.targets()["orders"]["id"]


@pytest.mark.parametrize("action", ["drop_before", "status"])
def test_a_create_without_effect_is_retried(cloud: Cloud, hurried: TargetManager, action: str) -> None:
    more: dict[str, Any] = {"status": 503} if action == "status" else {}
    cloud.control("faults", match=POST, action=action, times=2, **more)
    assert hurried.register(config(cloud)).target.verified
    cloud.requests()
    assert len(cloud.targets()) == 1


def test_a_last_attempt_whose_answer_is_lost_is_found(cloud: Cloud, hurried: TargetManager) -> None:
    cloud.control("faults", match=POST, action="status", status=503, times=2)
    cloud.control("faults", match=POST, action="drop_after", times=1)
    assert hurried.register(config(cloud)).target.verified
    cloud.requests()
    assert len(cloud.targets()) == 1


def test_creates_that_never_take_effect_end(cloud: Cloud, hurried: TargetManager) -> None:
    cloud.control("faults", match=POST, action="status", status=503)
    with pytest.raises(ServerError):
        hurried.register(config(cloud))
    assert counted(cloud.requests(), "POST / 503") == 3
    assert audited(hurried) == ["TARGET_FAILED"]


@pytest.mark.parametrize("seconds", ["601", "86400", "99999999999999"])
def test_a_wait_too_long_before_the_next_post_is_not_begun(
    cloud: Cloud, hurried: TargetManager, seconds: str
) -> None:
    cloud.control(
        "faults", match=POST, action="status", status=503, headers={"Retry-After": seconds}, times=1
    )
    with pytest.raises(ServerError, match="Service Unavailable"):
        hurried.register(config(cloud))
    assert counted(cloud.requests(), "POST / ") == 1


def test_the_wait_that_the_service_asks_for_precedes_the_next_post(cloud: Cloud, tmp_path: Path) -> None:
    skipped = SkippedWaits()
    cloud.control("faults", match=POST, action="status", status=503, headers={"Retry-After": "447"}, times=1)
    with TargetManager(settings_of(cloud, tmp_path), cancelled=skipped, clock=skipped.clock) as manager:
        manager.register(config(cloud), timeout=86_000)
    assert counted(cloud.requests(), "POST / ") == 2
    # The look-ups before have taken a part of it.
    assert max(skipped.waits) == 447 - LAG_SECONDS


def test_a_sync_and_its_manager_have_one_clock(cloud: Cloud, tmp_path: Path) -> None:
    skipped = SkippedWaits()
    settings = settings_of(cloud, tmp_path, maxRetries=50)
    cloud.behave("/webhooks/genesys/targets", status=503)
    with (
        TargetManager(settings, cancelled=skipped, clock=skipped.clock) as manager,
        pytest.raises(SyncFailed, match="within 30 s"),
    ):
        manager.sync(cloud.webhook, "t-1", timeout=30)
    assert skipped.skipped < 30


# Ownership.


def test_a_leftover_of_an_earlier_run_is_adopted_and_updated(cloud: Cloud, manager: TargetManager) -> None:
    former = cloud.api("POST", json=config(cloud, eventTypes=["OLD"]).payload()).json()
    outcome = manager.register(config(cloud))
    assert outcome.adopted
    assert outcome.target.id == former["id"]
    cloud.requests()
    assert cloud.targets()["orders"]["eventTypes"] == ["CONVERSATION_STARTED"]
    assert audited(manager)[0] == "TARGET_ADOPTED"


@pytest.mark.parametrize(
    ("theirs", "says"), [("shop/prod/x", "owned by shop/prod/x"), (None, "owned by no stack")]
)
def test_a_target_of_somebody_else_is_left_alone(
    cloud: Cloud, manager: TargetManager, theirs: str | None, says: str
) -> None:
    cloud.api("POST", json=config(cloud, owner=theirs).payload())
    with pytest.raises(NameTaken, match=says):
        manager.register(config(cloud))
    assert cloud.writes() == []


def test_a_script_adopts_nothing(cloud: Cloud, manager: TargetManager) -> None:
    manager.register(config(cloud, owner=None))
    with pytest.raises(NameTaken):
        manager.register(config(cloud, owner=None))


@pytest.mark.parametrize("owner", [OWNER, "shop/prod/x"])
def test_a_target_created_after_the_look_up_is_found_by_the_409(
    cloud: Cloud, manager: TargetManager, owner: str
) -> None:
    at_once(3, lambda number: manager._directory.find(f"other{number}"))
    cloud.requests()
    cloud.api("POST", json=config(cloud, owner=owner).payload())
    if owner == OWNER:
        assert manager.register(config(cloud)).adopted
        assert counted(cloud.requests(), "POST / 409") == 1
    else:
        with pytest.raises(NameTaken, match="owned by shop/prod/x"):
            manager.register(config(cloud))


@pytest.mark.parametrize("owner", [OWNER, "shop/prod/x"])
def test_a_taken_name_may_be_refused_with_a_400(cloud: Cloud, manager: TargetManager, owner: str) -> None:
    at_once(3, lambda number: manager._directory.find(f"other{number}"))
    cloud.api("POST", json=config(cloud, owner=owner).payload())
    cloud.control("faults", match=POST, action="status", status=400, times=1)
    if owner == OWNER:
        assert manager.register(config(cloud)).adopted
    else:
        with pytest.raises(NameTaken, match="owned by shop/prod/x"):
            manager.register(config(cloud))


def test_a_new_name_that_is_taken_may_be_refused_with_a_400(cloud: Cloud, manager: TargetManager) -> None:
    manager.register(config(cloud, "taken", owner="shop/prod/x"))
    target = manager.register(config(cloud)).target
    cloud.control("faults", match={"method": "PUT"}, action="status", status=400)
    with pytest.raises(NameTaken, match="owned by shop/prod/x"):
        manager.update(target.id, config(cloud, "taken"))


def test_a_400_for_another_reason_is_not_looked_into(cloud: Cloud, manager: TargetManager) -> None:
    target = manager.register(config(cloud)).target
    cloud.requests()
    cloud.control("faults", match={"method": "PUT"}, action="status", status=400)
    with pytest.raises(InvalidRequest):
        manager.update(target.id, config(cloud, eventTypes=["B"]))
    assert [each.partition(" ")[0] for each in cloud.requests()] == ["GET", "PUT"]
    cloud.control("faults", match=POST, action="status", status=400)
    with pytest.raises(InvalidRequest):
        manager.register(config(cloud, "new"))
    assert cloud.writes() == ["POST 400"]


def test_a_name_freed_since_the_look_up_can_be_used(cloud: Cloud, manager: TargetManager) -> None:
    theirs = cloud.api("POST", json=config(cloud, owner="shop/prod/x").payload()).json()
    at_once(3, lambda number: manager._directory.find(f"other{number}"))
    cloud.requests()
    cloud.api("DELETE", f"/{theirs['id']}")
    assert manager.register(config(cloud)).target.verified


def test_our_target_that_was_deleted_since_the_look_up_is_created_again(
    cloud: Cloud, manager: TargetManager
) -> None:
    ours = cloud.api("POST", json=config(cloud).payload()).json()
    at_once(3, lambda number: manager._directory.find(f"other{number}"))
    cloud.requests()
    cloud.api("DELETE", f"/{ours['id']}")
    outcome = manager.register(config(cloud))
    assert not outcome.adopted
    assert outcome.target.verified


def test_a_name_that_the_list_keeps_showing_with_its_old_target_is_an_error(
    cloud: Cloud, hurried: TargetManager
) -> None:
    """This run renamed the old target, but somebody else restored its name, or the list lags for long."""
    urn = "urn:pulumi:dev::house::pulumi-python:dynamic/genesys:EventBridgeTarget::"
    holder = cloud.api("POST", json=config(cloud, owner=f"{urn}y").payload()).json()
    hurried._writing._names.wrote(holder["id"], "another")
    with pytest.raises(Conflict):
        hurried.register(config(cloud, owner=f"{urn}x"))
    assert counted(cloud.requests(), "POST / 201") == 0
    assert cloud.targets()["orders"]["id"] == holder["id"]


def test_many_concurrent_registrations_take_few_requests(cloud: Cloud, manager: TargetManager) -> None:
    outcomes = at_once(64, lambda number: manager.register(config(cloud, f"t{number}")))
    assert all(outcome.target.verified for outcome in outcomes)
    requests = cloud.requests()
    assert counted(requests, "POST / 201") == 64
    assert len(requests) <= 64 + 10, len(requests)


def test_two_creates_among_many_do_not_read_the_list(cloud: Cloud, manager: TargetManager) -> None:
    """With 10,000 targets, for example, the list has 100 pages."""
    page = {
        "entities": [{"id": f"id-{number}", "name": f"n{number}"} for number in range(100)],
        "pageCount": 100,
    }
    cloud.control(
        "faults", match={"path": TARGETS, "method": "GET"}, action="status", status=200, body=page, times=1
    )
    outcomes = at_once(2, lambda number: manager.register(config(cloud, f"t{number}")))
    assert all(outcome.target.verified for outcome in outcomes)
    requests = [each for each in cloud.requests() if "/verify" not in each]
    assert len(requests) <= 8, requests


def test_two_concurrent_creates_of_one_name_make_one_target(cloud: Cloud, manager: TargetManager) -> None:
    outcomes = outcomes_at_once(2, lambda number: manager.register(config(cloud, owner=f"a/b/{number}")))
    assert sum(isinstance(outcome, NameTaken) for outcome in outcomes) == 1
    assert len(cloud.targets()) == 1


# Update, read, delete.


def test_an_update_only_waits_if_the_verification_restarts(cloud: Cloud, manager: TargetManager) -> None:
    target = manager.register(config(cloud)).target
    cloud.requests()
    quiet = manager.update(target.id, config(cloud, eventTypes=["A", "B"]))
    look, write = cloud.requests()
    assert look.startswith("GET /")
    assert write == f"PUT /{target.id} 200"
    assert (quiet.verified_at, quiet.verification_seconds) == (None, None)
    assert set(quiet.target.event_types) == {"A", "B"}
    loud = manager.update(target.id, config(cloud, headers={}))
    assert loud.verified_at
    assert audited(manager)[-2:] == ["TARGET_UPDATED", "TARGET_VERIFIED"]


def test_an_update_of_a_deleted_target_is_not_found(cloud: Cloud, manager: TargetManager) -> None:
    with pytest.raises(NotFound):
        manager.update("gone", config(cloud))
    assert audited(manager) == ["TARGET_FAILED"]


def test_an_update_to_a_taken_name_names_its_owner(cloud: Cloud, manager: TargetManager) -> None:
    other = manager.register(config(cloud, "other", owner="shop/prod/x")).target
    target = manager.register(config(cloud)).target
    with pytest.raises(NameTaken, match=other.id):
        manager.update(target.id, config(cloud, "other", endpointUrl=target.endpoint_url))


def test_a_script_is_not_advised_to_delete_the_target_of_somebody_else(
    cloud: Cloud, manager: TargetManager
) -> None:
    """Neither of the two has an owner mark, but that does not make the other target ours."""
    cloud.api("POST", json=config(cloud, "other", owner=None).payload())
    target = manager.register(config(cloud, owner=None)).target
    with pytest.raises(NameTaken) as refused:
        manager.update(target.id, config(cloud, "other", owner=None, endpointUrl=target.endpoint_url))
    assert "delete it" not in str(refused.value)


def test_get_find_and_list(cloud: Cloud, manager: TargetManager) -> None:
    ids = at_once(5, lambda number: manager.register(config(cloud, f"t{number}")).target.id)
    got = manager.get(ids[0])
    assert got
    assert (got.name, got.owner, got.headers) == ("t0", OWNER, {"X-Key": SECRET_HEADER})
    found = manager.find("t3")
    assert found
    assert found.id == ids[3]
    assert manager.find("t") is None
    assert manager.get("gone") is None
    assert {target.id for target in manager.list()} == set(ids)


def test_a_delete_of_a_deleted_target_succeeds(cloud: Cloud, manager: TargetManager) -> None:
    target = manager.register(config(cloud)).target
    manager.delete(target.id)
    manager.delete(target.id)
    cloud.requests()
    assert cloud.targets() == {}
    assert manager.get(target.id) is None
    assert audited(manager)[-1] == "TARGET_DELETED"
    deleted = [entry for entry in manager.audit.entries if entry.event == "TARGET_DELETED"]
    assert [entry.error for entry in deleted] == [None, "it was gone already"]


def test_a_delete_whose_answer_is_lost_succeeds(cloud: Cloud, manager: TargetManager) -> None:
    target = manager.register(config(cloud)).target
    cloud.control("faults", match={"method": "DELETE"}, action="drop_after", times=1)
    manager.delete(target.id)
    assert manager.get(target.id) is None


@pytest.mark.parametrize("status", [409, 423])
def test_a_delete_waits_while_something_is_in_the_way(
    cloud: Cloud, hurried: TargetManager, status: int
) -> None:
    target = hurried.register(config(cloud)).target
    cloud.requests()
    cloud.control("faults", match={"method": "DELETE"}, action="status", status=status, times=2)
    hurried.delete(target.id)
    assert cloud.writes() == [f"DELETE {status}"] * 2 + ["DELETE 204"]


def test_a_delete_that_stays_refused_says_why(cloud: Cloud, hurried: TargetManager) -> None:
    target = hurried.register(config(cloud)).target
    said = {"status": 409, "code": "busy", "message": "The target is used by a rule"}
    cloud.control("faults", match={"method": "DELETE"}, action="status", status=409, body=said)
    with pytest.raises(Conflict, match="used by a rule"):
        hurried.delete(target.id)
    cloud.requests()
    assert list(cloud.targets()) == ["orders"]


def test_an_update_that_is_refused_in_a_success_is_an_error(cloud: Cloud, hurried: TargetManager) -> None:
    target = hurried.register(config(cloud)).target
    said = {"status": 400, "code": "bad.request", "message": "No such event type"}
    cloud.control("faults", match={"method": "PUT"}, action="status", status=200, body=said)
    with pytest.raises(UnexpectedAnswer, match="No such event type"):
        hurried.update(target.id, config(cloud, eventTypes=["B"]))


def test_a_health_check_reports_the_answer_of_the_endpoint(cloud: Cloud, manager: TargetManager) -> None:
    target = manager.register(config(cloud)).target
    assert manager.check_health(target.id) == "HEALTHY"
    cloud.behave("/v1/genesys/events/orders", status=500)
    assert manager.check_health(target.id) == "UNHEALTHY"
    with pytest.raises(NotFound):
        manager.check_health("gone")
    assert manager.audit.entries[-1].error


def test_a_failed_health_check_keeps_the_target(cloud: Cloud, manager: TargetManager) -> None:
    cloud.control("faults", match={"path": "*/health"}, action="status", status=403)
    outcome = manager.register(config(cloud), health_check=True)
    assert outcome.target.verified
    assert outcome.health_status == "UNKNOWN"


def test_a_sync_reaches_the_gateway_or_raises(cloud: Cloud, manager: TargetManager) -> None:
    manager.sync(cloud.webhook, "id-1", signing_secret=SIGNING_SECRET)
    manager.sync(cloud.webhook, "id-1", event=DELETED, signing_secret=SIGNING_SECRET)
    events = [sync["body"]["eventType"] for sync in cloud.received()["syncs"]]
    assert events == ["TARGET_CONFIGURATION_UPDATED", "TARGET_CONFIGURATION_DELETED"]
    with pytest.raises(SyncFailed):
        manager.sync(cloud.webhook, "id-1", signing_secret="wrong")


def test_monitor_yields_each_change(cloud: Cloud, manager: TargetManager, cancelled: threading.Event) -> None:
    target = manager.register(config(cloud)).target
    seen: list[tuple[str, str | None, str | None]] = []
    changes = manager.monitor(0.02)
    cloud.control(f"targets/{target.id}/status", status="FAILED")
    collected = threading.Event()

    def collect() -> None:
        for each in changes:
            seen.append((each.target.name, each.before, each.after))
            collected.set()

    thread = threading.Thread(target=collect)
    thread.start()
    assert collected.wait(LIMIT)
    manager.delete(target.id)
    eventually(lambda: len(seen) == 2)
    cancelled.set()
    thread.join(LIMIT)
    assert seen == [("orders", "VERIFIED", "FAILED"), ("orders", "FAILED", None)]


@pytest.mark.parametrize("fault", [{"action": "status", "status": 503}, {"action": "malformed"}])
def test_the_monitor_goes_on_after_a_reading_that_fails(
    cloud: Cloud, tmp_path: Path, cancelled: threading.Event, fault: dict[str, Any]
) -> None:
    with TargetManager(settings_of(cloud, tmp_path, maxRetries=0), cancelled=cancelled) as manager:
        target = manager.register(config(cloud)).target
        seen: list[StatusChange[Target]] = []
        changes = manager.monitor(0.02)
        watch = threading.Thread(target=lambda: seen.extend(changes))
        cloud.requests()
        watch.start()
        eventually(lambda: counted(cloud.requests(), "GET / 200") or None)
        cloud.control("faults", match={"method": "GET"}, times=2, **fault)
        eventually(lambda: not cloud.control("faults", "GET") or None)
        cloud.control(f"targets/{target.id}/status", status="FAILED")
        eventually(lambda: seen or None)
        cancelled.set()
        watch.join(LIMIT)
    assert [(change.before, change.after) for change in seen] == [("VERIFIED", "FAILED")]


def test_the_monitor_takes_no_page_that_shifted_for_a_deletion(
    cloud: Cloud, manager: TargetManager, cancelled: threading.Event
) -> None:
    target = manager.register(config(cloud)).target
    seen: list[StatusChange[Target]] = []
    changes = manager.monitor(0.02)
    watch = threading.Thread(target=lambda: seen.extend(changes))
    cloud.requests()
    watch.start()
    eventually(lambda: counted(cloud.requests(), "GET / 200") or None)
    nothing = {"entities": [], "pageCount": 1}
    pages = {"method": "GET", "path": TARGETS}
    cloud.control("faults", match=pages, action="status", status=200, body=nothing, times=2)
    eventually(lambda: not cloud.control("faults", "GET") or None)
    cloud.control(f"targets/{target.id}/status", status="FAILED")
    eventually(lambda: seen or None)
    cancelled.set()
    watch.join(LIMIT)
    assert [(change.before, change.after) for change in seen] == [("VERIFIED", "FAILED")]


# A script's second try, and a verdict that was slow.


def test_a_script_goes_on_with_its_own_target_that_failed(cloud: Cloud, manager: TargetManager) -> None:
    cloud.behave("/v1/genesys/events/orders", status=500)
    with pytest.raises(VerificationFailed) as caught:
        manager.register(config(cloud, owner=None))
    cloud.behave_as_usual()
    outcome = manager.register(config(cloud, owner=None))
    assert outcome.adopted
    assert outcome.target.verified
    assert outcome.target.id == caught.value.target.id
    # One that is verified may be somebody's who uses it.
    with pytest.raises(NameTaken):
        manager.register(config(cloud, owner=None))


def test_a_verification_that_still_runs_is_waited_for(tmp_path: Path) -> None:
    with Cloud(tmp_path / "cloud", verification_seconds=600) as slow:
        settings = settings_of(slow, tmp_path, maxRetries=1)
        with TargetManager(settings) as manager:
            wanted = config(slow, owner=OWNER)
            with pytest.raises(VerificationTimeout) as caught:
                manager.register(wanted, timeout=0.5)
            target_id = caught.value.target.id
            slow.requests()
            with pytest.raises(VerificationTimeout):
                manager.update(target_id, wanted, unchanged=True, timeout=0.5)
            assert slow.writes() == []
            slow.control(f"targets/{target_id}/status", status="VERIFIED")
            assert manager.update(target_id, wanted, unchanged=True).target.verified
            assert slow.writes() == []
            # What failed is tried again, and so is what is not as it is wanted.
            slow.control(f"targets/{target_id}/status", status="FAILED")
            with pytest.raises(VerificationTimeout):
                manager.update(target_id, wanted, unchanged=True, timeout=0.5)
            with pytest.raises(VerificationTimeout):
                manager.update(
                    target_id, config(slow, owner=OWNER, eventTypes=["OTHER"]), unchanged=True, timeout=0.5
                )
            assert len(slow.writes()) == 2


def test_payload_size_is_utf8_and_overhead() -> None:
    assert payload_size({}).total_bytes == 2 + 256
    assert payload_size("é東🚀").total_bytes == 2 + 2 + 3 + 4 + 256
    assert payload_size("x" * (MAX_ENTRY_BYTES - 258)).fits
    assert not payload_size("x" * (MAX_ENTRY_BYTES - 257)).fits
    with pytest.raises(TypeError):
        payload_size({"a": object()})


def test_a_manager_comes_from_the_environment(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in cloud.env.items():
        monkeypatch.setenv(name, value)
    with TargetManager.from_environment() as manager:
        assert list(manager.list()) == []


# The audit file.


def test_no_secret_is_audited(cloud: Cloud, manager: TargetManager, tmp_path: Path) -> None:
    said = {"message": f"bad {PASSWORD}, {SECRET_HEADER}"}
    cloud.control("faults", match=POST, action="status", status=400, body=said, times=1)
    with pytest.raises(InvalidRequest) as refused:
        manager.register(config(cloud))
    target = manager.register(config(cloud), health_check=True).target
    with pytest.raises(SyncFailed):
        manager.sync(cloud.webhook, target.id, signing_secret="canary-wrong")
    manager.sync(cloud.webhook, target.id, signing_secret=SIGNING_SECRET)
    manager.delete(target.id)
    audited = (tmp_path / "audit.jsonl").read_text()
    assert len(audited.splitlines()) == 7
    for canary in (*CANARIES, "canary"):
        assert canary not in audited + str(refused.value)
    assert list(problems_of(tmp_path / "audit.jsonl")) == []
    assert {json.loads(line)["targetId"] for line in audited.splitlines()} == {None, target.id}


def test_an_audit_file_that_can_not_be_written_is_refused_before_anything_is_made(
    cloud: Cloud, tmp_path: Path
) -> None:
    with pytest.raises(ConfigurationError, match="genesys:auditLog"):
        TargetManager(settings_of(cloud, tmp_path, auditLog=tmp_path))


def test_an_audit_file_that_fails_later_loses_no_target(
    cloud: Cloud, manager: TargetManager, tmp_path: Path
) -> None:
    file = tmp_path / "audit.jsonl"
    file.unlink()
    file.mkdir()
    assert manager.register(config(cloud)).target.verified
