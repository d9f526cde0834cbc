"""One login for all threads, its renewal, and the errors of failed logins."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING

import pytest

from genesys_provider.client.api import GenesysClient
from genesys_provider.client.errors import (
    ConfigurationError,
    ConnectionFailed,
    Forbidden,
    GenesysError,
    RateLimited,
    ServerError,
    Unauthorized,
    UnexpectedAnswer,
)
from genesys_provider.client.settings import Settings
from tests.support.shared_cloud import SkippedWaits, at_once, body, counted, outcomes_at_once, settings_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.cloud import Cloud

LOGIN = {"method": "POST", "path": "/oauth/token"}
LOGINS = "POST /oauth/token"


@pytest.fixture
def client(cloud: Cloud, waits: SkippedWaits, tmp_path: Path) -> Iterator[GenesysClient]:
    client = GenesysClient(settings_of(cloud, tmp_path), cancelled=waits, clock=waits.clock)
    yield client
    client.close()


def test_a_hundred_threads_make_one_login(cloud: Cloud, client: GenesysClient) -> None:
    at_once(100, lambda _: client.list_targets())
    requests = cloud.requests()
    assert counted(requests, LOGINS) == 1
    assert counted(requests, "GET / 200") == 100


def test_the_login_uses_client_credentials_over_basic(cloud: Cloud, client: GenesysClient) -> None:
    client.list_targets()
    assert cloud.requests() == ["POST /oauth/token 200", "GET / 200"]


def test_a_token_is_renewed_sixty_seconds_before_it_expires(
    cloud: Cloud, client: GenesysClient, waits: SkippedWaits
) -> None:
    client.list_targets()
    waits.skipped += 86_400 - 60 - 5
    client.list_targets()
    assert counted(cloud.requests(), LOGINS) == 1
    waits.skipped += 6
    client.list_targets()
    client.list_targets()
    assert counted(cloud.requests(), LOGINS) == 1


def assert_used_for(
    seconds: float, expires_in: object, cloud: Cloud, client: GenesysClient, waits: SkippedWaits
) -> None:
    """Checks that the client uses a token whose login said `expires_in` for so many seconds, and then renews it."""
    token = client._login.token()
    client._login.forget(token)
    cloud.requests()
    answer = json.dumps({"access_token": token, "token_type": "bearer", "expires_in": expires_in})
    cloud.control("faults", match=LOGIN, action="status", status=200, body=answer, times=1)
    client.list_targets()
    waits.skipped += seconds - 1
    client.list_targets()
    assert counted(cloud.requests(), LOGINS) == 1
    waits.skipped += 2
    client.list_targets()
    assert counted(cloud.requests(), LOGINS) == 1


@pytest.mark.parametrize(("lifetime", "used"), [(300, 240), (100, 50), (10, 5)])
def test_a_short_lived_token_is_not_renewed_at_each_request(
    cloud: Cloud, client: GenesysClient, waits: SkippedWaits, lifetime: int, used: int
) -> None:
    assert_used_for(used, lifetime, cloud, client, waits)


@pytest.mark.parametrize("lifetime", [None, "", "soon", [1], 10**400, float("nan"), float("inf")])
def test_a_token_without_a_usable_lifetime_is_used_for_the_shortest_one(
    cloud: Cloud, client: GenesysClient, waits: SkippedWaits, lifetime: object
) -> None:
    # OAuth only recommends `expires_in` (RFC 6749).
    assert_used_for(300 - 60, lifetime, cloud, client, waits)


def test_a_revoked_token_is_renewed_once(cloud: Cloud, client: GenesysClient, waits: SkippedWaits) -> None:
    client.list_targets()
    cloud.control("tokens/revoke")
    cloud.requests()
    client.list_targets()
    assert cloud.requests() == ["GET / 401", "POST /oauth/token 200", "GET / 200"]
    assert waits.waits == []


def test_many_threads_renew_a_revoked_token_once(cloud: Cloud, client: GenesysClient) -> None:
    client.list_targets()
    cloud.control("tokens/revoke")
    cloud.requests()
    at_once(50, lambda _: client.list_targets())
    requests = cloud.requests()
    assert counted(requests, LOGINS) == 1
    assert counted(requests, "GET / 200") == 50


def test_a_token_that_is_refused_again_is_an_error(cloud: Cloud, client: GenesysClient) -> None:
    cloud.control("faults", match={"method": "GET"}, action="status", status=401)
    with pytest.raises(Unauthorized) as refused:
        client.list_targets()
    assert cloud.requests() == ["POST /oauth/token 200", "GET / 401", "POST /oauth/token 200", "GET / 401"]
    assert refused.value.correlation_id in str(refused.value)


def test_a_create_survives_a_revoked_token_and_happens_once(cloud: Cloud, client: GenesysClient) -> None:
    client.list_targets()
    cloud.control("tokens/revoke")
    client.create_target(body(cloud, endpointUrl="https://localhost:1"))
    assert counted(cloud.requests(), "POST / 201") == 1


@pytest.mark.parametrize("status", [400, 429])
def test_a_throttled_login_is_retried(
    cloud: Cloud, client: GenesysClient, waits: SkippedWaits, status: int
) -> None:
    # The token endpoint throttles with a 400 and a description.
    cloud.control("faults", match=LOGIN, action="status", status=status, times=2)
    client.list_targets()
    assert counted(cloud.requests(), LOGINS) == 3
    assert len(waits.waits) == 2


@pytest.mark.parametrize("status", [400, 429, 503])
def test_a_login_waits_for_the_retry_after(
    cloud: Cloud, client: GenesysClient, waits: SkippedWaits, status: int
) -> None:
    asked = {"Retry-After": "17"}
    cloud.control("faults", match=LOGIN, action="status", status=status, times=1, headers=asked)
    client.list_targets()
    assert waits.waits == [17.0]


@pytest.mark.parametrize("status", [400, 503])
def test_a_login_that_asks_for_a_long_wait_is_an_error(
    cloud: Cloud, client: GenesysClient, waits: SkippedWaits, status: int
) -> None:
    asked = {"Retry-After": "601"}
    cloud.control("faults", match=LOGIN, action="status", status=status, headers=asked)
    with pytest.raises((RateLimited, ServerError), match=r"login.*try again in 601 s"):
        client.list_targets()
    assert waits.waits == []


def test_a_login_that_stays_throttled_is_reported(cloud: Cloud, client: GenesysClient) -> None:
    cloud.control("faults", match=LOGIN, action="status", status=400)
    with pytest.raises(RateLimited, match="the login is throttled") as throttled:
        client.list_targets()
    assert "GENESYSCLOUD_MAX_RETRIES" in str(throttled.value)
    assert cloud.requests() == ["POST /oauth/token 400"] * 4


@pytest.mark.parametrize(
    ("action", "kind"), [("drop_before", ConnectionFailed), ("drop_after", ConnectionFailed)]
)
def test_max_retries_applies_to_a_dropped_login(
    cloud: Cloud, client: GenesysClient, action: str, kind: type[GenesysError]
) -> None:
    cloud.control("faults", match=LOGIN, action=action)
    with pytest.raises(kind, match="login"):
        client.list_targets()
    assert counted(cloud.requests(), LOGINS) == 4


def test_max_retries_applies_to_a_failed_login(cloud: Cloud, client: GenesysClient) -> None:
    cloud.control("faults", match=LOGIN, action="status", status=503)
    with pytest.raises(ServerError, match="login"):
        client.list_targets()
    assert counted(cloud.requests(), LOGINS) == 4


def test_many_threads_share_a_failed_login(cloud: Cloud, client: GenesysClient) -> None:
    cloud.control("faults", match=LOGIN, action="status", status=503)
    outcomes = outcomes_at_once(30, lambda _: client.list_targets())
    assert all(isinstance(outcome, ServerError) for outcome in outcomes)
    # Four, or a multiple for threads that came after the failure; without sharing there would be 120.
    assert counted(cloud.requests(), LOGINS) < 30


def test_the_call_after_a_failed_login_tries_again(cloud: Cloud, client: GenesysClient) -> None:
    cloud.control("faults", match=LOGIN, action="status", status=503, times=4)
    with pytest.raises(ServerError):
        client.list_targets()
    client.list_targets()


@pytest.mark.parametrize(("client_id", "client_secret"), [("dev-client", "canary-wrong"), ("who", "canary")])
def test_wrong_credentials_tell_what_to_check(
    cloud: Cloud, tmp_path: Path, client_id: str, client_secret: str
) -> None:
    client = GenesysClient(settings_of(cloud, tmp_path, clientId=client_id, clientSecret=client_secret))
    with pytest.raises(Unauthorized) as refused:
        client.list_targets()
    client.close()
    said = str(refused.value)
    assert "authentication failed" in said
    assert "GENESYSCLOUD_OAUTHCLIENT_SECRET" in said
    assert "client-credentials" in said
    assert refused.value.correlation_id
    assert refused.value.correlation_id in said
    assert "canary" not in said
    assert cloud.requests() == ["POST /oauth/token 401"]


def test_an_invalid_client_may_be_answered_with_400(cloud: Cloud, client: GenesysClient) -> None:
    answer = {"error": "invalid_client", "description": "authentication failed"}
    cloud.control("faults", match=LOGIN, action="status", status=400, body=answer)
    with pytest.raises(Unauthorized, match="authentication failed") as refused:
        client.list_targets()
    assert refused.value.code == "invalid_client"


@pytest.mark.parametrize("variable", ["_ID", "_SECRET"])
def test_without_a_client_nothing_is_sent(cloud: Cloud, variable: str) -> None:
    environ = {name: value for name, value in cloud.env.items() if not name.endswith(variable)}
    client = GenesysClient(Settings.resolve({}, {**environ, "GENESYSCLOUD_AUDIT_LOG": ""}))
    with pytest.raises(ConfigurationError, match=f"GENESYSCLOUD_OAUTHCLIENT{variable} is not set"):
        client.list_targets()
    client.close()
    assert cloud.requests() == []


@pytest.mark.parametrize("status", [200, 201, 202, 203])
def test_any_success_status_of_a_login_is_accepted(cloud: Cloud, client: GenesysClient, status: int) -> None:
    token = client._login.token()
    client._login.forget(token)
    cloud.requests()
    answer = {"access_token": token, "token_type": "bearer", "expires_in": 300}
    cloud.control("faults", match=LOGIN, action="status", status=status, body=answer, times=1)
    client.list_targets()
    assert counted(cloud.requests(), f"{LOGINS} {status}") == 1


@pytest.mark.parametrize("status", [302, 404, 418])
def test_a_token_is_in_no_error_whatever_the_status(cloud: Cloud, client: GenesysClient, status: int) -> None:
    answer = {"access_token": "canary-token-0af3", "expires_in": 300}
    cloud.control("faults", match=LOGIN, action="status", status=status, body=answer)
    with pytest.raises(UnexpectedAnswer) as failed:
        client.list_targets()
    assert "canary" not in str(failed.value)


@pytest.mark.parametrize(
    "answer",
    [
        "<html>",
        "[]",
        "null",
        {},
        {"access_token": None, "expires_in": 300},
        {"access_token": "", "expires_in": 300},
        {"access_token": "line\nbreak", "expires_in": 300},
        {"access_token": "tökén", "expires_in": 300},
        {"expires_in": 300},
        "[" * 100_000,
    ],
)
def test_an_invalid_login_answer_names_the_server(
    cloud: Cloud, client: GenesysClient, answer: object
) -> None:
    cloud.control("faults", match=LOGIN, action="status", status=200, body=answer)
    with pytest.raises(UnexpectedAnswer, match="login"):
        client.list_targets()


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 410])
@pytest.mark.parametrize("answer", ["<html>not here</html>", "", "[]", {"message": "no"}])
def test_a_login_at_the_wrong_url_names_it_and_what_to_check(
    cloud: Cloud, client: GenesysClient, waits: SkippedWaits, status: int, answer: object
) -> None:
    cloud.control("faults", match=LOGIN, action="status", status=status, body=answer)
    with pytest.raises(UnexpectedAnswer) as failed:
        client.delete_target("some-id")
    said = str(failed.value)
    assert f"{cloud.emulator.url}/oauth/token answered HTTP {status}" in said
    assert f"check GENESYSCLOUD_LOGIN_URL, which leads to {cloud.emulator.url}" in said
    # Only the URLs are set here.
    assert "GENESYSCLOUD_REGION" not in said
    assert "canary" not in said
    # The configuration is wrong, so retries are useless.
    assert cloud.requests() == [f"{LOGINS} {status}"]
    assert waits.waits == []


def test_a_404_of_the_login_is_not_a_missing_target(cloud: Cloud, client: GenesysClient) -> None:
    # Even the API's envelope for an unknown path does not mean a missing target.
    cloud.control("faults", match=LOGIN, action="status", status=404)
    with pytest.raises(UnexpectedAnswer, match="GENESYSCLOUD_LOGIN_URL"):
        client.delete_target("some-id")


def test_a_login_is_not_redirected(cloud: Cloud, client: GenesysClient) -> None:
    elsewhere = {"Location": "https://localhost:1/oauth/token"}
    cloud.control("faults", match=LOGIN, action="status", status=307, headers=elsewhere)
    with pytest.raises(UnexpectedAnswer, match="redirect"):
        client.list_targets()


def test_missing_scopes_are_named_with_the_advice_to_wait(cloud: Cloud, client: GenesysClient) -> None:
    cloud.control("scopes", scopes=["integration:eventbridge:read"])
    with pytest.raises(Forbidden) as refused:
        client.create_target({})
    said = str(refused.value)
    assert "integration:eventbridge:write" in said
    assert "five minutes" in said
    # A client with client credentials has roles, so the hint names them first.
    assert said.index("role") < said.index("integrations:integration:view, add, edit and delete")
    assert said.index("integrations:integration:view") < said.index("If the client has scopes")


def test_cancel_ends_the_wait_for_a_throttled_login(cloud: Cloud, tmp_path: Path) -> None:
    cancelled = threading.Event()
    client = GenesysClient(settings_of(cloud, tmp_path), cancelled=cancelled)
    cloud.control("faults", match=LOGIN, action="status", status=400, headers={"Retry-After": "60"})
    threading.Timer(0.2, cancelled.set).start()
    with pytest.raises(GenesysError, match="cancelled"):
        client.list_targets()
    client.close()
