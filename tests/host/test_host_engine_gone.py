"""The engine dies before the host is ready: the host still exits, and no process remains.

A stand-in for the engine starts the real script, and lives until the test kills it.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.host.direct import NO_ENGINE, SCRIPT, script_env
from tests.support.engine import alive
from tests.support.process import Running
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.host.house_project import House

ENGINE = """
import ctypes, os, sys, time
adopter, start, output, *command = sys.argv[1:]
if adopter == "subreaper":
    ctypes.CDLL(None).prctl(36, 1)  # PR_SET_CHILD_SUBREAPER
if os.fork():
    sys.stdin.read()
    sys.exit()
engine = os.getpid()
if not os.fork():
    readable, writable = os.pipe()
    os.dup2(writable if output == "unread" else os.open(os.devnull, os.O_WRONLY), 1)
    os.close(readable)
    while start == "late" and os.getppid() == engine:
        time.sleep(0.01)
    os.execv(command[0], command)
print(engine, flush=True)
sys.stdin.read()
"""
SITE = """
import os, pathlib, time
engine = os.getppid()  # before the mark, after which the test kills it
pathlib.Path(os.environ["MARKS"], "python").write_text(str(os.getpid()))
if "WITHOUT_PIDFD" in os.environ:
    del os.pidfd_open
if os.environ["STAGE"] == "python":
    while os.getppid() == engine:
        time.sleep(0.01)
"""
PULUMI = """
import os, pathlib, threading
pathlib.Path(os.environ["MARKS"], "import").touch()
threading.Event().wait()
"""
POETRY = """#!/bin/sh
touch "$MARKS/poetry"
while ! [ -e "$MARKS/killed" ]; do sleep 0.01; done
echo "$PREFIX"
"""

CONTAINER = ["unshare", "--map-root-user", "--pid", "--fork", "--mount-proc"]
"""Runs a command as process 1, and everything that it starts in its session, as in many containers."""
containers = pytest.mark.skipif(
    shutil.which("unshare") is None or subprocess.run([*CONTAINER, "true"], check=False).returncode != 0,
    reason="no containers of one's own here",
)


class Engine:
    """A stand-in for an engine, with the marks that the processes below it leave in `marks`."""

    def __init__(self, pid: int, marks: Path) -> None:
        self.pid = pid
        self.marks = marks

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        (self.marks / "killed").touch()

    def reached(self, stage: str) -> bool:
        return (self.marks / stage).exists()

    def host(self) -> int:
        """The process of the host, once its Python is running."""
        eventually(lambda: self.reached("python") and (self.marks / "python").read_text())
        return int((self.marks / "python").read_text())


@contextmanager
def engine(
    directory: Path,
    stage: str = "",
    *,
    adopter: str = "init",
    start: str = "now",
    output: str = "null",
    more_env: Mapping[str, str] | None = None,
) -> Iterator[Engine]:
    """An engine that has started a host, which waits at a stage.

    Args:
        directory: Where everything of the test lies.
        stage: Where the host waits: at "poetry", which its script asks for the Python, or at the start of its
            "python", both until the engine is dead, or for ever in the "import" of Pulumi's SDK.
        adopter: Who becomes the host's parent after the engine.
        start: Whether the host starts "now", or "late", after the engine's death.
        output: The host's standard output; "unread" is a pipe that nobody reads.
        more_env: More of the host's environment.
    """
    site, marks, path = directory / "site", directory / "marks", directory / "bin"
    for each in (site, marks, path):
        each.mkdir()
    (site / "sitecustomize.py").write_text(SITE)
    env = {"PYTHONPATH": str(site), "MARKS": str(marks), "STAGE": stage, **(more_env or {})}
    if stage == "import":
        (site / "pulumi").mkdir()
        (site / "pulumi" / "__init__.py").write_text(PULUMI)
    if stage == "poetry":
        (path / "poetry").write_text(POETRY)
        (path / "poetry").chmod(0o755)
        env |= {
            "PATH": f"{path}{os.pathsep}{os.environ['PATH']}",
            "PULUMI_RUNTIME_TOOLCHAIN": "poetry",
            "PREFIX": sys.prefix,
        }
    with (
        (directory / "errors").open("w") as errors,
        subprocess.Popen(
            [sys.executable, "-I", "-c", ENGINE, adopter, start, output, SCRIPT, NO_ENGINE],
            cwd=directory,
            env=script_env(env),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
        ) as process,
    ):
        assert process.stdout
        started = Engine(int(process.stdout.readline()), marks)
        try:
            yield started
        except AssertionError:
            os.kill(started.host(), signal.SIGKILL)
            raise
        assert process.stdin
        process.stdin.close()
    assert (directory / "errors").read_text() == ""


@pytest.mark.parametrize("adopter", ["init", "subreaper"])
@pytest.mark.parametrize("stage", ["poetry", "python", "import"])
def test_the_engine_dies_while_the_host_starts(tmp_path: Path, stage: str, adopter: str) -> None:
    with engine(tmp_path, stage, adopter=adopter) as started:
        eventually(lambda: started.reached(stage))
        started.kill()
        host = started.host()
        eventually(lambda: not alive(host))


def test_the_engine_is_dead_before_the_host_starts(tmp_path: Path) -> None:
    with engine(tmp_path, start="late") as started:
        started.kill()
        host = started.host()
        eventually(lambda: not alive(host))


@containers
def test_the_engine_is_dead_before_the_host_starts_in_a_container(tmp_path: Path) -> None:
    test = f"{__file__}::{test_the_engine_is_dead_before_the_host_starts.__name__}"
    pytest_of_one = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", test]
    result = Running([*CONTAINER, *pytest_of_one], tmp_path, os.environ).wait()
    assert result.code == 0, result.output


@containers
def test_a_living_engine_that_is_process_1_of_a_container(house: House) -> None:
    stack = house.stack("Thing('a')")
    result = Running(
        [*CONTAINER, "pulumi", "up", "--yes", "--skip-preview"], stack.directory, stack.env
    ).wait()
    assert result.code == 0, result.output
    assert set(stack.resources()) == {"a"}


def test_the_engine_is_dead_before_the_host_starts_and_goes_unnoticed(tmp_path: Path) -> None:
    with engine(tmp_path, start="late", adopter="subreaper", output="unread") as started:
        started.kill()
        host = started.host()
        eventually(lambda: not alive(host))


def test_a_system_without_death_notifications(tmp_path: Path) -> None:
    with engine(tmp_path, "import", more_env={"WITHOUT_PIDFD": "1"}) as started:
        eventually(lambda: started.reached("import"))
        started.kill()
        host = started.host()
        eventually(lambda: not alive(host))


def test_a_living_engine_keeps_the_host(tmp_path: Path) -> None:
    """The host stays, so in the other tests it was the death of the engine that ended it."""
    with engine(tmp_path, "import") as started:
        eventually(lambda: started.reached("import"))
        host = started.host()
        with pytest.raises(AssertionError):
            eventually(lambda: not alive(host), limit=1)
        started.kill()
        eventually(lambda: not alive(host))
