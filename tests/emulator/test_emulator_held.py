"""Requests that are held, before or after they are served, until they are released."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.emulator.emulated import TARGETS, body
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from tests.emulator.emulated import Api

ANYWHERE = "https://127.0.0.1:1/in"


@pytest.mark.parametrize(("when", "acted"), [("before", 0), ("after", 1)])
def test_a_held_request_is_listed_and_can_be_released(api: Api, when: str, acted: int) -> None:
    api.fault("delay", "POST", TARGETS, seconds=30, when=when, times=1)
    with ThreadPoolExecutor(1) as pool:
        posted = pool.submit(api.post, TARGETS, json=body(ANYWHERE))
        held = eventually(lambda: api.get("/emulator/held").json())

        assert held == [{"method": "POST", "path": TARGETS, "when": when}]
        assert api.get(TARGETS).json()["total"] == acted
        api.delete("/emulator/held")
        assert posted.result().status_code == 201

    assert posted.result().json()["name"] == "orders"
    assert api.get(TARGETS).json()["total"] == 1
    assert api.get("/emulator/held").json() == []


@pytest.mark.parametrize(
    ("action", "when", "acted"), [("drop_before", "before", 0), ("drop_after", "before", 1)]
)
def test_a_held_request_can_be_dropped_after_its_release(
    api: Api, action: str, when: str, acted: int
) -> None:
    api.fault(action, "POST", TARGETS, seconds=30, when=when, times=1)
    with ThreadPoolExecutor(1) as pool:
        posted = pool.submit(api.post, TARGETS, json=body(ANYWHERE))
        eventually(lambda: api.get("/emulator/held").json())
        api.delete("/emulator/held")
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            posted.result()

    assert api.get(TARGETS).json()["total"] == acted


def test_a_fault_without_serving_can_not_wait_after_serving(api: Api) -> None:
    answer = api.post("/emulator/faults", json={"action": "drop_before", "seconds": 1, "when": "after"})

    assert answer.status_code == 400
    assert "serves no request" in answer.text


@pytest.mark.parametrize(("when", "taken"), [("before", 0), ("after", 1)])
def test_the_gateway_can_hold_requests_too(
    gateway: httpx.Client, endpoint: str, when: str, taken: int
) -> None:
    gateway.post("/behaviour", json={"seconds": 30, "when": when, "drop": True, "times": 1})
    with ThreadPoolExecutor(1) as pool:
        sent = pool.submit(gateway.post, endpoint, json={}, auth=("relay", "sesame"))
        held = eventually(lambda: gateway.get("/held").json())

        assert held == [{"method": "POST", "path": "/v1/genesys/events", "when": when}]
        assert len(gateway.get("/received").json()["events"]) == taken
        gateway.delete("/held")
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            sent.result()

    assert len(gateway.get("/received").json()["events"]) == taken
    assert gateway.post(endpoint, json={}, auth=("relay", "sesame")).status_code == 202
