"""For any input, a check gives clear faults on the right paths, or a target that the API accepts; never a crash."""

from __future__ import annotations

import itertools
import json
import re
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pulumi.dynamic import CheckResult, ResourceProvider
from pulumi.dynamic.dynamic import PROVIDER_KEY, serialize_provider
from pulumi.output import Unknown
from pulumi.runtime import rpc
from pulumi.runtime.proto import provider_pb2

from genesys_provider.common.paths import property_path
from genesys_provider.common.run import Ownership
from genesys_provider.host.operation import Operation, carrying_out
from genesys_provider.host.servicer import Servicer, _serialize
from genesys_provider.resources import sync_properties, target_properties, target_rules
from genesys_provider.resources.properties import own
from genesys_provider.resources.sync_provider import GatewaySyncProvider
from genesys_provider.resources.target_provider import EventBridgeTargetProvider
from genesys_provider.targets.gateway import Delivery
from genesys_provider.targets.models import Target
from genesys_provider.targets.vocabulary import FINAL_STATUSES
from tests.support import property_strategies as drawn
from tests.support.property_strategies import CANARY, SECRET_MARK
from tests.support.thoroughness import COUNTS, LIMIT, examples
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from genesys_provider.client.api import GenesysClient

pytestmark = pytest.mark.timeout(LIMIT)

_IDS = itertools.count(1)
TARGETS, SYNCS = EventBridgeTargetProvider(), GatewaySyncProvider()

TARGET_PATHS = re.compile(
    rf"({'|'.join(drawn.TARGET_FIELDS)})|authConfig\.({'|'.join(drawn.AUTH_FIELDS)})"
    rf"|retryPolicy\.({'|'.join(drawn.POLICY_FIELDS)})|eventTypes\[\d+\]|headers(\..+|\[\".*\"\])",
    re.DOTALL,
)
SYNC_PATHS = re.compile("|".join((*drawn.SYNC_FIELDS, r"signingSecret\[\d+\]")))


def new_id() -> str:
    """An id that no other example has, since two resources must not have the same target."""
    return str(next(_IDS))


def check(provider: ResourceProvider, properties: dict[str, Any]) -> CheckResult:
    with carrying_out(Operation()):
        result = provider.check({}, properties)
    COUNTS["inputs checked"] += 1
    COUNTS["inputs refused"] += bool(result.failures)
    COUNTS["faults"] += len(result.failures or ())
    return result


def is_given(path: str, properties: dict[str, Any]) -> bool:
    """Whether the properties contain something at this path."""
    return any(property_path(place) == path for place in drawn.places(properties))


def assert_faults_are_clear(
    result: CheckResult, properties: dict[str, Any], schema: re.Pattern[str], kind: str
) -> None:
    failures = [(failure.property, failure.reason) for failure in result.failures or ()]
    assert len(set(failures)) == len(failures)
    unknown = {
        property_path(place)
        for place in drawn.places(properties)
        if isinstance(drawn.at(properties, place), Unknown)
    }
    for path, reason in failures:
        assert schema.fullmatch(path) or is_given(path, properties), path
        assert path not in unknown, path
        # In the user's terms, not in those of the model or Python.
        assert re.fullmatch(r"(must|is|the signing secret) [^<>\n]+", reason), reason
        assert not re.search(r"Config|Inputs|instance|NoneType|dictionary|Exception", reason), reason
        assert CANARY not in reason
        if not schema.fullmatch(path):
            assert reason == "is not a known property", (path, reason)


@examples(75, 1500)
@given(drawn.mutated(drawn.valid_targets()))
def test_targets_are_checked_clearly(properties: dict[str, Any]) -> None:
    result = check(TARGETS, properties)
    assert_faults_are_clear(result, properties, TARGET_PATHS, "target")


