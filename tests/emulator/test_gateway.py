"""The local gateway: events, syncs, and failures on demand."""

from __future__ import annotations

import base64
import json
import ssl
import stat
import time
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import trustme
from standardwebhooks import Webhook

from genesys_provider.emulator import GatewayServer, GatewaySettings
from genesys_provider.emulator.certificates import gateway_certificate
from genesys_provider.targets.signature import signing_key
from tests.emulator.emulated import SIGNING_SECRET, trusting

if TYPE_CHECKING:
    from pathlib import Path

EVENTS = "/v1/genesys/events"
SYNCS = "/webhooks/genesys/targets"
RELAY = ("relay", "sesame")
SYNC = {"eventType": "TARGET_CONFIGURATION_UPDATED", "targetId": "t-1"}


def signed(sync_id: str, body: str, key: str | bytes = SIGNING_SECRET, age: float = 0) -> dict[str, str]:
    at = datetime.now(timezone.utc) - timedelta(seconds=age)
    return {
        "webhook-id": sync_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(key).sign(sync_id, at, body),
    }


def received(client: httpx.Client) -> tuple[list[Any], list[Any]]:
    taken = client.get("/received").json()
    return [event["body"] for event in taken["events"]], [sync["body"] for sync in taken["syncs"]]


def test_events_of_the_configured_user_are_accepted(gateway: httpx.Client) -> None:
    answers = [
        gateway.post(EVENTS, json={"n": 1}, auth=RELAY, headers={"X-Source-System": "GenesysCloud"}),
        gateway.post(EVENTS + "/e5/deep", json=[2], auth=RELAY),
    ]

    assert [answer.status_code for answer in answers] == [202, 202]
    assert received(gateway) == ([{"n": 1}, [2]], [])
    first, second = gateway.get("/received").json()["events"]
    assert first["headers"]["x-source-system"] == "GenesysCloud"
    assert "authorization" not in first["headers"]
    assert first["at"].endswith("Z")
    assert second["path"] == EVENTS + "/e5/deep"


@pytest.mark.parametrize("auth", [None, ("relay", "guess"), ("other", "sesame"), ("", "")])
def test_events_of_other_users_are_refused(gateway: httpx.Client, auth: tuple[str, str] | None) -> None:
    answer = gateway.post(EVENTS, json={}, auth=auth or httpx.USE_CLIENT_DEFAULT)

    assert answer.status_code == 401
    assert received(gateway) == ([], [])


def test_an_event_must_be_json(gateway: httpx.Client) -> None:
    assert gateway.post(EVENTS, content="not JSON", auth=RELAY).status_code == 400
    assert gateway.post(EVENTS, auth=RELAY).status_code == 400
    assert received(gateway) == ([], [])


def test_a_signed_sync_is_accepted_once(gateway: httpx.Client) -> None:
    body = json.dumps(SYNC)
    headers = signed("sync-once", body)

    first = gateway.post(SYNCS, content=body, headers=headers)
    replayed = gateway.post(SYNCS, content=body, headers=headers)

    assert (first.status_code, replayed.status_code) == (200, 409)
    assert received(gateway) == ([], [SYNC])


@pytest.mark.parametrize(
    "headers",
    [
        {},
        signed("forged", json.dumps(SYNC), b"another key"),
        signed("other body", "{}"),
        signed("stale", json.dumps(SYNC), age=301),
        signed("early", json.dumps(SYNC), age=-3600),
        signed("odd", json.dumps(SYNC)) | {"webhook-signature": "v1"},
        signed("odd", json.dumps(SYNC)) | {"webhook-signature": "v1,!"},
        signed("odd", json.dumps(SYNC)) | {"webhook-timestamp": "yesterday"},
    ],
)
def test_a_sync_with_a_wrong_signature_is_refused(gateway: httpx.Client, headers: dict[str, str]) -> None:
    answer = gateway.post(SYNCS, content=json.dumps(SYNC), headers=headers)

    assert answer.status_code == 401
    assert received(gateway) == ([], [])


@pytest.mark.parametrize("body", ["[]", "text", "\xff"])
def test_a_sync_must_be_a_json_object(gateway: httpx.Client, body: str) -> None:
    answer = gateway.post(SYNCS, content=body, headers=signed(f"object {body!a}", body))

    assert answer.status_code == 400


@pytest.mark.parametrize(
    "secret", ["whsec_" + base64.b64encode(b"0123456789abcdef").decode(), "any text: ü!"]
)
def test_a_secret_is_base64_or_any_text(tmp_path: Path, secret: str) -> None:
    settings = GatewaySettings(tmp_path, signing_secret=secret)
    with (
        GatewayServer(settings) as server,
        httpx.Client(base_url=server.url, verify=trusting(server.ca_file)) as client,
    ):
        body = json.dumps(SYNC)
        key = base64.b64decode(secret[6:]) if secret.startswith("whsec_") else secret.encode()
        assert client.post(SYNCS, content=body, headers=signed("1", body, key)).status_code == 200
        assert client.post(EVENTS, json={}).status_code == 202, (
            "without a user name, everybody may send events"
        )


