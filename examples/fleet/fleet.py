"""Drives all stacks of the fleet side by side: `python fleet.py up`; also `preview`, `refresh` and `destroy`.

Each stack is an ordinary one of this folder's project: the host that Pulumi.yaml names serves it, and the Pulumi
CLI works on it too. Exit code: 0 when all is done, 1 when a stack failed, 2 when nothing was
begun, 130 after Ctrl-C.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path

import click
from budget import REQUESTS_A_MINUTE, Budget
from cli import OPERATIONS, InterruptibleCli
from pulumi import automation
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from targets import InvalidFleet, read_targets

FOLDER = Path(__file__).parent
STACKS_AT_A_TIME = min(8, 2 * (os.cpu_count() or 1))
"""More would not be faster: a stack that comes up keeps half a core busy, and takes some 400 MB."""
ERRORS_SHOWN = 10
"""Of one stack; `pulumi up --stack …` shows all."""


@dataclass
class StackRun:
    """One stack under one command: how far it is, and how it ended."""

    name: str
    targets: int
    verdict: str = "not begun"
    seconds: float = 0.0
    done: Counter[str] = field(default_factory=Counter)
    """How many targets were created, updated and so on."""
    errors: list[str] = field(default_factory=list)
    """Those of targets; where there are none, those of the stack."""

    @property
    def region(self) -> str:
        """Where it is."""
        return self.name.partition(".")[0]

    @property
    def changes(self) -> int:
        """How many targets it has written."""
        return self.done.total() - self.done["same"] - self.done["refresh"]

    @property
    def env(self) -> dict[str, str]:
        """Its environment: `GENESYSCLOUD_…_EU_CENTRAL_1` is `GENESYSCLOUD_…` for the stacks of that region."""
        suffix = f"_{self.region.replace('-', '_').upper()}"
        own = {key: value for key, value in os.environ.items() if key.startswith("GENESYSCLOUD_")}
        own = {key.removesuffix(suffix): value for key, value in own.items() if key.endswith(suffix)}
        # Each target waits for its verification: Pulumi's default, 4 x cores, would make most wait in turns.
        return {**own, "PULUMI_PARALLEL": str(max(self.targets, 16))}

    def run(self, command: str, cli: InterruptibleCli, on_step: Callable[[], None]) -> None:
        """Runs the command; `on_step` is called for each target. Nothing is raised: a failure is this stack's."""
        started = time.monotonic()
        of_stack: list[str] = []

        def take(event: automation.EngineEvent) -> None:
            step = event.res_outputs_event or event.res_op_failed_event
            if step and not step.metadata.type.startswith("pulumi:"):
                on_step()
                self.done["failed" if event.res_op_failed_event else step.metadata.op.value] += 1
            said = event.diagnostic_event
            if said and said.severity == "error":
                (self.errors if said.urn else of_stack).append(one_line(said.message))

        try:
            options = automation.LocalWorkspaceOptions(env_vars=self.env, pulumi_command=cli)
            stack = automation.create_or_select_stack(self.name, work_dir=str(FOLDER), opts=options)
            stack.set_config("genesys:region", automation.ConfigValue(self.region))
            getattr(stack, command)(on_event=take, color="never")
            self.verdict = "done"
        except Exception as error:  # noqa: BLE001 (whatever it is, the other stacks go on)
            self.verdict = "stopped" if cli.stopped.is_set() else "FAILED"
            self.errors = self.errors or of_stack[:1] or [one_line(str(error))]
        self.seconds = time.monotonic() - started

    def __str__(self) -> str:
        done = ", ".join(f"{count} {op}" for op, count in sorted(self.done.items()))
        return f"{self.name:<32} {self.verdict:<9} {self.seconds:5.0f} s  {done}"


def one_line(message: str) -> str:
    """What an error says, without the engine's frame around it."""
    lines = [line.strip(" \t*") for line in message.splitlines()]
    return " ".join(line for line in lines if line and not line.endswith("error occurred:"))


