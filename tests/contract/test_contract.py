"""The OpenAPI document, the emulator and the client agree."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from genesys_provider import BasicAuth, SourceConfig, SourceManager, TargetManager
from genesys_provider.client.settings import Settings
from genesys_provider.emulator import EmulatorSettings
from genesys_provider.emulator.app import emulator_app
from genesys_provider.emulator.catalog import CREDENTIALS_PATH, LIMITS_PATH, TOPICS_PATH
from genesys_provider.emulator.integration_types import EVENTBRIDGE, TYPES_PATH
from genesys_provider.emulator.organization import ORGANIZATION_PATH
from genesys_provider.emulator.paths import INTEGRATIONS_PATH, TARGETS_PATH
from genesys_provider.emulator.server import Server
from genesys_provider.targets.errors import VerificationFailed
from genesys_provider.targets.models import TargetConfig
from tests.support import property_strategies as drawn
from tests.support import recorder
from tests.support.recorder import DOCUMENT, OPENAPI_PATH, Recorder
from tests.support.shared_cloud import SkippedWaits
from tests.support.thoroughness import LIMIT, examples

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.timeout(LIMIT)

MAX_INSTANCES = 3
METHODS = {"get", "post", "put", "delete", "patch"}
VALID = {
    "name": "orders",
    "endpointUrl": "https://localhost:1/",
    "authType": "NONE",
    "authConfig": {},
    "retryPolicy": {"maxRetries": 5, "backoffStrategy": "EXPONENTIAL", "initialDelaySeconds": 2},
    "eventTypes": ["A"],
}


@pytest.fixture(scope="module")
def emulator() -> Iterator[tuple[Recorder, str]]:
    settings = EmulatorSettings(
        verification_seconds=0,
        activation_seconds=0,
        rate_limit=0,
        endpoint_seconds=0.3,
        max_instances=MAX_INSTANCES,
    )
    recording = Recorder(emulator_app(settings))
    with Server(recording, "127.0.0.1", 0) as server:
        yield recording, server.url


@pytest.fixture
def exchanges(emulator: tuple[Recorder, str]) -> Iterator[list[recorder.Exchange]]:
    """The requests and responses of this test; every response is checked at its end."""
    recording, url = emulator
    httpx.post(f"{url}/emulator/reset").raise_for_status()
    recording.exchanges.clear()
    yield recording.exchanges
    assert recording.exchanges
    wrong = {
        f"{each.method} {each.path}?{each.query} {each.status} {each.body[:200]!r}": found
        for each in recording.exchanges
        if (found := recorder.answer_faults(each))
    }
    assert not wrong


@pytest.fixture
def api(emulator: tuple[Recorder, str], exchanges: list[recorder.Exchange]) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=emulator[1]) as client:
        grant = {"grant_type": "client_credentials"}
        token = client.post("/oauth/token", auth=("dev-client", "dev-secret"), data=grant).json()
        client.headers["Authorization"] = f"Bearer {token['access_token']}"
        yield client


# The document itself.


def test_the_document_is_served_without_login(emulator: tuple[Recorder, str]) -> None:
    assert httpx.get(emulator[1] + OPENAPI_PATH).json() == DOCUMENT


def test_it_is_a_valid_openapi_document_and_no_schema_is_empty() -> None:
    validate(DOCUMENT)
    for name, schema in DOCUMENT["components"]["schemas"].items():
        Draft202012Validator.check_schema(schema)
        assert recorder.faults([], "components", "schemas", name), name


def test_it_has_exactly_the_calls_of_the_emulator(emulator: tuple[Recorder, str]) -> None:
    app = emulator[0]._app._app  # type: ignore[attr-defined]
    served = {
        (route.path, method.lower())
        for route in app.routes
        for method in route.methods - {"HEAD"}
        if not route.path.startswith("/emulator/") and route.path != OPENAPI_PATH
    }
    documented = {
        (path, method) for path, item in DOCUMENT["paths"].items() for method in item.keys() & METHODS
    }
    assert documented == served


# The emulator's responses match the document, in success and in failure.


def test_every_response_of_a_session_is_as_documented(
    api: httpx.Client, emulator: tuple[Recorder, str], exchanges: list[recorder.Exchange]
) -> None:
    def post(**fields: Any) -> httpx.Response:
        return api.post(TARGETS_PATH, json={**VALID, **fields})

    auth = {
        "BASIC": {"username": "u", "password": "p"},
        "OAUTH2": {"clientId": "i", "clientSecret": "s", "tokenUrl": "http://localhost:1/"},
        "JWT": {},
    }
    created = post()
    one = created.json()["selfUri"]
    for kind, config in auth.items():
        post(name=kind, authType=kind, authConfig=config, headers={"X": "é"} if kind == "JWT" else {})
    for page in (
        "",
        "?pageSize=2&pageNumber=1",
        "?pageSize=2&pageNumber=9",
        "?name=JWT",
        "?name=",
        "?pageSize=0",
    ):
        api.get(TARGETS_PATH + page)
    for path in (one, one + "/verify", TARGETS_PATH + "/none", TARGETS_PATH + "/none/verify"):
        api.get(path)
    for path in (one + "/health", TARGETS_PATH + "/none/health"):
        api.post(path)
    api.put(one, json={**api.get(one).json(), "headers": {"X": "1"}})
    api.put(one, json={**VALID, "name": "JWT"})
    api.put(TARGETS_PATH + "/none", json=VALID)
    post()
    post(name="", eventTypes=[], unknown=1, retryPolicy={"maxRetries": 11, "x": 1}, headers={"é": 1})
    api.post(TARGETS_PATH, content=b"{")
    api.post(TARGETS_PATH, content=b"[]")
    api.post(TARGETS_PATH, content=b'{"name": "\\ud800"}')
    api.post(TARGETS_PATH, content=b"x" * 512_001)
    api.put(one, content=b"[]")
    api.patch(one)
    api.get("/api/v2/nothing")
    api.delete(one)
    api.delete(one)
    # The login, and missing permissions.
    api.post("/oauth/token", auth=("dev-client", "wrong"), data={"grant_type": "client_credentials"})
    api.post("/oauth/token", auth=("dev-client", "dev-secret"), data={"grant_type": "password"})
    api.post("/oauth/token", content=b"x" * 512_001)
    api.get(TARGETS_PATH, headers={"Authorization": "Bearer none"})
    api.post("/emulator/scopes", json={"scopes": []})
    token = api.post(
        "/oauth/token", auth=("dev-client", "dev-secret"), data={"grant_type": "client_credentials"}
    ).json()["access_token"]
    api.get(TARGETS_PATH, headers={"Authorization": f"Bearer {token}"})
    api.get(OPENAPI_PATH)
    api.get(ORGANIZATION_PATH)
    exercise_integrations(api)
    fault = {"match": {"method": "GET", "path": TARGETS_PATH}, "action": "status", "status": 429, "times": 1}
    api.post("/emulator/faults", json={**fault, "headers": {"Retry-After": "1"}})
    api.get(TARGETS_PATH)
    assert {each.status for each in exchanges} == {200, 201, 204, 400, 401, 403, 404, 405, 409, 413, 429}
    # Every call, with every response except those about limits or the login in general.
    seen = {(*(recorder.operation_of(each) or ("", "")), str(each.status)) for each in exchanges}
    general = {"401", "403", "413", "429", "default"}
    assert {
        (path, method, status)
        for path, item in DOCUMENT["paths"].items()
        for method in item.keys() & METHODS
        for status in item[method]["responses"].keys() - general
    } <= seen


def exercise_integrations(api: httpx.Client) -> None:
    """Provokes every response of the calls about integrations."""
    named = {"name": "ours", "integrationType": {"id": EVENTBRIDGE}}
    one = api.post(INTEGRATIONS_PATH, json=named).json()["selfUri"]
    configuration: dict[str, Any] = {
        "name": "ours",
        "version": 1,
        "notes": "",
        "advanced": {},
        "credentials": {},
    }
    valid = {
        "awsAccountId": "012345678901",
        "awsAccountRegion": "eu-west-1",
        "eventSourceSuffix": "ours",
        "eventFilter": ["v2.users.{id}.presence"],
    }
    for properties in ({}, valid, valid):
        api.put(f"{one}/config/current", json={**configuration, "properties": properties})
    for state in ("ENABLED", "DISABLED", "PAUSED", "DELETED", "RESTORED"):
        api.patch(one, json={"intendedState": state})
    api.post(INTEGRATIONS_PATH, json={"integrationType": {"id": "none"}})
    for path in (one, INTEGRATIONS_PATH):
        api.get(path, params={"expand": "config.current"})
    for path in (INTEGRATIONS_PATH, TYPES_PATH, CREDENTIALS_PATH):
        api.get(path)
        api.get(path, params={"pageSize": 1000})
    api.get(INTEGRATIONS_PATH, params={"pageSize": 1, "integrationType": EVENTBRIDGE})
    api.get(f"{one}/config/current")
    none, no_type = INTEGRATIONS_PATH + "/none", TYPES_PATH + "/none"
    for path in (none, f"{none}/config/current", no_type, f"{no_type}/configschemas/properties"):
        api.get(path)
    api.patch(none, json={"intendedState": "ENABLED"})
    api.put(f"{none}/config/current", json={})
    for part in ("", "/configschemas/properties", "/configschemas/advanced", "/configschemas/none"):
        api.get(f"{TYPES_PATH}/{EVENTBRIDGE}{part}")
    api.get(TOPICS_PATH)
    api.get(TOPICS_PATH, params={"expand": "transports,visibility,schema", "includePreview": "false"})
    api.get(LIMITS_PATH)
    api.delete(one)
    api.delete(one)
    for number in range(MAX_INSTANCES + 1):
        api.post(INTEGRATIONS_PATH, json={**named, "name": f"one of {number}"})


# The client's requests match the document.


FOR_OTHER_CLIENTS = {
    (OPENAPI_PATH, "get"),
    (CREDENTIALS_PATH, "get"),
    (LIMITS_PATH, "get"),
    (TYPES_PATH, "get"),
    (TYPES_PATH + "/{typeId}", "get"),
    (TYPES_PATH + "/{typeId}/configschemas/{configType}", "get"),
}
"""Calls that only other clients make, such as the official SDK."""


def test_every_request_of_the_managers_is_as_documented(
    emulator: tuple[Recorder, str], exchanges: list[recorder.Exchange]
) -> None:
    config = {
        "clientId": "dev-client",
        "clientSecret": "dev-secret",
        "maxRetries": 0,
        "verificationTimeout": 5,
    }
    settings = Settings.resolve({**config, "apiUrl": emulator[1], "loginUrl": emulator[1]}, {})
    with TargetManager(settings) as manager:
        basic = BasicAuth("ü", "p").auth_config()
        wanted = TargetConfig.model_validate(
            {**VALID, "authType": "BASIC", "authConfig": basic, "owner": "house/dev/ордера"}
        )
        with pytest.raises(VerificationFailed):  # Nothing listens at the endpoint.
            manager.register(wanted, timeout=5)
        target = manager.find("orders")
        assert target is not None
        with pytest.raises(VerificationFailed):
            manager.update(target.id, wanted.model_copy(update={"headers": {"X": "é"}}), timeout=5)
        assert manager.why_not_verified(target.model_copy(update={"status": "FAILED"}))
        assert manager.organization().id
        assert manager.check_health(target.id) == "UNHEALTHY"
        assert [each.id for each in manager.list()] == [target.id]
        assert manager.get(target.id) is not None
        assert manager.get("none ?ü") is None
        manager.delete(target.id)
        skipped = SkippedWaits()
        exercise_sources(SourceManager(settings, cancelled=skipped, clock=skipped.clock, beside=manager))
    wrong = {
        f"{each.method} {each.path}": found for each in exchanges if (found := recorder.request_faults(each))
    }
    assert not wrong
    calls = {recorder.operation_of(each) for each in exchanges}
    documented = {
        (path, method) for path, item in DOCUMENT["paths"].items() for method in item.keys() & METHODS
    }
    assert calls == documented - FOR_OTHER_CLIENTS


def exercise_sources(manager: SourceManager) -> None:
    """Makes every call about sources."""
    wanted = SourceConfig(
        name="ours ü",
        aws_account_id="012345678901",
        aws_region="eu-west-1",
        event_source_suffix="ours",
        topics=["v2.users.{id}.presence"],
        notes="ü",
        owner="urn:pulumi:dev::house::ордера",
    )
    source = manager.register(wanted).source
    manager.update(source.id, wanted.model_copy(update={"topics": ["v2.users.{id}.routingStatus"]}))
    manager.update(source.id, wanted.model_copy(update={"enabled": False}))
    assert [each.id for each in manager.list()] == [source.id]
    assert manager.get(source.id) is not None
    assert manager.get("none ?ü") is None
    manager.delete(source.id)


# The emulator accepts what the document accepts, and nothing else.


def _json(value: Any) -> Any:
    """The drawn properties, without what JSON can't represent."""
    return json.loads(json.dumps(value, default=lambda _: None), parse_constant=lambda _: None)


