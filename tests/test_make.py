"""`make` on odd machines: another interpreter, a path with quotes, no `ps`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.engine import ROOT

ARGUMENTS = '#!/bin/sh\necho "${0##*/} $*"\n'


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with our Makefile, in which each program only tells how it was called."""
    folder = tmp_path / 'it\'s a "path"'
    (folder / "examples" / "one").mkdir(parents=True)
    (folder / "examples" / "one" / "program.py").touch()
    shutil.copy(ROOT / "Makefile", folder)
    for name, script in {
        "tools/setup": '#!/bin/sh\necho "setup with $PYTHON"\n',
        ".venv/bin/python": ARGUMENTS,
        ".venv/bin/lint-imports": ARGUMENTS,
    }.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(script)
        path.chmod(0o755)
    return folder


def make(folder: Path, *arguments: str, **env: str) -> list[str]:
    """The lines that `make` prints."""
    # This test may itself run under `make`, whose options are not for this one.
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    done = subprocess.run(
        ["make", *arguments],
        cwd=folder,
        env=inherited | env,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout.splitlines()


def test_python_selects_the_interpreter_of_the_environment(checkout: Path) -> None:
    expected = ["setup with python3.12", "python tools/local.py up"]
    assert make(checkout, "up", "PYTHON=python3.12") == expected
    assert make(checkout, "up", PYTHON="python3.12") == expected


def test_a_checkout_whose_path_has_spaces_and_quotes(checkout: Path) -> None:
    assert "python -m mypy --config-file ../../pyproject.toml" in "\n".join(make(checkout, "check"))


def test_a_service_runs_until_it_is_stopped(tmp_path: Path) -> None:
    # Slim images have no `ps`.
    env = {**os.environ, "PATH": str(tmp_path)}

    def do(step: str) -> str:
        code = f"""
import pathlib
from tools import local

local.LOCAL = pathlib.Path({str(tmp_path)!r})
service = local.Service("emulator", "http://127.0.0.1:0")
{step}
print("running" if service.running else "stopped")
"""
        command = [sys.executable, "-c", code]
        return subprocess.run(
            command, cwd=ROOT, env=env, check=True, stdout=subprocess.PIPE, text=True
        ).stdout

    try:
        assert do("service.start()") == "starting the emulator at http://127.0.0.1:0\nrunning\n"
        assert do("service.start()") == "running\n"
    finally:
        assert do("service.stop()") == "stopping the emulator\nstopped\n"
    assert do("service.stop()") == "stopped\n"


def test_up_ignores_the_settings_of_the_machines_own_pulumi_and_of_real_organizations() -> None:
    names = ("PULUMI_OPTION_JSON", "PULUMI_STACK", "GENESYSCLOUD_AUDIT_LOG", "PULUMI_HOME", "PULUMI_PARALLEL")
    code = "import sys; from tools.local import ENV; print(*(name for name in sys.argv[1:] if name in ENV))"
    kept = subprocess.run(
        [sys.executable, "-c", code, *names],
        cwd=ROOT,
        env={**os.environ, **dict.fromkeys(names, "7")},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout
    assert kept.split() == ["PULUMI_HOME", "PULUMI_PARALLEL"]
