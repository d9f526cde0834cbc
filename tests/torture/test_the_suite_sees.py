"""The suite sees what it looks for: with the adopt step removed it fails, and each kind of disagreement shows."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from cloud import BASIC, CLIENT_SECRET, OWNER_HEADER, PASSWORD, TARGETS
from points import SCENARIOS, Phase, Point, Strike
from test_kill_points import strike
from wanted import Wanted, by_hand
from worlds import Origin

if TYPE_CHECKING:
    from pathlib import Path

    from worlds import World

WITHOUT_ADOPTION = """\
import os

os.environ.setdefault("GRPC_VERBOSITY", "NONE")
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")

from genesys_provider.host.server import Lifetime, serve
from genesys_provider.targets.manager import TargetManager

TargetManager._created_or_adopted = lambda self, config: (self._post(config), False)
serve(Lifetime())
"""


def host_without_adoption(directory: Path) -> Path:
    """A launcher like the product's, of a host whose `create` sends its POST and asks nothing."""
    code = directory / "genesys_provider.host_without_adoption.py"
    code.write_text(WITHOUT_ADOPTION)
    launcher = directory / "pulumi-resource-pulumi-python"
    launcher.write_text(f'#!/bin/sh\nexec "{sys.executable}" -u "{code}" "$@"\n')
    launcher.chmod(0o755)
    return directory


def test_without_the_adopt_step_there_is_an_orphan(origin: Origin, tmp_path: Path) -> None:
    point = Point("own", "create", "create_target", Phase.AFTER, Strike.HOST_KILL)
    world = origin.branch(host_without_adoption(tmp_path))
    with world.cloud:
        SCENARIOS["create"].prepare(world)
        world.cloud.requests()
        strike(world, point)
        recovery = world.recover()
        seen = [str(each) for each in recovery.failures]
    assert [each for each in seen if each.startswith("orphan: new ")], seen
    assert "the next `up` fails" in seen[0]


def seen(world: World) -> list[str]:
    return [str(each) for each in world.disagreements()]


def write(world: World, target_id: str, configuration: dict[str, Any]) -> None:
    """A PUT that stays among the requests of the run."""
    token = {"Authorization": f"Bearer {world.cloud._token}"}
    answer = world.cloud._at_emulator.put(f"{TARGETS}/{target_id}", headers=token, json=configuration)
    answer.raise_for_status()


def test_every_kind_of_disagreement_shows(origin: Origin) -> None:
    kept = Origin.UP[0]
    world = origin.branch()
    with world.cloud:
        cloud = world.cloud
        assert seen(world) == []

        target_id = world.targets()["kept"]["id"]
        cloud.change(target_id, eventTypes=["OTHER"])
        (drift,) = seen(world)
        assert drift.startswith("mismatch: kept.eventTypes")
        cloud.change(target_id, eventTypes=list(kept.event_types))
        assert seen(world) == []

        cloud.control(f"targets/{target_id}/status", status="FAILED")
        assert "mismatch: kept.status: program 'VERIFIED', state 'VERIFIED', cloud 'FAILED'" in seen(world)
        cloud.control(f"targets/{target_id}/status", status="VERIFIED")

        body = {**by_hand(cloud, Wanted("orders")), "headers": {OWNER_HEADER: kept.urn(world.stack)}}
        made = cloud.api("POST", json=body).json()["id"]
        found = seen(world)
        assert f"duplicate: 2 targets have the owner {kept.urn(world.stack)}" in found
        assert [each for each in found if each.startswith(f"orphan: orders ({made})")]
        cloud.api("DELETE", f"/{made}")
        assert seen(world) == []

        world.want([*Origin.UP, Wanted("new")])
        assert seen(world) == [
            f"mismatch: new is in the program and not in the state: {Wanted('new').urn(world.stack)}",
            "mismatch: new-sync is in the program alone",
        ]
        world.want(Origin.UP)

        # To write what is there already is nothing to tell of.
        configuration = cloud.configuration(target_id)
        write(world, target_id, configuration)
        assert seen(world) == []
        write(world, target_id, {**configuration, "eventTypes": ["A"]})
        assert "untold: the gateway was not told of the last change of kept" in seen(world)

        cloud.api("DELETE", f"/{target_id}")
        assert seen(world) == [
            f"mismatch: kept is in the state and not in the cloud: {kept.urn(world.stack)}",
            f"lie: the gateway still thinks that there is a target {target_id}",
        ]


def test_a_secret_in_plain_text_shows(origin: Origin) -> None:
    world = origin.branch()
    with world.cloud:
        found, searched = world.leaks()
        assert (found, searched > 10) == ([], True)
        for where in (world.stack.backend / ".pulumi" / "a-backup.json", world.cloud.audit_log):
            where.parent.mkdir(exist_ok=True)
            where.write_text(f"the password is {PASSWORD}, Basic {BASIC}")
        world.stack.said.append(f"{CLIENT_SECRET} was refused")
        found, _ = world.leaks()
        assert len(found) == 5
