"""The measurements, and the file that keeps them: `bench/results.json`."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, computed_field

from tests.support.engine import pulumi_path

if TYPE_CHECKING:
    from collections.abc import Iterable

FILE = Path(__file__).parent / "results.json"
PACKAGES = ("pulumi", "grpcio", "httpx", "pydantic")
DEFAULT = "default"
"""Stands for Pulumi's default of `--parallel`, which is four for each core."""


Figure = Annotated[float, AfterValidator(lambda figure: round(figure, 4))]
"""Rounded, so that the file and the page show the same figures."""


class Bound(BaseModel):
    """The limit of a figure: a maximum, or a minimum."""

    model_config = ConfigDict(frozen=True)

    what: str
    figure: Figure
    limit: float
    at_least: bool = False

    @computed_field  # type: ignore[prop-decorator]
    @property
    def reached(self) -> bool:
        """Whether the figure is within the limit."""
        return self.figure >= self.limit if self.at_least else self.figure <= self.limit

    @property
    def missed_by(self) -> str:
        """By how much the figure misses the limit, in words."""
        far = f"{self.figure:g}" if self.limit == 0 else f"{abs(self.figure / self.limit - 1):.0%}"
        return f"{self.what} by {far}"

    def __str__(self) -> str:
        return f"{self.what} {'≥' if self.at_least else '≤'} {self.limit:g}"


class Line(BaseModel):
    """One measurement.

    `floor` is the figure for the same number of trivial resources. `parallel` is the value of `--parallel`,
    `DEFAULT`, or empty if no engine runs. `requests` counts the requests to the API by kind.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    work: str
    measured: Figure
    floor: Figure | None = None
    unit: str = "s"
    targets: int
    parallel: str = ""
    requests: dict[str, int] | None = None
    bounds: tuple[Bound, ...] = ()
    note: str = ""
    reason: str = ""
    """Why it may miss a bound; the docs show it if one is missed."""
    run: str = ""
    """The key of the run that measured it."""

    @computed_field  # type: ignore[prop-decorator]
    @property
    def ratio(self) -> float | None:
        """The ratio of the measured figure to the floor."""
        return None if self.floor is None else round(self.measured / self.floor, 4)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def reached(self) -> bool:
        """Whether all bounds are reached."""
        return all(bound.reached for bound in self.bounds)

    @property
    def key(self) -> tuple[str, int, str]:
        """What distinguishes the lines of a row."""
        return self.name, self.targets, self.parallel

    @property
    def verdict(self) -> str:
        """The text "yes" if every bound is reached, or else the missed bounds."""
        if not self.bounds:
            return ""
        missed = [bound.missed_by for bound in self.bounds if not bound.reached]
        return f"MISSED: {', '.join(missed)}" if missed else "yes"

    def value(self, figure: float | None) -> str:
        """A figure with its unit."""
        if figure is None:
            return ""
        return f"{figure:.2f} s" if self.unit == "s" else f"{figure:.0f} {self.unit}"


class Run(BaseModel):
    """One run of `python -m bench`: the machine, the versions, the sizes."""

    processor: str
    cores: int
    load: float
    """The load of the machine before the run."""
    system: str
    python: str
    engine: str
    packages: dict[str, str]
    sizes: dict[str, int | float | tuple[int, ...]]

    def __str__(self) -> str:
        packages = ", ".join(f"{name} {number}" for name, number in self.packages.items())
        return (
            f"{self.cores} cores ({self.processor}), load {self.load:.1f} before it; {self.system}; "
            f"Python {self.python}; Pulumi {self.engine}; {packages}"
        )


class Results(BaseModel):
    """All results: the runs by date, and the lines of each row by the row's name."""

    runs: dict[str, Run] = Field(default_factory=dict)
    rows: dict[str, list[Line]] = Field(default_factory=dict)

    def put(self, row: str, line: Line) -> None:
        """Adds a line to a row, replacing an earlier measurement of the same."""
        lines = self.rows.setdefault(row, [])
        keys = [each.key for each in lines]
        if line.key in keys:
            lines[keys.index(line.key)] = line
        else:
            lines.append(line)

    def close(self, row: str, run: str) -> None:
        """Removes the row's lines from earlier runs, after this run has measured all of it."""
        self.rows[row] = [line for line in self.rows.get(row, []) if line.run == run]

    def lines(self, rows: Iterable[str]) -> list[Line]:
        """The lines of these rows."""
        return [line for row in rows for line in self.rows.get(row, [])]

    def save(self, path: Path) -> None:
        """Writes the file, without runs that have no lines."""
        used = {line.run for line in self.lines(self.rows)}
        kept = self.model_copy(update={"runs": {key: run for key, run in self.runs.items() if key in used}})
        new = path.with_suffix(".new")
        new.write_text(kept.model_dump_json(indent=1, exclude_defaults=True) + "\n")
        new.replace(path)


def load(path: Path) -> Results:
    """The results in the file; empty if there is no file."""
    return Results.model_validate_json(path.read_text()) if path.exists() else Results()


def this_run(sizes: dict[str, Any]) -> Run:
    """The current machine, versions and load."""
    engine = subprocess.run(
        ["pulumi", "version"],  # noqa: S607
        env={**os.environ, "PATH": pulumi_path() or ""},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    cpus = Path("/proc/cpuinfo")
    models = [line for line in cpus.read_text().splitlines() if "model name" in line] if cpus.exists() else []
    processor = models[0].partition(":")[2].strip() if models else platform.processor() or platform.machine()
    return Run(
        processor=processor,
        cores=os.cpu_count() or 1,
        load=round(os.getloadavg()[0], 1),
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        engine=engine,
        packages={name: version(name) for name in PACKAGES},
        sizes=sizes,
    )
