"""`audit`: show and verify an audit file, and how long things took."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from genesys_provider.cli import output
from genesys_provider.common.times import parsed_time

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
TIMED = {
    "TARGET_CREATED": "Creation of targets",
    "TARGET_VERIFIED": "Verification of targets",
    "SOURCE_CREATED": "Creation of sources",
    "SOURCE_SETTLED": "Activation of sources",
}
"""The events whose latencies are shown, with their titles."""
BOUNDS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30, 45, 60, 75, 120, 300)
"""Upper bounds of a histogram's bars, in seconds."""
LONGEST_BAR = 40


@click.group()
def audit() -> None:
    """Inspect audit files: show, latency, verify."""


def _given(_context: click.Context, _option: click.Parameter, value: str | None) -> datetime | None:
    """Parses an option with an ISO 8601 time; without a time zone it is UTC, as in the file."""
    moment = None if value is None else parsed_time(value)
    if value is not None and moment is None:
        raise click.BadParameter(f"{value!r} is not a time: write it as 2026-01-31 or 2026-01-31T12:00:00Z.")
    return moment


@audit.command()
@click.argument("file", type=FILE)
@click.option("--target", metavar="ID", help="Only entries about the target or source with this id.")
@click.option(
    "--event", metavar="EVENT", help="Only entries of this kind, such as TARGET_VERIFICATION_FAILED."
)
@click.option(
    "--since", metavar="TIME", callback=_given, help="Only entries from this time on: 2026-01-31T12:00:00Z."
)
@click.option("--until", metavar="TIME", callback=_given, help="Only entries before this time.")
@output.as_json_option
def show(
    file: Path,
    target: str | None,
    event: str | None,
    since: datetime | None,
    until: datetime | None,
    as_json: bool,
) -> None:
    """Show the entries of FILE in their order. They are unchecked: see `audit verify`."""
    found = _entries(file)
    chosen = [
        each
        for each in found
        if target in (None, each.get("targetId"))
        and event in (None, each.get("event"))
        and _within(parsed_time(each.get("timestamp")), since, until)
    ]
    if as_json:
        output.print_json(chosen)
        return
    for each in chosen:
        click.echo(entry_line(each))
    events = [[str(each.get("event")) for each in some] for some in (chosen, found)]
    click.echo(output.tally(events[0], "entry", events[1]))


def _within(moment: datetime | None, since: datetime | None, until: datetime | None) -> bool:
    if moment is None:
        return since is None and until is None
    return (since is None or moment >= since) and (until is None or moment < until)


def entry_line(entry: dict[str, Any]) -> str:
    """An entry as one line."""
    latency, error = entry.get("latencySeconds"), entry.get("error")
    seconds = f"  {latency:.3f} s" if isinstance(latency, int | float) else ""
    return output.plain(
        f"{entry.get('timestamp')}  {entry.get('event')}  {entry.get('targetId') or '-'}{seconds}"
        + (f"  {error}" if error else "")
    )


def _entries(file: Path) -> list[dict[str, Any]]:
    from genesys_provider.common.audit_check import NotAnAuditFile, entries_of

    try:
        return entries_of(file)
    except OSError as error:
        raise click.ClickException(f"{file} can't be read: {error.strerror or error}.") from error
    except NotAnAuditFile as error:
        raise click.ClickException(f"{error}.") from error


@audit.command()
@click.argument("file", type=FILE)
@output.as_json_option
def latency(file: Path, as_json: bool) -> None:
    """Show how long creation and verification took.

    Shows p50, p95, p99, and a histogram.
    """
    entries = _entries(file)
    measured = {
        event: sorted(
            float(each["latencySeconds"])
            for each in entries
            if each.get("event") == event and isinstance(each.get("latencySeconds"), int | float)
        )
        for event in TIMED
    }
    if as_json:
        output.print_json(
            [{"event": event, **_figures(seconds)} for event, seconds in measured.items() if seconds]
        )
        return
    shown = [_histogram(TIMED[event], seconds) for event, seconds in measured.items() if seconds]
    click.echo("\n\n".join(shown) if shown else f"{file} has no entry that says how long something took.")


def _figures(seconds: Sequence[float]) -> dict[str, Any]:
    return {
        "count": len(seconds),
        **{f"p{percent}": percentile(seconds, percent) for percent in (50, 95, 99)},
        "longest": seconds[-1],
    }


def percentile(ordered: Sequence[float], percent: int) -> float:
    """The value that this percentage of all values does not exceed: nearest rank."""
    return ordered[math.ceil(len(ordered) * percent / 100) - 1]


def _histogram(title: str, seconds: Sequence[float]) -> str:
    figures = _figures(seconds)
    head = (
        f"{title}: {figures['count']}, p50 {figures['p50']:.2f} s, p95 {figures['p95']:.2f} s, "
        f"p99 {figures['p99']:.2f} s, longest {figures['longest']:.2f} s"
    )
    counts = [0] * (len(BOUNDS) + 1)
    for each in seconds:
        counts[sum(each > bound for bound in BOUNDS)] += 1
    names = [f"≤ {bound:g} s" for bound in BOUNDS] + [f"> {BOUNDS[-1]:g} s"]
    filled = [index for index, count in enumerate(counts) if count]
    scale = LONGEST_BAR / max(counts)
    bars = [
        f"  {names[index]:>8}  {'█' * math.ceil(counts[index] * scale):<{LONGEST_BAR}}  {counts[index]}"
        for index in range(filled[0], filled[-1] + 1)
    ]
    return "\n".join((head, *bars))


@audit.command()
@click.argument("file", type=FILE)
def verify(file: Path) -> None:
    """Check that nobody has tampered with FILE.

    Exits with 1 if a line was changed, removed or inserted.

    With GENESYSCLOUD_AUDIT_KEY, also check that nobody without the key has rewritten FILE.
    """
    from genesys_provider.client.settings import AUDIT_KEY
    from genesys_provider.common.audit_check import problems_of, without_key

    key = os.environ.get(AUDIT_KEY)
    entries = _entries(file)
    found = list(problems_of(file, key))
    for problem in found:
        click.echo(problem)
    if found:
        raise SystemExit(1)
    click.echo(f"{file}: the chain is whole" if entries else f"{file} has no entries")
    if key and (count := without_key(file)):
        click.echo(f"Its first {count} entries were written without a key; the first keyed one secures them.")
