"""A Pulumi command that is struck down: its processes, and the ways in which they die."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.engine import Result, alive, until

if TYPE_CHECKING:
    from tests.support.engine import Stack

ENDS_WITHIN = 40.0
"""In seconds: a command that was struck and takes longer hangs."""


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
    """A `pulumi` under way, whose output can be read meanwhile."""

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
        """What it has said so far."""
        return self._file.read_text(errors="replace")

    @property
    def ended(self) -> bool:
        return self._process.poll() is not None

    def meet(self) -> list[int]:
        """Takes note of all processes below it, and returns the provider hosts': two in an `up --refresh`."""
        self._family = []
        generation = [self._process.pid]
        while generation:
            generation = [child for pid in generation for child in _children(pid)]
            self._family += generation
        self._hosts = [pid for pid in self._family if _is_host(pid)]
        assert self._hosts, self.output
        return self._hosts

    def send(self, number: int) -> None:
        """A signal for the CLI alone."""
        os.kill(self._process.pid, number)

    def interrupt(self) -> None:
        """Ctrl-C: SIGINT for the process group, as a terminal sends it."""
        os.killpg(self._process.pid, signal.SIGINT)

    def wait(self, limit: float = ENDS_WITHIN) -> Result:
        """Waits for the CLI's end."""
        try:
            code = self._process.wait(limit)
        except subprocess.TimeoutExpired:
            self.clean_up()
            raise AssertionError(f"no end after {limit} s:\n{self.output}") from None
        return Result(code, self.output, time.monotonic() - self._started)

    def wait_for_hosts(self, limit: float) -> None:
        """Waits until the provider hosts have ended."""
        until(lambda: not any(map(alive, self._hosts)), limit)

    def clean_up(self) -> None:
        """Ends what is left of it: the processes that were met, and the CLI."""
        for pid in (*self._family, self._process.pid):
            if alive(pid):
                os.kill(pid, signal.SIGKILL)
        self._process.wait()
