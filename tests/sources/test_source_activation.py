"""The wait for the state of a source: its outcomes, its messages, and cancellation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from genesys_provider.client.errors import Cancelled, NotFound
from genesys_provider.sources.errors import (
    ActivationCancelled,
    ActivationFailed,
    ActivationTimeout,
    ActivationUnknown,
    NotActive,
)
from tests.sources.quick import (
    PATCH,
    POST,
    PUT,
    ROUTING,
    QuickTime,
    audited,
    call,
    config,
    current,
    enabled,
    force,
    made,
    meanwhile,
    the_one,
    there,
    writes,
)
from tests.support.cloud import INTEGRATIONS
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from genesys_provider import SourceManager
    from tests.support.cloud import Cloud

REASON = "the AWS account is closed"
LOOK = {"method": "GET", "path": f"{INTEGRATIONS}/*"}


def test_an_error_state_keeps_the_source_and_has_the_reason(cloud: Cloud, manager: SourceManager) -> None:
    cloud.set_behaviour(activationError=REASON)
    with pytest.raises(ActivationFailed, match=REASON) as failed:
        manager.register(config())
    source = failed.value.source
    assert (source.status, source.reason, source.id) == ("ERROR", REASON, the_one(cloud)["id"])
    assert source.visible == config().visible
    assert audited(manager)[-1] == "SOURCE_NOT_SETTLED"
    assert REASON in str(manager.audit.entries[-1].error)
    # After the fix the same source continues, since its configuration is correct.
    cloud.set_behaviour()
    outcome = manager.update(source.id, config())
    assert (outcome.source.status, outcome.source.reason) == ("ACTIVE", None)
    assert outcome.activation_seconds
    assert writes(cloud) == ["PATCH 200"]


def test_an_error_mentions_that_the_region_may_be_the_reason(cloud: Cloud, manager: SourceManager) -> None:
    cloud.set_behaviour(activationError=REASON)
    with pytest.raises(ActivationFailed, match="whether AWS has partner event sources in eu-west-9"):
        manager.register(config(awsRegion="eu-west-9"))


def test_an_error_that_another_configuration_fixes(cloud: Cloud, manager: SourceManager) -> None:
    cloud.set_behaviour(activationError=REASON)
    with pytest.raises(ActivationFailed) as failed:
        manager.register(config())
    cloud.set_behaviour()
    cloud.requests()
    outcome = manager.update(failed.value.source.id, config(topics=[ROUTING]))
    assert outcome.source.status == "ACTIVE"
    assert writes(cloud) == ["PUT 200"]


def test_an_error_of_an_earlier_run_does_not_end_the_wait(cloud: Cloud, manager: SourceManager) -> None:
    """The service keeps showing the old error for a while after the PATCH."""
    source_id = made(cloud)
    call(cloud, "PATCH", f"/{source_id}", json={"intendedState": "ENABLED"})
    force(cloud, source_id, "ERROR", "an old reason")
    before = call(cloud, "GET", f"/{source_id}")
    match = {"method": "GET", "path": f"{INTEGRATIONS}/{source_id}"}
    cloud.control("faults", match=match, action="status", status=200, body=before, times=3)
    outcome = manager.update(source_id, config())
    assert outcome.source.status == "ACTIVE"
    assert writes(cloud) == ["PATCH 200"]


def test_a_source_in_an_error_state_is_adopted_and_retried(cloud: Cloud, manager: SourceManager) -> None:
    """Its create was killed before it could be recorded."""
    source_id = made(cloud)
    call(cloud, "PATCH", f"/{source_id}", json={"intendedState": "ENABLED"})
    force(cloud, source_id, "ERROR", REASON)
    outcome = manager.register(config())
    assert (outcome.source.id, outcome.source.status, outcome.adopted) == (source_id, "ACTIVE", True)


def test_the_error_of_a_time_limit_has_the_source(cloud: Cloud, manager: SourceManager) -> None:
    source_id = made(cloud)
    call(cloud, "PATCH", f"/{source_id}", json={"intendedState": "ENABLED"})
    force(cloud, source_id, "ACTIVATING")
    with pytest.raises(ActivationTimeout, match="ACTIVATING") as late:
        manager.register(config(), timeout=1.5)
    assert late.value.source.status == "ACTIVATING"
    assert late.value.source.id == source_id
    # The next run continues the wait, and changes nothing.
    force(cloud, source_id, "ACTIVE")
    assert manager.update(late.value.source.id, config()).source.status == "ACTIVE"
    assert writes(cloud) == []


@pytest.mark.parametrize("code", ["REPAIRING", "INACTIVE", "DEACTIVATING", "x y"])
def test_any_other_code_continues_the_wait(cloud: Cloud, manager: SourceManager, code: str) -> None:
    cloud.control("faults", match=LOOK, action="delay", seconds=30, times=1)
    with meanwhile(lambda: manager.register(config())) as outcomes:
        source_id = eventually(lambda: enabled(cloud))
        eventually(lambda: cloud.control("held", "GET"))
        force(cloud, source_id, code)
        cloud.control("faults", match=LOOK, action="delay", seconds=30, times=1)
        cloud.control("held", "DELETE")
        # The poll after the one that saw it.
        eventually(lambda: not cloud.control("held", "GET"))
        eventually(lambda: cloud.control("held", "GET"))
        force(cloud, source_id, "ACTIVE")
        cloud.control("held", "DELETE")
    assert outcomes[0].source.status == "ACTIVE"


def test_codes_in_lower_case(cloud: Cloud, manager: SourceManager) -> None:
    cloud.set_behaviour(statusCase="lower")
    source = manager.register(config()).source
    assert source.status == "ACTIVE"
    assert manager.update(source.id, config(enabled=False)).source.status == "INACTIVE"
    cloud.set_behaviour(statusCase="lower", activationError=REASON)
    with pytest.raises(ActivationFailed):
        manager.update(source.id, config())


@pytest.mark.parametrize("shown", [{}, {"reportedState": None}, {"reportedState": {"code": 7}}, {"id": None}])
def test_an_answer_without_a_state_continues_the_wait(
    cloud: Cloud, manager: SourceManager, shown: dict[str, Any]
) -> None:
    cloud.control("faults", match=LOOK, action="status", status=200, body={"id": "x", **shown}, times=2)
    assert manager.register(config()).source.status == "ACTIVE"
    assert cloud.control("faults", "GET") == []


@pytest.mark.parametrize("action", ["drop_before", "malformed", "status"])
def test_failed_polls_are_retried(cloud: Cloud, manager: SourceManager, action: str) -> None:
    more: dict[str, Any] = {"status": 500} if action == "status" else {}
    cloud.control("faults", match=LOOK, action=action, times=2, **more)
    assert manager.register(config()).source.status == "ACTIVE"


def test_the_error_of_permissions_lost_during_the_wait_has_the_source(
    cloud: Cloud, manager: SourceManager
) -> None:
    cloud.control("faults", match=LOOK, action="status", status=403)
    with pytest.raises(ActivationUnknown, match="can't be read") as unknown:
        manager.register(config())
    assert unknown.value.source.id == the_one(cloud)["id"]
    assert "integrations:integration:view" in str(unknown.value)


def test_a_source_that_is_deleted_during_the_wait_is_gone(cloud: Cloud, manager: SourceManager) -> None:
    with meanwhile(lambda: manager.register(config())) as outcomes:
        eventually(lambda: enabled(cloud))
        call(cloud, "DELETE", f"/{the_one(cloud)['id']}")
    assert isinstance(outcomes[0], NotFound)
    assert "was deleted during the wait" in str(outcomes[0])
    assert manager.find("orders") is None


@pytest.mark.parametrize("match", [PUT, PATCH], ids=["PUT", "PATCH"])
def test_a_source_that_is_deleted_between_the_writes_is_gone(
    cloud: Cloud, manager: SourceManager, match: dict[str, str]
) -> None:
    cloud.control("faults", match=match, action="delay", seconds=30, times=1)
    with meanwhile(lambda: manager.register(config())) as outcomes:
        eventually(lambda: cloud.control("held", "GET"))
        call(cloud, "DELETE", f"/{the_one(cloud)['id']}")
        cloud.control("held", "DELETE")
    assert isinstance(outcomes[0], NotFound)
    assert not isinstance(outcomes[0], NotActive)


# Ctrl-C.


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(
    ("match", "version", "intended"),
    [(POST, 1, "DISABLED"), (PUT, 2, "DISABLED"), (PATCH, 2, "ENABLED")],
    ids=["POST", "PUT", "PATCH"],
)
def test_the_error_of_a_cancel_during_a_write_has_the_source(
    cloud: Cloud,
    manager: SourceManager,
    another: SourceManager,
    cancelled: QuickTime,
    match: dict[str, str],
    version: int,
    intended: str,
    when: str,
) -> None:
    cloud.control("faults", match=match, action="delay", seconds=30, when=when, times=1)
    with meanwhile(lambda: manager.register(config())) as outcomes:
        eventually(lambda: cloud.control("held", "GET"))
        cancelled.set()
        cloud.control("held", "DELETE")
    assert isinstance(outcomes[0], ActivationCancelled)
    found = the_one(cloud)
    source = outcomes[0].source
    assert source.id == found["id"]
    # The error describes the actual source.
    assert (source.config_version, source.intended) == (version, intended)
    assert (current(cloud)["version"], found["intendedState"]) == (version, intended)
    assert (source.owner is None) == (version == 1)
    # And the next run continues.
    assert another.update(source.id, config()).source.status == "ACTIVE"


def test_a_cancel_during_the_look_up_creates_nothing(
    cloud: Cloud, manager: SourceManager, cancelled: QuickTime
) -> None:
    cloud.control("faults", match={"method": "GET"}, action="delay", seconds=30, times=1)
    with meanwhile(lambda: manager.register(config())) as outcomes:
        eventually(lambda: cloud.control("held", "GET"))
        cancelled.set()
        cloud.control("held", "DELETE")
    assert type(outcomes[0]) is Cancelled
    assert there(cloud) == []


def test_the_error_of_a_cancel_during_the_wait_has_the_source(
    cloud: Cloud, manager: SourceManager, another: SourceManager, cancelled: QuickTime
) -> None:
    with meanwhile(lambda: manager.register(config())) as outcomes:
        eventually(lambda: enabled(cloud))
        cancelled.set()
    assert isinstance(outcomes[0], ActivationCancelled)
    assert outcomes[0].source.status == "ACTIVATING"
    assert another.register(config()).source.id == outcomes[0].source.id


@pytest.mark.parametrize("action", ["drop_after", "status"])
@pytest.mark.parametrize("match", [PUT, PATCH], ids=["PUT", "PATCH"])
def test_the_error_of_a_cancel_during_a_retry_has_the_source(
    cloud: Cloud, manager: SourceManager, cancelled: QuickTime, match: dict[str, str], action: str
) -> None:
    more: dict[str, Any] = {"status": 503, "headers": {"Retry-After": "500"}} if action == "status" else {}
    cloud.control("faults", match=match, action=action, times=1, **more)
    with meanwhile(lambda: manager.register(config())) as outcomes:
        eventually(lambda: not cloud.control("faults", "GET"))
        cancelled.set()
    assert isinstance(outcomes[0], ActivationCancelled)
    assert outcomes[0].source.id == the_one(cloud)["id"]


def test_the_error_of_a_cancel_during_an_adoption_has_the_source(
    cloud: Cloud, manager: SourceManager, cancelled: QuickTime
) -> None:
    left = made(cloud, config(topics=[ROUTING]))
    cloud.control("faults", match=PUT, action="delay", seconds=30, times=1)
    with meanwhile(lambda: manager.register(config())) as outcomes:
        eventually(lambda: cloud.control("held", "GET"))
        cancelled.set()
        cloud.control("held", "DELETE")
    assert isinstance(outcomes[0], ActivationCancelled)
    assert outcomes[0].source.id == left


def test_the_error_of_a_cancelled_update_tells_what_is_written(
    cloud: Cloud, manager: SourceManager, another: SourceManager, cancelled: QuickTime
) -> None:
    source_id = made(cloud)
    cloud.control("faults", match=PUT, action="delay", seconds=30, times=1)
    with meanwhile(lambda: manager.update(source_id, config(topics=[ROUTING]))) as outcomes:
        eventually(lambda: cloud.control("held", "GET"))
        cancelled.set()
        cloud.control("held", "DELETE")
    assert isinstance(outcomes[0], ActivationCancelled)
    assert outcomes[0].source.topics == [ROUTING]
    assert another.update(source_id, config(topics=[ROUTING])).source.status == "ACTIVE"
