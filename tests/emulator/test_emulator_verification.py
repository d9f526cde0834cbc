"""Verification: the endpoint's response decides the verdict."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from genesys_provider.emulator import EmulatorServer, EmulatorSettings
from tests.emulator.emulated import BASIC, PENDING, TARGETS, Api, body
from tests.support.waiting import LIMIT, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from genesys_provider.emulator import GatewayServer
    from tests.emulator.emulated import Witness

CLOSED = "https://127.0.0.1:1/in"


@pytest.fixture(scope="session")
def slow_emulator(gateway_server: GatewayServer) -> Iterator[Api]:
    settings = EmulatorSettings(
        verification_seconds=0.4, rate_limit=0, ca_file=gateway_server.ca_file, endpoint_seconds=LIMIT
    )
    with EmulatorServer(settings) as server, Api(server.url) as api:
        yield api


@pytest.fixture
def slow_api(slow_emulator: Api) -> Api:
    """A client of an emulator whose verifications take 0.4 s."""
    slow_emulator.post("/emulator/reset")
    return slow_emulator


def test_an_endpoint_that_accepts_is_verified(api: Api, endpoint: str, gateway: httpx.Client) -> None:
    target = api.create(endpoint, **BASIC, headers={"X-Source-System": "GenesysCloud"})

    assert api.verdict(target) == {"status": "VERIFIED", "message": "endpoint answered 202"}
    assert api.get(target["selfUri"]).json()["status"] == "VERIFIED"
    (taken,) = gateway.get("/received").json()["events"]
    assert taken["body"]["detail"]["eventBody"] == {"targetId": target["id"]}
    assert taken["headers"]["x-source-system"] == "GenesysCloud"
    assert taken["headers"]["content-type"] == "application/json"


def test_wrong_credentials_fail(api: Api, endpoint: str) -> None:
    target = api.create(endpoint, authType="BASIC", authConfig={"username": "relay", "password": "guess"})

    assert api.verdict(target) == {"status": "FAILED", "message": "endpoint answered 401 Unauthorized"}


def test_an_answer_other_than_2xx_fails(api: Api, endpoint: str, gateway: httpx.Client) -> None:
    gateway.post("/behaviour", json={"path": "/v1/genesys/events/e5", "status": 503})

    failed = api.create(endpoint + "/e5", "five", **BASIC)
    verified = api.create(endpoint + "/e6", "six", **BASIC)

    assert api.verdict(failed) == {"status": "FAILED", "message": "endpoint answered 503 Service Unavailable"}
    assert api.verdict(verified)["status"] == "VERIFIED"


def test_an_unreachable_endpoint_fails(api: Api) -> None:
    verdict = api.verdict(api.create(CLOSED))

    assert verdict["status"] == "FAILED"
    assert verdict["message"].startswith("endpoint unreachable: ")


def test_an_untrusted_certificate_fails(endpoint: str) -> None:
    settings = EmulatorSettings(verification_seconds=0)
    with EmulatorServer(settings) as server, Api(server.url) as api:
        verdict = api.verdict(api.create(endpoint, **BASIC))

    assert verdict["status"] == "FAILED"
    assert verdict["message"].startswith("endpoint failed TLS: ")


def test_an_endpoint_that_does_not_answer_times_out(api: Api, endpoint: str, gateway: httpx.Client) -> None:
    gateway.post("/behaviour", json={"seconds": 2})

    verdict = api.verdict(api.create(endpoint, **BASIC))

    assert verdict == {"status": "TIMEOUT", "message": "endpoint did not answer within 1 s"}


def test_a_redirect_is_not_followed(api: Api, witness: Witness) -> None:
    verdict = api.verdict(api.create(witness.url.replace("/in", "/moved")))

    assert verdict["message"] == "endpoint answered 307 Temporary Redirect"
    assert not witness.headers


def test_a_verdict_takes_the_minimum_time(slow_api: Api, endpoint: str) -> None:
    began = time.monotonic()
    target = slow_api.create(endpoint, **BASIC)

    assert slow_api.status(target) == {"status": PENDING}
    assert slow_api.verdict(target)["status"] == "VERIFIED"
    assert time.monotonic() - began >= 0.4


@pytest.mark.parametrize(
    ("change", "verifies"),
    [
        ({"endpointUrl": "{endpoint}/other"}, True),
        ({"authConfig": {"username": "relay", "password": "guess"}}, True),
        ({"authType": "NONE", "authConfig": {}}, True),
        ({"headers": {"X-Source-System": "Elsewhere"}}, True),
        ({"headers": {}}, True),
        ({}, False),
        ({"headers": {"x-source-system": "GenesysCloud"}}, False),
        ({"name": "invoices"}, False),
        ({"eventTypes": ["A"]}, False),
        (
            {"retryPolicy": {"maxRetries": 1, "backoffStrategy": "LINEAR", "initialDelaySeconds": 1}},
            False,
        ),
    ],
)
def test_which_puts_restart_the_verification(
    slow_api: Api, endpoint: str, change: dict[str, Any], verifies: bool
) -> None:
    fields = {**BASIC, "headers": {"X-Source-System": "GenesysCloud"}}
    target = slow_api.create(endpoint, **fields)
    slow_api.post(f"/emulator/targets/{target['id']}/status", json={"status": "VERIFIED"})

    changed = json.loads(json.dumps(body(endpoint, **fields) | change).replace("{endpoint}", endpoint))
    answer = slow_api.put(target["selfUri"], json=changed)

    assert answer.json()["status"] == (PENDING if verifies else "VERIFIED")


def test_a_put_on_a_failed_target_verifies_again(api: Api, endpoint: str, gateway: httpx.Client) -> None:
    gateway.post("/behaviour", json={"status": 500})
    target = api.create(endpoint, **BASIC)
    assert api.verdict(target)["status"] == "FAILED"
    gateway.delete("/behaviour")

    answer = api.put(target["selfUri"], json=body(endpoint, **BASIC))

    assert answer.json()["status"] == PENDING
    assert api.verdict(target)["status"] == "VERIFIED"


def test_an_earlier_verification_gives_no_verdict(slow_api: Api, endpoint: str) -> None:
    target = slow_api.create(CLOSED, **BASIC)
    time.sleep(0.3)

    began = time.monotonic()
    slow_api.put(target["selfUri"], json=body(endpoint, **BASIC))

    assert slow_api.verdict(target)["status"] == "VERIFIED"
    assert time.monotonic() - began >= 0.4


def test_a_forced_state_stays(slow_api: Api, endpoint: str) -> None:
    forced = slow_api.create(endpoint, **BASIC)
    other = slow_api.create(endpoint, "other", **BASIC)

    answer = slow_api.post(
        f"/emulator/targets/{forced['id']}/status", json={"status": "FAILED", "message": "as the test says"}
    )

    assert answer.json()["status"] == "FAILED"
    assert slow_api.verdict(other)["status"] == "VERIFIED"
    assert slow_api.status(forced) == {"status": "FAILED", "message": "as the test says"}


@pytest.mark.parametrize("raw", [{}, {"status": ""}, {"status": 1}, {"status": "FAILED", "why": ""}])
def test_a_forced_state_is_validated(api: Api, raw: dict[str, Any]) -> None:
    target = api.create(CLOSED)

    assert api.post(f"/emulator/targets/{target['id']}/status", json=raw).status_code == 400
    assert api.post("/emulator/targets/none/status", json={"status": "FAILED"}).status_code == 404


def test_a_target_can_be_deleted_during_its_verification(slow_api: Api, endpoint: str) -> None:
    gone = slow_api.create(endpoint, **BASIC)
    slow_api.delete(gone["selfUri"])
    again = slow_api.create(endpoint, **BASIC)

    assert slow_api.verdict(again)["status"] == "VERIFIED"
    assert slow_api.get(f"{TARGETS}/{gone['id']}/verify").status_code == 404


def test_a_hundred_verifications_run_at_once(slow_api: Api, witness: Witness) -> None:
    witness.together = 100
    endpoint = witness.url.replace("/in", "/together")
    targets = [slow_api.create(endpoint, f"t{number}") for number in range(witness.together)]

    assert {slow_api.verdict(target)["status"] for target in targets} == {"VERIFIED"}


@pytest.mark.parametrize(("status", "health"), [(200, "HEALTHY"), (500, "UNHEALTHY")])
def test_a_health_check_calls_the_endpoint_immediately(
    api: Api, endpoint: str, gateway: httpx.Client, status: int, health: str
) -> None:
    target = api.create(endpoint, **BASIC)
    api.verdict(target)
    gateway.post("/behaviour", json={"status": status})

    answer = api.post(f"{target['selfUri']}/health")

    assert answer.json()["status"] == health
    assert str(status) in answer.json()["message"]
    assert api.status(target)["status"] == "VERIFIED"


def test_oauth2_fetches_its_token(api: Api, witness: Witness) -> None:
    api.delete("/emulator/requests")
    auth = {
        "clientId": "dev-client",
        "clientSecret": "dev-secret",
        "tokenUrl": str(api.base_url.join("/oauth/token")),
    }

    verdict = api.verdict(api.create(witness.url, authType="OAUTH2", authConfig=auth))

    assert verdict["status"] == "VERIFIED"
    assert ("POST", "/oauth/token", 200) in api.log()
    kind, _, token = witness.headers[0]["authorization"].partition(" ")
    assert kind == "Bearer"
    assert api.get(TARGETS, headers={"Authorization": f"Bearer {token}"}).status_code == 200


@pytest.mark.parametrize(
    ("token_url", "message"),
    [
        ("{emulator}/oauth/token", "token endpoint answered 401 Unauthorized"),
        ("{emulator}/emulator/health", "token endpoint answered 405 Method Not Allowed"),
        ("http://127.0.0.1:1/", "token endpoint unreachable: "),
    ],
)
def test_oauth2_without_a_token_fails(api: Api, witness: Witness, token_url: str, message: str) -> None:
    url = token_url.replace("{emulator}", str(api.base_url).rstrip("/"))
    auth = {"clientId": "dev-client", "clientSecret": "guess", "tokenUrl": url}

    verdict = api.verdict(api.create(witness.url, authType="OAUTH2", authConfig=auth))

    assert verdict["status"] == "FAILED"
    assert verdict["message"].startswith(message)
    assert not witness.headers


def test_jwt_is_signed_with_the_secret(api: Api, witness: Witness) -> None:
    auth = {"clientId": "orders", "clientSecret": "very-secret"}

    assert api.verdict(api.create(witness.url, authType="JWT", authConfig=auth))["status"] == "VERIFIED"

    token = witness.headers[0]["authorization"].removeprefix("Bearer ")
    signed, _, signature = token.rpartition(".")
    expected = hmac.new(b"very-secret", signed.encode(), hashlib.sha256).digest()
    assert base64.urlsafe_b64decode(signature + "==") == expected
    claims = json.loads(base64.urlsafe_b64decode(signed.partition(".")[2] + "=="))
    assert (claims["iss"], claims["sub"]) == ("orders", "orders")
    assert time.time() < claims["exp"] <= time.time() + 301


def test_an_endpoint_gets_the_headers_and_nobody_elses_cookies(api: Api, witness: Witness) -> None:
    headers = {"X-Grüße".encode().decode("ascii", "ignore"): "Grüße"}
    target = api.create(witness.url, headers=headers)
    api.verdict(target)
    api.post(f"{target['selfUri']}/health")

    first, second = witness.headers
    assert first["x-gre"] == "Grüße"
    assert first["content-type"] == "application/json"
    assert "authorization" not in first
    assert "cookie" not in second


def test_concurrent_puts_leave_one_verification(api: Api, endpoint: str) -> None:
    target = api.create(endpoint, **BASIC)

    def put(number: int) -> None:
        api.put(target["selfUri"], json=body(f"{endpoint}/{number}", **BASIC))

    threads = [threading.Thread(target=put, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert api.verdict(target)["status"] == "VERIFIED"


def test_reset_clears_everything(api: Api) -> None:
    api.create(CLOSED)
    api.fault("delay", path="/nowhere")
    api.post("/emulator/events", json={"eventType": "A"})

    assert api.post("/emulator/reset").status_code == 204

    assert [api.get(f"/emulator/{what}").json() for what in ("requests", "deliveries", "faults")] == [[]] * 3
    assert api.get(TARGETS).json()["total"] == 0
    assert eventually(lambda: api.create(CLOSED))
