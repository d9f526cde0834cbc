"""What comes over the wire: odd answers, redirects, certificates, and what of it is shown."""

from __future__ import annotations

import json
import ssl
from typing import TYPE_CHECKING, Any

import pytest
import trustme
from cloud import CLIENT_SECRET, PASSWORD
from shared_cloud import SkippedWaits, body, settings_of
from starlette.applications import Starlette
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from genesys_provider.client.api import GenesysClient
from genesys_provider.client.errors import (
    ApiError,
    ConfigurationError,
    ConnectionFailed,
    Forbidden,
    GenesysError,
    InvalidRequest,
    NotFound,
    UnexpectedAnswer,
)
from genesys_provider.client.settings import Settings
from genesys_provider.client.transport import MAX_ANSWER_BYTES, trust
from genesys_provider.emulator.server import Server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cloud import Cloud
    from starlette.requests import Request

ANY = {"method": "GET"}


@pytest.fixture
def client(cloud: Cloud, tmp_path: Path) -> Iterator[GenesysClient]:
    waits = SkippedWaits()
    client = GenesysClient(settings_of(cloud, tmp_path, maxRetries=1), cancelled=waits, clock=waits.clock)
    yield client
    client.close()


class Stranger:
    """A server that logs everybody in, and answers calls of the API as a test says."""

    def __init__(self) -> None:
        self.answer: Any = None
        self.seen: list[dict[str, str]] = []

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/oauth/token", self._token, methods=["POST"]),
                Route("/{rest:path}", self._call, methods=["GET", "POST", "PUT", "DELETE"]),
            ]
        )

    async def _token(self, _: Request) -> Response:
        return Response(json.dumps({"access_token": "canary-token", "expires_in": 300}))

    async def _call(self, request: Request) -> Response:
        self.seen.append(dict(request.headers))
        response: Response = self.answer()
        return response


def client_of(url: str, **config: object) -> GenesysClient:
    given = {"apiUrl": url, "loginUrl": url, "clientId": "me", "clientSecret": "canary", "maxRetries": 0}
    return GenesysClient(Settings.resolve({**given, **config}, {}))


@pytest.mark.parametrize("action", ["malformed", "truncate"])
def test_a_broken_answer_is_an_error_with_a_name(cloud: Cloud, client: GenesysClient, action: str) -> None:
    cloud.control("faults", match=ANY, action=action)
    kind = UnexpectedAnswer if action == "malformed" else ConnectionFailed
    with pytest.raises(kind, match="GET /api/v2/integrations/eventbridge/targets"):
        client.list_targets()


@pytest.mark.parametrize(
    "answer", ["", "null", "[]", '"text"', "{", "[" * 100_000, '{"a": 1' + "0" * 5000 + "}"]
)
@pytest.mark.parametrize("status", [200, 400, 503])
def test_whatever_the_body_is_the_error_has_a_name(
    cloud: Cloud, client: GenesysClient, answer: str, status: int
) -> None:
    cloud.control("faults", match=ANY, action="status", status=status, body=answer)
    with pytest.raises(UnexpectedAnswer if status == 200 else ApiError) as failed:
        client.list_targets()
    assert len(str(failed.value)) < 1000


@pytest.mark.parametrize("answer", [{"message": 5}, {"details": "x"}, {"details": [None, {"fieldName": 5}]}])
def test_an_odd_error_envelope_is_no_problem(
    cloud: Cloud, client: GenesysClient, answer: dict[str, Any]
) -> None:
    cloud.control("faults", match=ANY, action="status", status=400, body=answer)
    with pytest.raises(InvalidRequest):
        client.list_targets()


def test_the_fields_at_fault_are_named(cloud: Cloud, client: GenesysClient) -> None:
    fields: dict[str, Any] = {
        "endpointUrl": "http://a.example",
        "retryPolicy": {"maxRetries": 11},
        "eventTypes": [],
    }
    with pytest.raises(InvalidRequest) as refused:
        client.create_target(body(cloud, **fields))
    for path in ("endpointUrl", "retryPolicy.maxRetries", "eventTypes"):
        assert path in str(refused.value)


def test_a_page_of_html_is_cut_and_can_not_act_on_the_terminal(cloud: Cloud, client: GenesysClient) -> None:
    answer = "<html>\x1b[2J\n" + "x" * 10_000
    cloud.control("faults", match=ANY, action="status", status=404, body=answer)
    with pytest.raises(NotFound) as failed:
        client.list_targets()
    assert len(str(failed.value)) < 700
    assert "\x1b" not in str(failed.value)
    assert "\n" not in str(failed.value)


def test_a_servers_words_can_always_be_encoded(cloud: Cloud, client: GenesysClient) -> None:
    cloud.control("faults", match=ANY, action="status", status=403, body='{"message": "half \\ud800"}')
    with pytest.raises(Forbidden) as failed:
        client.list_targets()
    str(failed.value).encode()


