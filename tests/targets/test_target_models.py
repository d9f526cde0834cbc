"""The contract's rules for a target by property path, the request bodies, and redaction."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from genesys_provider import BasicAuth, JwtAuth, OAuth2Auth, RetryPolicy, TargetConfig
from genesys_provider.common.faults import faults_of
from genesys_provider.common.paths import property_path
from genesys_provider.targets.models import Target
from tests.support.cloud import TARGETS

if TYPE_CHECKING:
    from tests.support.cloud import Cloud

CANARY = "canary-secret-9a7"
# The example of the source document.
EXAMPLE: dict[str, Any] = {
    "name": "production-order-events",
    "endpointUrl": "https://api.gateway.example.com/v1/genesys/events",
    "authType": "BASIC",
    "authConfig": {"username": "genesys-relay", "password": CANARY},
    "retryPolicy": {"maxRetries": 5, "backoffStrategy": "EXPONENTIAL", "initialDelaySeconds": 2},
    "headers": {"X-Source-System": "GenesysCloud"},
    "eventTypes": ["QUEUE_MEMBER_ADDED", "CONVERSATION_STARTED"],
}


def faults(**changes: Any) -> dict[str, str]:
    """The broken rules of the example with these changes, by path."""
    data = {name: value for name, value in {**EXAMPLE, **changes}.items() if value is not ...}
    try:
        TargetConfig.model_validate(data)
    except ValidationError as error:
        found, shown = faults_of(error), str(error) + repr(error)
    else:
        return {}
    assert CANARY not in shown + str(found)
    return {fault.path: fault.reason for fault in found}


def test_the_example_is_sent_unchanged() -> None:
    assert TargetConfig.model_validate(EXAMPLE).payload() == EXAMPLE


def test_python_names_give_the_same_configuration() -> None:
    config = TargetConfig(
        name="production-order-events",
        endpoint_url="https://api.gateway.example.com/v1/genesys/events",
        auth_type="BASIC",
        auth_config={"username": "genesys-relay", "password": CANARY},
        headers={"X-Source-System": "GenesysCloud"},
        event_types=["QUEUE_MEMBER_ADDED", "CONVERSATION_STARTED"],
    )
    assert config.payload() == EXAMPLE


def test_omitted_fields_have_their_defaults() -> None:
    least = {"name": "n", "endpointUrl": "https://a.example", "eventTypes": ["A", "B", "A"]}
    assert TargetConfig.model_validate(least).payload() == {
        **least,
        "authType": "NONE",
        "authConfig": {},
        "retryPolicy": EXAMPLE["retryPolicy"],
        "headers": {},
        "eventTypes": ["A", "B"],
    }


OAUTH2 = {"clientId": "id", "clientSecret": CANARY, "tokenUrl": "https://login.example/token"}
TOKEN_URL = "authConfig.tokenUrl"
MAX_RETRIES, DELAY = "retryPolicy.maxRetries", "retryPolicy.initialDelaySeconds"
LATIN = "".join(map(chr, range(0xA1, 0x100)))


INVISIBLE = (
    " ",
    " x",
    "x ",
    "x\n",
    "\tx",
    "a\nb",
    "a\x07b",
    "a\x00b",
    "a\x7fb",
    "a\u202eb",
    "a\u200bb",
    "a\u2028b",
)
RESERVED = (
    *(
        "Content-Length",
        "Transfer-Encoding",
        "Host",
        "Connection",
        "Expect",
        "Content-Type",
        "content-encoding",
    ),
    *("Keep-Alive", "TE", "Trailer", "Upgrade", "Proxy-Authorization", "proxy-connection", "HTTP2-Settings"),
)


def policy(**changes: Any) -> dict[str, Any]:
    return {"retryPolicy": {**EXAMPLE["retryPolicy"], **changes}}


def oauth2(**changes: Any) -> dict[str, Any]:
    auth = {name: value for name, value in {**OAUTH2, **changes}.items() if value is not ...}
    return {"authType": "OAUTH2", "authConfig": auth}


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "x"},
        {"name": "x" * 100},
        {"name": "Zoë 東京 🚀"},
        {"name": "🚀" * 100},
        {"name": "👩\u200d💻 \u0646\u200c\u0645 a\xa0b"},
        {"endpointUrl": "HTTPS://a.example:8443/p?q=1#f"},
        {"endpointUrl": "https://[2001:db8::1]/"},
        {"endpointUrl": "https://localhost:1"},
        {"endpointUrl": "https://münchen.example/pfad"},
        {"authType": "NONE", "authConfig": ...},
        {"authType": "NONE"},
        {"authType": "JWT", "authConfig": {}},
        {"authType": "JWT", "authConfig": OAUTH2},
        oauth2(),
        oauth2(tokenUrl="http://127.0.0.1:8080/token"),
        oauth2(username=None),
        policy(maxRetries=0),
        policy(maxRetries=10),
        policy(maxRetries=3.0),
        policy(initialDelaySeconds=1),
        policy(initialDelaySeconds=30),
        policy(backoffStrategy="LINEAR"),
        {"retryPolicy": {}},
        {"headers": {}},
        {"headers": {"X-A": "", "X-B": LATIN, "!#$%&'*+-.^_`|~": "tab\tinside"}},
        {"headers": {"X-Host": "a", "Accept-Encoding": "gzip", "Tea": "b", "My-Proxy-Connection": "c"}},
        {"authType": "NONE", "authConfig": ..., "headers": {"Authorization": f"Bearer {CANARY}"}},
        {"eventTypes": ["x"]},
        {"eventTypes": ["with a space"]},
        {"eventTypes": ["ANY_THING_THAT_IS_NEW"] * 500},
    ],
)
def test_valid_values(changes: dict[str, Any]) -> None:
    assert faults(**changes) == {}


@pytest.mark.parametrize(
    ("path", "changes"),
    [
        ("name", {"name": ...}),
        ("name", {"name": ""}),
        ("name", {"name": "x" * 101}),
        ("name", {"name": 5}),
        ("name", {"name": None}),
        ("name", {"name": "half \ud800"}),
        *(("name", {"name": each}) for each in INVISIBLE),
        ("endpointUrl", {"endpointUrl": ...}),
        ("endpointUrl", {"endpointUrl": ""}),
        ("endpointUrl", {"endpointUrl": "http://a.example"}),
        ("endpointUrl", {"endpointUrl": "http://127.0.0.1"}),
        ("endpointUrl", {"endpointUrl": "a.example"}),
        ("endpointUrl", {"endpointUrl": f"https://user:{CANARY}@a.example"}),
        ("endpointUrl", {"endpointUrl": "https://a.example/with space"}),
        ("endpointUrl", {"endpointUrl": ["https://a.example"]}),
        ("authType", {"authType": "basic"}),
        ("authType", {"authType": None}),
        ("authType", {"authType": ["BASIC"]}),
        ("authConfig", {"authConfig": CANARY}),
        ("authConfig", {"authConfig": [CANARY]}),
        ("authConfig.username", {"authConfig": {"password": CANARY}}),
        ("authConfig.username", {"authConfig": {"username": "", "password": CANARY}}),
        ("authConfig.password", {"authConfig": {"username": "me"}}),
        ("authConfig.password", {"authConfig": {"username": "me", "password": ""}}),
        ("authConfig.password", {"authConfig": {"username": "me", "password": 5}}),
        ("authConfig.password", {"authConfig": {"username": "me", "password": None}}),
        ("authConfig.passwort", {"authConfig": {**EXAMPLE["authConfig"], "passwort": CANARY}}),
        ("authConfig.clientId", oauth2(clientId=...)),
        ("authConfig.clientSecret", oauth2(clientSecret=...)),
        (TOKEN_URL, oauth2(tokenUrl=...)),
        (TOKEN_URL, oauth2(tokenUrl="http://login.example")),
        (TOKEN_URL, {"authType": "JWT", "authConfig": {"tokenUrl": "login"}}),
        (MAX_RETRIES, policy(maxRetries=-1)),
        (MAX_RETRIES, policy(maxRetries=11)),
        (MAX_RETRIES, policy(maxRetries="5")),
        (MAX_RETRIES, policy(maxRetries=True)),
        (MAX_RETRIES, policy(maxRetries=5.5)),
        (MAX_RETRIES, policy(maxRetries=float("nan"))),
        (MAX_RETRIES, policy(maxRetries=None)),
        (DELAY, policy(initialDelaySeconds=0)),
        (DELAY, policy(initialDelaySeconds=31)),
        ("retryPolicy.backoffStrategy", policy(backoffStrategy="FIBONACCI")),
        ("retryPolicy.jitter", policy(jitter=1)),
        ("retryPolicy", {"retryPolicy": 5}),
        ("headers", {"headers": ["X-A: b"]}),
        ("headers.X-A", {"headers": {"X-A": 5}}),
        ("headers.X-A", {"headers": {"X-A": "line\r\nX-B: forged"}}),
        ("headers.X-A", {"headers": {"X-A": " around "}}),
        ("headers.X-A", {"headers": {"X-A": "東京"}}),
        ("headers.X-A", {"headers": {"x-a": "1", "X-A": "2"}}),
        ('headers["X A"]', {"headers": {"X A": "1"}}),
        ('headers["Ü"]', {"headers": {"Ü": "1"}}),
        ('headers[""]', {"headers": {"": "1"}}),
        *((f"headers.{each}", {"headers": {"X-A": "1", each: "0"}}) for each in RESERVED),
        ("headers.authorization", {"headers": {"authorization": f"Bearer {CANARY}"}}),
        ("headers.Authorization", {**oauth2(), "headers": {"Authorization": CANARY}}),
        ("eventTypes", {"eventTypes": ...}),
        *(("eventTypes[1]", {"eventTypes": ["A", each]}) for each in INVISIBLE),
        ("eventTypes", {"eventTypes": []}),
        ("eventTypes", {"eventTypes": "QUEUE_MEMBER_ADDED"}),
        ("eventTypes[1]", {"eventTypes": ["A", ""]}),
        ("eventTypes[0]", {"eventTypes": [5]}),
        ("endpoint", {"endpoint": "https://a.example"}),
    ],
)
def test_an_invalid_value_is_reported_with_its_path(path: str, changes: dict[str, Any]) -> None:
    found = faults(**changes)
    assert list(found) == [path]
    assert found[path]
    assert found[path].split()[0] in {"is", "must"}


def test_a_forbidden_header_is_refused_with_the_reason() -> None:
    found = faults(headers={"Content-Length": "0", "Content-Type": "text/plain", "Authorization": CANARY})
    assert found == {
        "headers.Content-Length": (
            "must be left out: it belongs to the connection, and is set for each request"
        ),
        "headers.Content-Type": "must be left out: it describes the body, which is always plain JSON",
        "headers.Authorization": (
            "must be left out: authType BASIC sets it; without authentication you may set it yourself"
        ),
    }


def test_an_empty_secret_has_too_few_characters_like_any_text() -> None:
    found = faults(authConfig={"username": "", "password": ""})
    assert set(found.values()) == {"must have at least 1 character"}


def test_a_manually_created_target_can_still_be_read() -> None:
    headers = dict.fromkeys(RESERVED, "0")
    answer = {**EXAMPLE, "id": "1", "status": "VERIFIED", "name": "a\nb", "eventTypes": [" A "]}
    target = Target.read({**answer, "headers": headers})
    assert (target.name, target.event_types, target.headers) == ("a\nb", [" A "], headers)


def test_all_faults_are_reported_together() -> None:
    found = faults(
        name="",
        endpointUrl="http://a.example",
        authType="OAUTH2",
        authConfig={"clientId": 5, "tokenUrl": "x"},
        retryPolicy={"maxRetries": 11, "backoffStrategy": "?", "initialDelaySeconds": 0},
        headers={"a b": "c", "X": "\n"},
        eventTypes=["", 5],
        more=1,
    )
    assert set(found) == {
        "name",
        "endpointUrl",
        "authConfig.clientId",
        "authConfig.clientSecret",
        "authConfig.tokenUrl",
        "retryPolicy.maxRetries",
        "retryPolicy.backoffStrategy",
        "retryPolicy.initialDelaySeconds",
        'headers["a b"]',
        "headers.X",
        "eventTypes[0]",
        "eventTypes[1]",
        "more",
    }


def test_a_property_path_is_written_as_pulumi_does() -> None:
    assert property_path(("headers", "X-Source.System")) == 'headers["X-Source.System"]'
    assert property_path(("headers", 'a"b\\')) == 'headers["a\\"b\\\\"]'
    assert property_path(("eventTypes", 0)) == "eventTypes[0]"


def test_secrets_are_in_no_repr() -> None:
    config = TargetConfig.model_validate({**EXAMPLE, **oauth2()})
    assert CANARY not in repr(config) + str(config) + str(config.model_dump())
    assert config.payload()["authConfig"]["clientSecret"] == CANARY
    for auth in (
        BasicAuth("me", CANARY),
        OAuth2Auth("me", CANARY, "u"),
        JwtAuth("me", CANARY, password=CANARY),
    ):
        assert CANARY not in repr(auth)
        assert CANARY in auth.auth_config().values()


def test_serialized_fields_have_the_names_of_the_api() -> None:
    assert BasicAuth("u", "p").auth_config() == {"username": "u", "password": "p"}
    assert OAuth2Auth("i", "s", "t").auth_config() == {"clientId": "i", "clientSecret": "s", "tokenUrl": "t"}
    assert JwtAuth(client_id="i").auth_config() == {"clientId": "i"}
    assert RetryPolicy().retry_policy() == EXAMPLE["retryPolicy"]


OWNERS = [
    "house/dev/orders",
    "haus/dev/Bestellungen für Zoë",
    "a/b/東京 🚀",
    "a/b/100%",
    "a/b/ x ",
    "a/b/%41",
    "",
]


@pytest.mark.parametrize("owner", OWNERS)
def test_the_owner_mark_is_only_a_header_on_the_wire(owner: str) -> None:
    config = TargetConfig.model_validate({**EXAMPLE, "owner": owner})
    body = config.payload()
    mark = body["headers"].pop("X-Pulumi-Resource")
    assert mark.isascii()
    assert mark == mark.strip()
    assert body == EXAMPLE
    for name in ("X-Pulumi-Resource", "x-pulumi-resource"):
        on_the_wire = {**EXAMPLE, "headers": {**EXAMPLE["headers"], name: mark}}
        assert TargetConfig.model_validate(on_the_wire) == config
        read = Target.read({**on_the_wire, "authConfig": {}, "id": "1", "status": "VERIFIED"})
        assert read.owner == owner
        assert read.headers == EXAMPLE["headers"]


def test_the_common_owner_mark_is_legible() -> None:
    config = TargetConfig.model_validate({**EXAMPLE, "owner": "house/dev/orders-1_a.b"})
    assert config.payload()["headers"]["X-Pulumi-Resource"] == "house/dev/orders-1_a.b"


def test_an_answer_is_read_leniently() -> None:
    answer = {
        "id": "1",
        "name": "x" * 500,
        "endpointUrl": "odd",
        "authType": "NEW",
        "authConfig": {"username": None, "clientId": "me"},
        "retryPolicy": None,
        "headers": {"X": None, "Y": "1"},
        "eventTypes": None,
        "status": "NEW",
        "brandNew": {"a": 1},
    }
    target = Target.read(answer)
    assert target.auth_config == {"clientId": "me"}
    assert target.headers == {"Y": "1"}
    assert not target.verified


def test_constants_and_numbers_may_be_written_otherwise() -> None:
    policy = {"maxRetries": "5", "backoffStrategy": "linear", "initialDelaySeconds": "2"}
    wanted = TargetConfig.model_validate(
        {**EXAMPLE, "retryPolicy": {"maxRetries": 5, "backoffStrategy": "LINEAR", "initialDelaySeconds": 2}}
    )
    said = {**wanted.payload(), "authType": wanted.auth_type.title(), "retryPolicy": policy}
    target = Target.read({**said, "id": "1", "status": "verified"})
    assert target.visible == wanted.visible
    assert target.auth_type == wanted.auth_type
    assert target.retry_policy == wanted.retry_policy.model_dump(by_alias=True)


@pytest.mark.parametrize("said", [None, {}, {"password": "****"}])
def test_authentication_that_the_service_does_not_tell_is_no_difference(said: object) -> None:
    target = Target.read({**EXAMPLE, "id": "1", "authConfig": said})
    wanted = TargetConfig.model_validate(EXAMPLE)
    assert wanted.visible.same_as(target.visible)
    assert target.visible.same_as(wanted.visible)
    for change in ({"name": "x"}, {"authType": "NONE", "authConfig": {}}):
        assert not target.visible.same_as(TargetConfig.model_validate({**EXAMPLE, **change}).visible)


def test_other_authentication_is_a_difference() -> None:
    target = Target.read({**EXAMPLE, "id": "1", "authConfig": {"username": "x"}})
    assert not target.visible.same_as(TargetConfig.model_validate(EXAMPLE).visible)


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("https://Gateway.example", "https://gateway.example/"),
        ("https://gateway.example:443/a", "https://gateway.example/a"),
        ("https://gateway.example?x=1", "https://gateway.example/?x=1"),
        ("https://gateway.example/a", "https://GATEWAY.example:443/a"),
    ],
)
def test_a_url_in_its_normal_form_is_the_same(typed: str, read: str) -> None:
    target = Target.read({**EXAMPLE, "id": "1", "endpointUrl": read})
    assert target.visible == TargetConfig.model_validate({**EXAMPLE, "endpointUrl": typed}).visible


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("https://gateway.example/a", "https://gateway.example/a/"),
        ("https://gateway.example/a", "https://gateway.example/A"),
        ("https://gateway.example:8443/a", "https://gateway.example/a"),
    ],
)
def test_another_url_is_a_difference(typed: str, read: str) -> None:
    target = Target.read({**EXAMPLE, "id": "1", "endpointUrl": read})
    assert target.visible != TargetConfig.model_validate({**EXAMPLE, "endpointUrl": typed}).visible


text = st.text(max_size=120)
urls = st.from_regex(r"https://[a-z0-9.-]{0,20}(:\d{1,5})?(/[!-~]{0,20})?", fullmatch=True) | text
mixed = text | st.none() | st.integers() | st.booleans() | st.floats() | st.lists(text, max_size=2)
names = st.sampled_from(["X-A", "x-a", "X-Pulumi-Resource", "Authorization"]) | text
configs = st.fixed_dictionaries(
    {
        "name": st.text(min_size=1, max_size=100) | mixed,
        "endpointUrl": st.just("https://localhost:1/a") | urls,
        "eventTypes": st.lists(st.text(min_size=1), min_size=1, max_size=3) | mixed,
    },
    optional={
        "authType": st.sampled_from(["NONE", "BASIC", "OAUTH2", "JWT"]) | mixed,
        "authConfig": st.dictionaries(
            st.sampled_from(["username", "password", "clientId", "clientSecret", "tokenUrl"]) | text,
            text | urls | mixed,
        ),
        "retryPolicy": st.fixed_dictionaries(
            {},
            optional={
                "maxRetries": st.integers(-1, 12) | mixed,
                "backoffStrategy": st.sampled_from(["EXPONENTIAL", "LINEAR"]) | text,
                "initialDelaySeconds": st.integers(-1, 40) | st.floats(0, 40),
            },
        ),
        "headers": st.dictionaries(names, text | st.from_regex(r"[!-~]{1,9}", fullmatch=True), max_size=4),
        "owner": text,
    },
)
valid = st.fixed_dictionaries(
    {
        "name": st.text(min_size=1, max_size=100),
        "endpointUrl": st.just("https://localhost:1/a") | urls,
        "eventTypes": st.lists(st.text(min_size=1), min_size=1, max_size=3),
        "owner": text,
        "headers": st.dictionaries(
            st.from_regex(r"[A-Za-z-]{1,9}", fullmatch=True), st.from_regex(r"[!-~]{1,9}", fullmatch=True)
        ),
    }
)


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=configs | valid)
def test_the_emulator_accepts_every_valid_configuration(cloud: Cloud, data: dict[str, Any]) -> None:
    try:
        config = TargetConfig.model_validate(data)
    except ValidationError as error:
        found = faults_of(error)
        assert found
        assert all(fault.path and fault.reason for fault in found)
        return
    body = json.dumps(config.payload(), ensure_ascii=False).encode()
    cloud.control("reset")
    answer = cloud.api("POST", content=body)
    assert answer.status_code == 201, answer.text
    read = Target.read(answer.json())
    assert (read.name, read.owner, read.headers) == (config.name, config.owner, config.headers)


def test_the_emulator_uses_the_paths_of_the_contract() -> None:
    assert TARGETS == "/api/v2/integrations/eventbridge/targets"
