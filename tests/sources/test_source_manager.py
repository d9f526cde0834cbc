"""The operations on sources: the manager against the emulator."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from genesys_provider import SourceManager
from genesys_provider.client.errors import (
    Cancelled,
    ConnectionFailed,
    Forbidden,
    GenesysError,
    InvalidRequest,
    ServerError,
)
from genesys_provider.common.audit import AuditEvent
from genesys_provider.common.audit_check import problems_of
from genesys_provider.common.errors import NameTaken, StillThere
from genesys_provider.common.ownership import Owner
from genesys_provider.common.times import utc_now
from genesys_provider.common.writes import LastWrite
from genesys_provider.sources.errors import ActivationUnknown, NotActive, OtherType, TooManySources
from genesys_provider.sources.vocabulary import event_source_name
from tests.sources.quick import (
    DELETE,
    LIST,
    OWNER,
    PATCH,
    POST,
    PRESENCE,
    PUT,
    ROUTING,
    URN,
    QuickTime,
    audited,
    bare,
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
from tests.support.cloud import CLIENT_SECRET, INTEGRATIONS
from tests.support.shared_cloud import at_once, counted, outcomes_at_once, settings_of
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.cloud import Cloud


def test_a_source_is_registered_and_active(cloud: Cloud, manager: SourceManager) -> None:
    outcome = manager.register(config(notes="ours"))
    assert (outcome.source.status, outcome.source.reason, outcome.adopted) == ("ACTIVE", None, False)
    assert outcome.activated_at
    assert outcome.activation_seconds
    assert outcome.activation_seconds >= 0.2
    assert (outcome.source.notes, outcome.source.owner, outcome.source.config_version) == ("ours", OWNER, 2)
    assert outcome.warnings == []
    name = event_source_name(manager.organization().id, outcome.source.event_source_suffix)
    assert [each["name"] for each in cloud.control("partner-sources", "GET")] == [name]
    written = current(cloud)
    assert written["notes"] == f"ours\nPulumi: {OWNER}"
    assert written["properties"] == config().payload()["properties"]
    assert audited(manager) == ["SOURCE_CREATED", "SOURCE_CONFIGURED", "SOURCE_ENABLED", "SOURCE_SETTLED"]
    # It lasts from the request to the state, and not only to the answer.
    (settled,) = manager.audit.latencies(AuditEvent.SOURCE_SETTLED)
    assert abs(settled - outcome.activation_seconds) < 1


def test_a_disabled_source_is_configured_without_a_wait(cloud: Cloud, manager: SourceManager) -> None:
    outcome = manager.register(config(enabled=False))
    assert (outcome.source.status, outcome.activated_at, outcome.activation_seconds) == (
        "INACTIVE",
        None,
        None,
    )
    assert writes(cloud) == ["POST 201", "PUT 200"]
    assert the_one(cloud)["intendedState"] == "DISABLED"


def test_many_concurrent_activations_take_few_requests(tmp_path: Path) -> None:
    """An activation takes 5 s, by the manager's clock."""
    from tests.support.cloud import Cloud

    time = QuickTime()
    with (
        Cloud(tmp_path, activation_seconds=0.25) as cloud,
        SourceManager(settings_of(cloud, tmp_path), cancelled=time, clock=time.clock) as manager,
    ):
        outcomes = at_once(20, lambda number: manager.register(config(f"s{number}")))
        seen = cloud.requests()
    assert {outcome.source.status for outcome in outcomes} == {"ACTIVE"}
    assert counted(seen, f"POST {INTEGRATIONS} 201") == 20
    assert len(seen) <= 4 * 20, seen


