"""A Pulumi command that gets interrupted or killed: its processes, and how they die."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.engine import alive
from tests.support.process import Result
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from tests.support.engine import Stack

ENDS_WITHIN = 40.0
"""The time limit in seconds for a command after a strike; after that it counts as hanging."""


def _children(pid: int) -> list[int]:
    try:
        files = list(Path(f"/proc/{pid}/task").glob("*/children"))
        return [int(child) for file in files for child in file.read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def _is_host(pid: int) -> bool:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return b"genesys_provider.host" in words or b"pulumi.dynamic" in words


class Command:
    """A running `pulumi`, whose output can be read meanwhile."""

    def __init__(self, stack: Stack, *arguments: str, env: dict[str, str] | None = None) -> None:
        self._file = stack.directory / f"output-{time.monotonic_ns()}.txt"
        self._started = time.monotonic()
        with self._file.open("wb") as file:
            self._process = subprocess.Popen(
                ["pulumi", "--non-interactive", "--color", "never", *arguments],
                cwd=stack.directory,
                env={**stack.env, **(env or {})},
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._family: list[int] = []
        self._hosts: list[int] = []

    @property
    def output(self) -> str:
        """The output so far."""
        return self._file.read_text(errors="replace")

    @property
    def ended(self) -> bool:
        return self._process.poll() is not None

    def meet(self) -> list[int]:
        """Records all processes below it, and returns the provider hosts; an `up --refresh` has two."""
        self._family = []
        generation = [self._process.pid]
        while generation:
            generation = [child for pid in generation for child in _children(pid)]
            self._family += generation
        self._hosts = [pid for pid in self._family if _is_host(pid)]
        assert self._hosts, self.output
        return self._hosts

    def send(self, number: int) -> None:
        """Sends a signal to the CLI only."""
        os.kill(self._process.pid, number)

    def interrupt(self) -> None:
        """Ctrl-C: sends SIGINT to the process group, like a terminal does."""
        os.killpg(self._process.pid, signal.SIGINT)

    def wait(self, limit: float = ENDS_WITHIN) -> Result:
        """Waits for the CLI's end."""
        try:
            code = self._process.wait(limit)
        except subprocess.TimeoutExpired:
            self.clean_up()
            raise AssertionError(f"no end after {limit} s:\n{self.output}") from None
        return Result(code, self.output, time.monotonic() - self._started)

    def wait_for_hosts(self) -> None:
        """Waits until the provider hosts have ended."""
        eventually(lambda: not any(map(alive, self._hosts)))

    def clean_up(self) -> None:
        """Ends the remaining processes: those that were recorded, and the CLI."""
        for pid in (*self._family, self._process.pid):
            if alive(pid):
                os.kill(pid, signal.SIGKILL)
        self._process.wait()
