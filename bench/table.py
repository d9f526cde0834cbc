"""Formats lines as Markdown tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bench.results import Line

HEAD = ("row", "work", "`--parallel`", "measured", "floor", "ratio", "requests", "must be", "reached")
GROWTH_HEAD = ("targets", "work", "measured", "floor", "our share", "our share per target", "requests")


def table(lines: Iterable[Line]) -> str:
    """The table of the lines, followed by their notes, and the reasons of those that miss a bound."""
    lines = list(lines)
    notes = dict.fromkeys(f"- `{line.name}`: {line.note}." for line in lines if line.note)
    reasons = dict.fromkeys(
        f"- `{line.name}` misses a bound. Reason: {line.reason}."
        for line in lines
        if line.reason and not line.reached
    )
    below = [*notes, *reasons]
    return "\n".join([grid(HEAD, [_cells(line) for line in lines]), *(["", *below] if below else [])])


def growth_table(lines: Iterable[Line]) -> str:
    """The table of the row `growth`."""
    return grid(GROWTH_HEAD, [_growth_cells(line) for line in lines])


def _cells(line: Line) -> list[str]:
    return [
        line.name,
        line.work,
        line.parallel,
        line.value(line.measured),
        line.value(line.floor),
        "" if line.ratio is None else f"{line.ratio:.2f}",
        _requests(line),
        ", ".join(str(bound) for bound in line.bounds),
        line.verdict,
    ]


def _growth_cells(line: Line) -> list[str]:
    share = line.measured - (line.floor or 0.0)
    return [
        str(line.targets),
        line.name,
        line.value(line.measured),
        line.value(line.floor),
        line.value(share),
        f"{1000 * share / line.targets:.1f} ms",
        _requests(line),
    ]


def _requests(line: Line) -> str:
    if line.requests is None:
        return ""
    kinds = ", ".join(f"{count} {kind}" for kind, count in line.requests.items())
    return f"{sum(line.requests.values())}{': ' if kinds else ''}{kinds}"


def grid(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table whose columns are aligned in the source; empty if there are no rows."""
    rows = [list(head), *map(list, rows)]
    if len(rows) == 1:
        return ""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    first, *others = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in rows
    ]
    return "\n".join([first, "|" + "|".join("-" * (width + 2) for width in widths) + "|", *others])