@pytest.mark.parametrize("ignores", [False, True])
def test_integrations_of_other_types_cost_no_requests(
    cloud: Cloud, manager: SourceManager, *, ignores: bool
) -> None:
    for number in range(250):
        call(cloud, "POST", json={"name": f"s{number % 5}", "integrationType": {"id": "custom-rest-actions"}})
    cloud.set_behaviour(ignoreFilters=ignores)
    assert manager._directory.find("none") is None
    assert counted(requests(cloud), "GET / 200") == (3 if ignores else 1)
    outcomes = at_once(10, lambda number: manager.register(config(f"s{number}")))
    assert {outcome.source.status for outcome in outcomes} == {"ACTIVE"}
    if not ignores:
        assert len(cloud.requests()) <= 4 * 10
    assert {source.name for source in manager.list()} == {f"s{number}" for number in range(10)}


# Names and suffixes of other sources.


@pytest.mark.parametrize(
    ("theirs", "says"),
    [
        (URN + "x", "aliases="),
        ("urn:pulumi:prod::shop::pulumi-python:dynamic/genesys:EventBridgeSource::x", "state move"),
        (None, "pulumi import"),
    ],
)
def test_a_source_of_somebody_else_with_the_name_is_left_alone(
    cloud: Cloud, manager: SourceManager, theirs: str | None, says: str
) -> None:
    source_id = made(cloud, config(owner=theirs, eventSourceSuffix="other"))
    with pytest.raises(NameTaken, match="the name 'orders' is taken by source " + source_id) as refused:
        manager.register(config())
    assert says in str(refused.value)
    assert "target" not in str(refused.value).replace("--target", "")
    assert writes(cloud) == []


def test_a_script_is_told_how_to_take_over_a_source(cloud: Cloud, manager: SourceManager) -> None:
    source_id = made(cloud, config(owner=None, topics=[ROUTING]), enabled=True)
    eventually(lambda: the_one(cloud)["reportedState"]["code"] == "ACTIVE")
    with pytest.raises(NameTaken, match="update") as refused:
        manager.register(config(owner=None))
    assert f"update({source_id!r}, …)" in str(refused.value)


@pytest.mark.parametrize("theirs", [URN + "x", None])
def test_a_suffix_of_another_source_is_refused(
    cloud: Cloud, manager: SourceManager, theirs: str | None
) -> None:
    source_id = made(cloud, config("theirs", owner=theirs))
    wanted = config(eventSourceSuffix="theirs")
    with pytest.raises(
        NameTaken, match=f"'theirs' in 012345678901, eu-central-1 is taken.*{source_id}"
    ) as no:
        manager.register(wanted)
    assert "event_source_suffix=" in str(no.value)
    assert writes(cloud) == []
    # In another region the suffix is free.
    there_too = wanted.model_copy(update={"aws_region": "eu-west-1"})
    assert manager.register(there_too).source.status == "ACTIVE"


def test_a_suffix_taken_since_the_list_was_read_is_refused_by_the_service(
    cloud: Cloud, manager: SourceManager
) -> None:
    manager._directory.find("another")
    made(cloud, config("theirs", owner=None))
    with pytest.raises(ActivationUnknown, match=r"exists, but is not set up.*eventSourceSuffix") as unknown:
        manager.register(config(eventSourceSuffix="theirs"))
    assert "endpoint" not in str(unknown.value)
    assert unknown.value.source.id in [each["id"] for each in there(cloud)]
    assert unknown.value.source.status == "INACTIVE"


def test_a_name_is_looked_up_again_if_the_list_is_old(
    cloud: Cloud, manager: SourceManager, cancelled: QuickTime
) -> None:
    """The service accepts any name, so there is no 409."""
    manager.register(config("first"))
    theirs = made(cloud, config(owner=None))
    cancelled.wait(31)
    with pytest.raises(NameTaken, match=theirs):
        manager.register(config())
    assert len(there(cloud)) == 2


def test_of_several_sources_with_one_name_ours_is_adopted(cloud: Cloud, manager: SourceManager) -> None:
    made(cloud, config(owner=None, eventSourceSuffix="a"))
    ours = made(cloud, config(topics=[ROUTING]))
    made(cloud, config(owner=URN + "x", eventSourceSuffix="b"))
    outcome = manager.register(config())
    assert (outcome.source.id, outcome.adopted, outcome.source.status) == (ours, True, "ACTIVE")
    assert audited(manager)[0] == "SOURCE_ADOPTED"
    topics = {each["id"]: each["config"]["current"]["properties"]["eventFilter"] for each in there(cloud)}
    assert topics[ours] == [PRESENCE]


