"""A source's properties: how they are checked, compared with the state, written and read back."""

from __future__ import annotations

from typing import Any

import pytest
from pulumi.output import Unknown

from genesys_provider.resources import properties, source_properties
from genesys_provider.resources.source_properties import (
    changes,
    configuration_changed,
    expected,
    inputs_read,
    outputs,
    outputs_kept,
    outputs_read,
    with_defaults,
)
from genesys_provider.resources.source_rules import config_from, faults
from genesys_provider.sources.models import Source

API = "https://api.example"
URN = "urn:pulumi:dev::house::pulumi-python:dynamic/genesys:EventBridgeSource::orders"
NEWS: dict[str, Any] = {
    "name": "orders",
    "awsAccountId": "012345678901",
    "awsRegion": "us-east-1",
    "eventSourceSuffix": "orders-1",
    "topics": ["v2.users.{id}.presence", "v2.flows.{id}"],
    "owner": URN,
}
INPUTS = with_defaults(NEWS, API)
SOURCE = Source(
    id="id-1",
    name="orders",
    owner=URN,
    aws_account_id="012345678901",
    aws_region="us-east-1",
    event_source_suffix="orders-1",
    topics=["v2.flows.{id}", "v2.users.{id}.presence"],
    intended="ENABLED",
    status="ACTIVE",
    config_version=2,
)
STATE = outputs(
    INPUTS,
    SOURCE,
    organization_id="org-1",
    written_at="2026-01-31T12:00:00Z",
    activated_at="2026-01-31T12:00:05Z",
    activation_seconds=5.2,
)


def changed(**news: Any) -> dict[str, str]:
    """The changes from the state to these inputs; `...` leaves an input out."""
    given = {name: value for name, value in {**NEWS, **news}.items() if value is not ...}
    return dict(changes(STATE, with_defaults(given, API)))


def source(**fields: Any) -> Source:
    return SOURCE.model_copy(update=fields)


def read(found: Source, state: dict[str, Any] = STATE) -> dict[str, Any]:
    """The state after a refresh."""
    inputs = inputs_read(state, found, owner=found.owner, api_url=API)
    return outputs_read(state, inputs, found, organization_id="org-1")


def test_the_state_has_the_public_names() -> None:
    assert STATE == {
        **NEWS,
        "enabled": True,
        "secrets": [],
        "apiUrl": API,
        "organizationId": "org-1",
        "eventSourceName": "aws.partner/genesys.com/cloud/org-1/orders-1",
        "state": "ACTIVE",
        "configVersion": 2,
        "writtenAt": "2026-01-31T12:00:00Z",
        "activatedAt": "2026-01-31T12:00:05Z",
        "activationSeconds": 5.2,
    }


def test_an_explicit_default_is_not_a_change() -> None:
    assert changed() == {}
    assert changed(enabled=True, notes=None, activationTimeout=None) == {}
    assert changed(notes="") == {}


def test_the_order_of_topics_is_not_a_change() -> None:
    assert changed(topics=list(reversed(NEWS["topics"]))) == {}
    assert changed(topics=[*NEWS["topics"], "v2.users.{id}.station"]) == {"topics": "update"}
    assert changed(topics=[NEWS["topics"][0], Unknown()]) == {"topics": "update"}


@pytest.mark.parametrize(
    ("name", "value", "kind"),
    [
        ("name", "other", "update"),
        ("awsAccountId", "999999999999", "update"),
        ("awsRegion", Unknown(), "update"),
        ("eventSourceSuffix", "orders-2", "update"),
        ("notes", "for the orders", "add"),
        ("enabled", False, "update"),
        ("owner", URN + "-2", "update"),
    ],
)
def test_each_property_is_compared(name: str, value: Any, kind: str) -> None:
    assert changed(**{name: value}) == {name: kind}


@pytest.mark.parametrize(
    ("enabled", "status", "planned"),
    [
        (True, "ACTIVE", False),
        (True, "ACTIVATING", True),
        (True, "ERROR", True),
        (True, "INACTIVE", True),
        (True, "", True),
        (False, "INACTIVE", False),
        (False, "DEACTIVATING", True),
        (False, "ACTIVE", True),
    ],
)
def test_a_source_in_the_wrong_state_is_updated_again(enabled: bool, status: str, planned: bool) -> None:
    inputs = with_defaults({**NEWS, "enabled": enabled}, API)
    state = outputs(inputs, source(status=status), organization_id="org-1")
    assert changes(state, inputs) == ({"state": "update"} if planned else {})
    assert configuration_changed(state, inputs) == planned


def test_properties_of_the_stack_alone_are_not_sent_to_the_api() -> None:
    inputs = with_defaults({**NEWS, "activationTimeout": 30}, "https://api.other")
    assert changes(STATE, inputs) == {"apiUrl": "update"}
    assert not configuration_changed(STATE, inputs)
    kept = outputs_kept(STATE, inputs, organization_id="org-1")
    assert kept == {**STATE, "activationTimeout": 30, "apiUrl": "https://api.other"}
    without = with_defaults(NEWS, API)
    assert "activationTimeout" not in outputs_kept(kept, without, organization_id="org-1")


def test_unknown_values_of_a_preview_break_no_rule() -> None:
    unknown = dict.fromkeys(("name", "awsAccountId", "awsRegion", "eventSourceSuffix", "notes", "enabled"))
    news = {**dict.fromkeys(unknown, Unknown()), "topics": [Unknown(), "v2.users.*"], "owner": Unknown()}
    assert [fault.path for fault in faults({}, with_defaults(news, API))] == ["topics[1]"]
    assert faults({}, with_defaults({**news, "topics": Unknown()}, API)) == []