bodies = st.one_of(
    drawn.valid_targets(), drawn.mutated(drawn.valid_targets()), drawn.mutated(drawn.valid_targets())
).map(lambda body: {**VALID, **_json(body)})

BEYOND_THE_SCHEMA = ("endpointUrl", "authConfig.tokenUrl", "headers", "name", "eventTypes[")
"""Properties with rules that the document only gives in words."""


@examples(150)
@given(bodies)
def test_the_emulator_accepts_what_the_document_accepts(
    emulator: tuple[Recorder, str], api_of_module: httpx.Client, body: dict[str, Any]
) -> None:
    found = recorder.faults(body, "components", "schemas", "TargetBody")
    answer = api_of_module.post(TARGETS_PATH, content=json.dumps(body))
    if answer.status_code == 201:
        api_of_module.delete(answer.json()["selfUri"])
        assert not found
    elif not found:
        assert answer.status_code == 400
        if answer.json()["code"] != "invalid.json":  # A lone surrogate.
            fields = [detail["fieldName"] for detail in answer.json()["details"]]
            assert fields
            assert all(field.startswith(BEYOND_THE_SCHEMA) for field in fields), fields
    created = next(each for each in reversed(emulator[0].exchanges) if each.method == "POST")
    assert not recorder.answer_faults(created)


@pytest.fixture(scope="module")
def api_of_module(emulator: tuple[Recorder, str]) -> Iterator[httpx.Client]:
    # Restores the client's scopes, which an earlier test has changed.
    httpx.post(f"{emulator[1]}/emulator/reset").raise_for_status()
    with httpx.Client(base_url=emulator[1]) as client:
        grant = {"grant_type": "client_credentials"}
        token = client.post("/oauth/token", auth=("dev-client", "dev-secret"), data=grant).json()
        client.headers["Authorization"] = f"Bearer {token['access_token']}"
        yield client
