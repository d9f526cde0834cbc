"""Each key of an emulator's behaviour, as clients see it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import httpx
import pytest

from genesys_provider.emulator import Behaviour, EmulatorServer, EmulatorSettings
from tests.emulator.emulated import BASIC, TARGETS, Api, body
from tests.support.engine import ROOT
from tests.support.process import Service
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

CLOSED = "https://127.0.0.1:1/in"
USUAL = {
    "readLagSeconds": 0,
    "deleteAnswer": 204,
    "putAnswer": "object",
    "createAnswer": 201,
    "extraFields": False,
    "idStyle": "uuid",
    "statusCase": "upper",
    "listOrder": "created",
    "omit": [],
    "normalise": False,
    "oddEntries": 0,
    "latencySeconds": 0,
    "activationError": None,
    "emptyNotes": "empty",
    "staleAnswer": 409,
    "reactivates": True,
    "softDelete": False,
    "ignoreFilters": False,
}
AS_USUAL = {"Emulator-As-Usual": "true"}


@pytest.fixture
def api(api: Api) -> Iterator[Api]:
    yield api
    api.post("/emulator/behaviour", json={}).raise_for_status()


def behave(api: Api, **behaviour: Any) -> None:
    answer = api.post("/emulator/behaviour", json=behaviour)
    assert answer.status_code == 200, answer.text
    assert answer.json() == {**USUAL, **behaviour}


def make(api: Api, name: str = "orders", **fields: Any) -> dict[str, Any]:
    answer = api.post(TARGETS, json=body(CLOSED, name, **fields))
    assert answer.is_success, answer.text
    target: dict[str, Any] = answer.json()
    return target


def listed(api: Api, **query: Any) -> list[dict[str, Any]]:
    entities: list[dict[str, Any]] = api.get(TARGETS, params={"pageSize": 100, **query}).json()["entities"]
    return entities


def names(api: Api) -> list[str]:
    return [each["name"] for each in listed(api)]


# The behaviour itself.


def test_a_behaviour_replaces_the_previous_one_and_an_empty_one_is_the_default(api: Api) -> None:
    behave(api, deleteAnswer=202, omit=["total", "pageCount"])
    behave(api, putAnswer="none")
    assert api.get("/emulator/behaviour").json() == {**USUAL, "putAnswer": "none"}

    behave(api)
    assert api.get("/emulator/behaviour").json() == USUAL


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("readLag", 1),
        ("readLagSeconds", -1),
        ("readLagSeconds", "1"),
        ("readLagSeconds", 3601),
        ("deleteAnswer", 404),
        ("putAnswer", "all"),
        ("createAnswer", "201"),
        ("extraFields", 1),
        ("idStyle", "ULID"),
        ("statusCase", "title"),
        ("listOrder", ["name"]),
        ("omit", "total"),
        ("omit", [1]),
        ("normalise", "yes"),
        ("oddEntries", 1.5),
        ("oddEntries", True),
        ("latencySeconds", "slow"),
        ("activationError", ""),
        ("emptyNotes", "none"),
        ("staleAnswer", 412),
        ("reactivates", "no"),
        ("softDelete", 0),
        ("ignoreFilters", 1),
    ],
)
def test_a_wrong_key_or_value_is_named_and_changes_nothing(api: Api, key: str, value: Any) -> None:
    behave(api, statusCase="lower")

    answer = api.post("/emulator/behaviour", json={"deleteAnswer": 200, key: value})

    assert answer.status_code == 400
    assert key in answer.json()["message"]
    assert answer.json()["details"][0]["fieldName"].startswith(key)
    assert api.get("/emulator/behaviour").json() == {**USUAL, "statusCase": "lower"}


def test_a_reset_goes_back_to_the_start(api: Api) -> None:
    behave(api, statusCase="lower")
    api.post("/emulator/reset")
    assert api.get("/emulator/behaviour").json() == USUAL

    settings = EmulatorSettings(behaviour=Behaviour.model_validate({"createAnswer": 202}))
    with EmulatorServer(settings) as server, Api(server.url) as other:
        assert other.post(TARGETS, json=body(CLOSED)).status_code == 202
        behave(other)
        other.post("/emulator/reset")
        assert other.post(TARGETS, json=body(CLOSED)).status_code == 202


def test_a_request_can_ask_for_the_usual_behaviour(api: Api) -> None:
    behave(
        api,
        readLagSeconds=60,
        deleteAnswer=202,
        putAnswer="none",
        createAnswer=200,
        extraFields=True,
        idStyle="opaque",
        statusCase="lower",
        omit=["id", "status", "total"],
        oddEntries=9,
        latencySeconds=60,
    )
    api.headers.update(AS_USUAL)
    try:
        target = api.create(CLOSED)
        assert target["id"].count("-") == 4
        page = api.get(TARGETS).json()
        assert (page["total"], set(page["entities"][0])) == (1, set(target))
        assert api.put(target["selfUri"], json=body(CLOSED, "other")).json()["name"] == "other"
        assert api.delete(target["selfUri"]).status_code == 204
        assert api.get(target["selfUri"]).status_code == 404
    finally:
        del api.headers["Emulator-As-Usual"]


def test_a_behaviour_file(tmp_path: Path) -> None:
    file = tmp_path / "behaviour.json"
    file.write_text('{"createAnswer": 200, "idStyle": "number"}')
    with Service("emulator", "--port", 0, "--behaviour", file) as service, Api(service.url) as api:
        assert api.post(TARGETS, json=body(CLOSED)).status_code == 200
        api.post("/emulator/reset")
        assert make(api)["id"].isdecimal()
        assert service.end() == (0, "")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"deleteAnswr": 200}', "deleteAnswr"),
        ('{"deleteAnswer": 404}', "deleteAnswer"),
        ("[]", "object"),
        ("{", "JSON"),
        (None, "No such file"),
    ],
)
def test_an_invalid_behaviour_file_is_reported(tmp_path: Path, text: str | None, reason: str) -> None:
    file = tmp_path / "behaviour.json"
    if text is not None:
        file.write_text(text)
    with Service("emulator", "--port", 0, "--behaviour", file) as service:
        assert service.ready_line == ""
        code, output = service.end(0)

    assert code == 2
    assert output.startswith(f"Error: The behaviour file {file} ")
    assert reason in output
    assert output.count("\n") == 1


def test_a_behaviour_can_apply_to_all_organizations_of_a_test_session(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from tests.support.cloud import Cloud\n"
        "with Cloud(Path(sys.argv[1])) as cloud:\n"
        "    for _ in range(2):\n"
        "        print(cloud.control('behaviour', 'GET')['idStyle'], cloud.api('GET').json()['total'])\n"
        "        cloud.control('reset')\n"
    )
    unlike = '{"idStyle": "opaque", "omit": ["total"]}'
    result = subprocess.run(
        [sys.executable, "-c", program, tmp_path],
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "GENESYS_TEST_BEHAVIOUR": unlike,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.stdout == "opaque 0\nopaque 0\n", result.stderr


# What reads show.


def test_reads_lag_and_writes_do_not(api: Api) -> None:
    old = make(api, "old")
    gone = make(api, "gone")
    api.verdict(old)
    lag = 1.5
    began = time.monotonic()
    eventually(lambda: time.monotonic() - began > lag + 0.1)
    behave(api, readLagSeconds=lag)
    began = time.monotonic()

    new = make(api, "new")
    changed = api.put(old["selfUri"], json=body(CLOSED, "changed", **BASIC)).json()
    api.delete(gone["selfUri"])

    seen = {
        "new": api.get(new["selfUri"]).status_code,
        "its verification": api.get(new["selfUri"] + "/verify").status_code,
        "by name": len(listed(api, name="new")),
        "changed": api.get(old["selfUri"]).json(),
        "its status": api.status(old)["status"],
        "gone": api.get(gone["selfUri"]).json()["name"],
        "listed": names(api),
        "total": api.get(TARGETS).json()["total"],
    }
    if time.monotonic() - began > lag:
        pytest.skip("this machine is too slow to look in time")
    assert seen == {
        "new": 404,
        "its verification": 404,
        "by name": 0,
        "changed": {**old, "status": "FAILED"},
        "its status": "FAILED",
        "gone": "gone",
        "listed": ["old", "gone"],
        "total": 2,
    }
    assert changed["name"] == "changed"
    # Writes see the current state.
    assert api.post(TARGETS, json=body(CLOSED, "new")).status_code == 409
    assert api.post(TARGETS, json=body(CLOSED, "gone")).is_success
    assert api.put(new["selfUri"], json=body(CLOSED, "newer")).json()["name"] == "newer"
    assert api.delete(new["selfUri"]).status_code == 204
    assert api.delete(new["selfUri"]).status_code == 404
    assert eventually(lambda: names(api) == ["changed", "gone"])
    assert api.get(new["selfUri"]).status_code == 404


def test_a_verdict_lags_too() -> None:
    with EmulatorServer(EmulatorSettings(verification_seconds=0.5)) as server, Api(server.url) as api:
        behave(api, readLagSeconds=1)
        target = make(api)
        seen: list[tuple[str, object]] = []

        def failed() -> bool:
            answer = api.get(target["selfUri"] + "/verify")
            really = api.get(target["selfUri"], headers=AS_USUAL).json()["status"]
            seen.append((really, answer.json()["status"]))
            return bool(seen[-1] == ("FAILED", "FAILED"))

        eventually(failed)

    assert list(dict.fromkeys(shown for _, shown in seen)) == [404, "PENDING_VERIFICATION", "FAILED"]
    assert ("FAILED", "PENDING_VERIFICATION") in seen


def test_a_reset_clears_the_history_too(api: Api) -> None:
    target = make(api)
    api.post("/emulator/reset")
    behave(api, readLagSeconds=3600)

    assert api.get(target["selfUri"]).status_code == 404
    assert listed(api) == []


def test_after_a_restart_reads_in_the_past_show_the_stored_state(tmp_path: Path) -> None:
    settings = EmulatorSettings(verification_seconds=0, state=tmp_path / "state.db")
    with EmulatorServer(settings) as server, Api(server.url) as api:
        target = make(api)
    with EmulatorServer(settings) as server, Api(server.url) as api:
        behave(api, readLagSeconds=3600)
        assert api.get(target["selfUri"]).json()["id"] == target["id"]


def test_list_orders(api: Api) -> None:
    made = [f"{letter}{number}" for number in range(4) for letter in "cab"]
    for each in made:
        make(api, each)
    assert names(api) == made

    behave(api, listOrder="name")
    assert names(api) == sorted(made)

    behave(api, listOrder="random")
    assert names(api) not in (made, sorted(made))
    pages = [listed(api, pageSize=5, pageNumber=number) for number in (1, 2, 3)]
    assert [each["name"] for page in pages for each in page] == names(api)


# What writes answer.


@pytest.mark.parametrize("status", [200, 201, 202])
def test_answers_to_a_post(api: Api, status: int) -> None:
    behave(api, createAnswer=status)

    answer = api.post(TARGETS, json=body(CLOSED))

    assert answer.status_code == status
    assert answer.json() == api.get(answer.json()["selfUri"]).json() | {"status": answer.json()["status"]}


def test_answers_to_a_put(api: Api) -> None:
    target = make(api)
    behave(api, putAnswer="part")
    part = api.put(target["selfUri"], json=body(CLOSED, "b"))
    behave(api, putAnswer="none")
    none = api.put(target["selfUri"], json=body(CLOSED, "c"))

    assert (part.status_code, part.json()) == (
        200,
        {"id": target["id"], "status": "PENDING_VERIFICATION"},
    )
    assert (none.status_code, none.content) == (204, b"")
    assert api.get(target["selfUri"]).json()["name"] == "c"


def test_a_delete_that_returns_the_object(api: Api) -> None:
    target = make(api)
    api.verdict(target)
    behave(api, deleteAnswer=200)

    answer = api.delete(target["selfUri"])

    assert (answer.status_code, answer.json()) == (200, {**target, "status": "FAILED"})
    assert api.get(target["selfUri"]).status_code == 404


def test_an_accepted_delete_takes_a_second(api: Api) -> None:
    target = make(api)
    behave(api, deleteAnswer=202)
    began = time.monotonic()

    answers = [api.delete(target["selfUri"]) for _ in range(2)]
    still = (
        api.get(target["selfUri"]).status_code,
        names(api),
        api.post(TARGETS, json=body(CLOSED)).status_code,
    )
    in_time = time.monotonic() - began < 1
    eventually(lambda: api.get(target["selfUri"]).status_code == 404)

    assert [(each.status_code, each.content) for each in answers] == [(202, b"")] * 2
    assert still == (200, ["orders"], 409) or not in_time
    assert time.monotonic() - began >= 1
    assert api.delete(target["selfUri"]).status_code == 404
    assert make(api)


def test_an_accepted_delete_survives_a_restart(tmp_path: Path) -> None:
    settings = EmulatorSettings(verification_seconds=0, state=tmp_path / "state.db")
    with EmulatorServer(settings) as server, Api(server.url) as api:
        behave(api, deleteAnswer=202)
        target = make(api)
        assert api.delete(target["selfUri"]).status_code == 202
    with EmulatorServer(settings) as server, Api(server.url) as api:
        assert api.get(target["selfUri"]).status_code == 404
        assert make(api)


# What objects look like.


@pytest.mark.parametrize("style", ["number", "opaque"])
def test_ids_of_new_targets(api: Api, style: str) -> None:
    first = make(api, "first")
    behave(api, idStyle=style)
    target = make(api)
    path = f"{TARGETS}/{quote(target['id'], safe='')}"
    behave(api)

    assert target["selfUri"] == path
    assert target["id"].isdecimal() == (style == "number")
    assert set("/+% ?") <= set(target["id"]) or style == "number"
    assert api.verdict({"id": quote(target["id"], safe="")})["status"] == "FAILED"
    assert api.get(path).json()["id"] == target["id"]
    assert api.post(path + "/health").json()["status"] == "UNHEALTHY"
    forced = api.post(f"/emulator/targets/{quote(target['id'], safe='')}/status", json={"status": "VERIFIED"})
    assert forced.json()["id"] == target["id"]
    assert api.put(path, json=body(CLOSED, "renamed")).json()["id"] == target["id"]
    assert ("PUT", f"{TARGETS}/{target['id']}", 200) in api.log()
    assert api.delete(path).status_code == 204
    assert [each["id"] for each in listed(api)] == [first["id"]]


def test_an_unescaped_id_is_a_different_path(api: Api) -> None:
    behave(api, idStyle="opaque")
    target = make(api)

    assert api.get(f"{TARGETS}/{target['id'].partition('?')[0]}").status_code == 404


def test_statuses_in_lower_case(api: Api, endpoint: str) -> None:
    behave(api, statusCase="lower")
    target = make(api)

    assert target["status"] == "pending_verification"
    eventually(lambda: api.status(target)["status"] == "failed")
    assert listed(api)[0]["status"] == "failed"
    assert api.post(target["selfUri"] + "/health").json()["status"] == "unhealthy"
    good = api.post(TARGETS, json=body(endpoint, "good", **BASIC)).json()
    eventually(lambda: api.status(good)["status"] == "verified")


def test_omitted_keys(api: Api) -> None:
    targets = [make(api, name) for name in ("a", "b")]
    behave(api, omit=["pageCount", "total", "nextUri", "selfUri", "message"])

    page = api.get(TARGETS, params={"pageSize": 1}).json()
    assert set(page) == {"entities", "pageSize", "pageNumber"}
    assert page["entities"][0]["selfUri"], "only at the top level"
    assert "selfUri" not in api.get(targets[0]["selfUri"]).json()
    assert set(api.post(targets[0]["selfUri"] + "/health").json()) == {"status"}
    assert api.get(TARGETS + "/none").json()["message"], "errors keep their fields"


def test_a_service_that_normalises(api: Api) -> None:
    behave(api, normalise=True)
    target = make(api, " orders ", endpointUrl="https://EXAMPLE.com:8443/In?Q=A@B")

    assert target["name"] == "orders"
    assert target["endpointUrl"] == "https://example.com:8443/In?Q=A@B"
    assert api.get(target["selfUri"]).json()["name"] == "orders"
    assert api.post(TARGETS, json=body(CLOSED, "orders  ")).status_code == 409
    changed = api.put(target["selfUri"], json=body("HTTPS://A.Example", "\tothers")).json()
    assert (changed["name"], changed["endpointUrl"]) == ("others", "HTTPS://a.example")
    for odd in ({"name": 7}, {"name": "  "}, {"endpointUrl": None}):
        assert api.post(TARGETS, json={**body(CLOSED, "x"), **odd}).status_code == 400


# Unknown fields.


def test_every_object_has_fields_unknown_to_the_contract(api: Api) -> None:
    usual = api.create(CLOSED, "usual", headers={"X-A": "1"})
    usual_answers = answers(api, usual)
    behave(api, extraFields=True)
    target = make(api, headers={"X-A": "1"})

    for more, less in (
        *zip(answers(api, target), usual_answers, strict=True),
        (target, usual),
        (target["authConfig"], usual["authConfig"]),
        (target["retryPolicy"], usual["retryPolicy"]),
    ):
        assert set(more) > set(less)
    assert target["headers"] == usual["headers"]
    assert set(answers(api, usual)[0]) == set(target), "also targets that were created before"


def answers(api: Api, target: dict[str, Any]) -> list[dict[str, Any]]:
    eventually(lambda: "message" in api.status(target))
    found: list[dict[str, Any]] = [
        api.get(target["selfUri"]).json(),
        api.get(TARGETS, params={"name": target["name"]}).json(),
        api.status(target),
        api.post(target["selfUri"] + "/health").json(),
    ]
    return [*found, found[1]["entities"][0]]


def test_a_put_keeps_the_fields_that_it_contains_and_drops_the_others(api: Api) -> None:
    behave(api, extraFields=True)
    target = make(api, labels=["mine"], retryPolicy=policy(jitter=0.5))
    assert (target["labels"], target["retryPolicy"]["jitter"]) == (["mine"], 0.5)
    assert target["authConfig"]["credentialSource"] == "INLINE"

    carried = {
        **target,
        "name": "b",
        "note": {"by": "somebody", "until": None},
        "version": 99,
        "authConfig": {**target["authConfig"], "scope": None},
    }
    after = api.put(target["selfUri"], json=carried).json()
    assert (after["labels"], after["note"], after["retryPolicy"]) == (
        ["mine"],
        {"by": "somebody", "until": None},
        target["retryPolicy"],
    )
    assert after["authConfig"] == carried["authConfig"]
    assert after["version"] != 99, "it is read-only"

    lost = api.put(target["selfUri"], json=body(CLOSED, "b", retryPolicy=policy())).json()
    assert {"labels", "note", "division"} & set(lost) == set()
    assert "jitter" not in lost["retryPolicy"]
    assert "credentialSource" not in lost["authConfig"]
    seen = api.get(target["selfUri"]).json()
    assert {**seen, "lastAccessed": None, "status": None} == {**lost, "lastAccessed": None, "status": None}


def policy(**more: Any) -> dict[str, Any]:
    return {"maxRetries": 5, "backoffStrategy": "EXPONENTIAL", "initialDelaySeconds": 2, **more}


def test_extra_fields_start_no_verification_and_reach_no_endpoint(api: Api) -> None:
    behave(api, extraFields=True)
    target = make(api)
    api.post(f"/emulator/targets/{target['id']}/status", json={"status": "VERIFIED"})

    after = api.put(target["selfUri"], json={**target, "labels": [], "authConfig": {"scope": "x"}}).json()

    assert after["status"] == "VERIFIED"
    assert after["authConfig"]["scope"] == "x"
    behave(api)
    assert "labels" not in api.get(target["selfUri"]).json()


def test_extra_fields_survive_a_restart_and_a_usual_put(tmp_path: Path) -> None:
    settings = EmulatorSettings(verification_seconds=0, state=tmp_path / "state.db")
    with EmulatorServer(settings) as server, Api(server.url) as api:
        behave(api, extraFields=True)
        target = make(api, labels=["mine"])
        api.put(target["selfUri"], json=body(CLOSED, "by somebody"), headers=AS_USUAL).raise_for_status()
    with EmulatorServer(settings) as server, Api(server.url) as api:
        behave(api, extraFields=True)
        seen = api.get(target["selfUri"]).json()
    assert (seen["name"], seen["labels"]) == ("by somebody", ["mine"])


# Other owners, and latency.


def test_odd_targets_of_other_owners(api: Api) -> None:
    ours = make(api)
    api.verdict(ours)
    behave(api, oddEntries=15)

    entities = listed(api)
    odd = [each for each in entities if each["id"] != ours["id"]]
    assert len(odd) == 15
    assert len({each["id"] for each in entities}) == 16
    assert api.get(TARGETS).json()["total"] == 16
    assert [listed(api, pageSize=10, pageNumber=number) for number in (1, 2)] == [
        entities[:10],
        entities[10:],
    ]
    assert [api.get(f"{TARGETS}/{each['id']}").json() for each in odd] == odd
    assert any("status" not in each for each in odd)
    assert any(isinstance(each["authConfig"], list) for each in odd)
    assert any(isinstance(each.get("owner"), dict) for each in odd)
    assert any(each["name"] is None for each in odd)
    assert any(isinstance((each["headers"] or {}).get("X-Retries"), int) for each in odd)
    for method, path in (("PUT", ""), ("DELETE", ""), ("GET", "/verify"), ("POST", "/health")):
        refused = api.request(method, f"{TARGETS}/{odd[0]['id']}{path}", json=body(CLOSED, "x"))
        assert refused.status_code == 403
    assert listed(api, name="somebody-elses-0")[0] == odd[0]
    behave(api)
    assert names(api) == ["orders"]


@pytest.mark.parametrize("order", ["name", "random"])
def test_odd_targets_in_any_order(api: Api, order: str) -> None:
    for number in range(5):
        make(api, f"ours-{number}")
    behave(api, oddEntries=12, listOrder=order)

    entities = listed(api)

    assert len({each["id"] for each in entities}) == 17
    assert entities[0]["id"] != entities[1]["id"]


def test_every_request_is_delayed(api: Api) -> None:
    behave(api, latencySeconds=0.3)
    began = time.monotonic()

    api.get(TARGETS)
    api.get(TARGETS + "/none")
    api.token()

    assert time.monotonic() - began >= 0.9
    behave(api, latencySeconds=600)
    behave(api)  # The control plane does not wait.


def test_a_slow_request_is_served_although_its_client_has_disconnected(api: Api) -> None:
    behave(api, latencySeconds=0.5)
    with pytest.raises(httpx.ReadTimeout):
        api.post(TARGETS, json=body(CLOSED), timeout=0.1)
    behave(api)

    eventually(lambda: names(api) == ["orders"])


# Together.


def test_all_keys_together(api: Api) -> None:
    behave(
        api,
        readLagSeconds=1.5,
        deleteAnswer=200,
        putAnswer="part",
        createAnswer=202,
        extraFields=True,
        idStyle="opaque",
        statusCase="lower",
        listOrder="random",
        omit=["total", "pageCount", "selfUri"],
        normalise=True,
        oddEntries=12,
        latencySeconds=0.05,
    )
    target = make(api, " orders ")
    path = f"{TARGETS}/{quote(target['id'], safe='')}"
    assert api.get(path).status_code == 404
    eventually(lambda: api.get(path + "/verify").is_success)
    seen = eventually(lambda: (got := api.get(path).json())["status"] == "failed" and got)
    assert isinstance(seen, dict)
    assert seen["name"] == "orders"
    assert (seen["labels"], "selfUri" in seen) == (["new"], False)

    part = api.put(path, json={**body(CLOSED, "other"), "labels": ["kept"]}).json()
    assert part == {"id": target["id"], "status": "pending_verification"}
    eventually(lambda: api.get(path).json()["labels"] == ["kept"])
    page = api.get(TARGETS, params={"pageSize": 100}).json()
    assert len(page["entities"]) == 13
    assert not {"total", "pageCount", "selfUri"} & set(page)

    assert api.delete(path).json()["name"] == "other"
    assert api.get(path).status_code == 200
    eventually(lambda: api.get(path).status_code == 404)
    assert json.loads(api.get(TARGETS).text)["entities"]