@examples(100)
@given(drawn.mutated(drawn.valid_syncs))
def test_syncs_are_checked_clearly(properties: dict[str, Any]) -> None:
    result = check(SYNCS, properties)
    assert_faults_are_clear(result, properties, SYNC_PATHS, "sync")
    if not result.failures and not drawn.holds_unknown(properties):
        outs = sync_properties.outputs(result.inputs, Delivery("msg_1", "now"), Ownership())
        if "signingSecret" in outs:
            outs["signingSecret"] = outs["signingSecret"]["value"]
        assert not SYNCS.diff("1", outs, result.inputs).changes


@examples(40)
@given(st.lists(drawn.junk, min_size=1, max_size=10), st.data())
def test_nothing_but_junk(values: list[Any], data: st.DataObject) -> None:
    for provider, schema, fields, kind in (
        (TARGETS, TARGET_PATHS, drawn.TARGET_FIELDS, "target"),
        (SYNCS, SYNC_PATHS, drawn.SYNC_FIELDS, "sync"),
    ):
        keys = data.draw(st.lists(drawn.unknown_keys | st.sampled_from(fields), min_size=len(values)))
        properties = dict(zip(keys, values, strict=False))
        assert_faults_are_clear(check(provider, properties), properties, schema, kind)


@examples(60)
@given(drawn.valid_targets(), st.data())
def test_an_unknown_is_not_a_fault_and_hides_none(properties: dict[str, Any], data: st.DataObject) -> None:
    """A fault elsewhere is still found, on the same path as if everything were known."""
    assert not check(TARGETS, properties).failures
    every_place = [place for place in drawn.places(properties) if place]
    unknown = data.draw(st.lists(st.sampled_from(every_place), min_size=1, max_size=3))
    event_types = [*properties["eventTypes"], ""]
    wrong = {**properties, "eventTypes": event_types, "name": ""}
    for place in sorted(unknown, key=len, reverse=True):
        properties = drawn.replaced(properties, place, Unknown())
        wrong = drawn.replaced(wrong, place, Unknown())
    result = check(TARGETS, properties)
    assert not result.failures
    changes = TARGETS.diff(new_id(), {"status": "VERIFIED"}, result.inputs)
    assert changes.changes
    expected = set()
    if ("name",) not in unknown:
        expected.add("name")
    if ("eventTypes",) not in unknown:
        expected.add(f"eventTypes[{len(event_types) - 1}]")
    assert {failure.property for failure in check(TARGETS, wrong).failures or ()} == expected


def without_marks(value: Any) -> Any:
    if isinstance(value, dict):
        if value.keys() == {*SECRET_MARK, "value"}:
            return without_marks(value["value"])
        return {name: without_marks(inner) for name, inner in value.items()}
    return [without_marks(inner) for inner in value] if isinstance(value, list) else value


def assert_accepted(client: GenesysClient, inputs: dict[str, Any]) -> None:
    """Checks that the API accepts and returns the target, and that neither a diff nor a refresh finds a change."""
    body = target_rules.config_from(inputs).payload()
    target = Target.read(client.create_target(body))
    COUNTS["targets that the API accepted"] += 1
    try:
        outs = without_marks(target_properties.outputs(inputs, target, revision=1)) | {"status": "VERIFIED"}
        assert not TARGETS.diff(target.id, outs, inputs).changes
        read = Target.read(client.get_target(target.id))
        assert without_marks(
            target_properties.inputs_read(outs, read, owner=read.owner, api_url=inputs["apiUrl"])
        ) == own(inputs)
        client.update_target(target.id, body)
    finally:
        client.delete_target(target.id)


@examples(60)
@given(drawn.valid_targets())
def test_a_valid_target_is_accepted(client: GenesysClient, properties: dict[str, Any]) -> None:
    result = check(TARGETS, properties)
    assert not result.failures, [(failure.property, failure.reason) for failure in result.failures]
    assert_accepted(client, result.inputs)


@examples(75, 1500)
@given(drawn.mutated(drawn.valid_targets()))
def test_what_passes_the_check_is_accepted(client: GenesysClient, properties: dict[str, Any]) -> None:
    result = check(TARGETS, properties)
    hypothesis.assume(not result.failures and not drawn.holds_unknown(properties))
    assert_accepted(client, result.inputs)


