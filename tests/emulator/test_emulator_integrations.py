"""Integrations: their life cycle, their configuration and its versions, lists, and permissions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from genesys_provider.emulator import EmulatorServer, EmulatorSettings
from tests.emulator.emulated import TARGETS, Api, body
from tests.emulator.integrated import (
    INTEGRATIONS,
    PRESENCE,
    TYPE,
    active,
    configuration,
    configure,
    create,
    intend,
    names,
    properties,
    shown,
    state,
    wait_for,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

NEVER = 3600


@pytest.fixture
def slow() -> Iterator[Api]:
    """An emulator whose integrations never complete a change of state by themselves."""
    settings = EmulatorSettings(activation_seconds=NEVER, rate_limit=0)
    with EmulatorServer(settings) as server, Api(server.url) as api:
        yield api


# The life cycle.


def test_a_new_integration_is_disabled_and_has_an_empty_configuration(api: Api) -> None:
    made = create(api)

    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", made["id"])
    assert (made["name"], made["integrationType"]["id"]) == ("orders", TYPE)
    assert state(api, made) == ("DISABLED", "INACTIVE")
    assert "config" not in made
    assert api.get(f"{made['selfUri']}/config/current").json() == {
        "id": made["id"],
        "name": "orders",
        "version": 1,
        "properties": {},
        "advanced": {},
        "notes": "",
        "credentials": {},
        "selfUri": f"{made['selfUri']}/config/current",
    }


def test_an_integration_is_configured_enabled_disabled_and_deleted(api: Api) -> None:
    made = create(api)
    answer = configure(api, made, **configuration("renamed", notes="ours"))
    assert (answer.status_code, answer.json()["version"], answer.json()["notes"]) == (200, 2, "ours")

    enabled = intend(api, made, "ENABLED").json()
    assert (enabled["intendedState"], enabled["reportedState"]["code"]) == ("ENABLED", "ACTIVATING")
    there = wait_for(api, made, "ACTIVE")
    assert (there["name"], there["notes"]) == ("renamed", "ours")
    assert there["config"]["current"]["properties"] == properties("renamed")
    assert "detail" not in there["reportedState"]

    disabled = intend(api, made, "DISABLED").json()
    assert (disabled["intendedState"], disabled["reportedState"]["code"]) == ("DISABLED", "DEACTIVATING")
    wait_for(api, made, "INACTIVE")
    gone = api.delete(made["selfUri"])
    assert (gone.status_code, gone.json()["id"]) == (200, made["id"])
    assert api.get(made["selfUri"]).status_code == 404
    assert api.delete(made["selfUri"]).status_code == 404


def test_requesting_the_current_state_changes_nothing(api: Api) -> None:
    made = active(api)
    again = intend(api, made, "ENABLED").json()
    assert again["reportedState"] == made["reportedState"]
    assert intend(api, made, "RESTORED").json()["intendedState"] == "ENABLED", "it was not deleted"

    intend(api, made, "DISABLED")
    inactive = wait_for(api, made, "INACTIVE")
    assert intend(api, made, "DISABLED").json()["reportedState"] == inactive["reportedState"]


def test_a_change_of_state_takes_time(slow: Api) -> None:
    made = create(slow)
    configure(slow, made, **configuration()).raise_for_status()
    intend(slow, made, "ENABLED").raise_for_status()

    assert state(slow, made) == ("ENABLED", "ACTIVATING")
    intend(slow, made, "DISABLED").raise_for_status()
    assert state(slow, made) == ("DISABLED", "DEACTIVATING")
    assert slow.delete(made["selfUri"]).status_code == 200, "in any state"


def test_an_unconfigured_integration_becomes_an_error_with_the_reason(api: Api) -> None:
    made = create(api)
    intend(api, made, "ENABLED").raise_for_status()

    failed = wait_for(api, made, "ERROR")
    assert failed["intendedState"] == "ENABLED"
    assert "awsAccountId is required" in failed["reportedState"]["detail"]["message"]
    configure(api, made, **configuration()).raise_for_status()
    assert "detail" not in wait_for(api, made, "ACTIVE")["reportedState"]


def test_a_state_can_be_forced(slow: Api) -> None:
    made = create(slow)
    configure(slow, made, **configuration()).raise_for_status()
    intend(slow, made, "ENABLED").raise_for_status()
    force = f"/emulator/integrations/{made['id']}/state"
    answer = slow.post(force, json={"code": "ERROR", "message": "The account is closed."})

    failed = shown(slow, made)
    assert answer.json() == failed
    assert failed["reportedState"]["code"] == "ERROR"
    assert failed["reportedState"]["detail"]["message"] == "The account is closed."
    assert failed["reportedState"]["lastUpdated"] >= made["reportedState"]["lastUpdated"]
    intend(slow, made, "ENABLED").raise_for_status()
    assert state(slow, made) == ("ENABLED", "ACTIVATING"), "it tries again"
    slow.post(force, json={"code": "ACTIVE"}).raise_for_status()
    assert state(slow, made) == ("ENABLED", "ACTIVE")
    assert slow.post("/emulator/integrations/none/state", json={"code": "ERROR"}).status_code == 404
    assert slow.post(force, json={"message": "no code"}).status_code == 400


def test_a_forced_state_ends_a_change_in_progress() -> None:
    with EmulatorServer(EmulatorSettings(activation_seconds=0.2)) as server, Api(server.url) as quick:
        made = create(quick)
        configure(quick, made, **configuration()).raise_for_status()
        intend(quick, made, "ENABLED").raise_for_status()
        quick.post(f"/emulator/integrations/{made['id']}/state", json={"code": "ERROR"}).raise_for_status()
        active(quick, "takes-as-long")

        assert state(quick, made) == ("ENABLED", "ERROR")


def test_any_put_after_an_error_restarts_the_activation(api: Api) -> None:
    made = active(api)
    api.post(f"/emulator/integrations/{made['id']}/state", json={"code": "ERROR"}).raise_for_status()
    configure(api, made, **configuration(version=2)).raise_for_status()
    wait_for(api, made, "ACTIVE")


def test_last_updated_is_the_time_of_the_last_code_change(api: Api) -> None:
    made = active(api)
    configure(api, made, **configuration(version=2, notes="other notes")).raise_for_status()
    assert shown(api, made)["reportedState"] == made["reportedState"], "it stays ACTIVE"

    more = properties(eventFilter=[PRESENCE, "v2.flows.{id}"])
    configure(api, made, **configuration(version=3, properties=more)).raise_for_status()
    later = wait_for(api, made, "ACTIVE")
    assert later["reportedState"]["lastUpdated"] > made["reportedState"]["lastUpdated"]


def test_a_deletion_can_be_undone(api: Api) -> None:
    made = active(api)
    assert intend(api, made, "DELETED").json()["intendedState"] == "DELETED"
    assert state(api, made) == ("DELETED", "INACTIVE")
    assert names(api) == ["orders"]

    assert intend(api, made, "RESTORED").json()["intendedState"] == "DISABLED"
    assert shown(api, made)["config"]["current"]["properties"] == properties()


# The configuration.


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("awsAccountId", 12345678901),
        ("awsAccountId", "12345678901"),
        ("awsAccountId", "0123456789012"),
        ("awsAccountId", "012345678901\n"),
        ("awsAccountId", None),
        ("awsAccountRegion", "us_east_1"),
        ("awsAccountRegion", "us-east-1\n"),
        ("awsAccountRegion", ""),
        ("eventSourceSuffix", ""),
        ("eventSourceSuffix", "a b"),
        ("eventSourceSuffix", "a/b"),
        ("eventSourceSuffix", "a" * 65),
        ("eventFilter", []),
        ("eventFilter", PRESENCE),
        ("eventFilter", [PRESENCE, PRESENCE]),
        ("eventFilter[1]", [PRESENCE, "v2.users.*"]),
        ("eventFilter[0]", ["v2.users.0b1c6d2e-51a4-4a7e-9f0e-5f7f2d6c1a11.presence"]),
        ("eventFilter[0]", ["users.{id}.presence"]),
        ("eventFilter[0]", ["v2.users.{id}.presence\n"]),
        ("eventFilter[0]", [7]),
    ],
)
def test_properties_are_validated_by_a_put(api: Api, field: str, value: Any) -> None:
    made = create(api)
    wrong = {**properties(), field.partition("[")[0]: value}

    answer = configure(api, made, **configuration(properties=wrong))

    assert answer.status_code == 400
    assert [each["fieldName"] for each in answer.json()["details"]] == [f"properties.{field}"]
    assert shown(api, made)["config"]["current"]["version"] == 1


@pytest.mark.parametrize("suffix", ["a", "A.b-c_9", "x" * 64])
def test_valid_suffixes(api: Api, suffix: str) -> None:
    assert configure(api, create(api), **configuration(suffix)).status_code == 200


def test_all_broken_rules_are_reported_together(api: Api) -> None:
    made = create(api)
    answer = configure(api, made, **configuration(properties={"awsAccountId": "1", "eventFilter": []}))
    assert {each["fieldName"] for each in answer.json()["details"]} == {
        "properties.awsAccountId",
        "properties.awsAccountRegion",
        "properties.eventSourceSuffix",
        "properties.eventFilter",
    }
    assert "12 digits" in answer.json()["message"]

    answer = configure(api, made, name="", version="1", notes=None, properties=[])
    assert {each["fieldName"] for each in answer.json()["details"]} == {
        "name",
        "version",
        "notes",
        "properties",
        "advanced",
    }


def test_unknown_properties_are_kept(api: Api) -> None:
    made = create(api)
    more = {**properties(), "deliveryMode": {"batch": None}}
    answer = configure(api, made, **configuration(properties=more))
    assert answer.json()["properties"] == more


def test_credentials_may_be_left_out(api: Api) -> None:
    given = configuration()
    del given["credentials"]
    assert configure(api, create(api), **given).json()["credentials"] == {}


def test_a_stale_version_is_a_conflict(api: Api) -> None:
    made = create(api)
    configure(api, made, **configuration()).raise_for_status()

    for version in (1, 3):
        answer = configure(api, made, **configuration("other", version))
        assert answer.status_code == 409
        assert "does not match the current version 2" in answer.json()["message"]
    assert shown(api, made)["name"] == "orders"
    assert configure(api, made, **configuration("other", 2)).json()["version"] == 3


def test_of_two_puts_with_the_same_version_one_wins(api: Api) -> None:
    made = create(api)
    whole = api.build_request("PUT", "/", json=configuration("late")).content
    answers = []

    def slowly() -> Iterator[bytes]:
        yield whole[:20]
        answers.append(configure(api, made, **configuration("early")))
        yield whole[20:]

    late = api.put(f"{made['selfUri']}/config/current", content=slowly())

    assert [answers[0].status_code, late.status_code] == [200, 409]
    assert shown(api, made)["name"] == "early"


def test_two_integrations_can_not_share_an_event_source(api: Api) -> None:
    one, other = create(api, "one"), create(api, "other")
    configure(api, one, **configuration()).raise_for_status()

    answer = configure(api, other, **configuration())
    assert answer.status_code == 400
    assert [each["fieldName"] for each in answer.json()["details"]] == ["properties.eventSourceSuffix"]
    elsewhere = properties(awsAccountRegion="us-west-2")
    assert configure(api, other, **configuration(properties=elsewhere)).status_code == 200
    api.delete(one["selfUri"])
    assert configure(api, other, **configuration(version=2)).status_code == 200


def test_other_types_take_any_properties(api: Api) -> None:
    made = create(api, "app", "embedded-client-app")
    answer = configure(api, made, **configuration(properties={"url": "https://app.example"}))
    assert answer.status_code == 200
    intend(api, made, "ENABLED").raise_for_status()
    wait_for(api, made, "ACTIVE")
    assert api.get("/emulator/partner-sources").json() == []


# Names and numbers.


def test_given_names_may_repeat_and_default_names_are_numbered(api: Api) -> None:
    default = "Amazon EventBridge Source"
    for name in ("orders", "orders", None, None, None):
        create(api, name)
    create(api, None, "webhook")
    assert names(api) == ["orders", "orders", default, f"{default} 2", f"{default} 3", "Webhook"]


def test_the_maximum_number_of_instances() -> None:
    with EmulatorServer(EmulatorSettings(max_instances=2)) as server, Api(server.url) as api:
        first = create(api)
        create(api)
        create(api, kind="webhook")
        wanted = {"name": "x", "integrationType": {"id": TYPE}}
        refused = api.post(INTEGRATIONS, json=wanted)
        limits = api.get("/api/v2/organizations/limits/namespaces/integrations").json()["entities"]
        assert refused.status_code == 409
        assert refused.json()["limit"] == limits[0]
        assert (limits[0]["namespace"], limits[0]["value"]) == ("integrations", 2)
        assert api.get(f"{INTEGRATIONS}/types/{TYPE}").json()["maxInstances"] == 2
        api.delete(first["selfUri"])
        assert create(api)


@pytest.mark.parametrize("given", [{}, {"integrationType": {}}, {"integrationType": {"id": "no-such-type"}}])
def test_a_type_is_required(api: Api, given: dict[str, Any]) -> None:
    answer = api.post(INTEGRATIONS, json={"name": "x", **given})
    assert answer.status_code == 400
    assert answer.json()["details"][0]["fieldName"].startswith("integrationType")


# Lists.


def test_pages_of_a_list(api: Api) -> None:
    for number in range(5):
        create(api, f"n{number}")
    seen: list[str] = []
    uri: str | None = f"{INTEGRATIONS}?pageSize=2&integrationType={TYPE}&expand=config.current"
    while uri:
        page = api.get(uri).json()
        seen += [each["config"]["current"]["name"] for each in page["entities"]]
        uri = page.get("nextUri")

    assert seen == [f"n{number}" for number in range(5)]
    assert (page["total"], page["pageCount"], page["pageNumber"]) == (5, 3, 3)
    beyond = api.get(INTEGRATIONS, params={"pageNumber": 9})
    assert (beyond.status_code, beyond.json()["entities"]) == (200, [])
    for query in ({"pageSize": 1000}, {"pageNumber": 1000}, {"pageSize": 0}, {"pageSize": "all"}):
        assert api.get(INTEGRATIONS, params=query).status_code == 400
    assert api.get(INTEGRATIONS, params={"pageSize": 999}).status_code == 200


def test_filters_of_a_list(api: Api) -> None:
    made = active(api)
    app = create(api, "app", "embedded-client-app")

    assert names(api) == ["orders", "app"]
    assert names(api, integrationType=TYPE) == ["orders"]
    assert names(api, reportedState="Active") == ["orders"]
    assert names(api, reportedState="INACTIVE", integrationType=TYPE) == []
    assert names(api, ids=f"{app['id']},none") == ["app"]
    assert names(api, ids=f"{app['id']},{made['id']}") == ["orders", "app"]
    assert names(api, credentialId="none") == []
    too_many = ",".join(["none"] * 101)
    assert api.get(INTEGRATIONS, params={"ids": too_many}).status_code == 400


# Paths.


def test_other_paths_are_not_mistaken_for_an_integration(api: Api) -> None:
    types = api.get(f"{INTEGRATIONS}/types", params={"pageSize": 2}).json()
    assert TYPE in [each["id"] for each in types["entities"]]
    assert types["nextUri"] == f"{INTEGRATIONS}/types?pageSize=2&pageNumber=2"
    assert api.get(f"{INTEGRATIONS}/types/{TYPE}").json()["name"] == "Amazon EventBridge Source"
    schema = api.get(f"{INTEGRATIONS}/types/{TYPE}/configschemas/properties").json()
    assert set(schema["required"]) == set(properties())
    assert api.get(f"{INTEGRATIONS}/types/{TYPE}/configschemas/advanced").json()["properties"] == {}
    assert api.get(f"{INTEGRATIONS}/credentials/listing").json()["entities"] == []
    assert api.get(TARGETS).json()["total"] == 0
    assert api.post(TARGETS, json=body("https://127.0.0.1:1/in")).status_code == 201
    for path in (
        "types/none",
        "types/none/configschemas/properties",
        "credentials",
        "actions",
        "eventbridge",
    ):
        assert api.get(f"{INTEGRATIONS}/{path}").status_code == 404, path
    assert names(api) == []


def test_topics(api: Api) -> None:
    path = "/api/v2/notifications/availabletopics"
    bare = api.get(path).json()["entities"]
    assert len(bare) > 40
    assert all(set(each) == {"id"} for each in bare)
    whole = api.get(path, params={"expand": "transports,visibility,description"}).json()["entities"]
    assert [each["id"] for each in whole] == [each["id"] for each in bare]
    assert all(set(each) == {"id", "transports", "visibility", "description"} for each in whole)
    transports = {each["id"]: each["transports"] for each in whole}
    assert transports[PRESENCE] == ["All"]
    assert transports["v2.system.socket_closing"] == ["Websocket"]
    published = api.get(path, params={"includePreview": "false"}).json()["entities"]
    assert {each["id"] for each in whole if each["visibility"] == "Public"} == {
        each["id"] for each in published
    }


# Permissions.


def test_scopes_and_the_permissions_that_a_403_names(api: Api) -> None:
    made = create(api)
    calls = {
        ("GET", INTEGRATIONS): "view",
        ("GET", made["selfUri"]): "view",
        ("GET", f"{made['selfUri']}/config/current"): "view",
        ("GET", f"{INTEGRATIONS}/types"): "view",
        ("GET", f"{INTEGRATIONS}/types/{TYPE}"): "view",
        ("GET", f"{INTEGRATIONS}/types/{TYPE}/configschemas/properties"): "view",
        ("GET", f"{INTEGRATIONS}/credentials/listing"): "view",
        ("POST", INTEGRATIONS): "add",
        ("PATCH", made["selfUri"]): "edit",
        ("PUT", f"{made['selfUri']}/config/current"): "edit",
        ("DELETE", made["selfUri"]): "delete",
    }

    def refused(*scopes: str) -> dict[tuple[str, str], str]:
        api.post("/emulator/scopes", json={"scopes": scopes})
        api.log_in()
        answers = {call: api.request(*call, json={}) for call in calls}
        return {call: each.json()["message"] for call, each in answers.items() if each.status_code == 403}

    try:
        nothing, reads = refused("integration:eventbridge:read"), refused("integrations:readonly")
        assert api.get("/api/v2/notifications/availabletopics").status_code == 200
        assert api.get("/api/v2/organizations/limits/namespaces/integrations").status_code == 200
        assert refused("integrations") == {}
    finally:
        api.post("/emulator/reset")
        api.log_in()
    assert set(nothing) == set(calls)
    assert set(reads) == {call for call, right in calls.items() if right != "view"}
    for call, message in nothing.items():
        assert f"integrations:integration:{calls[call]}" in message
    assert api.get(INTEGRATIONS, headers={"Authorization": "Bearer none"}).status_code == 401