def test_invalid_signing_secrets(tmp_path: Path) -> None:
    for secret in ("", "whsec_", "whsec_x"):
        with pytest.raises(ValueError, match="the signing secret is"):
            signing_key(secret)
    with pytest.raises(ValueError, match="the signing secret is"):
        GatewayServer(GatewaySettings(tmp_path, signing_secret=""))


def test_without_a_signing_secret_any_sync_is_accepted(tmp_path: Path) -> None:
    with (
        GatewayServer(GatewaySettings(tmp_path)) as server,
        httpx.Client(base_url=server.url, verify=trusting(server.ca_file)) as client,
    ):
        assert client.post(SYNCS, json=SYNC).status_code == 200
        assert client.post(SYNCS, json=[]).status_code == 400
        assert received(client) == ([], [SYNC])


def test_behaviours_apply_by_path(gateway: httpx.Client) -> None:
    gateway.post("/behaviour", json={"path": EVENTS + "/e5", "status": 503})
    gateway.post("/behaviour", json={"path": SYNCS, "status": 500, "times": 1})

    def status(path: str) -> int:
        return gateway.post(path, json={}, auth=RELAY).status_code

    assert [status(EVENTS + "/e5"), status(EVENTS + "/e6"), status(EVENTS)] == [503, 202, 202]
    assert [status(SYNCS), status(SYNCS)] == [500, 401]
    gateway.post("/behaviour", json={"path": EVENTS + "/e5", "status": 404, "times": 2})
    assert [status(EVENTS + "/e5") for _ in range(3)] == [404, 404, 202]
    gateway.post("/behaviour", json={"status": 418})
    assert [status(EVENTS), status(EVENTS + "/e6")] == [418, 418]
    gateway.delete("/behaviour")
    assert status(EVENTS) == 202
    assert len(received(gateway)[0]) == 4, "a refused request was not accepted"


def test_a_slow_endpoint_still_accepts_its_events(gateway: httpx.Client) -> None:
    gateway.post("/behaviour", json={"seconds": 0.2, "times": 1})
    began = time.monotonic()

    assert gateway.post(EVENTS, json={}, auth=RELAY).status_code == 202
    assert time.monotonic() - began >= 0.2


@pytest.mark.parametrize("behaviour", ["{", '{"status": 1}', '{"times": 0}', '{"url": ""}'])
def test_behaviours_are_validated(gateway: httpx.Client, behaviour: str) -> None:
    assert gateway.post("/behaviour", content=behaviour).status_code == 400


def test_the_certificate_is_created_once(tmp_path: Path) -> None:
    directory = tmp_path / "new" / "certificates"

    first = gateway_certificate(directory)
    written = {path.name: path.read_bytes() for path in directory.iterdir()}
    second = gateway_certificate(directory)

    assert first == second == (directory / "ca.pem", directory / "gateway.pem")
    assert {path.name: path.read_bytes() for path in directory.iterdir()} == written
    keys = [path for path in directory.iterdir() if b"PRIVATE KEY" in path.read_bytes()]
    assert [stat.S_IMODE(key.stat().st_mode) for key in keys] == [0o600]


def test_an_unusable_certificate_is_replaced(tmp_path: Path) -> None:
    certificate = gateway_certificate(tmp_path)
    first = certificate.ca_file.read_bytes()

    certificate.ca_file.unlink()
    gateway_certificate(tmp_path)
    second = certificate.ca_file.read_bytes()
    certificate.ca_file.write_bytes(first)
    gateway_certificate(tmp_path)
    third = certificate.ca_file.read_bytes()
    certificate.chain_file.write_text("nonsense")
    gateway_certificate(tmp_path)
    fourth = certificate.ca_file.read_bytes()

    assert len({first, second, third, fourth}) == 4


def test_an_expired_certificate_is_replaced(tmp_path: Path) -> None:
    certificate = gateway_certificate(tmp_path)
    authority = trustme.CA()
    issued = authority.issue_cert("localhost", not_after=datetime.now(timezone.utc))
    certificate.chain_file.write_bytes(issued.private_key_and_cert_chain_pem.bytes())
    certificate.ca_file.write_bytes(authority.cert_pem.bytes())

    gateway_certificate(tmp_path)

    assert certificate.ca_file.read_bytes() != authority.cert_pem.bytes()


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_the_certificate_is_for_this_machine(gateway_server: GatewayServer, host: str) -> None:
    url = gateway_server.url.replace("127.0.0.1", host)

    assert httpx.get(url + "/received", verify=trusting(gateway_server.ca_file)).status_code == 200
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        httpx.get(url + "/received", verify=ssl.create_default_context())


def test_ipv6(tmp_path: Path) -> None:
    try:
        server = GatewayServer(GatewaySettings(tmp_path), host="::1")
    except OSError:
        pytest.skip("this machine has no IPv6")
    with server:
        assert server.url.startswith("https://[::1]:")
        assert httpx.get(server.url + "/received", verify=trusting(server.ca_file)).status_code == 200