def test_two_registrations_of_one_name_in_a_process_make_one_source(
    cloud: Cloud, manager: SourceManager
) -> None:
    outcomes = outcomes_at_once(
        2, lambda n: manager.register(config(owner=f"{URN}{n}", eventSourceSuffix=f"s{n}"))
    )
    assert sum(isinstance(outcome, NameTaken) for outcome in outcomes) == 1, outcomes
    assert len(there(cloud)) == 1


def test_two_registrations_of_one_suffix_in_a_process_make_one_source(
    cloud: Cloud, manager: SourceManager
) -> None:
    outcomes = outcomes_at_once(2, lambda n: manager.register(config(f"n{n}", eventSourceSuffix="one")))
    assert sum(isinstance(outcome, NameTaken) for outcome in outcomes) == 1, outcomes
    assert len(there(cloud)) == 1


@pytest.mark.parametrize("owners", [(OWNER, OWNER), (OWNER, URN + "x"), (None, None)])
def test_two_processes_with_the_same_source_do_not_both_configure_it(
    cloud: Cloud, manager: SourceManager, another: SourceManager, owners: tuple[str | None, str | None]
) -> None:
    """The service accepts two sources with one name; only one of them can have the suffix."""
    managers = (manager, another)
    for each in managers:
        each._directory.find("none")
    outcomes = outcomes_at_once(2, lambda n: managers[n].register(config(owner=owners[n])))
    tracked = {
        outcome.source.id
        for outcome in outcomes
        if not isinstance(outcome, Exception) or isinstance(outcome, NotActive)
    }
    found = there(cloud)
    assert sum(each["config"]["current"]["properties"] != {} for each in found) == 1
    assert {each["id"] for each in found} == tracked


def test_too_many_sources_names_the_limit(tmp_path: Path) -> None:
    from tests.support.cloud import Cloud

    time = QuickTime()
    with (
        Cloud(tmp_path, max_instances=1) as cloud,
        SourceManager(settings_of(cloud, tmp_path), cancelled=time, clock=time.clock) as manager,
    ):
        manager.register(config())
        with pytest.raises(TooManySources, match="The maximum of 1 integrations of the type") as many:
            manager.register(config("second"))
        assert "the limit amazon-eventbridge-source.max is 1" in str(many.value)
        assert "maxInstances" in str(many.value)
        assert "correlation id" in str(many.value)
        assert "unique" not in str(many.value)
        assert len(there(cloud)) == 1
        assert audited(manager)[-1] == "SOURCE_FAILED"


# Warnings.


def test_an_unknown_topic_is_a_warning_with_the_nearest_topic(manager: SourceManager) -> None:
    outcome = manager.register(config(topics=[PRESENCE, "v2.users.{id}.presences"]))
    (warning,) = outcome.warnings
    assert "'v2.users.{id}.presences'" in warning
    assert f"is {PRESENCE!r} meant?" in warning


def test_an_unknown_region_is_a_warning(manager: SourceManager) -> None:
    (warning,) = manager.register(config(awsRegion="mx-central-1")).warnings
    assert "mx-central-1" in warning


def test_unavailable_topics_delay_nothing(cloud: Cloud, manager: SourceManager) -> None:
    cloud.control("faults", match={"path": "/api/v2/notifications/*"}, action="status", status=503)
    outcomes = [manager.register(config(f"s{number}", enabled=False)) for number in range(3)]
    assert [outcome.warnings for outcome in outcomes] == [[], [], []]
    assert counted(cloud.requests(), "GET /api/v2/notifications/") == 1


# Lost answers.


