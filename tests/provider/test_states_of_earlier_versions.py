"""States of the first version must keep working, under any host and wherever the code moves."""

from __future__ import annotations

import base64
import pickle
import sys
import types
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

import dill
import pytest
from pulumi.dynamic import ResourceProvider
from pulumi.dynamic.dynamic import serialize_provider

from genesys_provider.resources.sync_provider import GatewaySyncProvider
from genesys_provider.resources.target_provider import EventBridgeTargetProvider

if TYPE_CHECKING:
    from tests.support.cloud import Cloud
    from tests.support.declared import Declared

TARGET = "pulumi-python:dynamic/genesys:EventBridgeTarget"
SYNC = "pulumi-python:dynamic/genesys:GatewaySync"
PROVIDERS = {TARGET: EventBridgeTargetProvider, SYNC: GatewaySyncProvider}
IN_STATES = {
    TARGET: "gASVTwAAAAAAAACMKmdlbmVzeXNfcHJvdmlkZXIucmVzb3VyY2VzLnRhcmdldF9wcm92aWRlcp"
    "SMGUV2ZW50QnJpZGdlVGFyZ2V0UHJvdmlkZXKUk5QpgZQu",
    SYNC: "gASVRwAAAAAAAACMKGdlbmVzeXNfcHJvdmlkZXIucmVzb3VyY2VzLnN5bmNfcHJvdmlkZXKUjBNH"
    "YXRld2F5U3luY1Byb3ZpZGVylJOUKYGULg==",
}
"""`__provider` as version 0.1.0 writes it; the stock host can't load anything else."""


@pytest.mark.parametrize("type_token", PROVIDERS)
def test_a_provider_is_found_where_old_states_refer_to_it(type_token: str) -> None:
    written = base64.b64decode(IN_STATES[type_token])
    assert type(dill.loads(written)) is PROVIDERS[type_token]  # noqa: S301
    assert serialize_provider(PROVIDERS[type_token]()) == IN_STATES[type_token]


@pytest.mark.parametrize("type_token", PROVIDERS)
def test_a_provider_is_found_by_the_type(type_token: str) -> None:
    (found,) = entry_points(group="pulumi.dynamic.providers", name=type_token)
    assert found.load() is PROVIDERS[type_token]


def pickled_elsewhere(monkeypatch: pytest.MonkeyPatch) -> str:
    """`__provider` of a class in a module of ours that this version lacks; dill would pickle it by value."""
    module = types.ModuleType("genesys_provider.resources.formerly")
    moved = type("FormerProvider", (ResourceProvider,), {"__module__": module.__name__})
    module.FormerProvider = moved  # type: ignore[attr-defined]
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, module.__name__, module)
        written = pickle.dumps(moved(), protocol=4)
    with pytest.raises(ModuleNotFoundError):
        dill.loads(written)  # noqa: S301
    return base64.b64encode(written).decode()


@pytest.mark.full_length
def test_a_state_of_a_version_with_other_modules(
    declared: Declared, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    def program(**arguments: str) -> str:
        return declared.program(declared.target("orders", **arguments), declared.sync("orders"))

    stack = declared.stack(program())
    stack.must("up", "--yes", "--skip-preview")
    state = stack.must("stack", "export").output
    for each in IN_STATES.values():
        assert each in state
        state = state.replace(each, pickled_elsewhere(monkeypatch))
    stack.write("state.json", state)
    stack.must("stack", "import", "--file", "state.json")

    for command in (("refresh", "--yes", "--skip-preview"), ("preview",)):
        assert "3 unchanged" in stack.must(*command).output
    stack.must("stack", "import", "--file", "state.json")
    stack.program(program(retry_policy="RetryPolicy(7)"))
    updated = stack.up()
    assert updated.code == 0, updated.output
    assert len(cloud.received()["syncs"]) == 2
    stack.must("stack", "import", "--file", "state.json")
    destroyed = stack.destroy()
    assert destroyed.code == 0, destroyed.output
    cloud.requests()
    assert cloud.targets() == {}, destroyed.output


def test_a_sync_is_not_imported(declared: Declared) -> None:
    stack = declared.stack(declared.program(declared.target("orders")))
    result = stack.import_(SYNC, "told", "msg_1")
    assert result.code != 0
    assert "a GatewaySync can't be imported (msg_1)" in result.output
    assert "Traceback" not in result.output
