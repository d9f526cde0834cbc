"""The suite detects faults: it fails if a guard is removed, and finds each kind of disagreement."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.cloud import BASIC, CLIENT_SECRET, OWNER_HEADER, PASSWORD, TARGETS, Cloud
from tests.support.engine import TARGET_TYPE
from tests.torture.points import SCENARIOS, Phase, Point, Strike
from tests.torture.test_kill_points import strike
from tests.torture.wanted import Wanted, by_hand
from tests.torture.worlds import DESTROY, UP, Origin

if TYPE_CHECKING:
    from pathlib import Path

    from tests.torture.worlds import World

HOST = """\
import os
import sys

os.environ.setdefault("GRPC_VERBOSITY", "NONE")
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")

from genesys_provider.host.lifetime import Lifetime
from genesys_provider.host.server import serve
{patch}
serve(sys.argv[-1], Lifetime(sys.argv[-1]))
"""

WITHOUT_ADOPTION = """
from genesys_provider.common.writing import Writing

Writing.create = lambda self, config, **_: (self._post(config), False)
"""

# The mark of the first version, which is the same for a resource in a component and one outside.
WITHOUT_PARENT = """
from genesys_provider.common import ownership, writing
from genesys_provider.common.urns import urn_in

def same(mark, urn):
    theirs, ours = urn_in(mark), urn_in(urn)
    return theirs is not None and ours is not None and theirs.name == ours.name

ownership.Owner.may_write = lambda self, mark: mark is None or same(mark, self.urn)
writing.is_left_behind = lambda target, urn, run, **_: same(target.owner, urn)
"""

WITHOUT_LOOK = """
from genesys_provider.targets.manager import TargetManager

delete = TargetManager.delete
TargetManager.delete = lambda self, target_id, **_: delete(self, target_id)
"""

WITHOUT_ORGANIZATION = """
from genesys_provider.common.organization import Organizations

Organizations.require = lambda self, *_: self.now()
"""

ALWAYS_DELETED = """
from genesys_provider.resources.session import managed
from genesys_provider.resources.sync_provider import GatewaySyncProvider
from genesys_provider.targets.gateway import DELETED
from genesys_provider.targets.manager import TargetManager

def delete(self, _id, _props):
    with managed(TargetManager, self._config, _props) as manager:
        secret = _props.get("signingSecret")
        manager.sync(_props["webhookUrl"], _props["targetId"], event=DELETED, signing_secret=secret)

GatewaySyncProvider.delete = delete
"""


def host_with(directory: Path, patch: str) -> Path:
    """A launcher like the product's, for a host in which a guard is replaced."""
    code = directory / "genesys_provider.host_with_a_patch.py"
    code.write_text(HOST.format(patch=patch))
    launcher = directory / "pulumi-resource-pulumi-python"
    launcher.write_text(f'#!/bin/sh\nexec "{sys.executable}" -u "{code}" "$@"\n')
    launcher.chmod(0o755)
    return directory


def test_without_the_adopt_step_there_is_an_orphan(origin: Origin, tmp_path: Path) -> None:
    point = Point("own", "create", "create_target", Phase.AFTER, Strike.HOST_KILL)
    world = origin.branch(host_with(tmp_path, WITHOUT_ADOPTION))
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


_kept, _changed, _gone, _moved = Origin.UP


def moves_without_alias(world: World) -> list[str]:
    """The disagreements after a move that must be refused."""
    world.want([_kept, replace(_changed, parents=("A",)), _gone, _moved])
    result = world.stack.run(*UP)
    lost = [str(each) for each in world.lost()]
    return [*lost, *(["the move is not refused"] if result.code == 0 else [])]


def lets_go(world: World) -> list[str]:
    """The disagreements after a stack drops a target that another one has taken over."""
    second = world.comes("other", "prod")
    target_id = world.settled["changed"]
    world.want([_kept, replace(_changed, synced=False), _gone, _moved])
    world.stack.must(*UP)
    assert second.import_(TARGET_TYPE, "changed", target_id, "--protect=false").code == 0
    world.want([replace(_changed, synced=False)], second)
    second.must(*UP)
    world.want([_kept, _gone, _moved])
    world.stack.run(*UP)
    return [str(each) for each in (*world.lost(), *world.disagreements())]


def destroys_elsewhere(world: World) -> list[str]:
    """The disagreements after a `destroy` with another organization's credentials."""
    with Cloud(world.cloud.directory / "elsewhere", beside=world.cloud) as elsewhere:
        world.stack.run(*DESTROY, env=elsewhere.env)
    return [each for each in seen(world) if each.startswith("orphan")]


def renames_a_sync(world: World) -> list[str]:
    """The disagreements after a sync is removed, and its target stays."""
    world.want([_kept, replace(_changed, sync="later-sync"), _gone, _moved])
    world.stack.must(*UP)
    return seen(world)


GUARDS = {
    "the parent in the mark": (WITHOUT_PARENT, moves_without_alias, "the move is not refused"),
    "the look before a delete": (WITHOUT_LOOK, lets_go, "lost: changed "),
    "the organization": (WITHOUT_ORGANIZATION, destroys_elsewhere, "orphan: changed "),
    "a sync's silence": (ALWAYS_DELETED, renames_a_sync, "lie: "),
}


@pytest.mark.full_length
@pytest.mark.parametrize("guard", GUARDS)
def test_without_a_guard_the_suite_fails(origin: Origin, tmp_path: Path, guard: str) -> None:
    patch, scenario, shows = GUARDS[guard]
    world = origin.branch(host_with(tmp_path, patch))
    with world.cloud:
        found = scenario(world)
    assert [each for each in found if each.startswith(shows)], found


@pytest.mark.full_length
@pytest.mark.parametrize("guard", GUARDS)
def test_with_all_guards_the_suite_passes(origin: Origin, guard: str) -> None:
    _, scenario, _ = GUARDS[guard]
    world = origin.branch()
    with world.cloud:
        assert scenario(world) == []


def write(world: World, target_id: str, configuration: dict[str, Any]) -> None:
    """Sends a PUT that stays in the request log."""
    token = {"Authorization": f"Bearer {world.cloud._token}"}
    answer = world.cloud._at_emulator.put(f"{TARGETS}/{target_id}", headers=token, json=configuration)
    answer.raise_for_status()


def test_every_kind_of_disagreement_is_detected(origin: Origin) -> None:
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

        # A write of the same configuration needs no sync.
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


def test_a_secret_in_plain_text_is_detected(origin: Origin) -> None:
    world = origin.branch()
    with world.cloud:
        found, searched = world.leaks()
        assert (found, searched > 8) == ([], True)
        for where in (world.stack.backend / ".pulumi" / "a-backup.json", world.cloud.audit_log):
            where.parent.mkdir(exist_ok=True)
            where.write_text(f"the password is {PASSWORD}, Basic {BASIC}")
        world.stack.said.append(f"{CLIENT_SECRET} was refused")
        found, _ = world.leaks()
        assert len(found) == 5