@pytest.mark.parametrize("action", ["drop_after", "truncate", "malformed"])
@pytest.mark.parametrize("owner", [OWNER, None])
def test_a_post_whose_answer_is_lost_creates_one_source(
    cloud: Cloud, manager: SourceManager, action: str, owner: str | None
) -> None:
    cloud.control("faults", match=POST, action=action, times=1)
    outcome = manager.register(config(owner=owner))
    assert outcome.source.status == "ACTIVE"
    assert the_one(cloud)["id"] == outcome.source.id


@pytest.mark.parametrize("action", ["drop_before", "status"])
def test_a_post_without_effect_is_retried(cloud: Cloud, hurried: SourceManager, action: str) -> None:
    more: dict[str, Any] = {"status": 500} if action == "status" else {}
    cloud.control("faults", match=POST, action=action, times=2, **more)
    outcome = hurried.register(config(), timeout=86_000)
    assert outcome.source.status == "ACTIVE"
    assert the_one(cloud)["id"] == outcome.source.id


def test_a_500_after_the_effect_creates_one_source(cloud: Cloud, manager: SourceManager) -> None:
    cloud.control("faults", match=POST, action="status", status=500, seconds=30, times=1)
    with meanwhile(lambda: manager.register(config())) as outcomes:
        eventually(lambda: cloud.control("held", "GET"))
        acted = bare(cloud)
        cloud.control("held", "DELETE")
    assert outcomes[0].source.status == "ACTIVE"
    assert the_one(cloud)["id"] == outcomes[0].source.id == acted


def test_posts_that_never_take_effect_end(cloud: Cloud, hurried: SourceManager) -> None:
    cloud.control("faults", match=POST, action="status", status=503)
    with pytest.raises(ServerError):
        hurried.register(config())
    assert counted(requests(cloud), "POST / 503") == 3
    assert audited(hurried) == ["SOURCE_FAILED"]


def test_a_post_whose_answer_has_no_id_is_looked_up(cloud: Cloud, manager: SourceManager) -> None:
    cloud.set_behaviour(omit=["id"])
    outcome = manager.register(config())
    assert outcome.source.status == "ACTIVE"
    assert the_one(cloud)["id"] == outcome.source.id


@pytest.mark.parametrize("action", ["drop_after", "truncate", "malformed", "drop_before", "status"])
@pytest.mark.parametrize("match", [PUT, PATCH], ids=["PUT", "PATCH"])
@pytest.mark.parametrize("times", [1, 2], ids=["once", "for all tries"])
def test_a_lost_put_or_patch_is_recovered(
    cloud: Cloud, manager: SourceManager, match: dict[str, str], action: str, times: int
) -> None:
    more: dict[str, Any] = {"status": 502} if action == "status" else {}
    cloud.control("faults", match=match, action=action, times=times, **more)
    if times == 1 or (match is PUT and action in ("drop_after", "truncate", "malformed")):
        # The client tries twice; without an answer, the configuration that a read shows counts.
        source = manager.register(config()).source
    else:
        with pytest.raises(ActivationUnknown) as unknown:
            manager.register(config())
        # The known part is enough to continue.
        source = manager.update(unknown.value.source.id, config()).source
    assert source.status == "ACTIVE"
    assert the_one(cloud)["id"] == source.id
    assert current(cloud)["version"] == 2


def test_a_404_for_a_new_integration_is_retried(cloud: Cloud, manager: SourceManager) -> None:
    """Other parts of the service may learn of a new integration with a delay."""
    for match in (PUT, PATCH):
        cloud.control("faults", match=match, action="status", status=404, times=2)
    assert manager.register(config()).source.status == "ACTIVE"
    assert writes(cloud) == [
        "POST 201",
        "PUT 404",
        "PUT 404",
        "PUT 200",
        "PATCH 404",
        "PATCH 404",
        "PATCH 200",
    ]


