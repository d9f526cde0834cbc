"""Measures row after row; a failure does not affect other rows, and each result is saved immediately."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

from bench.results import Results, this_run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from bench.results import Line
    from bench.setting import Setting


def measure(
    rows: Mapping[str, Callable[[Setting], Iterator[Line]]], setting: Setting, results: Results, path: Path
) -> list[str]:
    """Measures these rows, and saves the results after each line; returns the names of the rows that failed.

    A row that fails keeps its earlier lines, of this run or an earlier one.
    """
    key = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
    results.runs[key] = this_run(setting.sizes.as_json())
    failed = []
    for name, row in rows.items():
        started = setting.seconds
        try:
            for line in row(setting):
                results.put(name, line.model_copy(update={"run": key}))
                results.save(path)
                setting.say(f"    {_said(line)}")
        except Exception as error:  # noqa: BLE001 - the other rows continue, and the exit code reports it
            failed.append(name)
            setting.say(f"    {name} FAILED: {type(error).__name__}: {error}")
            continue
        results.close(name, key)
        results.save(path)
        setting.say(f"    {name} took {setting.seconds - started:.0f} s")
    return failed


def _said(line: Line) -> str:
    floor = "" if line.ratio is None else f", floor {line.value(line.floor)}, ratio {line.ratio:.2f}"
    reached = f", reached: {line.verdict}" if line.verdict else ""
    return f"{line.name}: {line.value(line.measured)}{floor}{reached}"