@examples(3)
@given(
    st.lists(drawn.valid_targets(), min_size=20, max_size=20, unique_by=lambda properties: properties["name"])
)
def test_each_accepted_target_gets_a_final_status(
    client: GenesysClient, targets: list[dict[str, Any]]
) -> None:
    """However odd the URL, headers or credentials, none stays pending, and none breaks the verification."""
    ids = [
        client.create_target(target_rules.config_from(check(TARGETS, properties).inputs).payload())["id"]
        for properties in targets
    ]
    try:
        eventually(lambda: {client.get_verification(each)["status"] for each in ids} <= FINAL_STATUSES)
    finally:
        for each in ids:
            client.delete_target(each)


@examples(60)
@given(drawn.valid_targets(), st.randoms(use_true_random=False))
def test_the_order_of_events_and_the_case_of_headers_are_not_a_change(
    properties: dict[str, Any], random: Any
) -> None:
    inputs = check(TARGETS, properties).inputs
    other = {**inputs, "eventTypes": random.sample(inputs["eventTypes"], len(inputs["eventTypes"]))}
    if "headers" in inputs:
        changed = [
            (random.choice([str.upper, str.lower])(name), inputs["headers"][name])
            for name in inputs["headers"]
        ]
        other["headers"] = dict(random.sample(changed, len(changed)))
    assert not TARGETS.diff(new_id(), {**inputs, "status": "VERIFIED"}, other).changes


# Limits: a value at each limit, and one beyond it.


def target(**fields: Any) -> dict[str, Any]:
    return {"name": "n", "endpointUrl": "https://localhost/", "eventTypes": ["A"], **fields}


def body_of(size: int, field: str) -> dict[str, Any]:
    """A target whose request body has this many bytes, most of them in one field."""

    def made(filling: str) -> dict[str, Any]:
        filled = {
            "endpointUrl": f"https://localhost/{filling}",
            "eventTypes": ["A" + filling],
            "headers": {"X": filling},
            "owner": "o" + filling,
        }
        return check(TARGETS, target(**{field: filled[field]})).inputs

    empty = len(json.dumps(target_rules.config_from(made("x")).payload()).encode())
    return made("x" * (size - empty + 1))


@pytest.mark.parametrize(
    ("at_bound", "over", "path"),
    [
        (target(name="\N{GRINNING FACE}" * 100), target(name="\N{GRINNING FACE}" * 101), "name"),
        (
            target(retryPolicy={"maxRetries": 0}),
            target(retryPolicy={"maxRetries": -1}),
            "retryPolicy.maxRetries",
        ),
        (
            target(retryPolicy={"maxRetries": 10}),
            target(retryPolicy={"maxRetries": 11}),
            "retryPolicy.maxRetries",
        ),
        *(
            (
                target(retryPolicy={"initialDelaySeconds": good}),
                target(retryPolicy={"initialDelaySeconds": bad}),
                "retryPolicy.initialDelaySeconds",
            )
            for good, bad in ((1, 0), (30, 31), (2.0, 2.5))
        ),
        (target(verificationTimeout=86400), target(verificationTimeout=86400.5), "verificationTimeout"),
        (target(verificationTimeout=1e-9), target(verificationTimeout=0), "verificationTimeout"),
        (target(endpointUrl="https://h:65535/"), target(endpointUrl="https://h:65536/"), "endpointUrl"),
        (target(endpointUrl="https://h:1/"), target(endpointUrl="https://h:0/"), "endpointUrl"),
        (target(eventTypes=["A"]), target(eventTypes=[]), "eventTypes"),
        (
            target(authType="JWT"),
            target(authType="BASIC", authConfig={"username": "u"}),
            "authConfig.password",
        ),
    ],
)
def test_each_limit(client: GenesysClient, at_bound: dict[str, Any], over: dict[str, Any], path: str) -> None:
    result = check(TARGETS, at_bound)
    assert not result.failures
    assert_accepted(client, result.inputs)
    assert [failure.property for failure in check(TARGETS, over).failures] == [path]


