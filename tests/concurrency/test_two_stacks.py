"""Two stacks want the same names at the same time: each name gets one owner, and neither stack loses anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.cloud import TARGETS, Cloud
from tests.support.engine import urn
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from tests.support.declared import Declared
    from tests.support.engine import Stack
    from tests.support.process import Result

OWNER = "X-Pulumi-Resource"


def up_in_both(cloud: Cloud, stacks: dict[str, Stack], posts: int) -> dict[str, Result]:
    """Runs `up` in both stacks and releases all their POSTs together, so that none sees what another created."""
    match = {"method": "POST", "path": TARGETS}
    cloud.control("faults", match=match, action="delay", seconds=60, times=posts)
    running = {name: stack.start("up", "--yes", "--skip-preview") for name, stack in stacks.items()}
    eventually(lambda: len(cloud.control("held", "GET")) == posts)
    cloud.control("held", "DELETE")
    return {name: each.wait() for name, each in running.items()}


def everything(cloud: Cloud) -> dict[str, dict[str, Any]]:
    cloud.requests()
    return cloud.targets()


def test_one_name(declared: Declared, cloud: Cloud) -> None:
    program = declared.program(declared.target("orders"), declared.sync("orders"))
    stacks = {name: declared.stack(program, name=name) for name in ("house", "rival")}
    results = up_in_both(cloud, stacks, posts=2)
    assert sorted(result.code == 0 for result in results.values()) == [False, True], results
    won, lost = sorted(stacks, key=lambda name: results[name].code != 0)
    winner, loser = stacks[won], stacks[lost]
    target = everything(cloud)["orders"]
    assert target["headers"][OWNER] == urn("orders", project=won)
    assert winner.resources()["orders"]["id"] == target["id"]

    def refused(result: Result) -> None:
        assert result.code != 0
        taken = f"'orders' is taken by target {target['id']}, which is owned by {urn('orders', project=won)}"
        assert taken in result.output, result.output
        assert "another name" in result.output
        assert "Traceback" not in result.output

    refused(results[lost])
    # The next `up` does not get it either, and `destroy` leaves it alone.
    refused(loser.up())
    assert "orders" not in loser.resources()
    assert loser.destroy().code == 0
    assert cloud.writes() == []
    assert cloud.targets() == {"orders": target}
    assert "3 unchanged" in winner.up("--refresh").output
    # The gateway only heard of the winner's target.
    assert {sync["body"]["targetId"] for sync in cloud.received()["syncs"]} == {target["id"]}


@pytest.mark.full_length
def test_several_names(declared: Declared, cloud: Cloud) -> None:
    names = [f"t{number}" for number in range(4)]
    stacks = {
        "house": declared.stack(declared.targets(names), name="house"),
        "rival": declared.stack(declared.targets(reversed(names)), name="rival"),
    }
    up_in_both(cloud, stacks, posts=2 * len(names))
    targets = everything(cloud)
    # A stack that was refused one name may have stopped before it tried the others, but its state has no more than
    # it owns.
    owned = {
        owner: {
            name: each["id"]
            for name, each in targets.items()
            if each["headers"][OWNER] == urn(name, project=owner)
        }
        for owner in stacks
    }
    assert owned["house"] | owned["rival"] == {name: each["id"] for name, each in targets.items()}
    assert set(targets) == set(names)
    for owner, stack in stacks.items():
        assert {name: each["id"] for name, each in stack.resources().items()} == owned[owner]
    assert stacks["house"].destroy().code == 0
    assert {name: each["id"] for name, each in everything(cloud).items()} == owned["rival"]
    # Once the names are free, the other stack gets them.
    assert stacks["rival"].up().code == 0
    assert set(everything(cloud)) == set(names)
    marks = {name: each["headers"][OWNER] for name, each in cloud.targets().items()}
    assert marks == {name: urn(name, project="rival") for name in names}
