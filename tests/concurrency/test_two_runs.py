"""Two runs of one stack: Pulumi's lock holds on every backend, and the stack recovers from a run that died."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from tests.support.cloud import TARGETS
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from tests.support.cloud import Cloud
    from tests.support.declared import Declared
    from tests.support.engine import Stack
    from tests.support.process import Running


BACKENDS = ["file", "postgres"]


@pytest.fixture
def backend(request: pytest.FixtureRequest) -> dict[str, str]:
    """The environment that selects this backend."""
    if request.param == "file":
        return {}
    return {"PULUMI_BACKEND_URL": request.getfixturevalue("postgres")}


@pytest.fixture
def stack(backend: dict[str, str], declared: Declared) -> Stack:
    # The database outlives the test, so each test has its own project.
    return declared.stack(declared.targets(["orders"]), env=backend, name=f"house-{uuid4().hex[:8]}")


def start_up_held_in_post(stack: Stack, cloud: Cloud) -> Running:
    """A run of `up` whose POST is held."""
    match = {"method": "POST", "path": TARGETS}
    cloud.control("faults", match=match, action="delay", seconds=60, times=1)
    running = stack.start("up", "--yes", "--skip-preview")
    eventually(lambda: cloud.control("held", "GET"))
    return running


def assert_agreed(stack: Stack, cloud: Cloud) -> None:
    cloud.requests()
    (target,) = cloud.targets().values()
    assert target["status"] == "VERIFIED"
    assert stack.resources()["orders"]["id"] == target["id"]


@pytest.mark.full_length
@pytest.mark.parametrize("backend", ["file", "postgres"], indirect=True)
def test_the_second_run_is_refused(stack: Stack, cloud: Cloud) -> None:
    first = start_up_held_in_post(stack, cloud)
    cloud.requests()
    second = stack.up()
    assert second.code != 0
    assert "locked by 1 lock" in second.output, second.output
    assert f"pid {first.pid}" in second.output
    assert cloud.requests() == []
    cloud.control("held", "DELETE")
    result = first.wait()
    assert result.code == 0, result.output
    assert_agreed(stack, cloud)


# The kill points of `tests/torture` cover this for a file backend.
@pytest.mark.full_length
@pytest.mark.parametrize("backend", ["postgres"], indirect=True)
def test_a_run_that_dies_leaves_a_lock_and_no_duplicate(stack: Stack, cloud: Cloud) -> None:
    first = start_up_held_in_post(stack, cloud)
    first.kill()
    first.wait()
    cloud.control("held", "DELETE")
    assert "locked by 1 lock" in stack.destroy().output
    stack.must("cancel", "--yes")
    recovered = stack.up()
    assert recovered.code == 0, recovered.output
    assert_agreed(stack, cloud)
