"""A provider whose code has moved: the state names a module or a class that no longer exists."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.host.house_project import HOUSE, program

if TYPE_CHECKING:
    from tests.host.house_project import House
    from tests.support.engine import Stack


@pytest.fixture(params=["no module", pytest.param("no class", marks=pytest.mark.full_length)])
def stack(house: House, installed: dict[str, str], request: pytest.FixtureRequest) -> Stack:
    """A stack with `a` and `b`, created when the class was in the module `formerly`."""
    stack = house.stack("Thing('a', size=1)", env=installed)
    stack.write("formerly.py", HOUSE.read_text())
    stack.program("from formerly import *\nThing('a', size=1)\nThing('b', size=1)\n")
    stack.must("up", "--yes", "--skip-preview")
    former = stack.directory / "formerly.py"
    if request.param == "no module":
        former.unlink()
    else:
        former.write_text("")
    stack.program(program("Thing('a', size=1)", "Thing('b', size=1)"))
    return stack


def test_a_resource_of_a_moved_provider_is_refreshed_updated_and_destroyed(
    stack: Stack, house: House
) -> None:
    before = stack.resources()["a"]["outputs"]["__provider"]
    refreshed = stack.refresh()
    assert refreshed.code == 0, refreshed.output
    assert "3 unchanged" in refreshed.output
    assert len(house.calls("read")) == 2
    stack.program(program("Thing('a', size=2)"))
    updated = stack.up()
    assert updated.code == 0, updated.output
    assert "~ 1 updated" in updated.output
    assert "- 1 deleted" in updated.output
    assert len(house.calls("delete")) == 1
    # From now on the state names the current module.
    assert stack.resources()["a"]["outputs"]["__provider"] != before
    assert stack.destroy().code == 0
    assert stack.resources() == {}


@pytest.mark.full_length
def test_a_resource_of_a_moved_provider_is_destroyed_directly(stack: Stack, house: House) -> None:
    destroyed = stack.destroy()
    assert destroyed.code == 0, destroyed.output
    assert len(house.calls("delete")) == 2
    assert stack.resources() == {}
