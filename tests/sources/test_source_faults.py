"""Whichever request in the life of a source fails, a second run ends as if nothing had happened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from genesys_provider.client.errors import GenesysError
from genesys_provider.common.ownership import Owner
from genesys_provider.sources.errors import NotActive
from tests.sources.quick import HASTE, OWNER, ROUTING, config, current, the_one, there

if TYPE_CHECKING:
    from collections.abc import Callable

    from genesys_provider import SourceManager
    from tests.support.cloud import Cloud

T = TypeVar("T")
FAULTS: tuple[dict[str, Any], ...] = (
    {"action": "drop_before"},
    {"action": "drop_after"},
    {"action": "malformed"},
    {"action": "status", "status": 500},
    {"action": "status", "status": 429, "headers": {"Retry-After": "1"}},
    {"action": "status", "status": 403},
    {"action": "status", "status": 408},
)
LIFE = 24
"""More requests than this life cycle has, so that the last numbers meet no fault."""


def again(work: Callable[[], T]) -> T:
    """Runs the work, and once more if it fails, like a user repeats an `up`."""
    try:
        return work()
    except GenesysError:
        return work()


def registered(manager: SourceManager) -> str:
    """Registers the source and returns its id; a tracked source is updated instead, like a stack does it."""
    try:
        return again(lambda: _tracked(manager))
    except NotActive as error:
        return manager.update(error.source.id, config()).source.id


def _tracked(manager: SourceManager) -> str:
    try:
        return manager.register(config()).source.id
    except NotActive as error:
        return manager.update(error.source.id, config()).source.id


def met(cloud: Cloud, number: int, fault: dict[str, Any]) -> None:
    """Lets the request with this number fail."""
    match = {"path": "/api/*"}
    if number:
        cloud.control("faults", match=match, action="delay", times=number)
    cloud.control("faults", match=match, times=1, **fault)


def lead(cloud: Cloud, manager: SourceManager) -> None:
    source_id = registered(manager)
    changed = again(lambda: manager.update(source_id, config(topics=[ROUTING], notes="new"))).source
    assert (changed.status, changed.topics, changed.notes) == ("ACTIVE", [ROUTING], "new")
    assert (
        again(lambda: manager.update(source_id, config(notes="new", enabled=False))).source.status
        == "INACTIVE"
    )
    got = again(lambda: manager.get(source_id))
    assert got
    cloud.control("faults", "DELETE")
    # A single source, in its desired state.
    assert (the_one(cloud)["id"], the_one(cloud)["intendedState"]) == (source_id, "DISABLED")
    assert current(cloud)["notes"] == f"new\nPulumi: {OWNER}"
    assert got.visible == config(notes="new").visible
    assert manager.delete(source_id, owner=Owner(OWNER)) is None
    assert there(cloud) == []


@pytest.mark.parametrize(
    "fault", FAULTS, ids=lambda fault: f"{fault['action']} {fault.get('status', '')}".strip()
)
@pytest.mark.parametrize("number", [2, 8])
def test_one_failing_request(
    cloud: Cloud, manager: SourceManager, number: int, fault: dict[str, Any]
) -> None:
    met(cloud, number, fault)
    lead(cloud, manager)


@pytest.mark.full_length
@pytest.mark.parametrize("lag", [0, 5])
@pytest.mark.parametrize(
    "fault", FAULTS, ids=lambda fault: f"{fault['action']} {fault.get('status', '')}".strip()
)
@pytest.mark.parametrize("number", range(LIFE))
def test_any_failing_request(
    cloud: Cloud, manager: SourceManager, number: int, fault: dict[str, Any], lag: float
) -> None:
    cloud.set_behaviour(readLagSeconds=lag / HASTE)
    met(cloud, number, fault)
    lead(cloud, manager)


@pytest.mark.full_length
def test_a_delete_with_a_failing_request(cloud: Cloud, manager: SourceManager) -> None:
    for fault in FAULTS:
        for number in range(4):
            source_id = manager.register(config(enabled=False)).source.id
            met(cloud, number, fault)
            assert again(lambda: manager.delete(source_id, owner=Owner(OWNER))) is None  # noqa: B023
            cloud.control("faults", "DELETE")
            assert there(cloud) == []
