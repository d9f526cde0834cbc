"""The client's model and the emulator's judge share no line, and refuse the same properties of a target.

They judge bodies near every border of every rule. Where they differ, it is on purpose:

- A user may leave out what has a default; the request may not. So the judge gets the body with the defaults in it;
  and of the body as it is, it refuses at least what was left out.
- A user's unknown property is a fault, most likely a misspelling; the API takes and ignores it [C].

What the model accepts, the judge accepts as the client sends it.
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
from tests.support import border_strategies as near
from tests.support import property_strategies as drawn
from tests.support.border_strategies import DEFAULTS, POLICY, RIGHT
from tests.support.bounded import COUNTED, LIMIT, examples

pytestmark = pytest.mark.timeout(LIMIT)

COUNTS = COUNTED["two judges"]


def models_faults(body: dict[str, Any]) -> set[str]:
    """The properties that the model refuses."""
    try:
        TargetConfig.model_validate(body, by_alias=True, by_name=False)
    except ValidationError as error:
        return {fault.path for fault in faults_of(error)}
    return set()


def judges_faults(body: dict[str, Any]) -> set[str]:
    """The properties that the emulator refuses; what it takes, it can keep."""
    rules = broken_rules_of(body)
    found = {rule.property for rule in rules}
    assert len(found) == len(rules)
    if not found:
        assert checked_config(body).keys() == RIGHT.keys()
    return found


def less_unknown(body: dict[str, Any]) -> dict[str, Any]:
    """The body without what the API does not know."""
    known = {name: body[name] for name in near.fields if name in body}
    for name, inner in (("authConfig", drawn.AUTH_FIELDS), ("retryPolicy", drawn.POLICY_FIELDS)):
        if isinstance(given := known.get(name), dict):
            known[name] = {field: given[field] for field in inner if field in given}
    return known


def with_defaults(body: dict[str, Any]) -> tuple[dict[str, Any], set[str]]:
    """The body with a default for what was left out, and the paths of that."""
    whole = {**DEFAULTS, **body}
    left_out = DEFAULTS.keys() - body.keys() - {"headers"}
    if isinstance(policy := whole["retryPolicy"], dict):
        if "retryPolicy" not in left_out:
            left_out |= {f"retryPolicy.{name}" for name in POLICY.keys() - policy.keys()}
        whole["retryPolicy"] = {**POLICY, **policy}
    return whole, left_out


@examples(600, 8_000)
@given(near.bodies())
@example({**RIGHT, "authType": [], "headers": {"Authorization": ""}})
def test_the_two_refuse_the_same(body: dict[str, Any]) -> None:
    known = less_unknown(body)
    whole, left_out = with_defaults(known)
    refused = models_faults(known)
    COUNTS["bodies"] += 1
    COUNTS["refused"] += bool(refused)
    COUNTS["faults"] += len(refused)
    assert judges_faults(whole) == refused
    # The request leaves nothing out.
    assert judges_faults(known) >= left_out
    assert judges_faults(body) == judges_faults(known)
    # The user knows all that he gives.
    if known != body:
        COUNTS["with unknown properties"] += 1
        assert models_faults(body) - refused


@examples(200, 4_000)
@given(near.bodies(), drawn.texts())
def test_what_the_model_takes_the_judge_takes_as_it_is_sent(body: dict[str, Any], owner: str) -> None:
    for given_body in (body, {**body, "owner": owner}):
        try:
            config = TargetConfig.model_validate(given_body, by_alias=True, by_name=False)
        except ValidationError:
            continue
        sent = config.payload()
        COUNTS["requests"] += 1
        assert not judges_faults(sent)
        assert TargetConfig.model_validate(sent, by_alias=True, by_name=False).payload() == sent
        assert (OWNER_HEADER in sent["headers"]) == ("owner" in given_body)


def with_url(url: str, *, of_tokens: bool) -> dict[str, Any]:
    if not of_tokens:
        return {**RIGHT, "endpointUrl": url}
    return {
        **RIGHT,
        "authType": "OAUTH2",
        "authConfig": {"clientId": "i", "clientSecret": "s", "tokenUrl": url},
    }


@examples(300, 20_000)
@given(near.urls, st.booleans())
def test_the_two_refuse_the_same_urls(url: str, of_tokens: bool) -> None:
    body = with_url(url, of_tokens=of_tokens)
    COUNTS["URLs"] += 1
    assert judges_faults(body) == models_faults(body)


def test_the_two_refuse_the_same_of_each_part_of_a_url() -> None:
    longest = "https://localhost/".ljust(65_536, "x")
    parted = {
        longest,
        longest + "x",
        *(f"{scheme}{host}/" for scheme in ("https://", "http://") for host in near.HOSTS),
        *(f"{scheme}localhost{path}" for scheme in near.SCHEMES for path in near.PATHS),
        *(f"https://{host}{port}/" for host in ("a", "[::1]", "") for port in near.PORTS),
    }
    bodies = [with_url(url, of_tokens=of_tokens) for url in parted for of_tokens in (False, True)]
    judged = [(judges_faults(body), models_faults(body), body) for body in bodies]
    assert [each for each in judged if each[0] != each[1]] == []
    assert any(not faults for faults, _, _ in judged)


@examples(300, 10_000)
@given(near.header_names, near.header_values, st.sampled_from(["NONE", "BASIC", "JWT", "odd"]))
def test_the_two_refuse_the_same_headers(name: str, value: Any, auth_type: str) -> None:
    auth = {"username": "u", "password": "p"}
    body = {**RIGHT, "authType": auth_type, "authConfig": auth, "headers": {name: value}}
    COUNTS["headers"] += 1
    assert judges_faults(body) == models_faults(body)


@pytest.mark.parametrize("size", [MAX_BODY_BYTES - 1, MAX_BODY_BYTES, MAX_BODY_BYTES + 1])
@pytest.mark.parametrize("filling", ["x", "ü", "\N{GRINNING FACE}", '"', "\\", "\u2028"])
def test_the_two_refuse_the_same_size(size: int, filling: str) -> None:
    """The emulator by the bytes that come, the model by those that the client would send."""

    def sent(body: dict[str, Any]) -> bytes:
        return json.dumps(body, ensure_ascii=False).encode()

    many = {**RIGHT, "authConfig": {"username": ""}}
    room = size - len(sent(many))
    each = len(sent({"": filling})) - len(sent({"": ""}))
    many["authConfig"] = {"username": filling * (room // each) + "x" * (room % each)}
    assert len(sent(many)) == size
    assert bool(models_faults(many)) == (size > MAX_BODY_BYTES)
    assert not judges_faults(many), "the size is judged before the body is read"