@pytest.mark.parametrize("action", ["drop_after", "malformed", "drop_before", "status"])
def test_a_lost_delete_is_recovered(cloud: Cloud, manager: SourceManager, action: str) -> None:
    source_id = manager.register(config()).source.id
    more: dict[str, Any] = {"status": 503} if action == "status" else {}
    cloud.control("faults", match=DELETE, action=action, times=1, **more)
    assert manager.delete(source_id, owner=Owner(OWNER)) is None
    assert there(cloud) == []


# Leftovers of earlier runs.


def test_a_bare_source_of_our_name_is_adopted(cloud: Cloud, manager: SourceManager) -> None:
    left = bare(cloud)
    outcome = manager.register(config())
    assert (outcome.source.id, outcome.adopted, outcome.source.status) == (left, True, "ACTIVE")
    assert the_one(cloud)["id"] == left
    assert audited(manager) == ["SOURCE_ADOPTED", "SOURCE_CONFIGURED", "SOURCE_ENABLED", "SOURCE_SETTLED"]


def test_a_recent_bare_source_is_left_to_its_creator(cloud: Cloud, manager: SourceManager) -> None:
    left = bare(cloud)
    cloud.control("faults", match=LIST, action="delay", times=2)
    cloud.control("faults", match=LIST, action="delay", seconds=30, times=1)
    with meanwhile(lambda: manager.register(config())) as outcomes:
        # By then two reads have shown it.
        eventually(lambda: cloud.control("held", "GET"))
        reconfigure(cloud, left, config(owner=URN + "x", eventSourceSuffix="theirs"))
        cloud.control("held", "DELETE")
    assert isinstance(outcomes[0], NameTaken)
    assert current(cloud)["properties"]["eventSourceSuffix"] == "theirs"


def test_a_source_adopted_by_another_process_first_is_refused(
    cloud: Cloud, manager: SourceManager, another: SourceManager
) -> None:
    """Both have waited in case somebody is still creating it."""
    bare(cloud)
    owners, managers = (OWNER, URN + "x"), (manager, another)
    outcomes = outcomes_at_once(
        2, lambda n: managers[n].register(config(owner=owners[n], eventSourceSuffix=f"s{n}"))
    )
    refused = [outcome for outcome in outcomes if isinstance(outcome, GenesysError)]
    assert len(refused) == 1, outcomes
    assert not isinstance(refused[0], NotActive), refused
    assert len(there(cloud)) == 1


def test_a_bare_source_that_disappears_is_created_again(cloud: Cloud, manager: SourceManager) -> None:
    left = bare(cloud)
    cloud.control("faults", match=PUT, action="delay", seconds=30, times=1)
    with meanwhile(lambda: manager.register(config())) as outcomes:
        eventually(lambda: cloud.control("held", "GET"))
        call(cloud, "DELETE", f"/{left}")
        cloud.control("held", "DELETE")
    assert outcomes[0].source.status == "ACTIVE"
    assert not outcomes[0].adopted
    assert the_one(cloud)["id"] == outcomes[0].source.id


def test_a_marked_source_is_adopted_and_updated(cloud: Cloud, manager: SourceManager) -> None:
    left = made(cloud, config(topics=[ROUTING], notes="old"))
    outcome = manager.register(config())
    assert (outcome.source.id, outcome.adopted, outcome.source.status) == (left, True, "ACTIVE")
    assert current(cloud)["properties"]["eventFilter"] == [PRESENCE]
    assert current(cloud)["notes"] == f"Pulumi: {OWNER}"


def test_a_marked_source_that_is_up_to_date_is_not_written(cloud: Cloud, manager: SourceManager) -> None:
    made(cloud, enabled=True)
    assert manager.register(config()).adopted
    assert writes(cloud) == []


def test_a_script_continues_its_first_attempt(cloud: Cloud, manager: SourceManager) -> None:
    cloud.control("faults", match=PATCH, action="status", status=400, times=1)
    with pytest.raises(ActivationUnknown) as unknown:
        manager.register(config(owner=None))
    outcome = manager.register(config(owner=None))
    assert (outcome.source.id, outcome.source.status) == (unknown.value.source.id, "ACTIVE")
    assert len(there(cloud)) == 1


