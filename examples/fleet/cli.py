"""The Pulumi CLI for the Automation API, which Ctrl-C ends cleanly.

A terminal sends Ctrl-C to the driver and to everything it has started; `kill -INT` and CI systems only send it to
the driver. Here each command runs in its own session and the driver passes the signal on, so an engine gets it
exactly once in both cases. On the first SIGINT the engine cancels its operations, records them and releases the
stack's lock; on the second it does not wait.
"""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import threading
from collections.abc import Mapping

from pulumi.automation import CommandResult, OnOutput, PulumiCommand
from pulumi.automation.errors import create_command_error

OPERATIONS = ("up", "preview", "refresh", "destroy")


class InterruptibleCli(PulumiCommand):
    """The `pulumi` on PATH. Safe for threads.

    Raises:
        CommandError: There is none.
    """

    def __init__(self) -> None:
        try:
            super().__init__()
        except FileNotFoundError:
            missing = "there is no `pulumi` on PATH: install the Pulumi CLI"
            raise create_command_error(CommandResult("", missing, 127)) from None
        self.stopped = threading.Event()
        """Set by the first `interrupt`; no operation starts after that."""
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()

    def interrupt(self) -> None:
        """Sends SIGINT to each running operation."""
        with self._lock:
            self.stopped.set()
            for process in self._running:
                process.send_signal(signal.SIGINT)

    def run(
        self,
        args: list[str],
        cwd: str,
        additional_env: Mapping[str, str],
        on_output: OnOutput | None = None,  # noqa: ARG002 (the output is not followed here)
        on_error: OnOutput | None = None,  # noqa: ARG002
    ) -> CommandResult:
        """Runs a command of the Automation API to its end.

        Raises:
            CommandError: It failed, or the fleet is stopped.
        """
        # Files instead of pipes, so that the engine can still write, and end cleanly, if the driver is killed.
        with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
            with self._lock:
                if self.stopped.is_set() and args[0] in OPERATIONS:
                    raise create_command_error(CommandResult("", "stopped before it started", -signal.SIGINT))
                process = subprocess.Popen(  # noqa: S603 (the arguments are the Automation API's)
                    [self.command, "--non-interactive", *args],
                    cwd=cwd,
                    env={**os.environ, **additional_env, "PULUMI_AUTOMATION_API": "true"},
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=errors,
                    start_new_session=True,
                )
                if args[0] in OPERATIONS:
                    self._running.add(process)
            code = process.wait()
            with self._lock:
                self._running.discard(process)
            output.seek(0)
            errors.seek(0)
            result = CommandResult(output.read().decode(), errors.read().decode(), code)
        if code:
            raise create_command_error(result)
        return result
