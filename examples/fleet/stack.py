"""One command on one stack of the fleet: how it runs, its progress and its outcome."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from cli import InterruptibleCli
from pulumi import automation

FOLDER = Path(__file__).parent
AT_LEAST_AT_ONCE = 16
"""The parallelism of a stack with few rows, since it may have more targets to delete."""
WORDS = {
    "preview": {"create": "to create", "update": "to update", "delete": "to delete"},
    "refresh": {"update": "changed by others", "delete": "deleted by others"},
}
USUAL_WORDS = {"create": "created", "update": "updated", "delete": "deleted", "same": "unchanged"}


@dataclass
class StackRun:
    """A command on one stack, which is named `<region>.<unit>`."""

    command: str
    name: str
    targets: int
    outcome: Literal["not started", "done", "FAILED", "stopped"] = "not started"
    seconds: float = 0.0
    counts: Counter[str] = field(default_factory=Counter)
    """The number of targets for each result."""
    changes: int = 0
    """The number of targets written, including failed writes."""
    errors: list[str] = field(default_factory=list)
    """The errors of targets or, without any, the error of the stack."""

    @property
    def region(self) -> str:
        """The region of its organization."""
        return self.name.partition(".")[0]

    @property
    def env(self) -> dict[str, str]:
        """Its environment: `GENESYSCLOUD_…_EU_CENTRAL_1` is `GENESYSCLOUD_…` for the stacks of that region."""
        suffix = f"_{self.region.replace('-', '_').upper()}"
        own = {key: value for key, value in os.environ.items() if key.startswith("GENESYSCLOUD_")}
        own = {key.removesuffix(suffix): value for key, value in own.items() if key.endswith(suffix)}
        # All targets wait for their verification at the same time; Pulumi's default is only 4 x cores.
        return {**own, "PULUMI_PARALLEL": str(max(self.targets, AT_LEAST_AT_ONCE))}

    def run(self, cli: InterruptibleCli, on_step: Callable[[], None]) -> None:
        """Runs the command and calls `on_step` for each target; never raises, so that other stacks continue."""
        started = time.monotonic()
        of_stack: list[str] = []

        def take(event: automation.EngineEvent) -> None:
            step = event.res_outputs_event or event.res_op_failed_event
            if step and not step.metadata.type.startswith("pulumi:"):
                failed = "interrupted" if cli.stopped.is_set() else "failed"
                operation = failed if event.res_op_failed_event else step.metadata.op.value
                if operation == "refresh":
                    # Another one follows: with `options: {refresh: always}`, each command begins with a refresh.
                    return
                self._count(operation)
                on_step()
            said = event.diagnostic_event
            if said and said.severity == "error":
                (self.errors if said.urn else of_stack).append(one_line(said.message))

        try:
            options = automation.LocalWorkspaceOptions(env_vars=self.env, pulumi_command=cli)
            stack = automation.create_or_select_stack(self.name, work_dir=str(FOLDER), opts=options)
            stack.set_config("genesys:region", automation.ConfigValue(self.region))
            getattr(stack, self.command)(on_event=take, color="never")
            self.outcome = "done"
        except Exception as error:  # noqa: BLE001 (any error is shown at the end)
            self.outcome = "stopped" if cli.stopped.is_set() else "FAILED"
            self.errors = self.errors or of_stack[:1] or [reason(error)]
        self.seconds = time.monotonic() - started

    def _count(self, operation: str) -> None:
        words = {**USUAL_WORDS, **WORDS.get(self.command, {})}
        self.counts[words.get(operation, operation)] += 1
        self.changes += operation != "same" and self.command in {"up", "destroy"}

    def __str__(self) -> str:
        none = "nothing to do" if self.outcome == "done" else "nothing was done"
        return f"{self.name:<32} {self.outcome} in {self.seconds:.0f} s: {in_words(self.counts, none)}"


def in_words(counts: Counter[str], none: str = "none") -> str:
    """The counts in words, or `none`."""
    return ", ".join(f"{count} {what}" for what, count in sorted(counts.items())) or none


def reason(error: Exception) -> str:
    """The standard error of the CLI, from an error of the Automation API."""
    return one_line(str(error).rpartition("stderr: ")[2])


def one_line(message: str) -> str:
    """The message of an error, without the engine's frame."""
    lines = [line.strip(" \t*") for line in message.splitlines()]
    return " ".join(line for line in lines if line and not line.endswith("error occurred:"))
