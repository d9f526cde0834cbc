"""Syncs: signed like the reference library does it, and retried until the gateway has each once."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING

import pytest
from standardwebhooks import Webhook
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from genesys_provider.client.errors import Cancelled
from genesys_provider.common.audit import AuditEvent, AuditTrail
from genesys_provider.emulator.server import Server
from genesys_provider.targets.errors import SyncFailed
from genesys_provider.targets.gateway import DELETED, UPDATED, GatewayNotifier
from tests.support.cloud import SIGNING_SECRET
from tests.support.shared_cloud import SkippedWaits

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from starlette.requests import Request

    from tests.support.cloud import Cloud

ID = "0a1b2c3d-0000-4000-8000-000000000000"


class Listener:
    """A gateway that answers as the test defines, and records each attempt."""

    def __init__(self, chain: Path) -> None:
        self.answers: list[int] = []
        self.text = ""
        self.headers: dict[str, str] = {}
        self.silent = False
        self.tries: list[tuple[bytes, dict[str, str]]] = []
        app = Starlette(routes=[Route("/hook", self._take, methods=["POST"])])
        self.server = Server(app, "127.0.0.1", 0, chain)
        self.url = self.server.url + "/hook"

    async def _take(self, request: Request) -> Response:
        self.tries.append((await request.body(), dict(request.headers)))
        if self.silent:
            # Wait until the other side disconnects.
            await request.receive()
        return Response(self.text, self.answers.pop(0) if self.answers else 200, self.headers)


@pytest.fixture
def listener(cloud: Cloud) -> Iterator[Listener]:
    listener = Listener(cloud.gateway.ca_file.with_name("gateway.pem"))
    with listener.server:
        yield listener


@pytest.fixture
def audit() -> AuditTrail:
    return AuditTrail()


@pytest.fixture
def waits() -> SkippedWaits:
    return SkippedWaits()


@pytest.fixture
def gateway(cloud: Cloud, audit: AuditTrail, waits: SkippedWaits) -> Iterator[GatewayNotifier]:
    gateway = GatewayNotifier(cloud.gateway.ca_file, audit, max_retries=3, cancelled=waits)
    yield gateway
    gateway.close()


@pytest.mark.parametrize("event", [UPDATED, DELETED])
def test_a_sync_follows_the_contract(
    cloud: Cloud, gateway: GatewayNotifier, audit: AuditTrail, event: str
) -> None:
    delivery = gateway.notify(cloud.webhook, event, ID, signing_secret=SIGNING_SECRET)  # type: ignore[arg-type]
    (sync,) = cloud.received()["syncs"]
    timestamp = sync["body"].pop("timestamp")
    assert sync["body"] == {"eventType": event, "targetId": ID, "source": "genesys-eventbridge-manager"}
    assert len(timestamp) == len("2026-01-31T12:00:00Z")
    assert timestamp.endswith("Z")
    assert sync["headers"]["webhook-id"] == delivery.delivery_id
    assert audit.entries[-1].event == AuditEvent.WEBHOOK_SYNCED
    assert audit.entries[-1].target_id == ID


@pytest.mark.parametrize("secret", ["plain secret", "whsec_c2lnbmVkIGZvciB0aGUgZ2F0ZXdheQ=="])
def test_the_reference_library_verifies_the_signature(
    listener: Listener, gateway: GatewayNotifier, secret: str
) -> None:
    gateway.notify(listener.url, UPDATED, ID, signing_secret=secret)
    ((raw, headers),) = listener.tries
    verifier = Webhook(secret if secret.startswith("whsec_") else secret.encode())
    assert verifier.verify(raw, headers) == json.loads(raw)


def test_with_several_secrets_old_and_new_gateways_verify_it(
    listener: Listener, gateway: GatewayNotifier
) -> None:
    secrets = ["plain secret", "whsec_c2lnbmVkIGZvciB0aGUgZ2F0ZXdheQ=="]
    gateway.notify(listener.url, UPDATED, ID, signing_secret=secrets)
    ((raw, headers),) = listener.tries
    assert len(headers["webhook-signature"].split(" ")) == 2
    for verifier in (Webhook(b"plain secret"), Webhook(secrets[1])):
        assert verifier.verify(raw, headers) == json.loads(raw)


@pytest.mark.parametrize("secrets", [[SIGNING_SECRET, "canary-next"], ["canary-next", SIGNING_SECRET]])
def test_the_local_gateway_accepts_any_matching_signature(
    cloud: Cloud, gateway: GatewayNotifier, secrets: list[str]
) -> None:
    gateway.notify(cloud.webhook, UPDATED, ID, signing_secret=secrets)
    assert len(cloud.received()["syncs"]) == 1
    with pytest.raises(SyncFailed, match="HTTP 401") as refused:
        gateway.notify(cloud.webhook, UPDATED, ID, signing_secret=["canary-next", "canary-other"])
    assert "canary" not in str(refused.value)


def test_without_a_secret_it_is_not_signed(listener: Listener, gateway: GatewayNotifier) -> None:
    gateway.notify(listener.url, UPDATED, ID)
    ((_, headers),) = listener.tries
    assert "webhook-id" in headers
    assert "webhook-signature" not in headers


@pytest.mark.parametrize("status", [408, 425, 429, 500, 503])
def test_each_attempt_has_the_same_webhook_id_and_a_valid_signature(
    listener: Listener, gateway: GatewayNotifier, waits: SkippedWaits, status: int
) -> None:
    listener.answers = [status, status]
    gateway.notify(listener.url, UPDATED, ID, signing_secret="plain secret")
    assert len({headers["webhook-id"] for _, headers in listener.tries}) == 1
    assert len(listener.tries) == 3
    assert len(waits.waits) == 2
    for raw, headers in listener.tries:
        Webhook(b"plain secret").verify(raw, headers)


@pytest.mark.parametrize("status", [429, 503])
def test_a_retry_after_is_obeyed(
    listener: Listener, gateway: GatewayNotifier, waits: SkippedWaits, status: int
) -> None:
    listener.answers = [status]
    listener.headers = {"Retry-After": "17"}
    gateway.notify(listener.url, UPDATED, ID)
    assert waits.waits == [17]


def test_already_received_means_success_after_a_lost_answer(
    listener: Listener, gateway: GatewayNotifier
) -> None:
    listener.answers = [503, 409]
    gateway.notify(listener.url, UPDATED, ID)
    assert len(listener.tries) == 2


def test_already_received_is_a_refusal_at_the_first_attempt(
    listener: Listener, gateway: GatewayNotifier
) -> None:
    listener.answers = [409]
    with pytest.raises(SyncFailed, match="409"):
        gateway.notify(listener.url, UPDATED, ID)


def test_a_404_advises_to_check_the_url(cloud: Cloud, gateway: GatewayNotifier) -> None:
    with pytest.raises(SyncFailed, match=r"HTTP 404 Not Found\. Check that the webhook's URL is right"):
        gateway.notify(cloud.webhook + "/nowhere", UPDATED, ID)


def test_a_wrong_signature_is_not_retried(cloud: Cloud, gateway: GatewayNotifier, audit: AuditTrail) -> None:
    with pytest.raises(SyncFailed, match="HTTP 401") as refused:
        gateway.notify(cloud.webhook, UPDATED, ID, signing_secret="canary-wrong")
    assert "same signing secret" in str(refused.value)
    assert "canary" not in str(refused.value)
    assert cloud.received()["syncs"] == []
    assert audit.entries[-1].event == AuditEvent.WEBHOOK_FAILED
    assert "canary" not in str(audit.entries)


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 410])
def test_a_refusal_is_not_retried(listener: Listener, gateway: GatewayNotifier, status: int) -> None:
    listener.answers = [status]
    with pytest.raises(SyncFailed, match=str(status)) as refused:
        gateway.notify(listener.url, UPDATED, ID)
    assert len(listener.tries) == 1
    assert "certificate" not in str(refused.value), "it was trusted, or there would be no answer"


def test_a_gateway_that_keeps_failing_is_given_up(listener: Listener, gateway: GatewayNotifier) -> None:
    listener.answers = [503] * 10
    with pytest.raises(SyncFailed, match="HTTP 503") as refused:
        gateway.notify(listener.url, UPDATED, ID)
    assert len(listener.tries) == 4
    assert "certificate" not in str(refused.value)


@pytest.mark.parametrize(("timeout", "tries"), [(0.4, 1), (5, 3), (1000, 11)])
def test_a_time_limit_applies_to_all_attempts_together(
    listener: Listener, cloud: Cloud, audit: AuditTrail, waits: SkippedWaits, timeout: float, tries: int
) -> None:
    """No wait begins that would exceed it: here 1, 2, 4, … s, each shortened by up to half."""
    gateway = GatewayNotifier(
        cloud.gateway.ca_file, audit, max_retries=10, cancelled=waits, clock=waits.clock
    )
    listener.answers = [503] * 20
    with pytest.raises(SyncFailed, match=rf"was not told of target {ID} within {timeout:g} s: .*HTTP 503"):
        gateway.notify(listener.url, UPDATED, ID, timeout=timeout)
    assert waits.skipped < timeout
    assert abs(len(listener.tries) - tries) <= (timeout == 5)
    assert len({headers["webhook-id"] for _, headers in listener.tries}) == 1
    gateway.close()


def test_a_retry_after_beyond_the_time_limit_ends_the_attempts(
    listener: Listener, cloud: Cloud, audit: AuditTrail, waits: SkippedWaits
) -> None:
    gateway = GatewayNotifier(
        cloud.gateway.ca_file, audit, max_retries=10, cancelled=waits, clock=waits.clock
    )
    listener.answers = [429, 200]
    listener.headers = {"Retry-After": "60"}
    with pytest.raises(SyncFailed, match=r"within 30 s: .*HTTP 429"):
        gateway.notify(listener.url, UPDATED, ID, timeout=30)
    assert waits.waits == []
    assert len(listener.tries) == 1
    gateway.close()


def test_a_silent_gateway_is_given_up_at_the_time_limit(listener: Listener, gateway: GatewayNotifier) -> None:
    """The limit also ends the current attempt; otherwise each attempt would take 10 s."""
    listener.silent = True
    with pytest.raises(SyncFailed, match=r"within 0\.3 s: .*no answer within the time limit"):
        gateway.notify(listener.url, UPDATED, ID, timeout=0.3)
    assert len(listener.tries) == 1


def test_an_oversized_answer_is_a_failed_sync_too(listener: Listener, gateway: GatewayNotifier) -> None:
    listener.text = "x" * (17 * 1024 * 1024)
    with pytest.raises(SyncFailed, match="larger than"):
        gateway.notify(listener.url, UPDATED, ID)


def test_an_unknown_ca_is_a_failed_sync_with_advice(cloud: Cloud, audit: AuditTrail) -> None:
    gateway = GatewayNotifier(None, audit, max_retries=0, cancelled=threading.Event())
    with pytest.raises(SyncFailed, match="certificate") as refused:
        gateway.notify(cloud.webhook, UPDATED, ID)
    assert "GENESYSCLOUD_CA_FILE" in str(refused.value)
    gateway.close()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "gateway",
        "http://gateway.example",
        "http://127.0.0.1:1/hook",
        "https://me:canary@gateway.example",
        "https://xn--.example",
    ],
)
def test_refused_urls(gateway: GatewayNotifier, audit: AuditTrail, url: str) -> None:
    with pytest.raises(SyncFailed) as refused:
        gateway.notify(url, UPDATED, ID, signing_secret="canary")
    assert "canary" not in str(refused.value) + str(audit.entries)
    assert audit.entries[-1].event == AuditEvent.WEBHOOK_FAILED


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_canar"])
def test_an_invalid_secret_is_reported(listener: Listener, gateway: GatewayNotifier, secret: str) -> None:
    with pytest.raises(SyncFailed, match="signing secret"):
        gateway.notify(listener.url, UPDATED, ID, signing_secret=secret)
    assert listener.tries == []


def test_a_cancel_ends_the_attempts(listener: Listener, cloud: Cloud, audit: AuditTrail) -> None:
    cancelled = threading.Event()
    gateway = GatewayNotifier(cloud.gateway.ca_file, audit, max_retries=30, cancelled=cancelled)
    listener.answers = [503] * 100
    threading.Timer(0.2, cancelled.set).start()
    with pytest.raises(Cancelled):
        gateway.notify(listener.url, UPDATED, ID)
    gateway.close()
