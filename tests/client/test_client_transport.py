"""The transport: odd answers, redirects, certificates, and what of them is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest
from starlette.responses import RedirectResponse, StreamingResponse

from genesys_provider.client.api import GenesysClient
from genesys_provider.client.errors import (
    ApiError,
    ConfigurationError,
    ConnectionFailed,
    Forbidden,
    GenesysError,
    InvalidRequest,
    NotFound,
    ServerError,
    UnexpectedAnswer,
)
from genesys_provider.client.settings import Settings
from genesys_provider.client.transport import MAX_ANSWER_BYTES, Answer, where_to_look
from genesys_provider.emulator.server import Server
from tests.client.fake_server import FakeServer, client_of
from tests.support.cloud import CLIENT_SECRET, PASSWORD
from tests.support.shared_cloud import SkippedWaits, body, settings_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.cloud import Cloud

ANY = {"method": "GET"}


@pytest.fixture
def client(cloud: Cloud, tmp_path: Path) -> Iterator[GenesysClient]:
    waits = SkippedWaits()
    client = GenesysClient(settings_of(cloud, tmp_path, maxRetries=1), cancelled=waits, clock=waits.clock)
    yield client
    client.close()


@pytest.mark.parametrize("action", ["malformed", "truncate"])
def test_a_broken_answer_is_a_typed_error(cloud: Cloud, client: GenesysClient, action: str) -> None:
    cloud.control("faults", match=ANY, action=action)
    # Where an answer failed to come from, only the whole address tells.
    kind, address = (
        (UnexpectedAnswer, "") if action == "malformed" else (ConnectionFailed, cloud.emulator.url)
    )
    with pytest.raises(kind, match=f"^GET {address}/api/v2/integrations/eventbridge/targets"):
        client.list_targets()


@pytest.mark.parametrize(
    "answer", ["", "null", "[]", '"text"', "{", "[" * 100_000, '{"a": 1' + "0" * 5000 + "}"]
)
@pytest.mark.parametrize("status", [200, 400, 503])
def test_any_error_body_gives_a_typed_error(
    cloud: Cloud, client: GenesysClient, answer: str, status: int
) -> None:
    cloud.control("faults", match=ANY, action="status", status=status, body=answer)
    with pytest.raises(UnexpectedAnswer if status == 200 else ApiError) as failed:
        client.list_targets()
    assert len(str(failed.value)) < 1000


def test_an_answer_that_gives_no_reason_at_all(cloud: Cloud, client: GenesysClient) -> None:
    cloud.control("faults", match=ANY, action="status", status=598, body="")
    with pytest.raises(ServerError, match=r"targets: no reason given \(HTTP 598"):
        client.list_targets()


@pytest.mark.parametrize("answer", [{"message": 5}, {"details": "x"}, {"details": [None, {"fieldName": 5}]}])
def test_an_odd_error_envelope_is_tolerated(
    cloud: Cloud, client: GenesysClient, answer: dict[str, Any]
) -> None:
    cloud.control("faults", match=ANY, action="status", status=400, body=answer)
    with pytest.raises(InvalidRequest):
        client.list_targets()


def test_the_invalid_fields_are_named(cloud: Cloud, client: GenesysClient) -> None:
    fields: dict[str, Any] = {
        "endpointUrl": "http://a.example",
        "retryPolicy": {"maxRetries": 11},
        "eventTypes": [],
    }
    with pytest.raises(InvalidRequest) as refused:
        client.create_target(body(cloud, **fields))
    for path in ("endpointUrl", "retryPolicy.maxRetries", "eventTypes"):
        assert path in str(refused.value)


def test_an_html_page_is_shortened_and_can_not_control_the_terminal(
    cloud: Cloud, client: GenesysClient
) -> None:
    answer = "<html>\x1b[2J\n" + "x" * 10_000
    cloud.control("faults", match=ANY, action="status", status=404, body=answer)
    with pytest.raises(UnexpectedAnswer) as failed:
        client.list_targets()
    assert len(str(failed.value)) < 700
    assert "\x1b" not in str(failed.value)
    assert "\n" not in str(failed.value)


def test_text_from_a_server_can_always_be_encoded(cloud: Cloud, client: GenesysClient) -> None:
    cloud.control("faults", match=ANY, action="status", status=403, body='{"message": "half \\ud800"}')
    with pytest.raises(Forbidden) as failed:
        client.list_targets()
    str(failed.value).encode()


def test_half_a_character_in_an_answer_is_replaced(cloud: Cloud, client: GenesysClient) -> None:
    listed = '{"entities": [{"id": "1", "name": "half \\uD800 whole \\ud83d\\ude00 \\\\ud800"}]}'
    cloud.control("faults", match=ANY, action="status", status=200, body=listed)
    (found,) = client.list_targets()["entities"]
    assert found["name"] == "half ? whole \N{GRINNING FACE} \\ud800"


def test_half_a_character_in_raw_bytes_is_replaced() -> None:
    # Some servers encode an emoji as two halves (CESU-8).
    answer = Answer(200, "OK", httpx.Headers(), b'{"name": "half \xed\xa0\xbd whole \xf0\x9f\x98\x80"}')
    assert answer.json_object() == {"name": "half ? whole \N{GRINNING FACE}"}


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_what_is_no_number_in_json_counts_as_absent(number: str) -> None:
    # Python reads and writes such numbers, but an update that preserves an unknown field must be valid JSON.
    answer = Answer(200, "OK", httpx.Headers(), f'{{"score": {number}, "whole": 1.5}}'.encode())
    assert answer.json_object() == {"score": None, "whole": 1.5}


def test_secrets_that_a_server_repeats_are_redacted(cloud: Cloud, client: GenesysClient) -> None:
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


def test_an_endless_answer_is_abandoned() -> None:
    fake_server = FakeServer()
    fake_server.answer = lambda: StreamingResponse(b"x" * 65536 for _ in range(10**9))
    with Server(fake_server.app(), "127.0.0.1", 0) as server:
        client = client_of(server.url)
        with pytest.raises(UnexpectedAnswer, match=f"larger than {MAX_ANSWER_BYTES} bytes"):
            client.list_targets()
        client.close()


def test_an_oversized_body_is_not_sent(cloud: Cloud, client: GenesysClient) -> None:
    with pytest.raises(InvalidRequest, match="512000"):
        client.create_target(body(cloud, headers={"X": "x" * 512_000}))
    assert cloud.requests() == []


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_token_goes_to_no_other_host(status: int) -> None:
    there, here = FakeServer(), FakeServer()
    with Server(there.app(), "127.0.0.1", 0) as other, Server(here.app(), "127.0.0.1", 0) as server:
        here.answer = lambda: RedirectResponse(f"{other.url}/api", status)
        client = client_of(server.url)
        with pytest.raises(UnexpectedAnswer, match="redirect"):
            client.list_targets()
        client.close()
    assert here.seen[0]["authorization"] == "Bearer canary-token"
    assert there.seen == []


@pytest.mark.parametrize("host", ["xn--.example", "a" * 70_000, "-.\u00fc\u200d.example"])
def test_an_impossible_url_is_a_typed_error(host: str) -> None:
    with pytest.raises(ConfigurationError, match="genesys:apiUrl"):
        Settings("me", "canary", api_url=f"https://{host}", login_url=f"https://{host}")


ENVELOPE = {"message": "no such thing", "code": "not.found", "status": 404}
NOT_THE_APIS = [
    "<html>not here</html>",
    "",
    "null",
    "[404]",
    {},
    {"message": "no such thing"},
    {"code": "not.found"},
    {"status": 404},
    {"status": 404, "error": "Not Found", "message": ""},
    {"error": "not_found"},
]


@pytest.mark.parametrize("answer", NOT_THE_APIS)
def test_a_404_without_the_api_envelope_tells_nothing_about_a_target(
    cloud: Cloud, tmp_path: Path, answer: object
) -> None:
    waits = SkippedWaits()
    client = GenesysClient(settings_of(cloud, tmp_path), cancelled=waits, clock=waits.clock)
    cloud.control("faults", match={"path": "/api/*"}, action="status", status=404, body=answer)
    for call in (client.get_target, client.delete_target, client.get_verification, client.check_health):
        with pytest.raises(UnexpectedAnswer, match="HTTP 404, but not in the API's form") as failed:
            call("some-id")
        said = str(failed.value)
        assert f"check GENESYSCLOUD_API_URL, which leads to {cloud.emulator.url}" in said
        assert "refresh" not in said
        assert "proxy" not in said
    client.close()
    # A retry would get the same answer.
    assert len([each for each in cloud.requests() if each.endswith("404")]) == 4


@pytest.mark.parametrize("answer", [ENVELOPE, {"status": 404, "code": "x"}, {"status": 404, "message": "x"}])
def test_a_404_with_the_api_envelope_is_about_the_target_of_the_call(
    cloud: Cloud, client: GenesysClient, answer: object
) -> None:
    cloud.control("faults", match={"path": "/api/*"}, action="status", status=404, body=answer)
    for call in (client.get_target, client.delete_target, client.get_verification, client.check_health):
        with pytest.raises(NotFound, match="deleted by hand"):
            call("some-id")
    calls: list[Callable[[], object]] = [
        client.list_targets,
        lambda: client.create_target({}),
        client.get_organization,
    ]
    for of_none in calls:
        with pytest.raises(ApiError, match="does not know this call") as failed:
            of_none()
        assert not isinstance(failed.value, NotFound)
        assert "GENESYSCLOUD_API_URL" in str(failed.value)
        assert "refresh" not in str(failed.value)


@pytest.mark.parametrize("status", [400, 401, 403, 409, 413])
def test_a_refusal_without_the_api_envelope_points_to_the_network(
    cloud: Cloud, client: GenesysClient, status: int
) -> None:
    cloud.control("faults", match=ANY, action="status", status=status, body="<html>blocked")
    with pytest.raises(ApiError, match="blocked") as failed:
        client.list_targets()
    assert "check GENESYSCLOUD_API_URL, which leads to" in str(failed.value)
    assert "role" not in str(failed.value)


def test_a_proxy_that_may_have_answered_is_named(
    cloud: Cloud, client: GenesysClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://me:canary@proxy.example:3128")
    said = where_to_look("apiUrl", Settings("id", "secret", api_url="https://api.mypurecloud.test"))
    assert said.endswith(
        "to https://api.mypurecloud.test, and the proxy proxy.example:3128 that HTTPS_PROXY names"
    )
    assert "proxy" not in where_to_look("apiUrl", Settings("id", "secret", api_url=cloud.emulator.url))


def test_an_error_names_its_details_and_errors(cloud: Cloud, client: GenesysClient) -> None:
    answer = {
        "message": "The request is not valid.",
        "code": "bad.request",
        "status": 400,
        "details": [
            {"errorCode": "too.long", "fieldName": "name", "entityId": None, "entityName": None},
            {"errorCode": "odd"},
            {"fieldName": "headers"},
            {"errorCode": "invalid.value", "fieldName": "eventTypes", "message": "must not be empty"},
        ],
        "errors": [{"message": "One more thing.", "code": "x", "status": 400}, {"code": "no words"}, "odd"],
    }
    cloud.control("faults", match=ANY, action="status", status=400, body=answer)
    with pytest.raises(InvalidRequest) as refused:
        client.list_targets()
    said = "The request is not valid; name: too.long; odd; headers; eventTypes: must not be empty"
    assert f"{said}; One more thing (HTTP 400" in str(refused.value)


def test_an_error_does_not_repeat_reasons(cloud: Cloud, client: GenesysClient) -> None:
    name, retries = "name must have 1 to 100 characters", "retryPolicy.maxRetries must be a whole number"
    answer = {
        "message": f"The target is not valid: {name}",
        "code": "invalid.target",
        "status": 400,
        "details": [
            {"errorCode": "invalid.value", "fieldName": "name"},
            {"errorCode": "invalid.value", "fieldName": "retryPolicy.maxRetries"},
        ],
        "errors": [{"message": name}, {"message": retries}],
    }
    cloud.control("faults", match=ANY, action="status", status=400, body=answer)
    with pytest.raises(InvalidRequest) as refused:
        client.list_targets()
    assert f": The target is not valid: {name}; {retries} (HTTP 400" in str(refused.value)


def test_an_id_can_not_change_the_path(cloud: Cloud, client: GenesysClient) -> None:
    with pytest.raises(NotFound):
        client.get_target("a/../../b?c#d")
    assert cloud._at_emulator.get("/emulator/requests").json()[-1]["query"] == ""
