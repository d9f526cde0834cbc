"""`leftovers` finds targets that no state has, and never deletes one that a state has."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.cli_commands import Done, make, owner, run
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from tests.support.cloud import Cloud
    from tests.support.declared import Declared
    from tests.support.engine import Stack


@pytest.fixture
def stack(cloud: Cloud, declared: Declared) -> Stack:
    """A stack of the project `house` with two targets, and other targets that it does not have."""
    stack = declared.stack(declared.targets(["orders", "queues"]))
    up = stack.up()
    assert up.code == 0, up.output
    make(cloud, "lost", headers=owner("lost", "dev", "house"))
    make(cloud, "lost-prod", headers=owner("lost", "prod", "house"))
    make(cloud, "others", headers=owner("orders", "dev", "shop"))
    make(cloud, "by-hand")
    cloud.requests()
    return stack


def leftovers(stack: Stack, *arguments: str, typed: str = "", env: dict[str, str] | None = None) -> Done:
    return run(
        "leftovers",
        *(arguments or ("--project", "house")),
        env={**stack.env, **(env or {})},
        cwd=stack.directory,
        typed=typed,
    )


def names(done: Done) -> list[str]:
    return sorted(each["name"] for each in done.json)


def test_targets_that_no_state_has_can_be_deleted(cloud: Cloud, stack: Stack) -> None:
    done = leftovers(stack)
    assert (done.code, done.err) == (0, "")
    assert "2 leftovers of project house" in done.out
    assert f"Read in file://{stack.backend}" in done.out
    assert "house/dev." in done.out
    assert names(leftovers(stack, "--project", "house", "--json")) == ["lost", "lost-prod"]
    assert names(leftovers(stack, "--json")) == ["lost", "lost-prod"]
    assert names(leftovers(stack, "--project", "shop", "--json")) == ["others"]
    assert names(leftovers(stack, "--project", "hous", "--json")) == []
    (lost,) = leftovers(stack, "--project", "house", "--stack", "dev", "--json").json
    assert lost["name"] == "lost"
    assert set(lost) == {"kind", "id", "name", "status", "owner"}

    # Their deletion asks for confirmation.
    for typed in ("n\n", ""):
        done = leftovers(stack, "--project", "house", "--delete", typed=typed)
        assert done.code == 1
        assert "Delete 2 leftovers?" in done.out
    assert not cloud.writes()
    done = leftovers(stack, "--project", "house", "--delete", typed="y\n")
    assert done.code == 0, done.err
    assert done.out.count("Deleted: target lost") == 2
    assert sorted(cloud.writes()) == ["DELETE 204", "DELETE 204"]
    assert sorted(cloud.targets()) == ["by-hand", "orders", "others", "queues"]
    assert leftovers(stack, "--project", "house", "--delete").out.startswith("0 leftovers of project house")
    assert cloud.audit_log.read_text().count("TARGET_DELETED") == 2


@pytest.mark.full_length
def test_a_target_that_was_moved_to_another_project_is_no_leftover(
    cloud: Cloud, declared: Declared, stack: Stack
) -> None:
    """Its mark remains the old one until the next `up`."""
    there = declared.stack("", name="other", backend=stack.backend)
    moved = stack.run("state", "move", "--yes", "--dest", there.qualified, stack.urn("queues"))
    assert moved.code == 0, moved.output
    assert names(leftovers(stack, "--project", "house", "--json")) == ["lost", "lost-prod"]


@pytest.mark.full_length
def test_without_pulumi_nothing_is_deleted(cloud: Cloud, stack: Stack, tmp_path: Path) -> None:
    env = {"PATH": str(tmp_path)}
    done = leftovers(stack, env=env)
    assert done.code == 0
    assert "Not read: The Pulumi CLI is not on PATH" in done.out
    done = leftovers(stack, "--project", "house", "--delete", typed="y\nhouse\n", env=env)
    assert done.code == 1
    assert "Nothing was deleted" in done.err
    assert not cloud.writes()


@pytest.mark.full_length
def test_an_unreadable_state_keeps_everything(cloud: Cloud, declared: Declared, stack: Stack) -> None:
    there = declared.stack("", name="other", backend=stack.backend)
    (stack.backend / ".pulumi" / "stacks" / there.project / "dev.json").write_text("cut short")
    done = leftovers(stack, "--project", "house", "--delete", typed="y\n")
    assert done.code == 1
    assert "Not read: " in done.out
    assert not cloud.writes()


@pytest.mark.full_length
def test_another_backend_requires_the_name_of_the_project(cloud: Cloud, stack: Stack, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    env: dict[str, Any] = {"PULUMI_BACKEND_URL": (tmp_path / "elsewhere").as_uri()}
    for typed in ("y\n", "\n", "shop\n"):
        done = leftovers(stack, "--project", "house", "--delete", typed=typed, env=env)
        assert done.code == 1
        assert "If its states are in another backend, these are in use" in done.out
    assert not cloud.writes()
    done = leftovers(stack, "--project", "shop", "--delete", typed="shop\n", env=env)
    assert done.code == 0
    assert "Deleted: target others" in done.out


@pytest.mark.full_length
def test_a_target_under_creation_is_left_alone(cloud: Cloud, declared: Declared, stack: Stack) -> None:
    cloud.behave("/v1/genesys/events/slow", seconds=3600)
    stack.program(declared.targets(["orders", "queues", "slow"]))
    running = stack.start("up", "--yes", "--skip-preview")
    eventually(lambda: any("/targets POST" in each for each in posted(cloud)))
    # The target exists, but the engine has not recorded it yet.
    assert "slow" not in stack.resources()
    done = leftovers(stack, "--project", "house", "--delete", typed="y\n")
    cloud._at_gateway.delete("/held").raise_for_status()
    up = running.wait()
    assert done.code == 0, done.err
    assert "Left out: slow is being created by a run" in done.out
    assert "target slow" not in done.out
    assert up.code == 0, up.output
    cloud.requests()
    assert "slow" in cloud.targets()


def posted(cloud: Cloud) -> list[str]:
    """The creating requests so far: path, method and status."""
    return [f"{each['path']} {each['method']} {each['status']}" for each in cloud.control("requests", "GET")]


@pytest.mark.full_length
def test_a_stacks_config_connects(cloud: Cloud, stack: Stack) -> None:
    settings = {key: value for key, value in stack.env.items() if key.startswith("GENESYSCLOUD_")}
    for key, variable in (("apiUrl", "API_URL"), ("loginUrl", "LOGIN_URL"), ("clientId", "OAUTHCLIENT_ID")):
        stack.must("config", "set", f"genesys:{key}", "--", settings[f"GENESYSCLOUD_{variable}"])
    secret = settings["GENESYSCLOUD_OAUTHCLIENT_SECRET"]
    stack.must("config", "set", "--secret", "genesys:clientSecret", "--", secret)
    done = leftovers(stack, "--project", "house", "--stack", "dev", "--json", env=dict.fromkeys(settings, ""))
    assert names(done) == ["lost"]


def test_usage_errors(cloud: Cloud, tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("runtime: python\n")
    done = run("leftovers", env=cloud.env, cwd=tmp_path)
    assert done.code == 2
    assert "There is no Pulumi.yaml that names a project in" in done.err
    assert run("leftovers", "--project", "house", "--delete", "--json", env=cloud.env).code == 2
