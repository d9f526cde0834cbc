"""The real engine starts the host with the program's Python, although another one is nearer."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.engine import OWN_HOST

if TYPE_CHECKING:
    from tests.host.house_project import House
    from tests.support.engine import Stack


def broken(venv: Path) -> None:
    """A virtual environment that must not be used."""
    python = venv / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text("#!/bin/sh\nexit 1\n")
    python.chmod(0o755)
    (venv / "pyvenv.cfg").touch()


def change(stack: Stack, runtime: dict[str, str], **more: Any) -> None:
    """Sets the options of `runtime` and other keys of Pulumi.yaml, and adds the host's script to the project."""
    host = stack.directory / "host"
    host.mkdir()
    script = OWN_HOST / "pulumi-resource-pulumi-python"
    (host / script.name).write_bytes(script.read_bytes())
    (host / script.name).chmod(0o755)
    settings = json.loads((stack.directory / "Pulumi.yaml").read_text())
    settings["runtime"]["options"] = runtime
    settings["plugins"]["providers"][0]["path"] = "host"
    stack.write("Pulumi.yaml", json.dumps({**settings, **more}))


def verify(stack: Stack) -> None:
    """An `up` through our host: the stock one can't show a status."""
    result = stack.up()
    assert result.code == 0, result.output
    assert "waiting for the verdict" in result.output


@pytest.mark.full_length
@pytest.mark.parametrize("name", ["venv", ".venv"])
def test_a_program_outside_its_project(house: House, name: str) -> None:
    stack = house.stack("Thing('a')")
    (stack.directory / name).symlink_to(sys.prefix)
    change(stack, {"virtualenv": name}, main="../program")
    program = stack.directory.parent / "program"
    program.mkdir()
    for each in ("__main__.py", "house.py"):
        (stack.directory / each).rename(program / each)
    broken(program / name)
    verify(stack)


def test_a_uv_workspace(house: House) -> None:
    stack = house.stack("Thing('a')", env={"PULUMI_PYTHON_CMD": sys.executable})
    change(stack, {"toolchain": "uv"})
    workspace = stack.directory.parent
    (workspace / "uv.lock").write_text("version = 1\n")
    (workspace / ".venv").symlink_to(sys.prefix)
    broken(stack.directory / ".venv")
    verify(stack)


def test_no_virtual_environment(house: House) -> None:
    stack = house.stack("Thing('a')", env={"PULUMI_PYTHON_CMD": sys.executable})
    change(stack, {})
    broken(stack.directory / ".venv")
    verify(stack)


@pytest.mark.full_length
def test_from_another_folder(house: House, tmp_path: Path) -> None:
    stack = house.stack("Thing('a')")
    (stack.directory / ".venv").symlink_to(sys.prefix)
    change(stack, {"virtualenv": ".venv"})
    elsewhere = tmp_path / "elsewhere"
    broken(elsewhere / ".venv")
    project, stack.directory = stack.directory, elsewhere
    result = stack.run("-C", str(project), "up", "--yes", "--skip-preview")
    assert result.code == 0, result.output
    assert "waiting for the verdict" in result.output
