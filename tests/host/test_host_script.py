"""The host's script uses the Python that runs the program, in each layout that Pulumi's own Python host knows.

The interpreters here are stand-ins that print which one they are; the script is real, started like by the engine:
in the program's folder, with the options of `runtime` in the environment.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.engine import OWN_HOST

SCRIPT = "pulumi-resource-pulumi-python"
PROJECT = """\
name: layouts
runtime:
  name: python
  options: # what the engine hands on
{options}{main}plugins:
  providers:
    - name: pulumi-python
      path: {path}
"""


class Layout:
    """Files below `root`: projects with a copy of the script, interpreters, and a method to start the script."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.python("usr/bin/python3")
        self.env = {"PATH": f"{root / 'usr/bin'}:/usr/bin:/bin"}

    def python(self, path: str) -> None:
        """An interpreter that prints which one it is, and what it was asked to run."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text('#!/bin/sh\necho "$0 $*"\n')
        file.chmod(0o755)

    def venv(self, path: str) -> None:
        """A virtual environment in this folder."""
        self.python(f"{path}/bin/python")
        (self.root / path / "pyvenv.cfg").write_text("home = /usr/bin\n")

    def file(self, path: str, text: str = "") -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def project(self, folder: str, *, host: str = "host", main: str = "", **options: str) -> None:
        """A project in this folder, with the script in the host's folder; `options` are those of `runtime`."""
        written = "".join(f"    {key}: {value}\n" for key, value in options.items())
        main = f"main: {main}\n" if main else ""
        self.file(f"{folder}/Pulumi.yaml", PROJECT.format(options=written, path=host, main=main))
        target = self.root / folder / host
        target.mkdir(parents=True, exist_ok=True)
        shutil.copy(OWN_HOST / SCRIPT, target)
        self.script = target / SCRIPT

    def run(self, folder: str, **options: str) -> subprocess.CompletedProcess[str]:
        """Starts the script in this folder; `options` are those of `runtime`, as the engine passes them."""
        cwd = self.root / folder
        cwd.mkdir(parents=True, exist_ok=True)
        handed = {f"PULUMI_RUNTIME_{key.upper()}": value for key, value in options.items()}
        return subprocess.run(
            [self.script, "127.0.0.1:1"],
            cwd=cwd,
            # As set by an engine that was started in another folder, with `pulumi -C`.
            env={**self.env, **handed, "PWD": str(self.root)},
            capture_output=True,
            text=True,
            check=False,
        )

    def chosen(self, folder: str, **options: str) -> str:
        """The interpreter that the script started, relative to `root`."""
        done = self.run(folder, **options)
        assert done.returncode == 0, done.stderr
        python, _, arguments = done.stdout.strip().partition(" ")
        assert arguments == "-u -m genesys_provider.host 127.0.0.1:1"
        return str(Path(python).relative_to(self.root))


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path.resolve())


@pytest.mark.parametrize("name", ["venv", ".venv"])
@pytest.mark.parametrize("decoy", ["infra/.venv", ".venv", "infra/venv"])
def test_pip_with_a_virtual_environment(layout: Layout, name: str, decoy: str) -> None:
    layout.venv(decoy)
    layout.venv(f"infra/{name}")
    layout.project("infra", virtualenv=name)
    assert layout.chosen("infra", virtualenv=name) == f"infra/{name}/bin/python"
    assert layout.chosen("infra", virtualenv=f"{name}/", toolchain="pip") == f"infra/{name}/bin/python"


def test_an_exported_cdpath_has_no_effect(layout: Layout) -> None:
    layout.project("infra", main="../program", virtualenv=".venv")
    layout.venv("infra/.venv")
    layout.file("other/host/a-file")
    layout.env["CDPATH"] = str(layout.root / "other")
    assert layout.chosen("program", virtualenv=".venv") == "infra/.venv/bin/python"


def test_an_absolute_path(layout: Layout) -> None:
    layout.venv("elsewhere")
    layout.venv("infra/.venv")
    layout.project("infra", virtualenv=str(layout.root / "elsewhere"))
    assert layout.chosen("infra", virtualenv=str(layout.root / "elsewhere")) == "elsewhere/bin/python"


@pytest.mark.parametrize("main", ["program", "program/deep", "../program"])
def test_a_program_in_another_folder(layout: Layout, main: str) -> None:
    program = os.path.normpath(f"work/infra/{main}")
    layout.venv("work/infra/.venv")
    # On the path from the program upwards, but not part of this project.
    layout.venv(f"{program}/.venv")
    layout.venv("work/.venv")
    layout.project("work/infra", main=main, virtualenv=".venv")
    assert layout.chosen(program, virtualenv=".venv") == "work/infra/.venv/bin/python"


def test_a_program_below_another_project(layout: Layout) -> None:
    layout.project("work", virtualenv="venv")
    layout.venv("work/venv")
    layout.project("work/infra", main="../program", virtualenv="venv")
    layout.venv("work/infra/venv")
    assert layout.chosen("work/program", virtualenv="venv") == "work/infra/venv/bin/python"


def test_two_projects_with_one_host(layout: Layout) -> None:
    layout.project("work", virtualenv="venv")
    layout.venv("work/venv")
    layout.project("work/second", host="../host", virtualenv="venv")
    layout.venv("work/second/venv")
    assert layout.chosen("work/second", virtualenv="venv") == "work/second/venv/bin/python"
    assert layout.chosen("work", virtualenv="venv") == "work/venv/bin/python"


