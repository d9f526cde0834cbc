"""How the host ends: with its engine, and without losing resources."""

from __future__ import annotations

import os
import re
import time
from typing import TYPE_CHECKING

from tests.support.engine import alive
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from tests.host.house_project import House


def test_ctrl_c_saves_the_created_resources(house: House) -> None:
    stack = house.stack("for n in range(8): Thing(f't{n}', seconds=60)")
    running = stack.start("up", "--yes", "--skip-preview", "--parallel", "8")
    eventually(lambda: len(house.calls("create starts")) == 8)
    pressed = time.monotonic()
    running.interrupt()
    result = running.wait()
    assert time.monotonic() - pressed < 3
    assert result.code != 0
    assert "Traceback" not in result.output
    assert "KeyboardInterrupt" not in result.output
    resources = stack.resources()
    assert len(resources) == 8
    assert {each["initErrors"][0] for each in resources.values()} == {"interrupted while waiting"}
    assert stack.pending() == []


def test_a_second_ctrl_c_does_not_wait(house: House) -> None:
    stack = house.stack("Thing('a', stubborn=60)")
    running = stack.start("up", "--yes", "--skip-preview")
    eventually(lambda: house.calls("create starts"))
    (host,) = {call["pid"] for call in house.calls("create starts")}
    running.interrupt()
    time.sleep(1)
    assert alive(host)
    pressed = time.monotonic()
    running.interrupt()
    running.wait()
    assert time.monotonic() - pressed < 4
    assert not alive(host)
    # The engine records that the result is unknown.
    assert [each["type"] for each in stack.pending()] == ["creating"]


def test_the_host_ends_with_the_command(house: House) -> None:
    result = house.stack("Thing('a')").up()
    # The engine waits five seconds before it kills a plugin, so a host that stays would cost them each time.
    deployment = re.search(r"Duration: (\d+)s", result.output)
    assert deployment
    assert result.seconds - int(deployment[1]) < 5
    (host,) = {call["pid"] for call in house.calls("create starts")}
    assert not alive(host)


def test_the_host_ends_when_its_engine_is_killed(house: House) -> None:
    stack = house.stack("Thing('a', seconds=5)")
    running = stack.start("up", "--yes", "--skip-preview")
    eventually(lambda: house.calls("create starts"))
    (host,) = {call["pid"] for call in house.calls("create starts")}
    running.kill()
    killed = time.monotonic()
    eventually(lambda: not alive(host))
    assert time.monotonic() - killed < 1
    running.wait()
    assert house.calls("create ends") == []


def test_sigterm_wakes_operations_and_ends_the_host(house: House) -> None:
    stack = house.stack("Thing('a', seconds=60)")
    running = stack.start("up", "--yes", "--skip-preview")
    eventually(lambda: house.calls("create starts"))
    (host,) = {call["pid"] for call in house.calls("create starts")}
    os.kill(host, 15)
    result = running.wait()
    assert result.seconds < 20
    assert stack.resources()["a"]["initErrors"] == ["interrupted while waiting"]
