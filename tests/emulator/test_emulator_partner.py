"""Partner event sources and their events: what an integration does in AWS."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from genesys_provider.emulator import EmulatorServer, EmulatorSettings
from tests.emulator.emulated import BASIC, TARGETS, Api, body
from tests.emulator.integrated import (
    PRESENCE,
    active,
    configuration,
    configure,
    intend,
    properties,
    shown,
    sources,
    state,
    wait_for,
)
from tests.support.process import Service
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from pathlib import Path

ORGANIZATION = "0b1c6d2e-51a4-4a7e-9f0e-5f7f2d6c1a11"
GUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"


def name_of(api: Api, suffix: str = "orders") -> str:
    organization = api.get("/api/v2/organizations/me").json()["id"]
    return f"aws.partner/genesys.com/cloud/{organization}/{suffix}"


def associate(api: Api, suffix: str = "orders", method: str = "POST") -> int:
    return api.request(method, f"/emulator/partner-sources/{name_of(api, suffix)}/associate").status_code


def publish(api: Api, topic: str = PRESENCE, event_body: Any = None) -> list[dict[str, Any]]:
    answer = api.post("/emulator/events", json={"eventType": topic, "eventBody": event_body or {"a": 1}})
    assert answer.status_code == 202
    sent: list[dict[str, Any]] = answer.json()["partnerEvents"]
    return sent


# Sources.


def test_an_integration_that_becomes_active_has_a_source(api: Api) -> None:
    made = active(api)
    assert api.get("/emulator/partner-sources").json() == [
        {
            "name": name_of(api),
            "account": "012345678901",
            "region": "us-east-1",
            "state": "PENDING",
            "integrationId": made["id"],
        }
    ]


def test_there_is_no_source_before_it_is_active() -> None:
    settings = EmulatorSettings(activation_seconds=3600)
    with EmulatorServer(settings) as server, Api(server.url) as api:
        made = api.post("/api/v2/integrations", json={"integrationType": {"id": "amazon-eventbridge-source"}})
        configure(api, made.json(), **configuration()).raise_for_status()
        intend(api, made.json(), "ENABLED").raise_for_status()
        assert sources(api) == {}
        assert associate(api) == 404, "like a bus that is created too early"
        api.post(f"/emulator/integrations/{made.json()['id']}/state", json={"code": "ACTIVE"})
        assert associate(api) == 200


def test_creating_a_bus_activates_a_source_and_deleting_it_makes_it_pending(api: Api) -> None:
    active(api)
    assert associate(api) == 200
    assert sources(api)["orders"][2] == "ACTIVE"
    assert associate(api) == 200, "once more changes nothing"
    assert associate(api, method="DELETE") == 200
    assert sources(api)["orders"][2] == "PENDING"
    assert associate(api, "none") == 404
    path = f"/emulator/partner-sources/{quote(name_of(api), safe='')}/associate"
    assert api.post(path).json()[0]["state"] == "ACTIVE", "slashes may be escaped"


def test_a_source_is_deleted_with_its_integration(api: Api) -> None:
    made = active(api)
    associate(api)
    intend(api, made, "DISABLED").raise_for_status()
    wait_for(api, made, "INACTIVE")
    assert sources(api)["orders"][2] == "ACTIVE", "disabling the integration keeps it"

    api.delete(made["selfUri"]).raise_for_status()
    assert sources(api)["orders"][2] == "DELETED"
    assert associate(api) == 404
    active(api)
    assert sources(api)["orders"][2] == "PENDING", "it must be associated again"


def test_another_account_region_or_suffix_is_another_source(api: Api) -> None:
    made = active(api)
    associate(api)
    for version, fields in enumerate(
        ({"eventSourceSuffix": "sales"}, {"eventSourceSuffix": "sales", "awsAccountRegion": "eu-west-1"}), 2
    ):
        wanted = configuration(version=version, properties=properties(**fields))
        configure(api, made, **wanted).raise_for_status()
        wait_for(api, made, "ACTIVE")

    assert [
        (each["name"].rpartition("/")[2], each["region"], each["state"])
        for each in api.get("/emulator/partner-sources").json()
    ] == [
        ("orders", "us-east-1", "DELETED"),
        ("sales", "us-east-1", "DELETED"),
        ("sales", "eu-west-1", "PENDING"),
    ]


def test_other_topics_do_not_change_the_source(api: Api) -> None:
    made = active(api)
    associate(api)
    more = properties(eventFilter=[PRESENCE, "v2.flows.{id}"])
    configure(api, made, **configuration(version=2, properties=more)).raise_for_status()
    wait_for(api, made, "ACTIVE")
    assert sources(api)["orders"][2] == "ACTIVE"


# Events.


def test_an_event_arrives_as_a_partner_event(api: Api) -> None:
    made = active(api)
    associate(api)
    topic = PRESENCE.replace("{id}", ORGANIZATION)

    (sent,) = publish(api, topic, {"presence": "AWAY"})

    assert api.get("/emulator/partner-events").json() == [sent]
    assert re.fullmatch(GUID, sent.pop("id"))
    assert re.fullmatch(GUID, sent["detail"]["metadata"].pop("CorrelationId"))
    assert sent.pop("time") == sent["detail"].pop("timestamp")
    assert sent == {
        "version": "0",
        "detail-type": PRESENCE,
        "source": name_of(api),
        "account": "012345678901",
        "region": "us-east-1",
        "resources": [],
        "detail": {"topicName": topic, "version": "2", "eventBody": {"presence": "AWAY"}, "metadata": {}},
        "status": "DELIVERED",
        "reason": None,
        "integrationId": made["id"],
    }


def test_an_event_without_a_bus_is_recorded_as_lost(api: Api) -> None:
    active(api)
    (lost,) = publish(api)
    associate(api)
    (arrived,) = publish(api)

    assert lost["status"] == "LOST"
    assert "PENDING" in lost["reason"]
    assert arrived["status"] == "DELIVERED"
    assert [each["status"] for each in api.get("/emulator/partner-events").json()] == ["LOST", "DELIVERED"]


def test_placeholders_of_a_topic_get_ids(api: Api) -> None:
    template = "v2.architect.prompts.{id}.resources.{id}"
    active(api, properties=properties(eventFilter=[template]))
    (sent,) = publish(api, template)
    assert sent["detail-type"] == template
    assert re.fullmatch(rf"v2\.architect\.prompts\.{GUID}\.resources\.{GUID}", sent["detail"]["topicName"])


@pytest.mark.parametrize(
    "topic", ["v2.users.{id}.presence.x", "v2.users.presence", "v2.users.a.b.presence", "QUEUE"]
)
def test_other_topics_do_not_match(api: Api, topic: str) -> None:
    active(api)
    assert publish(api, topic) == []


def test_an_event_goes_to_all_subscribed_sources_and_targets(api: Api, endpoint: str) -> None:
    active(api, "one")
    active(api, "other")
    active(api, "flows", properties=properties("flows", eventFilter=["v2.flows.{id}"]))
    target = api.post(TARGETS, json=body(endpoint, eventTypes=[PRESENCE], **BASIC)).json()
    api.verdict(target)

    answer = api.post("/emulator/events", json={"eventType": PRESENCE, "eventBody": {}}).json()

    assert [each["source"].rpartition("/")[2] for each in answer["partnerEvents"]] == ["one", "other"]
    assert [each["targetId"] for each in answer["deliveries"]] == [target["id"]]


def test_an_integration_that_is_not_active_sends_nothing(api: Api) -> None:
    made = active(api)
    associate(api)
    intend(api, made, "DISABLED").raise_for_status()
    wait_for(api, made, "INACTIVE")
    assert publish(api) == []
    intend(api, made, "ENABLED").raise_for_status()
    wait_for(api, made, "ACTIVE")
    assert [each["status"] for each in publish(api)] == ["DELIVERED"]
    api.post(f"/emulator/integrations/{made['id']}/state", json={"code": "ERROR"})
    assert publish(api) == []


# Persistence.


def test_everything_survives_a_restart_and_is_cleared_by_a_reset(tmp_path: Path) -> None:
    settings = EmulatorSettings(activation_seconds=0, state=tmp_path / "state.db")
    with EmulatorServer(settings) as server, Api(server.url) as api:
        made = active(api)
        publish(api)
        associate(api)
        before = [api.get(f"/emulator/partner-{each}").json() for each in ("sources", "events")]
        seen = shown(api, made)
    with EmulatorServer(settings) as server, Api(server.url) as api:
        assert shown(api, made) == seen
        assert [api.get(f"/emulator/partner-{each}").json() for each in ("sources", "events")] == before
        api.post("/emulator/reset")
        assert [api.get(f"/emulator/partner-{each}").json() for each in ("sources", "events")] == [[], []]
        assert api.get("/api/v2/integrations").json()["total"] == 0


def test_changes_in_progress_resume_after_a_restart(tmp_path: Path) -> None:
    arguments = ("emulator", "--port", 0, "--state", tmp_path / "state.db", "--organization-id", ORGANIZATION)
    with Service(*arguments, "--activation-seconds", 3600) as service, Api(service.url) as api:
        made = api.post("/api/v2/integrations", json={"integrationType": {"id": "amazon-eventbridge-source"}})
        configure(api, made.json(), **configuration()).raise_for_status()
        intend(api, made.json(), "ENABLED").raise_for_status()
        assert state(api, made.json()) == ("ENABLED", "ACTIVATING")
        service.end(9)
    with (
        Service(*arguments, "--activation-seconds", 0, "--max-instances", 1) as service,
        Api(service.url) as api,
    ):
        eventually(lambda: state(api, made.json()) == ("ENABLED", "ACTIVE"))
        (source,) = api.get("/emulator/partner-sources").json()
        assert source["name"] == f"aws.partner/genesys.com/cloud/{ORGANIZATION}/orders"
        wanted = {"integrationType": {"id": "amazon-eventbridge-source"}}
        assert api.post("/api/v2/integrations", json=wanted).status_code == 409
        assert service.end() == (0, "")
