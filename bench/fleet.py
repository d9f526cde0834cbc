"""A large fleet, divided into stacks that run in parallel: `make bench-fleet`."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from bench.results import Bound, Line
from bench.setting import PARALLEL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.services import Traffic
    from bench.setting import Fleet, Setting

AT_ONCE = 4
STEPS = (
    ("up", ("up",), 0),
    ("no-op", ("up",), 0),
    ("refresh", ("refresh",), 0),
    ("one change in each", ("up",), 1),
    ("destroy", ("destroy",), 1),
)
"""The steps in order: the name, the command, and how many targets of each stack it changes."""
REQUESTS_A_TARGET = {"up": 1.4, "no-op": 0.0, "refresh": 0.4, "one change in each": 0.4, "destroy": 1.4}
LIMIT = 300
"""Requests per minute that the API allows for a token [C]; each run of Pulumi has its own token."""


def fleet(setting: Setting) -> Iterator[Line]:
    """Several stacks in one backend, four at a time, from the first `up` to `destroy`."""
    count, stacks = setting.sizes.few, setting.sizes.stacks
    with setting.organization(rate_limit=LIMIT) as organization:
        setting.say(f"creating {stacks} stacks of targets and {stacks} of trivial resources")
        trivial, targets = (_stacks(setting, program, organization.env) for program in ("trivial", "targets"))
        for step, command, changed in STEPS:
            setting.say(f"{step} of {stacks} stacks of {count}, {AT_ONCE} at a time")
            hold = {"BENCH_HOLD": str(organization.verification_seconds)} if step == "up" else {}
            floor = _side_by_side(trivial, command, changed, hold)
            organization.traffic()
            wall = _side_by_side(targets, command, changed, {})
            yield _line(step, stacks, count, wall, floor, organization.traffic())


def _stacks(setting: Setting, program: str, env: dict[str, str]) -> list[Fleet]:
    backend = setting.directory("backend")
    return [
        setting.fleet(program, setting.sizes.few, env, stack=f"unit{number:02}", backend=backend)
        for number in range(setting.sizes.stacks)
    ]


def _side_by_side(stacks: list[Fleet], command: tuple[str, ...], changed: int, env: dict[str, str]) -> float:
    started = time.monotonic()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(lambda each: each.run(*command, changed=changed, env=env), stacks))
    return time.monotonic() - started


def _line(step: str, stacks: int, count: int, wall: float, floor: float, traffic: Traffic) -> Line:
    targets = stacks * count
    return Line(
        name=step,
        work=f"{targets} targets in {stacks} stacks, {AT_ONCE} at a time",
        measured=wall,
        floor=floor,
        targets=targets,
        parallel=PARALLEL,
        requests=traffic.by_kind,
        bounds=(
            Bound(what="requests per target", figure=traffic.total / targets, limit=REQUESTS_A_TARGET[step]),
            Bound(what="answers 429", figure=traffic.throttled, limit=0),
        ),
    )