# Reading.


def test_get_find_and_list(cloud: Cloud, manager: SourceManager) -> None:
    ids = at_once(3, lambda number: manager.register(config(f"s{number}", notes="ours")).source.id)
    got = manager.get(ids[0])
    assert got
    assert (got.name, got.owner, got.notes, got.status) == ("s0", URN + "s0", "ours", "ACTIVE")
    assert (got.place, got.topics) == (config("s0").place, [PRESENCE])
    found = manager.find("s2")
    assert found
    assert found.id == ids[2]
    assert manager.find("s") is None
    assert manager.get("gone") is None
    assert {source.id for source in manager.list()} == set(ids)


def test_a_source_that_was_deleted_manually_is_gone_immediately(cloud: Cloud, manager: SourceManager) -> None:
    source_id = made(cloud)
    manager._directory.find("orders")
    call(cloud, "DELETE", f"/{source_id}")
    long_ago = LastWrite("2026-01-31T12:00:00Z", seen=True)
    assert manager.get(source_id, last_write=long_ago) is None
    assert requests(cloud) == [f"GET /{source_id} 404"]


def test_an_absence_right_after_our_write_means_not_yet(cloud: Cloud, manager: SourceManager) -> None:
    source_id = made(cloud)
    match = {"method": "GET", "path": f"{INTEGRATIONS}/*"}
    cloud.control("faults", match=match, action="status", status=404, times=3)
    assert manager.get(source_id, last_write=LastWrite(utc_now(), seen=False)) is not None


@pytest.mark.parametrize("status", [404, 408, 410])
def test_all_forms_of_an_absence(cloud: Cloud, manager: SourceManager, status: int) -> None:
    source_id = made(cloud)
    match = {"method": "GET", "path": f"{INTEGRATIONS}/*"}
    cloud.control("faults", match=match, action="status", status=status)
    assert manager.get(source_id) is None


def test_a_softly_deleted_source_is_gone(cloud: Cloud, manager: SourceManager) -> None:
    source = manager.register(config()).source
    cloud.set_behaviour(softDelete=True)
    manager.delete(source.id, owner=Owner(OWNER))
    assert the_one(cloud)["intendedState"] == "DELETED"
    assert manager.get(source.id) is None
    assert manager.find("orders") is None
    assert list(manager.list()) == []
    # And its name and suffix are free.
    again = manager.register(config()).source
    assert again.id != source.id


def test_empty_notes_are_read_as_none(cloud: Cloud, manager: SourceManager) -> None:
    cloud.set_behaviour(emptyNotes="word")
    source_id = made(cloud, config(owner=None))
    got = manager.get(source_id)
    assert got
    assert (got.notes, got.owner) == (None, None)
    cloud.requests()
    manager.update(source_id, config(owner=None, enabled=False))
    assert writes(cloud) == []


def test_a_list_without_configurations_is_completed(cloud: Cloud, manager: SourceManager) -> None:
    ids = {made(cloud, config(f"s{number}")) for number in range(3)}
    cloud.set_behaviour(omit=["config"])
    assert {source.id: source.owner for source in manager.list()}.keys() == ids
    assert {source.owner for source in manager.list()} == {f"{URN}s{number}" for number in range(3)}
    assert manager.register(config("s1")).adopted


@pytest.mark.parametrize("status", [404, 403])
def test_an_unreadable_configuration_of_another_source_does_not_interfere(
    cloud: Cloud, manager: SourceManager, status: int
) -> None:
    """Because it was deleted meanwhile, or may not be read."""
    theirs = made(cloud, config("theirs", owner=None))
    cloud.set_behaviour(omit=["config"])
    match = {"method": "GET", "path": f"{INTEGRATIONS}/{theirs}/config/current"}
    cloud.control("faults", match=match, action="status", status=status)
    assert manager.register(config()).source.status == "ACTIVE"
    if status == 403:
        with pytest.raises(NameTaken, match=theirs):
            manager.register(config("theirs"))


