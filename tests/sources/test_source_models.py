"""The contract's rules for a source by property path, the request bodies, and the parsing of answers."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from genesys_provider.client.limits import MAX_BODY_BYTES
from genesys_provider.common.faults import faults_of
from genesys_provider.emulator.odd import odd_integrations
from genesys_provider.sources.models import Source, SourceConfig
from genesys_provider.sources.places import PARTNER_REGIONS, region_warning
from genesys_provider.sources.vocabulary import ACTIVE, INACTIVE, event_source_name

URN = "urn:pulumi:dev::house::pulumi-python:dynamic/genesys:EventBridgeSource::orders"
EXAMPLE: dict[str, Any] = {
    "name": "orders",
    "awsAccountId": "012345678901",
    "awsRegion": "us-east-1",
    "eventSourceSuffix": "orders-1",
    "topics": ["v2.users.{id}.presence", "v2.flows.{id}"],
}
BODY: dict[str, Any] = {
    "name": "orders",
    "version": 1,
    "properties": {
        "awsAccountId": "012345678901",
        "awsAccountRegion": "us-east-1",
        "eventSourceSuffix": "orders-1",
        "eventFilter": ["v2.users.{id}.presence", "v2.flows.{id}"],
    },
    "advanced": {},
    "notes": "",
    "credentials": {},
}


def config(**changes: Any) -> SourceConfig:
    return SourceConfig.model_validate({**EXAMPLE, **changes})


def faults(**changes: Any) -> dict[str, str]:
    """The broken rules of the example with these changes, by path; `...` leaves a property out."""
    data = {name: value for name, value in {**EXAMPLE, **changes}.items() if value is not ...}
    try:
        SourceConfig.model_validate(data)
    except ValidationError as error:
        return {fault.path: fault.reason for fault in faults_of(error)}
    return {}


def answered(body: dict[str, Any], **integration: Any) -> dict[str, Any]:
    """An integration with this configuration, as the API returns it."""
    return {
        "id": "3b1e6f0c-4b0e-4b7e-9c57-0a6a2b0f5a11",
        "name": body["name"],
        "integrationType": {"id": "amazon-eventbridge-source"},
        "intendedState": "ENABLED",
        "config": {"current": {"id": "x", "selfUri": "/x", **body}},
        "reportedState": {"code": "ACTIVE", "lastUpdated": "2026-01-31T12:00:00.000Z"},
        **integration,
    }


def test_the_example_is_sent_as_a_configuration() -> None:
    assert config().payload() == BODY


def test_python_names_give_the_same_configuration() -> None:
    python = SourceConfig(
        name="orders",
        aws_account_id="012345678901",
        aws_region="us-east-1",
        event_source_suffix="orders-1",
        topics=["v2.users.{id}.presence", "v2.flows.{id}"],
    )
    assert python == config()
    assert python.wanted_status == ACTIVE
    assert config(enabled=False).wanted_status == INACTIVE


@pytest.mark.parametrize("name", ["name", "awsAccountId", "awsRegion", "eventSourceSuffix", "topics"])
def test_fields_without_a_default_are_required(name: str) -> None:
    assert faults(**{name: ...}) == {name: "is required"}


@pytest.mark.parametrize(
    ("name", "values", "reason"),
    [
        ("name", ["", "n" * 101], "must have at (least|most)"),
        ("name", [" orders", "a\u200b"], "must have no white space around it|must hold no control"),
        (
            "awsAccountId",
            ["1", "0" * 13, "01234567890a", "012345678901\n", "\u0660" * 12],
            "must be 12 digits",
        ),
        ("awsAccountId", [12345678901, True, None], "must be a valid string"),
        (
            "awsRegion",
            ["", "us_east_1", "US-EAST-1", "useast1", "us-east", "us-east-1\n"],
            "such as us-east-1",
        ),
        ("eventSourceSuffix", ["", "a" * 65, "a b", "a/b", "ä", "a\n"], "must be 1 to 64 letters"),
        ("topics", ["v2.flows.{id}", {"a": "b"}, None], "must be a (valid )?list"),
        ("topics", [[]], "must have at least 1 item"),
        ("enabled", ["true", 1, None], "must be a valid boolean"),
        ("notes", [7], "must be a valid string"),
        (
            "notes",
            [f"Pulumi: {URN}", f"a\nPulumi: {URN}\nb"],
            "must not contain a line that begins with `Pulumi: urn:`",
        ),
        ("colour", ["red"], "is not a known property"),
    ],
)
def test_each_rule_reports_its_path(name: str, values: list[Any], reason: str) -> None:
    for value in values:
        found = faults(**{name: value})
        assert found.keys() == {name}, value
        assert re.search(reason, found[name]), found


@pytest.mark.parametrize(
    "region", sorted(PARTNER_REGIONS | {"us-gov-west-1", "cn-north-1", "eusc-de-east-1"})
)
def test_a_region_of_any_partition_is_well_formed(region: str) -> None:
    assert faults(awsRegion=region) == {}
    assert (region_warning(region) is None) == (region in PARTNER_REGIONS)


def test_all_faults_are_reported_together() -> None:
    found = faults(
        awsAccountId="1",
        awsRegion="here",
        eventSourceSuffix="",
        topics=["v2.users.*", "v2.flows.{id}", "v2.flows.{id}", 7, "v2.flows.{id}"],
        enabled="no",
    )
    items = {"topics[0]", "topics[2]", "topics[3]", "topics[4]"}
    assert found.keys() == {"awsAccountId", "awsRegion", "eventSourceSuffix", "enabled"} | items
    assert found["topics[2]"] == "must not be there twice: it is topics[1] too"
    assert found["topics[3]"] == "must be text"


def test_an_oversized_configuration_blames_the_largest_field() -> None:
    assert faults(notes="n" * MAX_BODY_BYTES).keys() == {"notes"}
    assert faults(topics=["v2." + "a" * MAX_BODY_BYTES]).keys() == {"topics"}


@pytest.mark.parametrize(
    "notes", [None, "", "one line", "two\nlines", "ends with a line\n", "\n", "Pulumi: us"]
)
@pytest.mark.parametrize("owner", [None, URN, URN + " with a space", URN + "\n%, ü and \u2028"])
def test_a_written_configuration_reads_the_same(notes: str | None, owner: str | None) -> None:
    written = config(notes=notes, owner=owner)
    read = Source.read(answered(written.payload()))
    assert read.visible == written.visible
    assert read.place == written.place
    assert (read.notes or "") == (notes or "")
    assert read.owner == owner
    assert (read.status, read.enabled, read.config_version) == ("ACTIVE", True, 1)


@settings(deadline=None)
@given(notes=st.text(), name=st.text(min_size=1))
def test_notes_and_owner_are_separated_for_all_values(notes: str, name: str) -> None:
    owner = f"urn:pulumi:dev::house::t::{name}"
    written = config(notes=notes, owner=owner)
    read = Source.read(answered(written.payload()))
    assert (read.visible, read.owner) == (written.visible, owner)
    if "\r" not in notes:
        assert (read.notes or "") == notes


def test_the_mark_is_the_last_line_of_the_notes() -> None:
    assert config(notes="For the orders", owner=URN).payload()["notes"] == f"For the orders\nPulumi: {URN}"
    assert config(owner=URN).payload()["notes"] == f"Pulumi: {URN}"


@pytest.mark.parametrize(
    "notes", [f"a\nPulumi: {URN}\nb", f"a\r\nPulumi: {URN}\r\nb", f"a\nPulumi: {URN} \nb"]
)
def test_a_mark_is_found_after_manual_edits_of_the_notes(notes: str) -> None:
    read = Source.read(answered({**BODY, "notes": notes}))
    assert read.owner == URN
    assert (read.notes or "").split() == ["a", "b"]


def test_a_truncated_mark_has_no_owner() -> None:
    """A shortened line does not mean that another resource owns the source."""
    for cut in ("urn:pulumi:", "urn:pulumi:dev::house", URN.rpartition("::")[0]):
        notes = f"a\nPulumi: {cut}"
        read = Source.read(answered({**BODY, "notes": notes}))
        assert (read.notes, read.owner) == (notes, None)


@pytest.mark.parametrize("notes", [None, "", "node_dynamodb_empty_string", 7])
def test_empty_notes_are_none(notes: object) -> None:
    read = Source.read(answered({**BODY, "notes": notes}))
    assert (read.notes, read.owner) == (None, None)


def test_a_separate_answer_is_read_as_the_configuration() -> None:
    integration = answered(BODY)
    del integration["config"]
    assert Source.read(integration).config_version is None
    assert Source.read(integration, {**BODY, "version": 4}) == Source.read(answered({**BODY, "version": 4}))


def test_states_are_read_in_any_case() -> None:
    state = {"code": "error", "detail": {"message": "no such account"}, "lastUpdated": "t"}
    read = Source.read(answered(BODY, intendedState="enabled", reportedState=state))
    assert (read.enabled, read.status, read.reason, read.last_updated) == (
        True,
        "ERROR",
        "no such account",
        "t",
    )
    assert Source.read(answered(BODY, intendedState="deleted")).deleted


def test_unknown_fields_are_preserved() -> None:
    body = {
        **BODY,
        "version": 7,
        "properties": {**BODY["properties"], "compression": None, "extra": {"a": None}},
        "advanced": {"x": 1},
        "credentials": {"basic": {"id": "c"}},
    }
    put = Source.read(answered(body)).put_body(config(topics=["v2.flows.{id}"], owner=URN))
    assert put == {
        **body,
        "properties": {**body["properties"], "eventFilter": ["v2.flows.{id}"]},
        "notes": f"Pulumi: {URN}",
    }


def test_a_leftover_from_before_its_put_is_bare() -> None:
    bare = {**BODY, "properties": {}}
    disabled = {"intendedState": "DISABLED", "reportedState": {"code": "INACTIVE"}}
    assert Source.read(answered(bare, **disabled)).is_bare
    for other in (
        answered(bare),
        answered(BODY, **disabled),
        answered({**bare, "version": 2}, **disabled),
        answered({**bare, "notes": "mine"}, **disabled),
        answered({**bare, "notes": f"Pulumi: {URN}"}, **disabled),
        answered({**bare, "properties": {"extra": 1}}, **disabled),
        {**answered(bare, **disabled), "config": None},
    ):
        assert not Source.read(other).is_bare


@pytest.mark.parametrize("entry", odd_integrations(20).values())
def test_an_odd_answer_is_read_as_far_as_possible(entry: dict[str, Any]) -> None:
    assert Source.read(entry).id == entry["id"]


@pytest.mark.parametrize("answer", [None, [], "text", {}, {"id": None}, {"id": ""}, {"id": {}}])
def test_an_answer_without_an_id_is_not_a_source(answer: object) -> None:
    with pytest.raises(ValidationError):
        Source.read(answer)


def test_the_name_of_the_event_source() -> None:
    assert event_source_name("o-1", "orders") == "aws.partner/genesys.com/cloud/o-1/orders"
    assert event_source_name(None, "orders") is None


@pytest.mark.parametrize(("status", "enabled"), [("ACTIVE", True), ("ERROR", True), ("INACTIVE", False)])
def test_an_answer_without_the_intended_state(status: str, enabled: bool) -> None:
    read = Source.read({"id": "id-1", "reportedState": {"code": status}})
    assert read.enabled == enabled
    assert (
        Source.read({"id": "id-1", "intendedState": "DISABLED", "reportedState": {"code": status}}).enabled
        is False
    )
