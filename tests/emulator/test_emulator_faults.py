"""Injected faults, as a client sees them, and the log of requests."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.emulator.emulated import TARGETS, body
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from tests.emulator.emulated import Api

ANYWHERE = "https://127.0.0.1:1/in"


def test_a_status_replaces_serving_the_request(api: Api) -> None:
    api.fault("status", "POST", TARGETS, status=503, headers={"Retry-After": 7}, times=1, body=None)

    answer = api.post(TARGETS, json=body(ANYWHERE))

    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "7"
    assert answer.json()["code"] == "service.unavailable"
    assert answer.headers["inin-correlation-id"] == answer.json()["contextId"]
    assert api.get(TARGETS).json()["total"] == 0
    assert api.post(TARGETS, json=body(ANYWHERE)).status_code == 201


def test_a_status_can_have_any_body(api: Api) -> None:
    api.fault("status", path=TARGETS, status=400, body={"message": "no"}, times=1)
    api.fault("status", path=TARGETS, status=502, body="<html>", times=1)

    assert api.get(TARGETS).json() == {"message": "no"}
    assert api.get(TARGETS).text == "<html>"


def test_the_token_endpoint_throttles_with_400(api: Api) -> None:
    api.fault("status", "POST", "/oauth/token", status=400, times=1)

    answer = api.token()

    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_request"
    assert answer.json()["description"].startswith("rate limit exceeded; ")
    assert api.token().status_code == 200


@pytest.mark.parametrize(("action", "acted"), [("drop_before", 0), ("drop_after", 1)])
def test_a_dropped_connection(api: Api, action: str, acted: int) -> None:
    api.delete("/emulator/requests")
    api.fault(action, "POST", TARGETS, times=1)

    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        api.post(TARGETS, json=body(ANYWHERE))

    assert api.get(TARGETS).json()["total"] == acted
    assert api.log() == [("POST", TARGETS, None), ("GET", TARGETS, 200)]


def test_a_truncated_answer(api: Api) -> None:
    api.fault("truncate", "POST", TARGETS, times=1)

    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete message"):
        api.post(TARGETS, json=body(ANYWHERE))

    assert api.get(TARGETS).json()["total"] == 1


def test_an_answer_without_body_is_truncated_to_nothing(api: Api) -> None:
    target = api.create(ANYWHERE)
    api.fault("truncate", "DELETE", times=1)

    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        api.delete(target["selfUri"])

    assert api.get(target["selfUri"]).status_code == 404


@pytest.mark.parametrize(("status", "answered"), [({}, 201), ({"status": 200}, 200)])
def test_a_malformed_answer(api: Api, status: dict[str, Any], answered: int) -> None:
    api.fault("malformed", "POST", TARGETS, times=1, **status)

    answer = api.post(TARGETS, json=body(ANYWHERE))

    assert answer.status_code == answered
    assert answer.headers["content-type"].startswith("application/json")
    with pytest.raises(ValueError, match="Expecting value"):
        answer.json()
    assert api.get(TARGETS).json()["total"] == 1


def test_a_huge_answer(api: Api) -> None:
    api.fault("huge", "POST", TARGETS, times=1)

    assert len(api.post(TARGETS, json=body(ANYWHERE)).content) > 32 * 1024 * 1024
    assert api.get(TARGETS).json()["total"] == 1


def test_a_delay(api: Api) -> None:
    api.fault("delay", path=TARGETS, seconds=0.2, times=1)
    began = time.monotonic()

    assert api.get(TARGETS).status_code == 200
    assert time.monotonic() - began >= 0.2


def test_a_request_takes_effect_although_the_client_gave_up(api: Api) -> None:
    api.fault("delay", "POST", TARGETS, seconds=0.2, times=1)

    with pytest.raises(httpx.ReadTimeout):
        api.post(TARGETS, json=body(ANYWHERE), timeout=0.1)

    eventually(lambda: api.get(TARGETS).json()["total"] == 1)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("seconds", float("inf")),
        ("headers", {"a b": "c"}),
        ("headers", {"a": "c\r\nd: e"}),
        ("headers", {"a": "\u20ac"}),
    ],
)
def test_a_fault_that_can_not_be_served_is_refused(api: Api, name: str, value: object) -> None:
    fault = json.dumps({"action": "status", "status": 503, name: value}).replace("Infinity", "1e400")
    refused = api.post("/emulator/faults", content=fault)
    assert (refused.status_code, refused.json()["message"].split()[:5]) == (
        400,
        ["The", "body", "is", "not", "valid:"],
    )
    assert name in refused.json()["message"]


def test_a_fault_applies_to_a_number_of_requests(api: Api) -> None:
    api.fault("status", "GET", TARGETS, status=500, times=2)
    waiting = api.get("/emulator/faults").json()

    assert waiting[0]["times"] == 2
    assert [api.get(TARGETS).status_code for _ in range(3)] == [500, 500, 200]
    assert api.get("/emulator/faults").json() == []


def test_a_fault_without_times_applies_until_it_is_deleted(api: Api) -> None:
    api.fault("status", status=500)

    assert [api.get(TARGETS).status_code for _ in range(5)] == [500] * 5
    api.delete("/emulator/faults")
    assert api.get(TARGETS).status_code == 200


@pytest.mark.parametrize(
    ("match", "hit"),
    [
        ({}, True),
        ({"method": "get"}, True),
        ({"method": "PUT"}, False),
        ({"path": TARGETS}, False),
        ({"path": TARGETS + "/*"}, True),
        ({"path": TARGETS + "/*/verify"}, True),
        ({"path": TARGETS + "/*/health"}, False),
        ({"method": "GET", "path": "/oauth/token"}, False),
    ],
)
def test_which_requests_a_fault_matches(api: Api, match: dict[str, str], hit: bool) -> None:
    target = api.create(ANYWHERE)
    api.post("/emulator/faults", json={"match": match, "action": "status", "status": 418})

    answer = api.get(f"{target['selfUri']}/verify?x=y")

    assert (answer.status_code == 418) is hit


@pytest.mark.parametrize(
    "fault",
    [
        {},
        {"action": "explode"},
        {"action": "status"},
        {"action": "status", "status": 99},
        {"action": "delay", "seconds": -1},
        {"action": "delay", "times": 0},
        {"action": "delay", "match": {"url": "/"}},
    ],
)
def test_faults_are_validated(api: Api, fault: dict[str, Any]) -> None:
    assert api.post("/emulator/faults", json=fault).status_code == 400
    assert api.get("/emulator/faults").json() == []


def test_the_log_only_contains_login_and_api(api: Api) -> None:
    api.delete("/emulator/requests")
    api.token(("dev-client", "wrong"))
    api.get(TARGETS, params={"pageSize": 5})
    api.get("/emulator/health")
    api.post(TARGETS, json={})
    api.get("/nowhere")

    assert api.log() == [
        ("POST", "/oauth/token", 401),
        ("GET", TARGETS, 200),
        ("POST", TARGETS, 400),
        ("GET", "/nowhere", 404),
    ]
    entry = api.get("/emulator/requests").json()[1]
    assert entry["query"] == "pageSize=5"
    assert entry["at"].endswith("Z")