def test_the_id_of_another_type_is_reported(cloud: Cloud, manager: SourceManager) -> None:
    body = {"name": "orders", "integrationType": {"id": "custom-rest-actions"}}
    other = call(cloud, "POST", json=body)["id"]
    for work in (
        lambda: manager.get(other),
        lambda: manager.update(other, config()),
        lambda: manager.delete(other, owner=Owner(OWNER)),
        lambda: manager.delete(other),
    ):
        with pytest.raises(OtherType, match="custom-rest-actions"):
            work()
    assert writes(cloud) == []


def test_odd_entries_do_not_interfere(cloud: Cloud, manager: SourceManager) -> None:
    cloud.set_behaviour(oddEntries=30)
    outcomes = at_once(5, lambda number: manager.register(config(f"s{number}")))
    assert {outcome.source.status for outcome in outcomes} == {"ACTIVE"}
    assert {f"s{number}" for number in range(5)} <= {source.name for source in manager.list()}


@pytest.mark.parametrize("style", ["number", "opaque"])
def test_any_id_is_accepted(cloud: Cloud, manager: SourceManager, style: str) -> None:
    cloud.set_behaviour(idStyle=style, statusCase="lower")
    outcomes = at_once(3, lambda number: manager.register(config(f"s{number}")))
    for number, outcome in enumerate(outcomes):
        assert outcome.source.status == "ACTIVE"
        source = manager.update(outcome.source.id, config(f"s{number}", topics=[ROUTING])).source
        assert source.status == "ACTIVE"
        assert manager.delete(source.id, owner=Owner(f"{URN}s{number}")) is None
    assert there(cloud) == []


def test_monitor_yields_each_change(cloud: Cloud, manager: SourceManager, cancelled: QuickTime) -> None:
    source_id = manager.register(config()).source.id
    seen: list[tuple[str, str | None, str | None]] = []
    cloud.control("faults", match=LIST, action="delay", seconds=30, when="after", times=1)
    with meanwhile(
        lambda: seen.extend((each.thing.name, each.before, each.after) for each in manager.monitor(1))
    ):
        eventually(lambda: cloud.control("held", "GET"))
        force(cloud, source_id, "ERROR", "the account is closed")
        cloud.control("held", "DELETE")
        eventually(lambda: seen)
        cloud.control("faults", match=LIST, action="status", status=503, times=2)
        call(cloud, "DELETE", f"/{source_id}")
        eventually(lambda: len(seen) > 1)
        cancelled.set()
    assert seen == [("orders", "ACTIVE", "ERROR"), ("orders", "ERROR", None)]


# Deleting.


@pytest.mark.parametrize("answer", [200, 202, 204])
def test_a_deletion_counts_once_a_read_confirms_it(cloud: Cloud, manager: SourceManager, answer: int) -> None:
    source_id = manager.register(config()).source.id
    cloud.set_behaviour(deleteAnswer=answer)
    assert manager.delete(source_id, owner=Owner(OWNER)) is None
    assert there(cloud) == []
    assert manager.get(source_id) is None
    assert audited(manager)[-1] == "SOURCE_DELETED"


def test_a_delete_of_a_deleted_source_succeeds(cloud: Cloud, manager: SourceManager) -> None:
    source_id = made(cloud)
    call(cloud, "DELETE", f"/{source_id}")
    for owner in (None, Owner(OWNER)):
        assert manager.delete(source_id, owner=owner) is None
    assert manager.audit.entries[-1].error == "it was gone already"


def test_a_source_of_another_owner_is_left_alone(cloud: Cloud, manager: SourceManager) -> None:
    source_id = made(cloud, config(owner=URN + "x"))
    left = manager.delete(source_id, owner=Owner(OWNER))
    assert left is not None
    assert left.owner == URN + "x"
    assert the_one(cloud)["id"] == source_id


