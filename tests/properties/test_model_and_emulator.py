"""The client's model and the emulator share no code, and refuse the same properties of a target.

The bodies are near every boundary of every rule. The two only differ on purpose:

- A user may leave out what has a default, but a request may not. So the emulator gets the body with the defaults.
  Without them, it refuses at least what was left out.
- To the model, an unknown property is a fault, since it is most likely a misspelling; the API ignores it [C].

The emulator accepts each request that the client sends for a body that the model accepts.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from genesys_provider.client.redaction import OWNER_HEADER
from genesys_provider.common.faults import faults_of
from genesys_provider.emulator.bodies import MAX_BODY_BYTES, checked_config
from genesys_provider.emulator.judge import broken_rules_of
from genesys_provider.targets.models import TargetConfig
from tests.support import boundary_strategies as near
from tests.support import property_strategies as drawn
from tests.support.boundary_strategies import DEFAULTS, POLICY, VALID
from tests.support.thoroughness import COUNTED, LIMIT, examples

pytestmark = pytest.mark.timeout(LIMIT)

COUNTS = COUNTED["model and emulator"]


def model_faults(body: dict[str, Any]) -> set[str]:
    """The properties that the model refuses."""
    try:
        TargetConfig.model_validate(body, by_alias=True, by_name=False)
    except ValidationError as error:
        return {fault.path for fault in faults_of(error)}
    return set()


def emulator_faults(body: dict[str, Any]) -> set[str]:
    """The properties that the emulator refuses; it can store what it accepts."""
    rules = broken_rules_of(body)
    found = {rule.property for rule in rules}
    assert len(found) == len(rules)
    if not found:
        assert checked_config(body).keys() == VALID.keys()
    return found


def without_unknown_fields(body: dict[str, Any]) -> dict[str, Any]:
    """The body without properties that the API does not have."""
    known = {name: body[name] for name in near.fields if name in body}
    for name, inner in (("authConfig", drawn.AUTH_FIELDS), ("retryPolicy", drawn.POLICY_FIELDS)):
        if isinstance(given := known.get(name), dict):
            known[name] = {field: given[field] for field in inner if field in given}
    return known


def with_defaults(body: dict[str, Any]) -> tuple[dict[str, Any], set[str]]:
    """The body with defaults for what was left out, and the paths of those."""
    whole = {**DEFAULTS, **body}
    left_out = DEFAULTS.keys() - body.keys() - {"headers"}
    if isinstance(policy := whole["retryPolicy"], dict):
        if "retryPolicy" not in left_out:
            left_out |= {f"retryPolicy.{name}" for name in POLICY.keys() - policy.keys()}
        whole["retryPolicy"] = {**POLICY, **policy}
    return whole, left_out


@examples(300, 8_000)
@given(near.bodies())
@example({**VALID, "authType": [], "headers": {"Authorization": ""}})
def test_both_refuse_the_same(body: dict[str, Any]) -> None:
    known = without_unknown_fields(body)
    whole, left_out = with_defaults(known)
    refused = model_faults(known)
    COUNTS["bodies"] += 1
    COUNTS["refused"] += bool(refused)
    COUNTS["faults"] += len(refused)
    assert emulator_faults(whole) == refused
    # A request must not leave anything out.
    assert emulator_faults(known) >= left_out
    assert emulator_faults(body) == emulator_faults(known)
    # To the model, unknown properties are faults.
    if known != body:
        COUNTS["with unknown properties"] += 1
        assert model_faults(body) - refused


@examples(100, 4_000)
@given(near.bodies(), drawn.texts())
def test_the_emulator_accepts_the_requests_for_what_the_model_accepts(
    body: dict[str, Any], owner: str
) -> None:
    for given_body in (body, {**body, "owner": owner}):
        try:
            config = TargetConfig.model_validate(given_body, by_alias=True, by_name=False)
        except ValidationError:
            continue
        sent = config.payload()
        COUNTS["requests"] += 1
        assert not emulator_faults(sent)
        assert TargetConfig.model_validate(sent, by_alias=True, by_name=False).payload() == sent
        assert (OWNER_HEADER in sent["headers"]) == ("owner" in given_body)


def with_url(url: str, *, of_tokens: bool) -> dict[str, Any]:
    if not of_tokens:
        return {**VALID, "endpointUrl": url}
    return {
        **VALID,
        "authType": "OAUTH2",
        "authConfig": {"clientId": "i", "clientSecret": "s", "tokenUrl": url},
    }


@examples(150, 20_000)
@given(near.urls, st.booleans())
def test_both_refuse_the_same_urls(url: str, of_tokens: bool) -> None:
    body = with_url(url, of_tokens=of_tokens)
    COUNTS["URLs"] += 1
    assert emulator_faults(body) == model_faults(body)


def test_both_refuse_the_same_parts_of_urls() -> None:
    longest = "https://localhost/".ljust(65_536, "x")
    parted = {
        longest,
        longest + "x",
        *(f"{scheme}{host}/" for scheme in ("https://", "http://") for host in near.HOSTS),
        *(f"{scheme}localhost{path}" for scheme in near.SCHEMES for path in near.PATHS),
        *(f"https://{host}{port}/" for host in ("a", "[::1]", "") for port in near.PORTS),
    }
    bodies = [with_url(url, of_tokens=of_tokens) for url in parted for of_tokens in (False, True)]
    judged = [(emulator_faults(body), model_faults(body), body) for body in bodies]
    assert [each for each in judged if each[0] != each[1]] == []
    assert any(not faults for faults, _, _ in judged)


@examples(150, 10_000)
@given(near.header_names, near.header_values, st.sampled_from(["NONE", "BASIC", "JWT", "odd"]))
def test_both_refuse_the_same_headers(name: str, value: Any, auth_type: str) -> None:
    auth = {"username": "u", "password": "p"}
    body = {**VALID, "authType": auth_type, "authConfig": auth, "headers": {name: value}}
    COUNTS["headers"] += 1
    assert emulator_faults(body) == model_faults(body)


@pytest.mark.parametrize("size", [MAX_BODY_BYTES - 1, MAX_BODY_BYTES, MAX_BODY_BYTES + 1])
@pytest.mark.parametrize("filling", ["x", "ü", "\N{GRINNING FACE}", '"', "\\", "\u2028"])
def test_both_refuse_the_same_size(size: int, filling: str) -> None:
    """The emulator counts the bytes it receives, and the model those that the client would send."""

    def sent(body: dict[str, Any]) -> bytes:
        return json.dumps(body, ensure_ascii=False).encode()

    many = {**VALID, "authConfig": {"username": ""}}
    room = size - len(sent(many))
    each = len(sent({"": filling})) - len(sent({"": ""}))
    many["authConfig"] = {"username": filling * (room // each) + "x" * (room % each)}
    assert len(sent(many)) == size
    assert bool(model_faults(many)) == (size > MAX_BODY_BYTES)
    assert not emulator_faults(many), "the size is judged before the body is read"
