"""The Pulumi CLI for the Automation API, made so that Ctrl-C ends what it does in good order.

A terminal sends Ctrl-C to the driver and to everything it has started; `kill -INT` and CI systems send it to the
driver alone. Here each command runs in a session of its own and the driver passes the signal on, so that an engine
gets it exactly once either way. On the first SIGINT the engine cancels what is under way, records it and releases
the stack's lock; on the second it does not wait.
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
    """The `pulumi` on PATH. Safe for threads."""

    def __init__(self) -> None:
        super().__init__()
        self.stopped = threading.Event()
        """Set by the first `interrupt`: no operation begins any more."""
        self._lock = threading.Lock()
        self._under_way: set[subprocess.Popen[bytes]] = set()

    def interrupt(self) -> None:
        """Sends SIGINT to each operation that is under way."""
        with self._lock:
            self.stopped.set()
            for process in self._under_way:
                process.send_signal(signal.SIGINT)

    def run(
        self,
        args: list[str],
        cwd: str,
        additional_env: Mapping[str, str],
        on_output: OnOutput | None = None,  # noqa: ARG002 (nobody here follows the output)
        on_error: OnOutput | None = None,  # noqa: ARG002
    ) -> CommandResult:
        """Runs a command to its end, as the Automation API asks for it.

        Raises:
            CommandError: It failed, or the fleet is stopped.
        """
        # Files, not pipes: should the driver be killed, the engine can still write, and so end in good order.
        with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
            with self._lock:
                if self.stopped.is_set() and args[0] in OPERATIONS:
                    raise create_command_error(CommandResult("", "stopped before it began", -signal.SIGINT))
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
                    self._under_way.add(process)
            code = process.wait()
            with self._lock:
                self._under_way.discard(process)
            output.seek(0)
            errors.seek(0)
            result = CommandResult(output.read().decode(), errors.read().decode(), code)
        if code:
            raise create_command_error(result)
        return result