@pytest.mark.parametrize("seconds", [0, -1, 86401, "30", True])
def test_a_time_limit_is_a_number_of_seconds(seconds: Any) -> None:
    found = faults({}, with_defaults({**NEWS, "activationTimeout": seconds}, API))
    assert [fault.path for fault in found] == ["activationTimeout"]


def test_a_state_is_a_configuration() -> None:
    assert config_from(STATE) == config_from(INPUTS)
    assert config_from(INPUTS).owner == URN


def test_an_unchanged_source_is_read_without_changes() -> None:
    assert read(SOURCE) == STATE


@pytest.mark.parametrize(
    ("fields", "drift", "planned"),
    [
        ({"name": "by hand"}, {"name": "by hand"}, {"name"}),
        ({"topics": ["v2.flows.{id}"]}, {"topics": ["v2.flows.{id}"]}, {"topics"}),
        ({"notes": "by hand"}, {"notes": "by hand"}, {"notes"}),
        (
            {"intended": "DISABLED", "status": "INACTIVE"},
            {"enabled": False, "state": "INACTIVE"},
            {"enabled"},
        ),
        ({"status": "ERROR", "reason": "why"}, {"state": "ERROR", "stateReason": "why"}, {"state"}),
        ({"aws_region": "eu-west-1"}, {"awsRegion": "eu-west-1"}, {"awsRegion"}),
        ({"config_version": 5}, {"configVersion": 5}, set()),
    ],
)
def test_drift_is_shown_for_each_property(
    fields: dict[str, Any], drift: dict[str, Any], planned: set[str]
) -> None:
    after = read(source(**fields))
    assert after == {**STATE, **drift}
    assert changes(after, INPUTS).keys() == planned


def test_the_event_sources_name_follows_the_suffix() -> None:
    after = read(source(event_source_suffix="moved"))
    assert after["eventSourceName"] == "aws.partner/genesys.com/cloud/org-1/moved"


def test_notes_trimmed_by_the_service_are_not_drift() -> None:
    state = outputs(with_defaults({**NEWS, "notes": "for us\n"}, API), SOURCE, organization_id="org-1")
    assert read(source(notes="for us"), state)["notes"] == "for us\n"


def test_an_import_finds_the_inputs() -> None:
    found = inputs_read({}, SOURCE, owner=URN, api_url=API)
    # Only the program knows which inputs are secret.
    assert {**found, "secrets": []} == {**INPUTS, "topics": sorted(INPUTS["topics"])}
    assert changes(read(SOURCE, {}), INPUTS) == {}


def test_a_write_that_no_read_has_confirmed_is_compared() -> None:
    assert expected(STATE) is None
    unseen = {**STATE, "writtenAt": "2026-01-31T13:00:00Z"}
    as_written = source_properties.expected(unseen)
    assert as_written is not None
    assert as_written(SOURCE)
    assert as_written(source(status="ACTIVATING"))
    assert not as_written(source(topics=["v2.flows.{id}"]))


@pytest.mark.parametrize("ours", ["one\ntwo", "one\r\ntwo\r\n"])
def test_line_endings_of_notes_are_not_drift(ours: str) -> None:
    state = outputs(with_defaults({**NEWS, "notes": ours}, API), SOURCE, organization_id="org-1")
    found = Source.read({"id": "id-1", "config": {"current": {"notes": "one\r\ntwo"}}})
    assert read(source(notes=found.notes), state)["notes"] == ours


def test_a_source_that_was_never_configured_has_no_place_yet() -> None:
    """So the update can set its place, and the source need not be replaced."""
    bare = source(aws_account_id="", aws_region="", event_source_suffix="", topics=[], intended="DISABLED")
    state = read(bare, {})
    assert not {"awsAccountId", "awsRegion", "eventSourceSuffix", "eventSourceName"} & state.keys()
    found = changes(state, INPUTS)
    assert {found[name] for name in ("awsAccountId", "awsRegion", "eventSourceSuffix")} == {"add"}


@pytest.mark.parametrize("secrets", [None, [], ["topics"], ["eventSourceSuffix"]])
def test_the_event_sources_name_is_secret_if_its_suffix_is(secrets: list[str] | None) -> None:
    inputs = properties.present({**INPUTS, "secrets": secrets})
    written = outputs(inputs, SOURCE, organization_id="org-1")
    name = "aws.partner/genesys.com/cloud/org-1/orders-1"
    wanted = properties.secret(name) if secrets == ["eventSourceSuffix"] else name
    assert written["eventSourceName"] == wanted
    # A change of only the stack's settings does not turn it into plain text either.
    olds = {**written, "eventSourceName": name}
    assert outputs_kept(olds, inputs, organization_id="org-1")["eventSourceName"] == wanted


@pytest.mark.parametrize("intended", ["ENABLED", "DISABLED"])
def test_a_state_that_was_never_requested_is_not_waited_for(intended: str) -> None:
    state = {**STATE, "state": "INACTIVE", "writtenAt": "2026-01-31T13:00:00Z"}
    as_written = source_properties.expected(state)
    assert as_written is not None
    assert as_written(source(intended=intended, status="INACTIVE"))
    assert not as_written(source(intended=intended, topics=["v2.flows.{id}"]))
