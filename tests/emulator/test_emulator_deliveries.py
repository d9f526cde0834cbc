"""Deliveries: which targets get an event, and what happens when an endpoint doesn't accept it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genesys_provider.emulator import EmulatorServer, EmulatorSettings
from genesys_provider.emulator.database import Database
from genesys_provider.emulator.deliveries import retry_delay
from genesys_provider.emulator.target_store import TARGETS as TARGETS_TABLE
from genesys_provider.emulator.target_store import TargetStore
from tests.emulator.emulated import BASIC, TARGETS, Api, body
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

    from genesys_provider.emulator import GatewayServer

QUICK = {"maxRetries": 1, "backoffStrategy": "LINEAR", "initialDelaySeconds": 1}


def publish(
    api: Api, event_type: str = "CONVERSATION_STARTED", event_body: Any = None
) -> list[dict[str, Any]]:
    answer = api.post("/emulator/events", json={"eventType": event_type, "eventBody": event_body or {}})
    assert answer.status_code == 202
    deliveries: list[dict[str, Any]] = answer.json()["deliveries"]
    return deliveries


def verified(api: Api, endpoint: str, name: str = "orders", **fields: Any) -> dict[str, Any]:
    target = api.create(endpoint, name, **BASIC, **fields)
    assert api.verdict(target)["status"] == "VERIFIED"
    return target


def test_an_event_reaches_the_subscribed_targets(api: Api, endpoint: str, gateway: httpx.Client) -> None:
    target = verified(api, endpoint, headers={"X-Source-System": "GenesysCloud"})
    verified(api, endpoint, "other type", eventTypes=["QUEUE_MEMBER_ADDED"])
    unverified = verified(api, endpoint, "unverified")
    api.post(f"/emulator/targets/{unverified['id']}/status", json={"status": "FAILED"})
    gateway.delete("/received")

    (delivery,) = publish(api, event_body={"conversationId": "c-1"})

    assert delivery["targetId"] == target["id"]
    assert delivery["targetName"] == "orders"
    assert delivery["eventType"] == "CONVERSATION_STARTED"
    assert delivery["status"] == "DELIVERED"
    assert [(attempt["status"], attempt["error"]) for attempt in delivery["attempts"]] == [(202, None)]
    assert api.get("/emulator/deliveries").json() == [delivery]
    (taken,) = gateway.get("/received").json()["events"]
    assert taken["headers"]["x-source-system"] == "GenesysCloud"
    envelope = taken["body"]
    assert envelope["version"] == "0"
    assert envelope["id"] == delivery["eventId"]
    assert envelope["detail-type"] == "CONVERSATION_STARTED"
    organization_id = api.get("/api/v2/organizations/me").json()["id"]
    assert envelope["source"] == f"aws.partner/genesys.com/cloud/{organization_id}/emulator"
    assert set(envelope) == {
        "version",
        "id",
        "detail-type",
        "source",
        "account",
        "time",
        "region",
        "resources",
        "detail",
    }
    assert envelope["detail"]["topicName"] == "CONVERSATION_STARTED"
    assert envelope["detail"]["eventBody"] == {"conversationId": "c-1"}
    assert set(envelope["detail"]) == {"topicName", "version", "eventBody", "metadata", "timestamp"}


def test_an_event_that_was_not_accepted_is_retried(api: Api, endpoint: str, gateway: httpx.Client) -> None:
    verified(api, endpoint, retryPolicy=QUICK)
    gateway.delete("/received")
    gateway.post("/behaviour", json={"status": 503, "times": 1})

    (delivery,) = publish(api)
    assert delivery["status"] == "RETRYING"
    assert delivery["attempts"][0]["error"] == "endpoint answered 503 Service Unavailable"

    def delivered() -> dict[str, Any] | None:
        (now,) = api.get("/emulator/deliveries").json()
        return now if now["status"] != "RETRYING" else None

    done = eventually(delivered)
    assert done["status"] == "DELIVERED"
    assert [attempt["status"] for attempt in done["attempts"]] == [503, 202]
    (taken,) = gateway.get("/received").json()["events"]
    assert taken["body"]["id"] == delivery["eventId"]


@pytest.mark.parametrize("behaviour", [{"status": 500}, {"seconds": 2}])
def test_without_retries_one_failure_is_final(
    api: Api, endpoint: str, gateway: httpx.Client, behaviour: dict[str, Any]
) -> None:
    verified(api, endpoint, retryPolicy={**QUICK, "maxRetries": 0})
    gateway.post("/behaviour", json=behaviour)

    (delivery,) = publish(api)

    assert delivery["status"] == "FAILED"
    assert len(delivery["attempts"]) == 1


def test_retries_stop_when_their_target_is_deleted(api: Api, endpoint: str, gateway: httpx.Client) -> None:
    target = verified(api, endpoint, retryPolicy=QUICK)
    gateway.post("/behaviour", json={"status": 500})
    publish(api)

    api.delete(target["selfUri"])

    eventually(lambda: api.get("/emulator/deliveries").json()[0]["status"] == "FAILED")


CONNECTIONS_OWN = {
    "Content-Length": "0",
    "Transfer-Encoding": "chunked",
    "Host": "elsewhere.example",
    "Connection": "close",
    "Expect": "100-continue",
    "Upgrade": "websocket",
    "TE": "trailers",
    "Proxy-Connection": "close",
}
CANARY = "canary-header-4f1"


def test_the_headers_of_one_target_do_not_affect_others(
    tmp_path: Path, endpoint: str, gateway: httpx.Client, gateway_server: GatewayServer
) -> None:
    """Such targets can't be created any more, but an old state file may have them."""
    oddities = {
        **CONNECTIONS_OWN,
        "X-Line": f"{CANARY}\r\nX-Forged: 1",
        "X A": CANARY,
        "X-Ü": CANARY,
        "X-Wide": f"東京 {CANARY}",
        "X-Number": 5,
        "": CANARY,
    }
    database = Database(tmp_path / "state.db", (TARGETS_TABLE,), ())
    store = TargetStore(database)
    policy = {**QUICK, "maxRetries": 0}
    for name, value in oddities.items():
        store.add({**body(endpoint, f"odd {name}"), **BASIC, "retryPolicy": policy, "headers": {name: value}})
    good = store.add({**body(endpoint, "good"), **BASIC, "retryPolicy": policy, "headers": {"X-Good": "1"}})
    database.close()

    settings = EmulatorSettings(
        verification_seconds=0, rate_limit=0, ca_file=gateway_server.ca_file, state=tmp_path / "state.db"
    )
    with EmulatorServer(settings) as server, Api(server.url) as api:
        targets = {each["name"]: each for each in api.get(f"{TARGETS}?pageSize=100").json()["entities"]}
        verdicts = {name: api.verdict(target) for name, target in targets.items()}
        for target in targets.values():
            api.post(f"/emulator/targets/{target['id']}/status", json={"status": "VERIFIED"})
        gateway.delete("/received")
        deliveries = {each["targetName"]: each for each in publish(api)}

    # Headers of the connection are left out; the others are invalid HTTP, and reported as such.
    usable = {"good", *(f"odd {name}" for name in CONNECTIONS_OWN)}
    assert {name for name, verdict in verdicts.items() if verdict["status"] == "VERIFIED"} == usable
    assert {name for name, each in deliveries.items() if each["status"] == "DELIVERED"} == usable
    said = {name: verdict["message"] for name, verdict in verdicts.items() if name not in usable}
    assert set(said.values()) == {"the target's headers can't be sent: they are not valid HTTP"}
    assert {each["status"] for name, each in deliveries.items() if name not in usable} == {"FAILED"}
    assert CANARY not in str(deliveries)
    assert [each["targetId"] for each in deliveries.values() if each["targetName"] == "good"] == [good.id]
    taken = gateway.get("/received").json()["events"]
    assert len(taken) == len(usable)
    assert all(each["headers"]["content-type"] == "application/json" for each in taken)


def test_an_event_needs_a_type(api: Api) -> None:
    assert api.post("/emulator/events", json={"eventBody": {}}).status_code == 400


@given(st.integers(1, 30), st.integers(1, 10), st.sampled_from(["LINEAR", "EXPONENTIAL"]))
def test_retry_delays_grow_from_the_initial_delay(initial: int, retry: int, strategy: str) -> None:
    policy = {"initialDelaySeconds": initial, "backoffStrategy": strategy}

    assert retry_delay(policy, 1) == initial
    growth = retry_delay(policy, retry + 1) - retry_delay(policy, retry)
    assert growth == (initial if strategy == "LINEAR" else retry_delay(policy, retry))
