"""Row after row, so that one that fails costs no other, and what was measured is kept at once."""

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
    """Measures these rows into the results, and saves them with each line; the names of the rows that failed.

    A row that fails keeps the lines that it had got before, this time or earlier.
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
        except Exception as error:  # noqa: BLE001 - the other rows go on, and the exit code tells
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
