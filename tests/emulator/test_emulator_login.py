"""Login, scopes and the rate limit."""

from __future__ import annotations

import httpx
import pytest

from genesys_provider.emulator import EmulatorServer, EmulatorSettings
from tests.emulator.emulated import TARGETS, Api, body

WRITE = ["integration:write", "integration:eventbridge:write"]
READ = ["integration:eventbridge:read"]


@pytest.fixture
def own_scopes(api: Api) -> object:
    yield
    api.post("/emulator/reset")
    api.log_in()


def test_a_token_grants_access(api: Api) -> None:
    answer = api.token()

    assert answer.json()["token_type"] == "bearer"
    assert answer.json()["expires_in"] == 86_400
    token = answer.json()["access_token"]
    assert api.get(TARGETS, headers={"Authorization": f"Bearer {token}"}).status_code == 200


@pytest.mark.parametrize(
    ("client_id", "client_secret"), [("dev-client", "wrong"), ("other", "dev-secret"), ("", "")]
)
def test_wrong_credentials_are_refused(api: Api, client_id: str, client_secret: str) -> None:
    answer = api.token((client_id, client_secret))

    assert answer.status_code == 401
    assert answer.json()["error"] == "invalid_client"
    assert answer.json()["description"] == "authentication failed"


@pytest.mark.parametrize("header", ["Basic !", "Basic /w==", "Bearer x", ""])
def test_a_malformed_login_is_refused_like_wrong_credentials(api: Api, header: str) -> None:
    answer = httpx.post(api.base_url.join("/oauth/token"), headers={"Authorization": header})

    assert answer.status_code == 401


def test_other_grant_types_are_refused(api: Api) -> None:
    answer = api.post("/oauth/token", auth=("dev-client", "dev-secret"), data={"grant_type": "password"})

    assert answer.status_code == 400
    assert answer.json()["error"] == "unsupported_grant_type"


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer nonsense", "Basic ZGV2LWNsaWVudDpkZXYtc2VjcmV0"])
def test_no_call_without_a_token(api: Api, header: str) -> None:
    answer = api.get(TARGETS, headers={"Authorization": header})

    assert answer.status_code == 401
    assert answer.json()["code"] == "bad.credentials"
    assert answer.json()["message"] == "Invalid login credentials."


def test_revoked_tokens_are_refused(api: Api) -> None:
    api.post("/emulator/tokens/revoke")
    refused = api.get(TARGETS)
    api.log_in()

    assert refused.status_code == 401
    assert api.get(TARGETS).status_code == 200


@pytest.mark.parametrize(
    ("scopes", "method", "missing"),
    [
        (WRITE, "GET", "integration:eventbridge:read"),
        (READ, "POST", "integration:write, integration:eventbridge:write"),
        (READ + WRITE[:1], "POST", "integration:eventbridge:write"),
    ],
)
@pytest.mark.usefixtures("own_scopes")
def test_a_missing_scope_is_named(api: Api, scopes: list[str], method: str, missing: str) -> None:
    api.post("/emulator/scopes", json={"scopes": scopes})
    before = api.get(TARGETS)
    api.log_in()

    answer = api.request(method, TARGETS, json=body("https://a.example/events"))

    assert before.status_code == 200, "a token keeps the scopes that it was issued with"
    assert answer.status_code == 403
    assert answer.json()["message"].endswith(missing)


def test_requests_beyond_the_limit_wait_for_the_next_window() -> None:
    with EmulatorServer(EmulatorSettings(rate_limit=3)) as server, Api(server.url) as api:
        answers = [api.get(TARGETS) for _ in range(4)]
        api.log_in()
        with_new_token = api.get(TARGETS)

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert [answer.headers["inin-ratelimit-count"] for answer in answers] == ["1", "2", "3", "4"]
    assert {answer.headers["inin-ratelimit-allowed"] for answer in answers} == {"3"}
    refused = answers[-1]
    assert refused.json()["code"] == "too.many.requests"
    assert 0 < int(refused.headers["Retry-After"]) <= 60
    assert refused.headers["Retry-After"] == refused.headers["inin-ratelimit-reset"]
    assert with_new_token.status_code == 200


def test_every_answer_has_the_headers_of_the_service(api: Api) -> None:
    answers = [
        api.token(),
        api.get(TARGETS),
        api.get("/nowhere"),
        api.get(TARGETS, headers={"Authorization": ""}),
    ]

    for answer in answers:
        assert {
            "inin-ratelimit-count",
            "inin-ratelimit-allowed",
            "inin-ratelimit-reset",
            "inin-correlation-id",
        } <= set(answer.headers)
    assert len({answer.headers["ININ-Correlation-Id"] for answer in answers}) == 4