def drive(
    command: str,
    runs: list[StackRun],
    stacks_at_a_time: int = STACKS_AT_A_TIME,
    requests_a_minute: int = REQUESTS_A_MINUTE,
) -> int:
    """Runs the command on all stacks; the exit code."""
    cli = InterruptibleCli()
    signals: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _frame: signals.append(number))
    targets = Counter[str]()
    for run in runs:
        targets[run.region] += run.targets
    budgets = {each: Budget(requests_a_minute, count, cli.stopped) for each, count in targets.items()}
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    console = Console(highlight=False, markup=False, soft_wrap=True)
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        fleet = progress.add_task(command, total=sum(targets.values()))

        def work(run: StackRun) -> None:
            with budgets[run.region].share(run.targets) as share:
                if cli.stopped.is_set():
                    return
                console.print(f"{run.name:<32} {command}: {run.targets} targets")
                bar = progress.add_task(run.name, total=run.targets)

                def step() -> None:
                    progress.advance(fleet)
                    progress.advance(bar)

                run.run(command, cli, step)
                share.requests = budgets[run.region].requests(run.changes, run.seconds)
                progress.remove_task(bar)
                console.print(str(run))

        with ThreadPoolExecutor(stacks_at_a_time) as pool:
            futures = [pool.submit(work, run) for run in runs]
            passed_on = 0
            while wait(futures, timeout=0.1).not_done:
                if passed_on < len(signals):
                    passed_on += 1
                    cli.interrupt()
                    console.print("Ending all stacks in good order. Ctrl-C again does not wait for that.")
    for future in futures:
        future.result()
    return summarize(console, runs, stopped_by=signals[0] if signals else None)


def summarize(console: Console, runs: list[StackRun], stopped_by: int | None) -> int:
    """Shows what failed, and the totals; the exit code."""
    for run in runs:
        if run.verdict == "FAILED":
            console.print(f"\n{run.name} FAILED:")
            for error in run.errors[:ERRORS_SHOWN]:
                console.print(f"  {error}")
            if more := len(run.errors) - ERRORS_SHOWN:
                console.print(f"  and {more} more")
    verdicts = Counter(run.verdict for run in runs)
    done = sum((run.done for run in runs), Counter[str]())
    totals = [f"{count} {what}" for each in (verdicts, done) for what, count in sorted(each.items())]
    console.print(f"\n{len(runs)} stacks: {', '.join(totals)}")
    if stopped_by:
        return 128 + stopped_by
    return int(verdicts["FAILED"] > 0)


@click.command()
@click.argument("command", type=click.Choice(OPERATIONS))
@click.option("--targets", type=click.Path(path_type=Path), default=FOLDER / "targets.csv", help="The file.")
@click.option("--parallel-stacks", default=STACKS_AT_A_TIME, show_default=True, type=click.IntRange(min=1))
@click.option(
    "--requests-per-minute",
    default=REQUESTS_A_MINUTE,
    show_default=True,
    help="That all stacks of one region may use together.",
)
def main(command: str, targets: Path, parallel_stacks: int, requests_per_minute: int) -> None:
    """Run COMMAND on all stacks of the fleet."""
    try:
        stacks = read_targets(targets)
    except InvalidFleet as error:
        raise click.UsageError(f"nothing was begun:\n{error}") from None
    if "pulumi-python" not in (FOLDER / "Pulumi.yaml").read_text():
        raise click.UsageError(
            "nothing was begun: Pulumi.yaml names no host. Run `genesys-eventbridge init`."
        )
    os.environ["FLEET_TARGETS"] = str(targets.absolute())
    runs = [StackRun(name, len(rows)) for name, rows in stacks.items()]
    sys.exit(drive(command, runs, parallel_stacks, requests_per_minute))


if __name__ == "__main__":
    main()
