"""The table: rows, what each must reach, and the machine above it."""

from __future__ import annotations

import os
import platform
import subprocess
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from tests.engine import pulumi_path

PACKAGES = ("pulumi", "grpcio", "httpx", "pydantic")
HEAD = ("row", "work", "measured", "floor", "ratio", "requests", "must be", "verdict")


@dataclass(frozen=True)
class Bound:
    """What a figure must reach: at most a limit, or at least."""

    what: str
    figure: float
    limit: float
    at_least: bool = False

    def __str__(self) -> str:
        return f"{self.what} {'≥' if self.at_least else '≤'} {self.limit:g}"

    @property
    def miss(self) -> str | None:
        """By how much it is missed, where it is."""
        if self.figure >= self.limit if self.at_least else self.figure <= self.limit:
            return None
        if self.limit == 0:
            return f"{self.what} by {self.figure:g}"
        return f"{self.what} by {abs(self.figure / self.limit - 1):.0%}"


@dataclass(frozen=True)
class Row:
    """One line of the table; a figure that does not apply is left empty."""

    name: str
    work: str
    measured: str = ""
    floor: str = ""
    ratio: float | None = None
    requests: str = ""
    bounds: list[Bound] = field(default_factory=list)
    note: str = ""

    @property
    def verdict(self) -> str:
        """Whether every bound holds."""
        if not self.bounds:
            return "-"
        misses = [miss for bound in self.bounds if (miss := bound.miss)]
        return f"MISSED: {', '.join(misses)}" if misses else "ok"

    def cells(self) -> list[str]:
        """The cells, after `HEAD`."""
        return [
            self.name,
            self.work,
            self.measured,
            self.floor,
            "" if self.ratio is None else f"{self.ratio:.2f}",
            self.requests,
            ", ".join(str(bound) for bound in self.bounds),
            self.verdict,
        ]


def rendered(rows: list[Row]) -> str:
    """All rows as a table of Markdown, aligned for a terminal too, and their notes below it."""
    notes = [f"{row.name}: {row.note}" for row in rows if row.note]
    return "\n".join([grid(HEAD, [row.cells() for row in rows]), "", *notes])


def grid(head: tuple[str, ...], lines: list[list[str]]) -> str:
    """A table of Markdown whose columns are aligned."""
    widths = [max(len(line[column]) for line in [list(head), *lines]) for column in range(len(head))]

    def row(cells: list[str]) -> str:
        return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |"

    return "\n".join(
        [row(list(head)), "|" + "|".join("-" * (width + 2) for width in widths) + "|", *map(row, lines)]
    )


def machine() -> str:
    """Where this runs, and with which versions."""
    path = pulumi_path()
    engine = subprocess.run(
        ["pulumi", "version"],  # noqa: S607
        env={**os.environ, "PATH": path or ""},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    cpus = Path("/proc/cpuinfo")
    models = [line for line in cpus.read_text().splitlines() if "model name" in line] if cpus.exists() else []
    model = models[0].partition(":")[2].strip() if models else platform.processor() or platform.machine()
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return (
        f"{os.cpu_count()} cores ({model}), load {os.getloadavg()[0]:.1f}; "
        f"{platform.system()} {platform.release()}; Python {platform.python_version()}; Pulumi {engine}; {packages}"
    )
