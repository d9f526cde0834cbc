"""The tree of errors matches the drawing in its docstring, and each error tells what to do next."""

from __future__ import annotations

import json
import re
from importlib import import_module
from pkgutil import iter_modules

import httpx
import pytest

import genesys_provider.client
import genesys_provider.sources
import genesys_provider.targets
from genesys_provider.client import errors
from genesys_provider.client.answers import Call, read
from genesys_provider.client.errors import ApiError, GenesysError
from genesys_provider.client.settings import Settings
from genesys_provider.client.transport import Answer
from genesys_provider.common.errors import Invalid
from genesys_provider.common.faults import Fault
from genesys_provider.sources.errors import NotActive
from genesys_provider.sources.models import Source
from genesys_provider.targets.errors import NotVerified, SyncFailed
from genesys_provider.targets.models import Target

for package in (genesys_provider.client, genesys_provider.sources, genesys_provider.targets):
    for found in iter_modules(package.__path__, package.__name__ + "."):
        import_module(found.name)


def real_tree(kind: type[GenesysError]) -> dict[str, str]:
    """The parent of each class."""
    children = [child for child in kind.__subclasses__() if child.__module__.startswith("genesys_provider")]
    tree = {child.__name__: kind.__name__ for child in children}
    for child in children:
        tree |= real_tree(child)
    return tree


def drawn_tree(text: str) -> dict[str, str]:
    """The same, from the drawing; a branch in parentheses is not a class."""
    tree: dict[str, str] = {}
    path: list[str] = []
    for line in text.splitlines():
        if not (match := re.match(r" {4}((?:[│ ] {3})*)(?:([├└])── )?(\w+|\(.*\))", line)):
            continue
        depth = len(match[1]) // 4 + (1 if match[2] else 0)
        if not match[2] and match[3] != "GenesysError":
            continue
        path[depth:] = [path[0] if match[3].startswith("(") else match[3]]
        if depth and not match[3].startswith("("):
            tree[match[3]] = path[depth - 1]
    return tree


def test_the_drawing_matches_the_tree() -> None:
    assert drawn_tree(errors.__doc__ or "") == real_tree(GenesysError)


API_ERRORS = [400, 401, 403, 404, 409, 429, 500, 503, 418, 413]


@pytest.mark.parametrize("status", API_ERRORS)
def test_an_api_error_has_the_cause_the_next_step_and_the_correlation_id(status: int) -> None:
    body = json.dumps({"status": status, "message": "no"}).encode()
    answer = Answer(status, "", httpx.Headers({"ININ-Correlation-Id": "corr-1"}), body)
    with pytest.raises(ApiError) as caught:
        read(Call("GET", "/x"), answer, Settings("id", "secret"))
    error = caught.value
    assert str(error).startswith(f"GET /x: no (HTTP {status}, correlation id corr-1). ")
    assert error.hint
    assert str(error).endswith(error.hint)


@pytest.mark.parametrize("words", ["no such account", "no such account."])
def test_a_sentence_of_the_service_gets_no_second_full_stop(words: str) -> None:
    assert str(GenesysError(f"is ERROR: {words}", hint="Look")) == "is ERROR: no such account. Look"
    assert str(ApiError(words, status=401, hint="Look")) == "no such account (HTTP 401). Look"


def all_kinds(kind: type[GenesysError] = GenesysError) -> list[type[GenesysError]]:
    return [kind, *(each for child in kind.__subclasses__() for each in all_kinds(child))]


INSIDE = {
    "GenesysError",
    "ActivationUnknown",
    "NoVerdict",
    "NotActive",
    "NotVerified",
    "Unfinished",
    "VerificationUnknown",
    "NameTaken",
    "OwnedByAnother",
    "ReplacementRefused",
}
"""Base classes, internal errors, and errors whose hint depends on the case."""


@pytest.mark.parametrize("kind", [kind for kind in all_kinds() if kind.__name__ not in INSIDE])
def test_each_kind_has_a_hint(kind: type[GenesysError]) -> None:
    assert kind.hint
    assert not kind.hint.endswith(".")


def test_errors_without_a_hint_tell_what_to_do() -> None:
    target = Target(id="id-1", name="orders", endpoint_url="https://a.example", status="FAILED")
    for kind in NotVerified.__subclasses__():
        assert kind("what happened", target, hint="next").target is target
        assert str(kind("what happened", target, hint="next")) == "what happened. next"
    source = Source(id="id-2")
    for failure in NotActive.__subclasses__():
        assert failure("what happened", source, hint="next").source is source
        assert str(failure("what happened", source, hint="next")) == "what happened. next"
    faults = Invalid("target 'orders'", [Fault("a.b", "is required"), Fault("c", "must be a number")])
    assert "a.b is required; c must be a number" in str(faults)
    assert "its certificate" in str(SyncFailed("no"))