def test_a_deletion_that_never_happens_is_an_error(cloud: Cloud, hurried: SourceManager) -> None:
    source_id = made(cloud)
    cloud.control("faults", match=DELETE, action="status", status=200, body={"id": source_id})
    with pytest.raises(StillThere, match=f"source {source_id}"):
        hurried.delete(source_id, owner=Owner(OWNER))
    assert the_one(cloud)["id"] == source_id


def test_a_cancel_after_an_accepted_deletion_is_still_a_deletion(
    cloud: Cloud, manager: SourceManager, cancelled: QuickTime
) -> None:
    """The state must not keep a deleted source."""
    source_id = manager.register(config()).source.id
    cloud.control("faults", match=DELETE, action="delay", seconds=20, when="after", times=1)
    with meanwhile(lambda: manager.delete(source_id, owner=Owner(OWNER))) as outcomes:
        eventually(lambda: cloud.control("held", "GET"))
        cancelled.set()
        cloud.control("held", "DELETE")
    cloud.requests()
    assert there(cloud) == []
    assert outcomes == [None]


# Messages and the audit file.


def test_a_403_names_permissions_first(cloud: Cloud, manager: SourceManager) -> None:
    cloud.control("faults", match={"path": f"{INTEGRATIONS}*"}, action="status", status=403)
    with pytest.raises(Forbidden) as refused:
        manager.register(config())
    said = str(refused.value)
    assert said.index("role") < said.index("integrations:integration:view, add, edit and delete")
    assert said.index("integrations:integration:view") < said.index("scope")


def test_a_400_does_not_mention_targets(cloud: Cloud, manager: SourceManager) -> None:
    cloud.control("faults", match=POST, action="status", status=400)
    with pytest.raises(InvalidRequest) as refused:
        manager.register(config())
    for word in ("endpoint", "authType", "target"):
        assert word not in str(refused.value)


def test_after_a_cancel_nothing_is_sent(cloud: Cloud, manager: SourceManager, cancelled: QuickTime) -> None:
    cancelled.set()
    for work in (
        lambda: manager.register(config()),
        lambda: manager.update("some", config()),
        lambda: manager.delete("some"),
    ):
        with pytest.raises(Cancelled):
            work()
    assert cloud.requests() == []


def test_an_unreachable_api_is_reported(tmp_path: Path, cloud: Cloud, cancelled: QuickTime) -> None:
    env = {**cloud.env, "GENESYSCLOUD_API_URL": "http://localhost:1"}
    from genesys_provider.client.settings import Settings

    settings = Settings.resolve({"maxRetries": 0, "auditLog": tmp_path / "a.jsonl"}, env)
    with (
        SourceManager(settings, cancelled=cancelled, clock=cancelled.clock) as manager,
        pytest.raises(ConnectionFailed),
    ):
        manager.register(config())


def test_the_audit_is_complete_and_without_secrets(
    cloud: Cloud, manager: SourceManager, tmp_path: Path
) -> None:
    source_id = manager.register(config()).source.id
    manager.update(source_id, config(topics=[ROUTING], enabled=False))
    manager.delete(source_id, owner=Owner(OWNER))
    lines = [json.loads(line) for line in (tmp_path / "audit.jsonl").read_text().splitlines()]
    assert [line["event"] for line in lines] == [
        "SOURCE_CREATED",
        "SOURCE_CONFIGURED",
        "SOURCE_ENABLED",
        "SOURCE_SETTLED",
        "SOURCE_CONFIGURED",
        "SOURCE_DISABLED",
        "SOURCE_SETTLED",
        "SOURCE_DELETED",
    ]
    assert {line["targetId"] for line in lines} == {source_id}
    assert all(line["latencySeconds"] > 0 for line in lines)
    assert list(problems_of(tmp_path / "audit.jsonl")) == []
    assert CLIENT_SECRET not in (tmp_path / "audit.jsonl").read_text()
