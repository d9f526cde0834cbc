"""Runs a command on all stacks of the fleet in parallel: `up`, `preview`, `refresh` or `destroy`.

The exit code is 0 if everything is done, 1 if a stack failed, 2 if nothing was started, and 130 after Ctrl-C.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, wait
from itertools import zip_longest
from pathlib import Path

import click
from budget import REQUESTS_PER_MINUTE, Budget
from cli import OPERATIONS, InterruptibleCli
from pulumi import automation
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from stack import FOLDER, StackRun, in_words, reason
from targets import InvalidFleet, read_targets

STACKS_AT_A_TIME = min(8, 2 * (os.cpu_count() or 1))
"""Two per core, since stacks often wait for verifications. Each takes some 300 MB."""
ERRORS_SHOWN = 10
"""For each stack; `pulumi up --stack …` shows all of them."""


@click.command()
@click.argument("command", type=click.Choice(OPERATIONS))
@click.option("--targets", type=click.Path(path_type=Path), default=FOLDER / "targets.csv", help="The file.")
@click.option("--parallel-stacks", default=STACKS_AT_A_TIME, show_default=True, type=click.IntRange(min=1))
@click.option(
    "--requests-per-minute",
    default=REQUESTS_PER_MINUTE,
    show_default=True,
    type=click.IntRange(min=1),
    help="What all stacks of one region may use together.",
)
def main(command: str, targets: Path, parallel_stacks: int, requests_per_minute: int) -> None:
    """Run COMMAND on all stacks of the fleet."""
    os.environ["FLEET_TARGETS"] = str(targets.absolute())
    try:
        cli = InterruptibleCli()
        require_own_host()
        runs = [StackRun(command, name, len(rows)) for name, rows in read_targets(targets).items()]
        leftovers = stacks_left_over(cli, {run.name for run in runs})
    except (InvalidFleet, automation.CommandError, automation.InvalidVersionError) as error:
        why = reason(error) if isinstance(error, automation.CommandError) else str(error)
        raise click.UsageError(f"nothing was started:\n{why}") from None
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
    # A CI log gets plain lines, even if FORCE_COLOR is set.
    terminal = sys.stdout.isatty()
    console = Console(force_terminal=terminal, highlight=False, markup=False, soft_wrap=True)
    signals = drive(runs, cli, console, parallel_stacks, requests_per_minute)
    summarize(runs, leftovers, console)
    sys.exit(128 + signals[0] if signals else any(run.outcome == "FAILED" for run in runs))


def require_own_host() -> None:
    """Checks that Pulumi.yaml does not use Pulumi's stock host, which works on four targets at a time.

    Raises:
        InvalidFleet: It does.
    """
    if "pulumi-python" not in (FOLDER / "Pulumi.yaml").read_text():
        raise InvalidFleet("Pulumi.yaml names no provider host: run `genesys-eventbridge init`")


def stacks_left_over(cli: InterruptibleCli, names: set[str]) -> list[str]:
    """The stacks of this project that still have resources but no longer have rows.

    Raises:
        CommandError: The backend can't be used.
    """
    stacks = automation.LocalWorkspace(work_dir=str(FOLDER), pulumi_command=cli).list_stacks()
    return [each.name for each in stacks if each.resource_count and each.name not in names]


def drive(
    runs: list[StackRun],
    cli: InterruptibleCli,
    console: Console,
    stacks_at_a_time: int = STACKS_AT_A_TIME,
    requests_per_minute: int = REQUESTS_PER_MINUTE,
) -> list[int]:
    """Runs all stacks; returns the signals received meanwhile."""
    signals: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _frame: signals.append(number))
    targets = Counter[str]()
    for run in runs:
        targets[run.region] += run.targets
    budgets = {each: Budget(requests_per_minute, count, cli.stopped) for each, count in targets.items()}
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    # Two threads that draw at the same time leave parts of the bars behind, so only the holder of the lock draws.
    drawing = threading.Lock()
    with Progress(*columns, console=console, auto_refresh=False, disable=not console.is_terminal) as progress:
        fleet = progress.add_task("fleet", total=targets.total())

        def work(run: StackRun) -> None:
            with budgets[run.region].share(run.targets) as share:
                if cli.stopped.is_set():
                    return
                with drawing:
                    console.print(f"{run.name:<32} {run.command}: {counted(run.targets, 'target')}")
                    bar = progress.add_task(run.name, total=run.targets)

                def step() -> None:
                    progress.advance(bar)
                    progress.advance(fleet)

                run.run(cli, step)
                share.requests = budgets[run.region].requests(run.changes, run.seconds)
                with drawing:
                    progress.remove_task(bar)
                    console.print(str(run))

        # Alternate between regions, so that stacks waiting for one organization's limit delay others less.
        regions = [[run for run in runs if run.region == each] for each in budgets]
        turns = [run for turn in zip_longest(*regions) for run in turn if run]
        with ThreadPoolExecutor(stacks_at_a_time) as pool:
            futures = [pool.submit(work, run) for run in turns]
            passed_on = 0
            while wait(futures, timeout=0.1).not_done:
                with drawing:
                    progress.refresh()
                if passed_on < len(signals):
                    passed_on += 1
                    cli.interrupt()
                    with drawing:
                        console.print(
                            "Ending all stacks cleanly. Press Ctrl-C again to end them without waiting."
                        )
    for future in futures:
        future.result()
    return signals


def counted(count: int, what: str) -> str:
    """`1 stack`, `2 stacks`."""
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def summarize(runs: list[StackRun], leftovers: list[str], console: Console) -> None:
    """Prints the failures, the stacks left over, and the totals."""
    for run in runs:
        if run.outcome == "FAILED":
            errors = run.errors[:ERRORS_SHOWN]
            errors += [f"… and {len(run.errors) - ERRORS_SHOWN} more"] * (len(run.errors) > ERRORS_SHOWN)
            console.print("\n  ".join([f"\n{run.name} FAILED:", *errors]))
    for name in leftovers:
        console.print(f"\n{name} has no rows any more and was left unchanged: pulumi destroy --stack {name}")
    outcomes = Counter[str](run.outcome for run in runs)
    targets = sum((run.counts for run in runs), Counter[str]())
    console.print(f"\n{counted(len(runs), 'stack')}: {in_words(outcomes)}. Targets: {in_words(targets)}.")


if __name__ == "__main__":
    main()
