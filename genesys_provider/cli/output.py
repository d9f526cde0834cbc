"""What commands print: tables, JSON, progress. Colors and progress are only for terminals.

Text from the API is never interpreted as markup or as control sequences.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import click

from genesys_provider.client.progress import reporting_to
from genesys_provider.client.redaction import shown
from genesys_provider.common.times import parsed_time
from genesys_provider.common.urns import urn_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

PROGRESS_AFTER = 1.0
"""Seconds until progress is shown."""
_NARROW = 17
"""With fewer characters for each column, a table on a terminal becomes a list: its columns would break words."""
_WIDE = 1_000_000
"""The width if the output is not a terminal: nothing is folded then."""
_STYLES = {
    "VERIFIED": "green",
    "HEALTHY": "green",
    "ACTIVE": "green",
    "FAILED": "red",
    "TIMEOUT": "red",
    "UNHEALTHY": "red",
    "ERROR": "red",
}
as_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, with the documented keys.")


def console(*, err: bool = False) -> Console:
    """The terminal, or the file that replaces it."""
    from rich.console import Console

    made = Console(stderr=err, highlight=False, markup=False, emoji=False)
    if not made.is_terminal:
        made.width = _WIDE
    return made


def plain(text: object) -> str:
    """The text in one line, redacted and without control sequences."""
    line = "".join(character if character.isprintable() else "\ufffd" for character in str(text))
    return shown(line)


def status_text(status: str) -> Text:
    """A status in its color."""
    from rich.text import Text

    return Text(plain(status), style=_STYLES.get(status, "yellow"))


def print_json(value: Any) -> None:
    """Prints a value as JSON."""
    # Readable where the output can have all characters.
    ascii_only = "utf" not in (getattr(sys.stdout, "encoding", None) or "").lower()
    text = json.dumps(value, indent=2, ensure_ascii=ascii_only)
    click.echo(text.encode("utf-8", "backslashreplace").decode())


def print_table(columns: Sequence[str], rows: Iterable[Sequence[Text | str]]) -> None:
    """Prints rows without empty columns; on a terminal, wide texts are folded within their column.

    On a narrow terminal the first cell of each row becomes the heading of its other cells.
    """
    from rich.table import Table

    filled = list(rows)
    # An empty column only takes up space.
    kept = [index for index in range(len(columns)) if any(str(row[index]) for row in filled)]
    terminal = console()
    if terminal.is_terminal and terminal.width < _NARROW * len(kept):
        title, *others = kept
        for row in filled:
            click.echo(str(row[title]))
            print_fields((f"  {columns[index]}", row[index]) for index in others)
        return
    table = Table(
        *(columns[index] for index in kept),
        box=None,
        pad_edge=False,
        header_style="bold",
        padding=(0, 2, 0, 0),
    )
    for row in filled:
        table.add_row(*(row[index] for index in kept))
    _print(table)


def print_fields(fields: Iterable[tuple[str, Text | str | None]]) -> None:
    """Prints names and values, one per line; missing values are left out."""
    from rich.table import Table

    table = Table.grid("name", "value", padding=(0, 2, 0, 0))
    table.columns[0].style = "bold"
    for name, value in fields:
        if value is not None and str(value):
            table.add_row(name, value)
    _print(table)


def _print(table: Table) -> None:
    for column in table.columns:
        column.overflow = "fold"
    terminal = console()
    with terminal.capture() as capture:
        terminal.print(table)
    for line in capture.get().splitlines():
        click.echo(line.rstrip(), color=True)


def counted(number: int, noun: str) -> str:
    """The number with the noun: "1 target", "2 targets", "2 entries"."""
    if number == 1:
        return f"1 {noun}"
    return f"{number} {noun[:-1]}ies" if noun.endswith("y") else f"{number} {noun}s"


def tally(statuses: Sequence[str], noun: str, among: Sequence[str]) -> str:
    """The last line of a list: the number of entries, and the count of each status, the most frequent first.

    Args:
        statuses: The statuses of the listed objects.
        noun: What the objects are called.
        among: The statuses of all objects, which are shown if the list is empty.
    """
    total = len(among)
    if among and not statuses:
        return f"0 of {tally(among, noun, among)}"
    by_status = {each: statuses.count(each) for each in statuses}
    listed = ", ".join(
        f"{count} {plain(status)}"
        for status, count in sorted(by_status.items(), key=lambda item: (-item[1], item[0]))
    )
    number = len(statuses)
    what = counted(number, noun) if number == total else f"{number} of {counted(total, noun)}"
    return f"{what}: {listed}" if listed else what


def short_owner(owner: str | None) -> str:
    """An owner mark as `STACK::PROJECT::NAME`, or as it is."""
    urn = urn_in(owner)
    return plain(owner or "" if urn is None else f"{urn.stack}::{urn.project}::{urn.name}")


def ago(timestamp: str | None) -> str:
    """How long ago an ISO 8601 time was: `3 min ago`; empty without a time."""
    then = parsed_time(timestamp)
    if then is None:
        return ""
    passed = max(datetime.now(timezone.utc) - then, timedelta())
    for unit, seconds in (("d", 86_400), ("h", 3600), ("min", 60)):
        if passed.total_seconds() >= seconds:
            return f"{passed.total_seconds() // seconds:.0f} {unit} ago"
    return f"{passed.total_seconds():.0f} s ago"


@contextmanager
def progress(what: str, total: int | None = None) -> Iterator[Callable[[], None]]:
    """On a terminal, shows the progress of work that takes longer than a second, and what it waits for.

    Args:
        what: What is being done.
        total: The number of steps; None if it is unknown.

    Yields:
        A function that counts one step.
    """
    terminal = console(err=True)
    if not terminal.is_terminal or not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn

    columns = [SpinnerColumn(), TextColumn("{task.description}", markup=False)]
    if total is not None:
        columns += [BarColumn(), MofNCompleteColumn()]
    bar = Progress(*columns, console=terminal, transient=True)
    task = bar.add_task(what, total=total)
    timer = threading.Timer(PROGRESS_AFTER, bar.start)
    timer.daemon = True
    timer.start()
    try:
        with reporting_to(lambda message: bar.update(task, description=f"{what}: {plain(message)}")):
            yield lambda: bar.advance(task)
    finally:
        timer.cancel()
        timer.join()
        bar.stop()
