"""The marks of secrets: removed for a provider, and restored where the engine would set them."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict, ParseDict
from pulumi.runtime.proto import provider_pb2
from pulumi.runtime.rpc import UNKNOWN, wrap_rpc_secret

from genesys_provider.host.secrets import Marks


def request(kind: str, **bags: dict[str, Any]) -> Any:
    return ParseDict(bags, getattr(provider_pb2, f"{kind}Request")())


MARKED = {
    "url": wrap_rpc_secret("https://a.example/canary"),
    "headers": {"X-Key": wrap_rpc_secret("canary-key"), "X-Plain": "plain"},
    "list": ["plain", wrap_rpc_secret("canary-item")],
    "whole": wrap_rpc_secret({"inside": ["canary-inside", 7.0, None]}),
    "unknown": wrap_rpc_secret(UNKNOWN),
    "number": 3.0,
}
PLAIN = {
    "url": "https://a.example/canary",
    "headers": {"X-Key": "canary-key", "X-Plain": "plain"},
    "list": ["plain", "canary-item"],
    "whole": {"inside": ["canary-inside", 7.0, None]},
    "unknown": UNKNOWN,
    "number": 3.0,
}


def test_a_provider_gets_no_marks() -> None:
    asked = request("Create", properties=MARKED)
    assert MessageToDict(Marks(asked).taken_off().properties) == PLAIN
    assert MessageToDict(asked.properties) == MARKED


def test_every_secret_text_is_registered() -> None:
    asked = request("Update", news=MARKED, olds={"url": wrap_rpc_secret("canary-old")})
    assert Marks(asked).texts() == {
        "https://a.example/canary",
        "canary-key",
        "canary-item",
        "canary-inside",
        "canary-old",
    }


def test_an_answer_has_the_secret_marks_of_the_request() -> None:
    answer = ParseDict({"properties": {**PLAIN, "more": "x"}}, provider_pb2.UpdateResponse())
    Marks(request("Update", news=MARKED)).put_back(answer)
    # A list that contains a secret is secret as a whole.
    marked = {**MARKED, "list": wrap_rpc_secret(["plain", "canary-item"]), "more": "x"}
    assert MessageToDict(answer.properties) == marked
    Marks(request("Update", news=MARKED)).put_back(answer)
    assert MessageToDict(answer.properties) == marked


def test_a_read_has_the_secret_marks_of_its_own_inputs_and_state() -> None:
    answer = ParseDict(
        {"properties": {"a": "1", "b": "2"}, "inputs": {"a": "1"}}, provider_pb2.ReadResponse()
    )
    asked = request(
        "Read", properties={"a": "0", "b": wrap_rpc_secret("2")}, inputs={"a": wrap_rpc_secret("0")}
    )
    Marks(asked).put_back(answer)
    assert MessageToDict(answer.properties) == {"a": "1", "b": wrap_rpc_secret("2")}
    assert MessageToDict(answer.inputs) == {"a": wrap_rpc_secret("1")}


@pytest.mark.parametrize(
    ("old", "found"),
    [
        (PLAIN, {("url",), ("headers", "X-Key"), ("list",), ("whole",), ("unknown",)}),
        (MARKED, {("list",)}),
        ({**MARKED, "list": wrap_rpc_secret([])}, set()),
        ({"headers": {}}, set()),
        ({"headers": wrap_rpc_secret({"X-Key": "canary-key"})}, set()),
    ],
)
def test_a_value_that_becomes_a_secret(old: dict[str, Any], found: set[tuple[str, ...]]) -> None:
    assert set(Marks(request("Diff", olds=old, news=MARKED)).new()) == found
    assert Marks(request("Create", properties=MARKED)).new() == ()
