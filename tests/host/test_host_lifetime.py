"""How the host ends: with its engine, and without losing resources."""

from __future__ import annotations

import os
import re
import time
from typing import TYPE_CHECKING

from tests.host.house_project import program
from tests.support.engine import alive
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from tests.host.house_project import House
    from tests.support.process import Result


def test_ctrl_c_saves_the_created_resources(house: House) -> None:
    stack = house.stack("for n in range(8): Thing(f't{n}', seconds=600)")
    running = stack.start("up", "--yes", "--skip-preview", "--parallel", "8")
    eventually(lambda: len(house.calls("create starts")) == 8)
    running.interrupt()
    result = running.wait()
    assert result.code != 0
    assert "Traceback" not in result.output
    assert "KeyboardInterrupt" not in result.output
    resources = stack.resources()
    assert len(resources) == 8
    assert {each["initErrors"][0] for each in resources.values()} == {"interrupted while waiting"}
    assert stack.pending() == []


def test_a_second_ctrl_c_does_not_wait(house: House) -> None:
    stack = house.stack("Thing('a', stubborn=600)")
    running = stack.start("up", "--yes", "--skip-preview")
    eventually(lambda: house.calls("create starts"))
    (host,) = {call["pid"] for call in house.calls("create starts")}
    running.interrupt()
    time.sleep(1)
    assert alive(host)
    running.interrupt()
    running.wait()
    assert not alive(host)
    # The engine records that the result is unknown.
    assert [each["type"] for each in stack.pending()] == ["creating"]


def test_the_host_ends_with_the_command(house: House) -> None:
    # The engine waits five seconds before it kills a plugin, so a host that stays would cost them each time.
    stack = house.stack()
    without_host = outside_the_update(stack.up())
    stack.program(program("Thing('a')"))
    assert outside_the_update(stack.up()) < without_host + 5
    (host,) = {call["pid"] for call in house.calls("create starts")}
    assert not alive(host)


def outside_the_update(result: Result) -> float:
    """The seconds that a command took before and after its update."""
    duration = re.search(r"Duration: (\d+)s", result.output)
    assert duration, result.output
    return result.seconds - int(duration[1])


def test_the_host_ends_when_its_engine_is_killed(house: House) -> None:
    stack = house.stack("Thing('a', seconds=600)")
    running = stack.start("up", "--yes", "--skip-preview")
    eventually(lambda: house.calls("create starts"))
    (host,) = {call["pid"] for call in house.calls("create starts")}
    running.kill()
    eventually(lambda: not alive(host))
    running.wait()
    assert house.calls("create ends") == []


def test_sigterm_wakes_operations_and_ends_the_host(house: House) -> None:
    stack = house.stack("Thing('a', seconds=600)")
    running = stack.start("up", "--yes", "--skip-preview")
    eventually(lambda: house.calls("create starts"))
    (host,) = {call["pid"] for call in house.calls("create starts")}
    os.kill(host, 15)
    running.wait()
    assert stack.resources()["a"]["initErrors"] == ["interrupted while waiting"]
