"""Processes that tests start: commands, like from a shell, and our services."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from typing_extensions import Self

COMMAND = Path(sys.executable).with_name("genesys-eventbridge")
COMMAND_LIMIT = 150.0
"""In seconds. A command that takes longer is stuck."""


@dataclass(frozen=True)
class Result:
    """The result of a command."""

    code: int
    output: str
    """Standard output, and standard error unless it was kept apart."""
    seconds: float
    errors: str = ""
    """Standard error, if it was kept apart."""


def succeeded(result: Result) -> str:
    """The output of a command, after checking that it succeeded."""
    assert result.code == 0, result.output
    return result.output


def refused(result: Result, *words: str) -> str:
    """The output of a command, after checking that it failed with these texts."""
    assert result.code != 0, result.output
    for each in words:
        assert each in result.output, f"{each!r} is missing in:\n{result.output}"
    return result.output


class Running:
    """A running command in its own process group, like a shell starts it.

    With `errors_apart`, standard error is not part of the output. The end of a `with` block kills the group if the
    command still runs.
    """

    def __init__(
        self,
        command: Sequence[str | Path],
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        *,
        errors_apart: bool = False,
    ) -> None:
        self._started = time.monotonic()
        self._process = subprocess.Popen(
            command,
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE if errors_apart else subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._kill_group()
            self._process.wait()
        for stream in (self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()

    @property
    def pid(self) -> int:
        return self._process.pid

    def line(self) -> str:
        """The next line of its output; empty if it has ended, or was killed because no line came in time."""
        return self._line(self._process.stdout)

    def error_line(self) -> str:
        """The next line of its standard error, which is kept apart."""
        return self._line(self._process.stderr)

    def _line(self, stream: IO[str] | None) -> str:
        assert stream is not None
        timer = threading.Timer(COMMAND_LIMIT, self._kill_group)
        timer.start()
        try:
            return stream.readline()
        finally:
            timer.cancel()

    def send(self, number: int) -> None:
        """Sends a signal to the process only, unless it has ended."""
        self._process.send_signal(number)

    def interrupt(self) -> None:
        """Ctrl-C: sends SIGINT to the process group, like a terminal does."""
        os.killpg(self.pid, signal.SIGINT)

    def kill(self) -> None:
        """Sends SIGKILL to the process only."""
        self._process.kill()

    def wait(self, limit: float = COMMAND_LIMIT) -> Result:
        """Waits for the end; after the limit in seconds, kills the group and fails."""
        try:
            output, errors = self._process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            self._kill_group()
            output, _ = self._process.communicate()
            raise AssertionError(f"no end after {limit} s:\n{output}") from None
        return Result(self._process.returncode, output, time.monotonic() - self._started, errors or "")

    def _kill_group(self) -> None:
        os.killpg(self.pid, signal.SIGKILL)


def free_port() -> int:
    """A port on which nothing listens, outside the range from which the kernel takes ports for clients."""
    while True:
        port = random.randrange(20_000, 32_768)  # noqa: S311 - no secret
        with socket.socket() as listener, suppress(OSError):
            listener.bind(("127.0.0.1", port))
            return port


class Service(Running):
    """A running `genesys-eventbridge` command that serves.

    `url` is its address. If it did not start, `url` and `ready_line` are empty.
    """

    def __init__(self, *arguments: object, env: Mapping[str, str] | None = None) -> None:
        command = [str(COMMAND), *map(str, arguments)]
        super().__init__(command, env={**os.environ, **(env or {})}, errors_apart=True)
        self.ready_line = self.line()
        self.url = self.ready_line.strip().rpartition(" ")[2]

    def end(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """Sends the signal; returns the exit code and everything that was printed after the ready line."""
        self.send(number)
        result = self.wait()
        return result.code, result.output + result.errors