def test_a_project_file_in_json(layout: Layout) -> None:
    layout.project("infra")
    layout.venv("infra/env")
    layout.venv("infra/program/env")
    (layout.root / "infra/Pulumi.yaml").rename(layout.root / "infra/Pulumi.json")
    layout.file(
        "infra/Pulumi.json",
        '{"name": "layouts", "main": "program", "runtime": {"name": "python", "options": {"virtualenv": "env"}},'
        ' "plugins": {"providers": [{"name": "pulumi-python", "path": "host"}]}}',
    )
    assert layout.chosen("infra/program", virtualenv="env") == "infra/env/bin/python"
    assert layout.chosen("infra/program") == "infra/env/bin/python"


@pytest.mark.parametrize("options", [{"toolchain": "uv"}, {}])
class TestUv:
    """Where `uv sync` creates the environment; without `toolchain` Pulumi uses uv if there is a uv.lock."""

    def test_a_project(self, layout: Layout, options: dict[str, str]) -> None:
        layout.project("infra", **options)
        layout.file("infra/uv.lock")
        layout.venv("infra/.venv")
        layout.venv("infra/venv")
        assert layout.chosen("infra", **options) == "infra/.venv/bin/python"

    def test_a_workspace(self, layout: Layout, options: dict[str, str]) -> None:
        layout.project("work/infra", main="program", **options)
        layout.file("work/uv.lock")
        layout.file("work/infra/pyproject.toml")
        layout.venv("work/.venv")
        layout.venv("work/infra/.venv")
        assert layout.chosen("work/infra/program", **options) == "work/.venv/bin/python"

    @pytest.mark.parametrize("where", ["env", "{root}/env", "../env"])
    def test_an_environment_of_its_own(self, layout: Layout, options: dict[str, str], where: str) -> None:
        layout.project("work/infra", **options)
        layout.file("work/uv.lock")
        layout.venv("work/.venv")
        where = where.format(root=layout.root)
        layout.env["UV_PROJECT_ENVIRONMENT"] = where
        expected = Path(os.path.normpath(layout.root / "work" / where)).relative_to(layout.root)
        layout.venv(str(expected))
        assert os.path.normpath(layout.chosen("work/infra", **options)) == f"{expected}/bin/python"

    def test_the_environment_that_pulumi_yaml_names(self, layout: Layout, options: dict[str, str]) -> None:
        options = {**options, "virtualenv": "mine"}
        layout.project("work/infra", main="program", **options)
        layout.file("work/uv.lock")
        layout.venv("work/.venv")
        layout.venv("work/infra/mine")
        layout.env["UV_PROJECT_ENVIRONMENT"] = "other"
        assert layout.chosen("work/infra/program", **options) == "work/infra/mine/bin/python"


def test_uv_before_its_lock_file(layout: Layout) -> None:
    layout.project("work/infra", toolchain="uv")
    layout.file("work/pyproject.toml")
    layout.venv("work/.venv")
    layout.venv("work/infra/.venv")
    assert layout.chosen("work/infra", toolchain="uv") == "work/.venv/bin/python"


@pytest.mark.parametrize("options", [{"toolchain": "poetry"}, {}])
def test_poetry(layout: Layout, options: dict[str, str]) -> None:
    layout.project("infra", main="program", **options)
    layout.file("infra/poetry.lock")
    layout.venv("infra/.venv")
    layout.venv("cache/infra-py3")
    layout.file(
        "usr/bin/poetry",
        f'#!/bin/sh\n[ "$PWD $*" = "{layout.root}/infra/program env info --path" ]'
        f' && echo "{layout.root}/cache/infra-py3"\n',
    )
    (layout.root / "usr/bin/poetry").chmod(0o755)
    assert layout.chosen("infra/program", **options) == "cache/infra-py3/bin/python"


def test_no_virtual_environment(layout: Layout) -> None:
    layout.project("infra")
    layout.venv("infra/.venv")
    layout.venv(".venv")
    assert layout.chosen("infra") == "usr/bin/python3"
    layout.python("opt/python3.12")
    layout.env["PULUMI_PYTHON_CMD"] = str(layout.root / "opt/python3.12")
    assert layout.chosen("infra") == "opt/python3.12"


def test_a_script_inside_a_virtual_environment(layout: Layout) -> None:
    layout.venv("infra/env")
    layout.project("infra", host="env/share/genesys-eventbridge/host")
    layout.venv("infra/.venv")
    layout.venv("infra/env/share/.venv")
    assert layout.chosen("infra") == "infra/env/bin/python"


def test_the_engine_passes_no_options_at_the_end_of_an_import(layout: Layout) -> None:
    layout.project("infra", virtualenv="env")
    layout.venv("infra/env")
    layout.venv("infra/.venv")
    assert layout.chosen("infra") == "infra/env/bin/python"
    for odd in ('"env" # mine', "'env'", "env # virtualenv: .venv", "env\r", "env\n#   virtualenv: .venv"):
        layout.project("infra", virtualenv=odd)
        assert layout.chosen("infra") == "infra/env/bin/python"


@pytest.mark.parametrize(
    ("options", "where"),
    [
        ({"virtualenv": "env"}, "infra/env"),
        ({"toolchain": "uv"}, "infra/.venv"),
        ({"toolchain": "poetry"}, None),
    ],
)
def test_a_missing_environment(layout: Layout, options: dict[str, str], where: str | None) -> None:
    layout.project("infra", **options)
    layout.venv(".venv")
    done = layout.run("infra", **options)
    assert done.returncode == 1
    assert done.stdout == ""
    assert "pulumi install" in done.stderr
    if where:
        assert f"'{layout.root / where}'" in done.stderr
