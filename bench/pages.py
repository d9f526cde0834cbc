"""Writes the results into the docs: at the end of each measurement, and with `python -m bench.pages`.

The tables are in `docs/performance.md` between comments such as `<!-- bench: rows -->` and `<!-- bench: end -->`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bench.results import FILE, load
from bench.rows import BY_ITSELF, ROWS
from bench.table import growth_table, table
from tests.support.engine import ROOT

if TYPE_CHECKING:
    from bench.results import Results

PAGE = ROOT / "docs" / "performance.md"
PLOT = ROOT / "docs" / "growth.svg"
PICTURE = f"![Seconds of a create, a no-op and a refresh, by the size of the fleet]({PLOT.name})"
NOTHING = "Not measured yet."
_PART = re.compile(r"(<!-- bench: (\w+) -->\n).*?(<!-- bench: end -->)", re.DOTALL)
_MAIN = [name for name in ROWS if name not in {"growth", BY_ITSELF}]


def write(results: Results) -> None:
    """Updates the page and its plot."""
    PAGE.write_text(rendered(PAGE.read_text(), results))
    if growth := results.lines(["growth"]):
        # Its library takes a second to load, which tests of the tables need not wait for.
        from bench.plot import plot

        plot(growth, PLOT)


def rendered(page: str, results: Results) -> str:
    """The page with the results inserted."""
    parts = {
        "machines": _machines(results),
        "rows": table(results.lines(_MAIN)),
        "growth": _growth(results),
        "fleet": table(results.lines([BY_ITSELF])),
    }
    return _PART.sub(lambda found: f"{found[1]}{parts[found[2]] or NOTHING}\n{found[3]}", page)


def _growth(results: Results) -> str:
    lines = results.lines(["growth"])
    return f"{PICTURE}\n\n{growth_table(lines)}" if lines else ""


def _machines(results: Results) -> str:
    """Each machine with the rows that were measured on it."""
    return "\n".join(
        f"- {date[:10]}, {', '.join(f'`{name}`' for name in names)}: {results.runs[date]}."
        for date in sorted(results.runs)
        if (names := [name for name in ROWS if any(line.run == date for line in results.lines([name]))])
    )


if __name__ == "__main__":
    write(load(FILE))
