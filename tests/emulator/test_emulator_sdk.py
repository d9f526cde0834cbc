"""The official SDK, unmodified, against the emulator: it reads the answers, and its requests fit the contract."""

from __future__ import annotations

import httpx
import pytest

from tests.emulator.emulated import Api
from tests.support.recorder import answer_faults, operation_of, request_faults
from tests.support.sdk_life import NAME, PROPERTIES, TYPE, Sent, by_sdk, recorded, sent
from tests.support.waiting import eventually

ONE = "/api/v2/integrations/{id}"
CURRENT = f"{ONE}/config/current"
LOOK = (("expand", "config.current"), ("integrationType", TYPE), ("pageSize", "100"))


def configuration(version: int, topics: list[str]) -> dict[str, object]:
    properties = {**PROPERTIES, "eventFilter": topics}
    return {
        "name": NAME,
        "version": version,
        "properties": properties,
        "advanced": {},
        "notes": "ours",
        "credentials": {},
    }


@pytest.mark.full_length
def test_the_sdk_manages_the_whole_life_of_an_integration() -> None:
    topics = list(PROPERTIES["eventFilter"])
    with recorded(activation_seconds=0.2) as (exchanges, url):
        read = by_sdk("run_life_cycle", url)
        organization = read["organization"][0]
        (source,) = httpx.get(f"{url}/emulator/partner-sources").json()

    assert read == {
        "id": read["id"],
        "organization": [organization, "active"],
        "before": [],
        "created": [NAME, TYPE, "DISABLED", "INACTIVE"],
        "configured": 2,
        "enabled": ["ENABLED", "UTC"],
        "current": [NAME, 2, "ours", {**PROPERTIES, "eventFilter": topics[:1]}, {}],
        "changed": 3,
        "listed": [[NAME, PROPERTIES, "ACTIVE"]],
        "disabled": ["DISABLED", "DISABLED"],
        "deleted": True,
        "gone": [404, "not.found"],
    }
    assert source == {
        "name": f"aws.partner/genesys.com/cloud/{organization}/contact-center",
        "account": "012345678901",
        "region": "eu-central-1",
        "state": "DELETED",
        "integrationId": read["id"],
    }
    assert sent(exchanges, read["id"]) == [
        Sent("GET", "/api/v2/organizations/me", (), None),
        Sent("GET", "/api/v2/integrations", LOOK, None),
        Sent("POST", "/api/v2/integrations", (), {"name": NAME, "integrationType": {"id": TYPE}}),
        Sent("PUT", CURRENT, (), configuration(1, topics[:1])),
        Sent("PATCH", ONE, (), {"intendedState": "ENABLED"}),
        Sent("GET", ONE, (), None),
        Sent("GET", CURRENT, (), None),
        Sent("PUT", CURRENT, (), configuration(2, topics)),
        Sent("GET", ONE, (), None),
        Sent("GET", "/api/v2/integrations", LOOK, None),
        Sent("PATCH", ONE, (), {"intendedState": "DISABLED"}),
        Sent("GET", ONE, (), None),
        Sent("DELETE", ONE, (), None),
        Sent("GET", ONE, (), None),
    ]
    # The contract describes what the official SDK does, except that it sends `null` instead of no body.
    for each in exchanges:
        assert not answer_faults(each), each
        without_a_body = each.request_body == b"null"
        faults = [
            fault for fault in request_faults(each) if not (without_a_body and fault == "it has a body")
        ]
        assert not faults, each


@pytest.mark.full_length
def test_the_sdk_reads_objects_with_unknown_fields() -> None:
    with recorded(activation_seconds=0, max_instances=7) as (exchanges, url), Api(url) as api:
        unlike = {"extraFields": True, "emptyNotes": "word", "activationError": "the account is closed"}
        api.post("/emulator/behaviour", json=unlike).raise_for_status()
        one = api.post("/api/v2/integrations", json={"name": NAME, "integrationType": {"id": TYPE}}).json()
        api.patch(one["selfUri"], json={"intendedState": "ENABLED"}).raise_for_status()
        eventually(lambda: api.get(one["selfUri"]).json()["reportedState"]["code"] == "ERROR")
        exchanges.clear()
        read = by_sdk("read_catalog", url)

    topics = read.pop("topics")
    assert topics["v2.users.{id}.presence"] == [["All"], "Public"]
    assert topics["v2.detail.events.conversation.{id}.acw"] == [["EventBridge"], "Public"]
    assert {visibility for _, visibility in topics.values()} == {"Public"}, (
        "none in preview, since it did not ask for them"
    )
    assert read == {
        "none": [],
        "types": [TYPE, "custom-rest-actions"],
        "type": ["Amazon EventBridge Source", 7],
        "schema": [list(PROPERTIES), "https://json-schema.org/draft/2020-12/schema"],
        "credentials": [],
        "limits": [["integrations", 7]],
        "failed": ["the account is closed", "ENABLED", None, {}],
        "refused": [
            [404, "not.found", []],
            [400, "invalid.body", ["integrationType"]],
            [400, "invalid.body", ["name", "version", "properties", "advanced", "notes"]],
        ],
    }
    queries = [each.query for each in exchanges]
    assert "sortBy=name&ids=none%2Cneither&reportedState=error" in queries
    assert "expand=transports%2Cvisibility%2CpermissionDetails&includePreview=false" in queries
    assert all(operation_of(each) for each in exchanges)
    assert not [found for each in exchanges if (found := answer_faults(each))]


MOMENT = "2026-01-31T12:00:00.123Z"
ODDITIES: dict[str, tuple[object, object]] = {
    "whole": (
        {
            "intendedState": "ENABLED",
            "reportedState": {"code": "ACTIVE", "lastUpdated": MOMENT},
            "attributes": {},
        },
        ["ENABLED", ["ACTIVE", 2026], {}],
    ),
    "small-letters": ({"intendedState": "enabled"}, ["enabled", None, None]),
    "unknown-words": (
        {"intendedState": "PAUSED", "reportedState": {"code": "REPAIRING"}},
        ["outdated_sdk_version", ["outdated_sdk_version", None], None],
    ),
    "unknown-fields": ({"intendedState": "ENABLED", "labels": [{"a": None}]}, ["ENABLED", None, None]),
    "objects-null": ({"reportedState": None, "config": None, "attributes": None}, [None, None, None]),
    "intended-state-null": ({"intendedState": None}, "AttributeError"),
    "code-null": ({"reportedState": {"code": None}}, "AttributeError"),
    "last-updated-null": ({"reportedState": {"lastUpdated": None}}, [None, [None, None], None]),
    "last-updated-number": ({"reportedState": {"lastUpdated": 1769860800}}, "TypeError"),
    "last-updated-word": ({"reportedState": {"lastUpdated": "yesterday"}}, "ApiException"),
    "attributes-list": ({"attributes": []}, "AttributeError"),
    "list": ([], [None, None, None]),
    "page": ("<html>", [None, None, None]),
}
"""What the SDK makes of answers with status 200, which is why the emulator's have this form."""


@pytest.mark.full_length
def test_what_the_sdk_can_read() -> None:
    with recorded() as (_, url), Api(url) as api:
        for name, (answer, _) in ODDITIES.items():
            api.fault("status", "GET", f"/api/v2/integrations/{name}", status=200, body=answer)
        assert by_sdk("read_odd_responses", url) == {name: outcome for name, (_, outcome) in ODDITIES.items()}
