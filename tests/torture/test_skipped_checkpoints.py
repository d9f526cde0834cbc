"""With PULUMI_SKIP_CHECKPOINTS the backend only gets the state at the end: the consequences of a killed run.

Pulumi forgets everything that the run created. A stack of only our resources recovers all of them, because each has
its owner's mark. The two exceptions that `docs/performance.md` names are tested here too.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.cloud import TARGETS
from tests.support.declared import opts
from tests.support.waiting import eventually
from tests.torture.commands import Command
from tests.torture.worlds import UP

if TYPE_CHECKING:
    from tests.support.cloud import Cloud
    from tests.support.declared import Declared
    from tests.support.engine import Stack

SYNCED = "orders0"
NAMES = [SYNCED, *(f"orders{number}" for number in range(1, 8))]
HELD = 3
"""The number of creates in flight when the run dies: they took effect, but their answers have not arrived."""


@pytest.fixture
def stack(declared: Declared) -> Stack:
    return declared.stack(program(declared, NAMES), env={"PULUMI_SKIP_CHECKPOINTS": "true"})


def program(declared: Declared, names: list[str]) -> str:
    """A program with a target whose sync comes before all other targets."""
    after = opts(depends_on="[sync]")
    others = [declared.target(name, opts=after) for name in names if name != SYNCED]
    return declared.program(declared.target(SYNCED), f"sync = {declared.sync(SYNCED)}", *others)


def die(stack: Stack, cloud: Cloud, *, host_alone: bool = False) -> dict[str, str]:
    """Kills the CLI, or only its host, during the first `up`; returns the ids of the created targets by name."""
    match = {"method": "POST", "path": TARGETS}
    cloud.control("faults", match=match, action="delay", when="after", seconds=60, times=1 + HELD)
    command = Command(stack, *UP, "--parallel", "64")
    try:
        for held in (1, HELD):
            eventually(lambda: len(cloud.control("held", "GET")) == held or command.ended)  # noqa: B023
            assert not command.ended, command.output
            hosts = command.meet()
            if held == 1:
                cloud.control("held", "DELETE")
        assert len(cloud.told()) == 1
        if host_alone:
            for host in hosts:
                os.kill(host, signal.SIGKILL)
        else:
            command.send(signal.SIGKILL)
        assert command.wait().code != 0
        command.wait_for_hosts()
    finally:
        command.clean_up()
    cloud.control("faults", "DELETE")
    cloud.control("held", "DELETE")
    made = cloud.living()
    assert len(made) > HELD
    return made


def assert_all_adopted(stack: Stack, cloud: Cloud, made: dict[str, str]) -> None:
    """Checks that the next `up` only created missing targets, and that the state has the whole program."""
    up = stack.up()
    assert up.code == 0, up.output
    assert cloud.writes().count("POST 201") == len(set(NAMES) - set(made))
    there = cloud.living()
    assert there.keys() == set(NAMES)
    assert made.items() <= there.items()
    assert all(each["status"] == "VERIFIED" for each in cloud.targets().values())


def ids(stack: Stack) -> dict[str, str]:
    """The ids of the targets in the state, by name."""
    return {name: each["id"] for name, each in stack.resources().items() if name in NAMES}


def test_the_next_up_adopts_everything_that_a_killed_cli_created(stack: Stack, cloud: Cloud) -> None:
    """The gateway hears of the synced target a second time, since nothing records the first."""
    made = die(stack, cloud)
    assert ids(stack) == {}
    stack.must("cancel", "--yes")
    assert_all_adopted(stack, cloud, made)
    assert ids(stack) == cloud.living()
    assert cloud.told() == 2 * [("UPDATED", made[SYNCED])]


@pytest.mark.full_length
def test_a_killed_host_only_loses_operations_in_flight(stack: Stack, cloud: Cloud) -> None:
    """Pulumi itself survives, and writes the state at its end."""
    made = die(stack, cloud, host_alone=True)
    assert SYNCED in ids(stack)
    assert len(ids(stack)) <= len(made) - HELD
    assert_all_adopted(stack, cloud, made)
    assert ids(stack) == cloud.living()
    assert cloud.told() == [("UPDATED", made[SYNCED])]


@pytest.mark.full_length
def test_a_target_that_leaves_the_program_before_the_next_up_is_a_leftover(
    stack: Stack, cloud: Cloud, declared: Declared
) -> None:
    made = die(stack, cloud)
    stack.must("cancel", "--yes")
    removed = next(name for name in made if name != SYNCED)
    stack.program(program(declared, [name for name in NAMES if name != removed]))
    assert_all_adopted(stack, cloud, made)
    assert removed not in ids(stack)
    found = subprocess.run(
        [sys.executable, "-m", "genesys_provider.cli", "leftovers", "--project", stack.project, "--json"],
        cwd=stack.directory,
        env=stack.env,
        capture_output=True,
        text=True,
        check=True,
    )
    assert [(each["name"], each["id"]) for each in json.loads(found.stdout)] == [(removed, made[removed])]
