"""Updates of a source: in place, keeping unknown fields, and never overwriting somebody else's changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from genesys_provider.client.errors import InvalidRequest, NotFound, StaleVersion
from genesys_provider.common.errors import OwnedByAnother
from genesys_provider.common.ownership import Owner
from genesys_provider.sources.errors import ActivationUnknown, SourceChanged
from tests.sources.quick import (
    OWNER,
    PATCH,
    PRESENCE,
    PUT,
    ROUTING,
    URN,
    QuickTime,
    audited,
    call,
    config,
    current,
    force,
    made,
    meanwhile,
    reconfigure,
    requests,
    the_one,
    there,
    writes,
)
from tests.support.shared_cloud import at_once, counted
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from genesys_provider import SourceManager
    from tests.support.cloud import Cloud

OTHER = "v2.routing.queues.{id}.users"


@pytest.fixture
def source_id(cloud: Cloud, manager: SourceManager) -> str:
    """An active source that the manager created; the request log is cleared."""
    source_id = manager.register(config(notes="old")).source.id
    cloud.requests()
    return source_id


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        (
            {"topics": [ROUTING]},
            {"properties": {**config().payload()["properties"], "eventFilter": [ROUTING]}},
        ),
        ({"name": "new"}, {"name": "new"}),
        ({"notes": "new"}, {"notes": f"new\nPulumi: {OWNER}"}),
        ({"notes": None}, {"notes": f"Pulumi: {OWNER}"}),
    ],
    ids=["topics", "name", "notes", "no notes"],
)
def test_a_configuration_changes_in_place(
    cloud: Cloud, manager: SourceManager, source_id: str, change: dict[str, Any], shown: dict[str, Any]
) -> None:
    before = current(cloud)
    cloud.requests()
    wanted = config(**{"notes": "old", **change, "eventSourceSuffix": "orders", "owner": OWNER})
    outcome = manager.update(source_id, wanted)
    assert outcome.source.status == "ACTIVE"
    assert outcome.source.visible == wanted.visible
    assert writes(cloud) == ["PUT 200"]
    assert current(cloud) == {**before, "version": 3, **shown}
    assert outcome.source.config_version == 3
    assert manager.find(wanted.name) is not None


def test_an_unchanged_source_is_not_written(cloud: Cloud, manager: SourceManager, source_id: str) -> None:
    outcome = manager.update(source_id, config(notes="old"))
    assert (outcome.activated_at, outcome.activation_seconds) == (None, None)
    assert writes(cloud) == []
    # Nor does the order of a set matter.
    manager.update(source_id, config(notes="old", topics=[PRESENCE, ROUTING]))
    cloud.requests()
    manager.update(source_id, config(notes="old", topics=[ROUTING, PRESENCE]))
    assert writes(cloud) == []


def test_disabling_waits_until_it_is_inactive(cloud: Cloud, manager: SourceManager, source_id: str) -> None:
    outcome = manager.update(source_id, config(notes="old", enabled=False))
    assert outcome.source.status == the_one(cloud)["reportedState"]["code"] == "INACTIVE"
    assert (outcome.activated_at, outcome.activation_seconds) == (None, None)
    outcome = manager.update(source_id, config(notes="old"))
    assert outcome.source.status == the_one(cloud)["reportedState"]["code"] == "ACTIVE"
    assert outcome.activation_seconds
    assert audited(manager)[-4:] == ["SOURCE_DISABLED", "SOURCE_SETTLED", "SOURCE_ENABLED", "SOURCE_SETTLED"]


def test_a_configuration_and_a_state_change_together(
    cloud: Cloud, manager: SourceManager, source_id: str
) -> None:
    outcome = manager.update(source_id, config(topics=[ROUTING], enabled=False))
    assert outcome.source.status == "INACTIVE"
    assert writes(cloud) == ["PUT 200", "PATCH 200"]
    assert manager.update(source_id, config(topics=[OTHER])).source.status == "ACTIVE"
    assert current(cloud)["properties"]["eventFilter"] == [OTHER]


def test_the_wait_for_a_change_without_a_new_activation_is_short(
    cloud: Cloud, manager: SourceManager, source_id: str, cancelled: QuickTime
) -> None:
    cloud.set_behaviour(reactivates=False)
    started = cancelled.clock()
    assert manager.update(source_id, config(topics=[ROUTING])).source.status == "ACTIVE"
    assert cancelled.clock() - started >= 5


def test_unknown_fields_are_preserved(cloud: Cloud, manager: SourceManager, source_id: str) -> None:
    before = current(cloud)
    theirs = {
        **before,
        "properties": {**before["properties"], "deliveryMode": "STANDARD", "nested": {"a": None}},
        "advanced": {"batch": [1, {"b": 2}]},
        "credentials": {"key": {"id": "c-1", "name": "kept"}},
    }
    call(cloud, "PUT", f"/{source_id}/config/current", json=theirs)
    assert manager.update(source_id, config(notes="old", topics=[ROUTING])).source.status == "ACTIVE"
    after = current(cloud)
    properties = {**theirs["properties"], "eventFilter": [ROUTING]}
    assert after == {**theirs, "version": 4, "properties": properties}


def test_any_success_status_of_a_write_is_accepted(cloud: Cloud, manager: SourceManager) -> None:
    for number, (made_with, written_with) in enumerate(
        [(201, "object"), (200, "part"), (202, "none"), (200, "none")]
    ):
        cloud.set_behaviour(createAnswer=made_with, putAnswer=written_with, extraFields=True)
        name = f"s{number}"
        source = manager.register(config(name)).source
        assert source.status == "ACTIVE"
        source = manager.update(source.id, config(name, topics=[ROUTING])).source
        assert (source.status, source.topics) == ("ACTIVE", [ROUTING])
        assert (
            manager.update(source.id, config(name, topics=[ROUTING], enabled=False)).source.status
            == "INACTIVE"
        )
    assert {each["config"]["current"]["version"] for each in there(cloud)} == {3}


# Changes by somebody else.


@pytest.mark.parametrize("answer", [409, 400])
def test_a_stale_version_with_the_same_content_is_written_again(
    cloud: Cloud, manager: SourceManager, source_id: str, answer: int
) -> None:
    cloud.set_behaviour(staleAnswer=answer)
    cloud.control("faults", match=PUT, action="delay", seconds=30, times=1)
    wanted = config(notes="old", topics=[ROUTING])
    with meanwhile(lambda: manager.update(source_id, wanted)) as outcomes:
        eventually(lambda: cloud.control("held", "GET"))
        # The console saved it unchanged.
        reconfigure(cloud, source_id, config(notes="old"))
        cloud.control("held", "DELETE")
    assert outcomes[0].source.status == "ACTIVE"
    assert outcomes[0].source.config_version == current(cloud)["version"] == 4
    assert current(cloud)["properties"]["eventFilter"] == [ROUTING]


@pytest.mark.parametrize("answer", [409, 400])
def test_a_stale_version_with_other_content_is_left_unchanged(
    cloud: Cloud, manager: SourceManager, source_id: str, answer: int
) -> None:
    cloud.set_behaviour(staleAnswer=answer)
    cloud.control("faults", match=PUT, action="delay", seconds=30, times=1)
    with meanwhile(lambda: manager.update(source_id, config(notes="old", topics=[ROUTING]))) as outcomes:
        eventually(lambda: cloud.control("held", "GET"))
        reconfigure(cloud, source_id, config(notes="old", topics=[OTHER]))
        cloud.control("held", "DELETE")
    assert isinstance(outcomes[0], SourceChanged)
    assert source_id in str(outcomes[0])
    assert current(cloud)["properties"]["eventFilter"] == [OTHER]
    assert audited(manager)[-1] == "SOURCE_FAILED"


def test_a_stale_version_of_a_new_owner_is_left_unchanged(
    cloud: Cloud, manager: SourceManager, source_id: str
) -> None:
    cloud.control("faults", match=PUT, action="delay", seconds=30, times=1)
    with meanwhile(lambda: manager.update(source_id, config(notes="old", topics=[ROUTING]))) as outcomes:
        eventually(lambda: cloud.control("held", "GET"))
        reconfigure(cloud, source_id, config(owner=URN + "x"))
        cloud.control("held", "DELETE")
    assert isinstance(outcomes[0], OwnedByAnother)
    assert current(cloud)["notes"] == f"Pulumi: {URN}x"


@pytest.mark.parametrize("status", [409, 400])
def test_a_permanently_stale_version_is_an_error(cloud: Cloud, hurried: SourceManager, status: int) -> None:
    source_id = made(cloud)
    body = {"status": status, "message": "The version 2 does not match the current version 7.", "code": "x"}
    cloud.control("faults", match=PUT, action="status", status=status, body=body)
    with pytest.raises(StaleVersion):
        hurried.update(source_id, config(topics=[ROUTING]))
    assert counted(requests(cloud), "PUT") <= 5


def test_two_concurrent_scripts_lose_no_change(
    cloud: Cloud, manager: SourceManager, another: SourceManager, source_id: str
) -> None:
    """Either one of them gets an error, or both writes happen in sequence."""
    managers = (manager, another)
    outcomes = []

    def write(number: int) -> None:
        wanted = config(notes="old", topics=[PRESENCE, ROUTING, OTHER][: number + 2])
        try:
            managers[number].update(source_id, wanted)
        except SourceChanged as error:
            outcomes.append(error)

    at_once(2, write)
    assert len(outcomes) <= 1
    assert current(cloud)["version"] == 4 - len(outcomes)


def test_a_refused_put_tells_what_is_wrong(cloud: Cloud, manager: SourceManager, source_id: str) -> None:
    made(cloud, config("theirs", owner=None))
    with pytest.raises(InvalidRequest, match="eventSourceSuffix"):
        manager.update(source_id, config(notes="old", eventSourceSuffix="theirs"))


def test_a_lost_patch_of_an_update_tells_what_is_written(
    cloud: Cloud, manager: SourceManager, source_id: str
) -> None:
    cloud.control("faults", match=PATCH, action="status", status=503)
    wanted = config(topics=[ROUTING], enabled=False)
    with pytest.raises(ActivationUnknown) as unknown:
        manager.update(source_id, wanted)
    assert (unknown.value.source.topics, unknown.value.source.enabled) == ([ROUTING], True)
    cloud.control("faults", "DELETE")
    cloud.requests()
    assert manager.update(source_id, wanted).source.status == "INACTIVE"
    assert writes(cloud) == ["PATCH 200"]


# Ownership.


def test_a_source_of_another_owner_is_not_written(cloud: Cloud, manager: SourceManager) -> None:
    source_id = made(cloud, config(owner=URN + "x"))
    with pytest.raises(OwnedByAnother, match=URN + "x"):
        manager.update(source_id, config(topics=[ROUTING]))
    assert writes(cloud) == []
    # The mark last recorded in the state is ours too, and is updated.
    assert manager.update(source_id, config(), recorded_owner=URN + "x").source.owner == OWNER
    assert current(cloud)["notes"] == f"Pulumi: {OWNER}"


def test_an_unmarked_source_is_taken_over(cloud: Cloud, manager: SourceManager) -> None:
    source_id = made(cloud, config(owner=None, notes="theirs"))
    assert manager.update(source_id, config()).source.status == "ACTIVE"
    assert current(cloud)["notes"] == f"Pulumi: {OWNER}"


def test_a_script_keeps_the_existing_mark(cloud: Cloud, manager: SourceManager) -> None:
    source_id = made(cloud)
    assert manager.update(source_id, config(owner=None, topics=[ROUTING])).source.owner == OWNER
    assert current(cloud)["notes"] == f"Pulumi: {OWNER}"


def test_text_below_the_mark_belongs_to_the_notes(cloud: Cloud, manager: SourceManager) -> None:
    source_id = made(cloud, config(notes="above"))
    call(
        cloud,
        "PUT",
        f"/{source_id}/config/current",
        json={**current(cloud), "notes": f"above\nPulumi: {OWNER}\nbelow"},
    )
    got = manager.get(source_id)
    assert got
    assert (got.notes, got.owner) == ("above\nbelow", OWNER)
    assert manager.delete(source_id, owner=Owner(OWNER)) is None


def test_an_update_of_a_deleted_source_is_not_found(cloud: Cloud, manager: SourceManager) -> None:
    with pytest.raises(NotFound, match="source 'orders' \\(gone\\) is gone"):
        manager.update("gone", config())
    source_id = made(cloud)
    cloud.set_behaviour(softDelete=True)
    call(cloud, "PATCH", f"/{source_id}", json={"intendedState": "DELETED"})
    with pytest.raises(NotFound):
        manager.update(source_id, config())


def test_a_source_in_an_error_state_recovers(cloud: Cloud, manager: SourceManager, source_id: str) -> None:
    force(cloud, source_id, "ERROR", "the account is closed")
    got = manager.get(source_id)
    assert got
    assert (got.status, got.reason) == ("ERROR", "the account is closed")
    assert manager.update(source_id, config(notes="old")).source.status == "ACTIVE"
    assert writes(cloud) == ["PATCH 200"]


def test_a_disabled_source_in_an_error_state_recovers(
    cloud: Cloud, manager: SourceManager, source_id: str
) -> None:
    manager.update(source_id, config(enabled=False))
    cloud.requests()
    for notes, written in ((None, ["PATCH 200"]), ("new", ["PUT 200", "PATCH 200"])):
        force(cloud, source_id, "ERROR", "it can't be disabled")
        outcome = manager.update(source_id, config(enabled=False, notes=notes))
        assert (outcome.source.status, writes(cloud)) == ("INACTIVE", written)


def test_a_time_limit_ends_the_wait_for_a_steady_state(
    cloud: Cloud, manager: SourceManager, source_id: str
) -> None:
    outcome = manager.update(source_id, config(notes="new"), timeout=3)
    assert (outcome.source.status, outcome.source.notes) == ("ACTIVE", "new")


@pytest.mark.parametrize("theirs", ["one\r\ntwo\r\n{mark}", "one\rtwo\r{mark}\r", "one\ntwo\n{mark}\n"])
def test_line_endings_of_notes_do_not_matter(
    cloud: Cloud, manager: SourceManager, source_id: str, theirs: str
) -> None:
    written = {**current(cloud), "notes": theirs.format(mark=f"Pulumi: {OWNER}")}
    call(cloud, "PUT", f"/{source_id}/config/current", json=written)
    for ours in ("one\ntwo", "one\r\ntwo"):
        manager.update(source_id, config(notes=ours))
    assert writes(cloud) == []


def test_answers_without_the_intended_state_are_not_drift(
    cloud: Cloud, manager: SourceManager, source_id: str
) -> None:
    cloud.set_behaviour(omit=["intendedState"])
    found = manager.get(source_id)
    assert found
    assert found.enabled
    manager.update(source_id, config(notes="old"))
    assert writes(cloud) == []
    assert not manager.update(source_id, config(notes="old", enabled=False)).source.enabled