@pytest.mark.parametrize("field", ["eventTypes", "headers", "owner"])
def test_a_body_that_is_too_large_for_the_api_is_a_fault(client: GenesysClient, field: str) -> None:
    at_bound = body_of(512_000, field)
    assert not check(TARGETS, at_bound).failures
    assert_accepted(client, at_bound)
    (failure,) = check(TARGETS, body_of(512_001, field)).failures
    assert failure.property == field
    assert "512000 bytes" in failure.reason


def test_a_missing_property_has_its_path() -> None:
    nothing = check(TARGETS, {"authType": "BASIC"})
    assert {failure.property for failure in nothing.failures} == {
        *("name", "endpointUrl", "eventTypes", "authConfig.username", "authConfig.password")
    }


@pytest.mark.parametrize(
    "host",
    [
        "1.2.3.999",
        "1.2.3",
        "a..b",
        ".",
        "a" * 64 + ".com",
        "a." * 127 + "com",
        "%zz",
        "a%41",
        "☃",
        "ü" * 60,
        "[::1",
        "[1.2.3.4]",
        "[::g]",
        "[v1.x]",
        "[::1]a",
        "a[::1]",
        "[::1]]",
        "a.xn--a",
        "a,b",
        "$(x)",
        "a\\b",
    ],
)
def test_an_invalid_host(host: str) -> None:
    url = f"https://{host}/"
    (failure,) = check(TARGETS, target(endpointUrl=url)).failures
    assert (failure.property, "URL" in failure.reason) == ("endpointUrl", True)
    failures = check(SYNCS, {"targetId": "t", "revision": 1, "webhookUrl": url}).failures
    assert [failure.property for failure in failures] == ["webhookUrl"]


# Secrets of an imported target, which the API does not return.


@pytest.mark.parametrize(
    ("news", "paths"),
    [
        ({"authType": "BASIC", "authConfig": {"username": "u"}}, []),
        # A secret that is given is checked.
        ({"authType": "BASIC", "authConfig": {"username": "u", "password": ""}}, ["authConfig.password"]),
        # With a different authentication, the missing secret is not due to the import.
        (
            {"authType": "OAUTH2", "authConfig": {"clientId": "i", "tokenUrl": "https://localhost/"}},
            ["authConfig.clientSecret"],
        ),
    ],
)
def test_only_a_secret_that_is_missing_due_to_an_import_is_tolerated(
    news: dict[str, Any], paths: list[str]
) -> None:
    imported = {**target(authType="BASIC", authConfig={"username": "u"}), "healthCheck": False}
    result = TARGETS.check(imported, target(**news))
    assert [failure.property for failure in result.failures] == paths


# Through the host, like requests of the engine.


@examples(60)
@given(drawn.mutated(drawn.valid_targets()))
def test_the_host_answers_every_check_and_diff(properties: dict[str, Any]) -> None:
    try:
        json.dumps(list(drawn.places(properties)), default=str, ensure_ascii=False).encode()
        news = _serialize(properties, serialize_provider(TARGETS))
        rpc.deserialize_properties(news, keep_unknowns=True)
    except (UnicodeEncodeError, OverflowError, ValueError, KeyError, AssertionError):
        hypothesis.reject()  # The engine's protocol can't represent it.
    servicer = Servicer(_NoEngine(), _NoEvent())  # type: ignore[arg-type]
    answer = servicer.Check(provider_pb2.CheckRequest(urn="urn:a", news=news), _NoContext())
    if not answer.failures:
        assert answer.inputs[PROVIDER_KEY]
        diff = servicer.Diff(
            provider_pb2.DiffRequest(urn="urn:a", id=new_id(), olds=answer.inputs, news=answer.inputs),
            _NoContext(),
        )
        assert list(diff.detailedDiff) == ["status"] or drawn.holds_unknown(properties)


class _NoEngine:
    def show_status(self, _urn: str, _message: str) -> None: ...

    def warn(self, _urn: str, _message: str) -> None: ...


class _NoEvent:
    def is_set(self) -> bool:
        return False


class _NoContext:
    def abort_with_status(self, status: Any) -> None:
        raise AssertionError(status)
