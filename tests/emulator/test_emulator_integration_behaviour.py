"""Integrations under each key of a behaviour, with faults, and with held requests."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx
import pytest

from genesys_provider.emulator import EmulatorServer, EmulatorSettings
from tests.emulator.emulated import Api
from tests.emulator.integrated import (
    AS_USUAL,
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
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def api(api: Api) -> Iterator[Api]:
    yield api
    behave(api)


def behave(api: Api, **behaviour: Any) -> None:
    answer = api.post("/emulator/behaviour", json=behaviour)
    assert answer.status_code == 200, answer.text


# What reads show.


def test_reads_lag_and_writes_do_not(api: Api) -> None:
    old, gone = create(api, "old"), create(api, "gone")
    began = time.monotonic()
    lag = 1.5
    eventually(lambda: time.monotonic() - began > lag + 0.1)
    behave(api, readLagSeconds=lag)
    began = time.monotonic()

    new = create(api, "new")
    configured = configure(api, old, **configuration("changed")).json()
    intend(api, old, "ENABLED").raise_for_status()
    api.delete(gone["selfUri"]).raise_for_status()
    seen = {
        "new": api.get(new["selfUri"]).status_code,
        "its configuration": api.get(f"{new['selfUri']}/config/current").status_code,
        "old": api.get(old["selfUri"]).json()["reportedState"]["code"],
        "its version": api.get(f"{old['selfUri']}/config/current").json()["version"],
        "names": names(api, integrationType=TYPE),
    }
    if time.monotonic() - began > lag:
        pytest.skip("this machine is too slow to look in time")

    assert seen == {
        "new": 404,
        "its configuration": 404,
        "old": "INACTIVE",
        "its version": 1,
        "names": ["old", "gone"],
    }
    assert configured["version"] == 2
    assert configure(api, old, **configuration("again", 1)).status_code == 409, "writes see the current state"
    eventually(lambda: names(api) == ["changed", "new"])
    assert api.get(old["selfUri"]).json()["reportedState"]["code"] == "ACTIVE"


def test_list_orders(api: Api) -> None:
    made = [f"{letter}{number}" for number in range(4) for letter in "cab"]
    for each in made:
        create(api, each)
    assert names(api) == made

    behave(api, listOrder="name")
    assert names(api) == sorted(made)
    behave(api, listOrder="random")
    assert names(api) not in (made, sorted(made))
    pages = [names(api, pageSize=5, pageNumber=number) for number in (1, 2, 3)]
    assert [name for page in pages for name in page] == names(api)


def test_ignored_filters(api: Api) -> None:
    create(api)
    create(api, "app", "embedded-client-app")
    behave(api, ignoreFilters=True)

    assert names(api, integrationType=TYPE, reportedState="ERROR", ids="none") == ["orders", "app"]


# What writes answer.


@pytest.mark.parametrize("status", [200, 202])
def test_answers_to_a_post(api: Api, status: int) -> None:
    behave(api, createAnswer=status)
    answer = api.post(INTEGRATIONS, json={"name": "x", "integrationType": {"id": TYPE}})
    assert (answer.status_code, answer.json()["name"]) == (status, "x")


def test_answers_to_a_put_and_a_patch(api: Api) -> None:
    made = create(api)
    behave(api, putAnswer="part")
    assert configure(api, made, **configuration()).json() == {"id": made["id"], "version": 2}
    assert intend(api, made, "ENABLED").json() == {"id": made["id"], "intendedState": "ENABLED"}
    behave(api, putAnswer="none")
    for answer in (configure(api, made, **configuration(version=2)), intend(api, made, "DISABLED")):
        assert (answer.status_code, answer.content) == (204, b"")
    assert shown(api, made)["config"]["current"]["version"] == 3


@pytest.mark.parametrize("status", [200, 204])
def test_answers_to_a_delete(api: Api, status: int) -> None:
    made = create(api)
    behave(api, deleteAnswer=status)

    answer = api.delete(made["selfUri"])

    assert (answer.status_code, bool(answer.content)) == (status, status == 200)
    assert api.get(made["selfUri"]).status_code == 404


def test_an_accepted_delete_takes_a_second(api: Api) -> None:
    made = active(api)
    behave(api, deleteAnswer=202)
    began = time.monotonic()

    answers = [api.delete(made["selfUri"]) for _ in range(2)]
    still = names(api)
    in_time = time.monotonic() - began < 1
    eventually(lambda: api.get(made["selfUri"]).status_code == 404)

    assert [(each.status_code, each.content) for each in answers] == [(202, b"")] * 2
    assert still == ["orders"] or not in_time
    assert time.monotonic() - began >= 1
    assert api.get("/emulator/partner-sources").json()[0]["state"] == "DELETED"


def test_an_accepted_delete_survives_a_restart(tmp_path: Path) -> None:
    settings = EmulatorSettings(state=tmp_path / "state.db")
    with EmulatorServer(settings) as server, Api(server.url) as api:
        made = create(api)
        behave(api, deleteAnswer=202)
        assert api.delete(made["selfUri"]).status_code == 202
    with EmulatorServer(settings) as server, Api(server.url) as api:
        assert api.get(made["selfUri"]).status_code == 404


def test_a_soft_delete(api: Api) -> None:
    made = active(api)
    behave(api, softDelete=True)

    assert api.delete(made["selfUri"]).status_code == 200
    assert state(api, made) == ("DELETED", "INACTIVE")
    assert names(api, integrationType=TYPE) == ["orders"]
    assert api.delete(made["selfUri"]).status_code == 404
    assert configure(api, create(api, "next"), **configuration()).status_code == 200, "the suffix is free"


@pytest.mark.parametrize("status", [409, 400])
def test_answers_to_a_stale_version(api: Api, status: int) -> None:
    made = create(api)
    configure(api, made, **configuration()).raise_for_status()
    behave(api, staleAnswer=status)

    answer = configure(api, made, **configuration())

    assert answer.status_code == status
    assert "does not match the current version" in answer.json()["message"]
    assert answer.json()["details"] == []


# States.


def test_a_failed_activation(api: Api) -> None:
    made = create(api)
    configure(api, made, **configuration()).raise_for_status()
    behave(api, activationError="The account is closed.")
    intend(api, made, "ENABLED").raise_for_status()
    failed = wait_for(api, made, "ERROR")

    assert failed["reportedState"]["detail"]["message"] == "The account is closed."
    assert api.get("/emulator/partner-sources").json() == []
    behave(api)
    intend(api, made, "ENABLED").raise_for_status()
    wait_for(api, made, "ACTIVE")


def test_a_configuration_that_does_not_restart_the_activation(api: Api) -> None:
    made = active(api)
    behave(api, reactivates=False)
    more = properties(eventFilter=[PRESENCE, "v2.flows.{id}"])
    configure(api, made, **configuration(version=2, properties=more)).raise_for_status()

    seen = shown(api, made)
    assert seen["reportedState"] == made["reportedState"]
    assert seen["config"]["current"]["properties"] == more


# What objects look like.


@pytest.mark.parametrize("style", ["number", "opaque"])
def test_ids(api: Api, style: str) -> None:
    behave(api, idStyle=style)
    made = create(api)

    assert made["selfUri"] == f"{INTEGRATIONS}/{quote(made['id'], safe='')}"
    assert made["id"].isdecimal() == (style == "number")
    configure(api, made, **configuration()).raise_for_status()
    intend(api, made, "ENABLED").raise_for_status()
    wait_for(api, made, "ACTIVE")
    assert names(api, ids=made["id"]) == ["orders"]
    forced = api.post(f"/emulator/integrations/{quote(made['id'], safe='')}/state", json={"code": "ERROR"})
    assert forced.json()["id"] == made["id"]
    assert api.delete(made["selfUri"]).json()["id"] == made["id"]


def test_states_in_lower_case(api: Api) -> None:
    made = active(api)
    behave(api, statusCase="lower")
    seen = api.get(made["selfUri"]).json()
    assert (seen["intendedState"], seen["reportedState"]["code"]) == ("enabled", "active")
    assert names(api, reportedState="active") == ["orders"]


def test_omitted_keys(api: Api) -> None:
    made = create(api)
    behave(api, omit=["total", "pageCount", "nextUri", "selfUri", "attributes", "notes"])
    page = api.get(INTEGRATIONS).json()
    assert set(page) == {"entities", "pageSize", "pageNumber"}
    assert "attributes" in page["entities"][0], "only at the top level"
    assert not {"attributes", "selfUri", "notes"} & set(api.get(made["selfUri"]).json())
    assert "notes" not in api.get(f"{made['selfUri']}/config/current").json()


def test_empty_notes(api: Api) -> None:
    made = create(api)
    behave(api, emptyNotes="word")
    assert api.get(made["selfUri"]).json()["notes"] == "node_dynamodb_empty_string"
    assert api.get(f"{made['selfUri']}/config/current").json()["notes"] == "node_dynamodb_empty_string"
    assert configure(api, made, **configuration(notes="ours")).json()["notes"] == "ours"


def test_a_service_that_normalises(api: Api) -> None:
    behave(api, normalise=True)
    made = create(api, " orders ")
    assert made["name"] == "orders"
    assert configure(api, made, **configuration(name="\tothers")).json()["name"] == "others"


def test_fields_unknown_to_the_contract(api: Api) -> None:
    usual = create(api, "usual")
    behave(api, extraFields=True)
    made = create(api)
    assert set(made) > set(usual)
    assert set(api.get(INTEGRATIONS).json()) > {"entities", "total"}

    configured = configure(api, made, **configuration()).json()
    assert configured["properties"] == {"deliveryMode": "STANDARD", **properties()}
    kept = {**configured["properties"], "deliveryMode": "BATCH"}
    again = configure(api, made, **{**configured, "properties": kept})
    assert again.json()["properties"] == kept
    lost = configure(api, made, **configuration(version=3)).json()
    assert lost["properties"] == properties()


def test_odd_integrations_of_other_owners(api: Api) -> None:
    ours = create(api)
    behave(api, oddEntries=12)

    page = api.get(INTEGRATIONS, params={"pageSize": 100, "integrationType": TYPE}).json()
    odd = [each for each in page["entities"] if each["id"] != ours["id"]]
    assert (page["total"], len(odd)) == (13, 12)
    assert [api.get(f"{INTEGRATIONS}/{each['id']}").json() for each in odd] == odd
    assert any("integrationType" not in each for each in odd)
    assert any(each.get("config", 0) is None for each in odd)
    assert any(each["intendedState"] == "DELETED" for each in odd if "intendedState" in each)
    for method, path in (
        ("PATCH", ""),
        ("DELETE", ""),
        ("PUT", "/config/current"),
        ("GET", "/config/current"),
    ):
        refused = api.request(method, f"{INTEGRATIONS}/{odd[0]['id']}{path}", json=configuration())
        assert refused.status_code == 403
    assert names(api, ids=ours["id"]) == ["orders"]


def test_a_request_can_ask_for_the_usual_behaviour(api: Api) -> None:
    behave(
        api,
        readLagSeconds=60,
        deleteAnswer=204,
        putAnswer="none",
        createAnswer=202,
        extraFields=True,
        idStyle="opaque",
        statusCase="lower",
        omit=["id"],
        oddEntries=5,
        latencySeconds=60,
        staleAnswer=400,
        softDelete=True,
        ignoreFilters=True,
    )
    api.headers.update(AS_USUAL)
    try:
        made = create(api)
        assert configure(api, made, **configuration()).json()["version"] == 2
        assert configure(api, made, **configuration()).status_code == 409
        assert state(api, made) == ("DISABLED", "INACTIVE")
        assert names(api, integrationType="webhook") == []
        assert api.delete(made["selfUri"]).json()["id"] == made["id"]
        assert api.get(made["selfUri"]).status_code == 404
    finally:
        del api.headers["Emulator-As-Usual"]


# Faults, and held requests.


def test_a_post_whose_answer_is_lost_has_created_an_integration(api: Api) -> None:
    api.fault("drop_after", "POST", INTEGRATIONS, times=1)
    with pytest.raises(httpx.HTTPError):
        create(api)
    assert names(api) == ["orders"]


def test_a_patch_waits_while_the_integration_fails(api: Api) -> None:
    made = create(api)
    configure(api, made, **configuration()).raise_for_status()
    api.fault("delay", "PATCH", f"{INTEGRATIONS}/*", seconds=30, when="after", times=1)
    answers = []
    patch = threading.Thread(target=lambda: answers.append(intend(api, made, "ENABLED")))
    patch.start()
    eventually(lambda: api.get("/emulator/held").json())
    api.post(f"/emulator/integrations/{made['id']}/state", json={"code": "ERROR", "message": "Closed."})
    api.delete("/emulator/held")
    patch.join()

    assert answers[0].json()["reportedState"]["code"] == "ACTIVATING"
    assert state(api, made) == ("ENABLED", "ERROR")


def test_a_status_instead_of_an_answer(api: Api) -> None:
    made = create(api)
    api.fault("status", "GET", made["selfUri"], status=410, times=1)
    assert api.get(made["selfUri"]).status_code == 410
    assert api.get(made["selfUri"]).status_code == 200
