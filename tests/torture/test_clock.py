"""A clock that jumps: nothing is measured by it, and a signature with a wrong time is a clear error.

The Python processes of a run get a wrong clock, which jumps during the run. The monotonic time goes on, as it does
on a machine whose clock is set.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from typing import TYPE_CHECKING

import pytest

from tests.support.cloud import TARGETS
from tests.torture.test_faults import up_during
from tests.torture.wanted import Wanted
from tests.torture.worlds import UP, Origin

if TYPE_CHECKING:
    from tests.torture.tally import Tally
    from tests.torture.worlds import World

JUMPS = (2, -2)
"""Hours."""
_kept, _changed, _gone, _moved = Origin.UP

WRONG_CLOCK = """
import datetime
import os
import time
from pathlib import Path

right = datetime.datetime


def off():
    return 3600 * int(Path(os.environ["HOURS_OFF"]).read_text())


class Wrong(right):
    @classmethod
    def now(cls, tz=None):
        return right.fromtimestamp(time.time() + off(), tz)


datetime.datetime = Wrong
"""
"""The code that Python loads first, as `sitecustomize`.

`time.time` stays correct, since gRPC adds it to its core's own clock. We never use it.
"""


class Clock:
    """The clock of a world's commands."""

    def __init__(self, world: World, hours: int = 0) -> None:
        directory = world.stack.directory.parent / "clock"
        directory.mkdir()
        (directory / "sitecustomize.py").write_text(WRONG_CLOCK)
        self._hours = directory / "hours"
        self.env = {"PYTHONPATH": str(directory), "HOURS_OFF": str(self._hours)}
        self.set(hours)

    def set(self, hours: int) -> None:
        """Sets how far the clock is off."""
        self._hours.write_text(str(hours))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "jump" in metafunc.fixturenames:
        metafunc.parametrize("jump", JUMPS if metafunc.config.getoption("--torture") else JUMPS[:1])


@pytest.mark.full_length
def test_a_jump_during_a_run_is_absorbed(origin: Origin, jump: int, tally: Tally) -> None:
    """Tokens, windows, waits and time limits use the monotonic clock."""
    world = origin.branch()
    with world.cloud:
        world.want([*Origin.UP, Wanted("new", synced=False)])
        clock = Clock(world)
        result = up_during(world, "get_verification", lambda _: clock.set(jump), clock.env)
        assert result.code == 0, result.output
        assert off_by_hours(world.cloud.audited()), "the clock did not jump"
        assert world.disagreements() == []
        assert 0 < world.targets()["new"]["outputs"]["verificationSeconds"] < 60
        tally.faults["a clock that jumps in the middle: absorbed"] += 1


def off_by_hours(audit: str) -> bool:
    """Whether an audit entry has another hour than the real one."""
    now = datetime.now(timezone.utc)
    return any(
        f'"timestamp": "{(now + timedelta(hours=hours)).strftime("%Y-%m-%dT%H")}' in audit
        for hours in (-2, 2)
    )


@pytest.mark.full_length
def test_a_retry_after_date_uses_the_clock_of_the_server(origin: Origin, jump: int, tally: Tally) -> None:
    world = origin.branch()
    with world.cloud:
        world.want([*Origin.UP, Wanted("new", synced=False)])
        clock = Clock(world, jump)
        date = format_datetime(datetime.now(timezone.utc) + timedelta(seconds=3), usegmt=True)
        headers = {"Retry-After": date}
        match = {"path": f"{TARGETS}*"}
        world.cloud.control("faults", match=match, action="status", status=429, headers=headers, times=1)
        result = world.stack.run(*UP, env=clock.env)
        assert result.code == 0, result.output
        waits = [int(seconds) for seconds in re.findall(r"rate limit, (\d+) s", result.output)]
        # None is shown where the date has passed by then; a wrong clock would make it two hours.
        assert max(waits, default=0) <= 60, result.output
        assert world.disagreements() == []
        tally.faults["a clock that is off, and a date to wait for: absorbed"] += 1


@pytest.mark.full_length
def test_a_webhook_signed_at_a_wrong_time_is_one_clear_error(origin: Origin, jump: int, tally: Tally) -> None:
    """The gateway refuses it as a replay, which can't be absorbed. With the correct time the next `up` recovers."""
    world = origin.branch()
    with world.cloud:
        world.want([_kept, replace(_changed, max_retries=7), _gone, _moved])
        clock = Clock(world, jump)
        result = world.stack.run(*UP, env=clock.env)
        assert result.code != 0, result.output
        assert "the gateway refused the webhook" in result.output
        assert "clock" in result.output, result.output
        assert "Traceback" not in result.output
        recovery = world.recover()
        tally.recovered(recovery)
        assert recovery.failures == []
        tally.faults["a clock that is off, and a signature: one clear error, healed by the next run"] += 1