def test_secrets_that_a_server_repeats_are_not_shown(cloud: Cloud, client: GenesysClient) -> None:
    said = {"message": f"bad password {PASSWORD} and {CLIENT_SECRET}"}
    cloud.control(
        "faults", match={"method": "POST", "path": "/api/*"}, action="status", status=400, body=said
    )
    with pytest.raises(InvalidRequest, match="bad password") as failed:
        client.create_target(body(cloud))
    assert "canary" not in str(failed.value) + repr(failed.value)
    cloud.control("faults", "DELETE")
    said = {"error": "invalid_client", "description": f"not {CLIENT_SECRET}"}
    cloud.control("faults", match={"path": "/oauth/token"}, action="status", status=401, body=said)
    client._login.forget(client._login.token())
    with pytest.raises(GenesysError) as failed_login:
        client.list_targets()
    assert "canary" not in str(failed_login.value)


def test_an_answer_without_end_is_given_up() -> None:
    stranger = Stranger()
    stranger.answer = lambda: StreamingResponse(b"x" * 65536 for _ in range(10**9))
    with Server(stranger.app(), "127.0.0.1", 0) as server:
        client = client_of(server.url)
        with pytest.raises(UnexpectedAnswer, match=f"larger than {MAX_ANSWER_BYTES} bytes"):
            client.list_targets()
        client.close()


def test_a_body_that_is_too_large_is_not_sent(cloud: Cloud, client: GenesysClient) -> None:
    with pytest.raises(InvalidRequest, match="512000"):
        client.create_target(body(cloud, headers={"X": "x" * 512_000}))
    assert cloud.requests() == []


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_token_goes_to_no_other_host(status: int) -> None:
    there, here = Stranger(), Stranger()
    there.answer = lambda: Response('{"entities": [], "pageCount": 0}')
    with Server(there.app(), "127.0.0.1", 0) as other, Server(here.app(), "127.0.0.1", 0) as server:
        here.answer = lambda: RedirectResponse(f"{other.url}/api", status)
        client = client_of(server.url)
        with pytest.raises(UnexpectedAnswer, match="redirect"):
            client.list_targets()
        client.close()
    assert here.seen[0]["authorization"] == "Bearer canary-token"
    assert there.seen == []


@pytest.fixture
def private(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """The URL of a server whose CA nobody knows, and the CA's file."""
    authority = trustme.CA()
    chain, ca_file = tmp_path / "server.pem", tmp_path / "ca.pem"
    chain.write_bytes(authority.issue_cert("localhost", "127.0.0.1").private_key_and_cert_chain_pem.bytes())
    ca_file.write_bytes(authority.cert_pem.bytes())
    stranger = Stranger()
    stranger.answer = lambda: Response('{"entities": [], "pageCount": 0}')
    with Server(stranger.app(), "127.0.0.1", 0, chain) as server:
        yield server.url, ca_file


def test_an_unknown_ca_is_refused_at_once_with_what_to_do(private: tuple[str, Path]) -> None:
    client = client_of(private[0], maxRetries=3)
    with pytest.raises(ConnectionFailed, match="certificate") as refused:
        client.list_targets()
    client.close()
    assert "genesys:caFile" in str(refused.value)
    assert not refused.value.maybe_acted


def test_the_ca_of_the_settings_is_trusted_besides_the_systems(private: tuple[str, Path]) -> None:
    client = client_of(private[0], caFile=private[1])
    client.list_targets()
    client.close()
    context = trust(private[1])
    assert len(context.get_ca_certs()) == len(trust(None).get_ca_certs()) + 1
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.check_hostname


@pytest.mark.parametrize("content", [None, "", "no certificate", "folder"])
def test_a_ca_file_that_is_none_is_named(tmp_path: Path, content: str | None) -> None:
    ca_file = tmp_path / "ca.pem"
    if content == "folder":
        ca_file.mkdir()
    elif content is not None:
        ca_file.write_text(content)
    with pytest.raises(ConfigurationError, match="genesys:caFile") as refused:
        client_of("https://localhost:1", caFile=ca_file)
    assert "PEM" in str(refused.value)


@pytest.mark.parametrize("host", ["xn--.example", "a" * 70_000, "-.\u00fc\u200d.example"])
def test_a_url_that_can_not_be_is_an_error_with_a_name(host: str) -> None:
    settings = Settings("me", "canary", api_url=f"https://{host}", login_url=f"https://{host}", max_retries=0)
    client = GenesysClient(settings)
    with pytest.raises(GenesysError):
        client.list_targets()
    client.close()


def test_an_id_can_not_leave_its_place_in_the_path(cloud: Cloud, client: GenesysClient) -> None:
    with pytest.raises(NotFound):
        client.get_target("a/../../b?c#d")
    assert cloud._at_emulator.get("/emulator/requests").json()[-1]["query"] == ""
