"""The headers of every answer, and the precedence of 401, 404 and 405 with its `Allow`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

import httpx
import pytest

from genesys_provider.emulator import EmulatorServer, EmulatorSettings
from tests.emulator.emulated import TARGETS, Api, body

if TYPE_CHECKING:
    from collections.abc import Iterator

ANYWHERE = "https://127.0.0.1:1/in"
LIMIT = 9


@pytest.fixture
def limited() -> Iterator[Api]:
    """A client with a limit of nine requests per minute, two of them used."""
    settings = EmulatorSettings(rate_limit=LIMIT, verification_seconds=0)
    with EmulatorServer(settings) as server, Api(server.url) as api:
        api.get(TARGETS)
        api.get(TARGETS)
        yield api


def figures(answer: httpx.Response) -> tuple[int, int]:
    """The count and the limit in an answer, which also has a correlation id and a window."""
    assert UUID(answer.headers["ININ-Correlation-Id"])
    assert 0 < int(answer.headers["inin-ratelimit-reset"]) <= 60
    return int(answer.headers["inin-ratelimit-count"]), int(answer.headers["inin-ratelimit-allowed"])


@pytest.mark.parametrize(
    ("method", "path", "request_", "status"),
    [
        ("GET", TARGETS, {}, 200),
        ("GET", "/nowhere", {}, 404),
        ("GET", TARGETS + "/none", {}, 404),
        ("PATCH", TARGETS, {}, 405),
        ("POST", TARGETS, {"json": {}}, 400),
        ("POST", TARGETS, {"content": b"x" * 600_000}, 413),
    ],
)
def test_every_request_counts_and_every_answer_has_the_count(
    limited: Api, method: str, path: str, request_: dict[str, Any], status: int
) -> None:
    answer = limited.request(method, path, **request_)

    assert answer.status_code == status
    assert figures(answer) == (3, LIMIT)


@pytest.mark.parametrize(
    "fault",
    [
        {"action": "status", "status": 401},
        {"action": "status", "status": 429, "headers": {"Retry-After": "1"}},
        {"action": "status", "status": 500},
        {"action": "status", "status": 502, "body": "<html>"},
    ],
)
def test_a_fault_without_serving_reports_the_count(limited: Api, fault: dict[str, Any]) -> None:
    limited.fault(times=1, **fault)

    answer = limited.get(TARGETS)

    assert answer.status_code == fault["status"]
    assert figures(answer) == (2, LIMIT)
    assert figures(limited.get(TARGETS)) == (3, LIMIT)


def test_a_fault_with_serving_counts_the_request(limited: Api) -> None:
    limited.fault("malformed", times=1)

    assert figures(limited.get(TARGETS)) == (3, LIMIT)


def test_the_headers_of_a_fault_are_not_duplicated(limited: Api) -> None:
    limited.fault("status", status=429, headers={"inin-ratelimit-count": "77"}, times=1)

    assert limited.get(TARGETS).headers.get_list("inin-ratelimit-count") == ["77"]


def test_a_token_that_is_revoked_or_lacks_scopes_keeps_its_count(limited: Api) -> None:
    limited.post("/emulator/scopes", json={"scopes": ["integration:eventbridge:read"]})
    limited.log_in()
    forbidden = limited.post(TARGETS, json=body(ANYWHERE))
    limited.post("/emulator/tokens/revoke")
    refused = limited.get(TARGETS)

    assert (forbidden.status_code, *figures(forbidden)) == (403, 1, LIMIT)
    assert (refused.status_code, *figures(refused)) == (401, 1, LIMIT)


def test_over_the_limit_every_call_is_429(limited: Api) -> None:
    for _ in range(LIMIT - 2):
        limited.get(TARGETS)

    for used, (method, path) in enumerate(
        [("GET", TARGETS), ("GET", "/nowhere"), ("PATCH", TARGETS)], LIMIT + 1
    ):
        answer = limited.request(method, path)
        assert answer.status_code == 429
        assert figures(answer) == (used, LIMIT)
        assert answer.headers["Retry-After"] == answer.headers["inin-ratelimit-reset"]


@pytest.mark.parametrize("authorization", ["", "Bearer none", "Basic bm9uZQ==", "none"])
def test_without_a_known_token_the_count_is_zero(limited: Api, authorization: str) -> None:
    answer = limited.get(TARGETS, headers={"Authorization": authorization})

    assert (answer.status_code, *figures(answer)) == (401, 0, LIMIT)
    assert figures(limited.token()) == (0, LIMIT)


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/"), ("GET", "/api/v2/users"), ("PATCH", TARGETS), ("GET", TARGETS + "/x/y")],
)
def test_without_login_no_path_is_revealed(api: Api, method: str, path: str) -> None:
    answer = api.request(method, path, headers={"Authorization": "Bearer none"})

    assert answer.status_code == 401
    assert answer.json()["code"] == "bad.credentials"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PATCH", TARGETS, "GET, HEAD, POST"),
        ("POST", TARGETS + "/x", "DELETE, GET, HEAD, PUT"),
        ("POST", TARGETS + "/x/verify", "GET, HEAD"),
        ("GET", TARGETS + "/x/health", "POST"),
        ("GET", "/oauth/token", "POST"),
        ("PUT", "/emulator/faults", "DELETE, GET, HEAD, POST"),
    ],
)
def test_a_405_names_every_allowed_method(api: Api, method: str, path: str, allowed: str) -> None:
    answer = api.request(method, path)

    assert answer.status_code == 405
    assert answer.headers["Allow"] == allowed


@pytest.mark.parametrize(("method", "path"), [("GET", "/oauth/token"), ("PATCH", "/openapi.json")])
def test_a_405_on_an_open_path_needs_no_login(api: Api, method: str, path: str) -> None:
    assert api.request(method, path, headers={"Authorization": ""}).status_code == 405


def test_a_verification_without_a_message_has_no_message(api: Api) -> None:
    target = api.create(ANYWHERE)
    api.post(f"/emulator/targets/{target['id']}/status", json={"status": "VERIFIED"})

    assert api.status(target) == {"status": "VERIFIED"}
