"""Measurements are saved immediately, despite failures of other rows, and merged with earlier ones."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from bench.measuring import measure
from bench.results import Bound, Line, Results, load
from bench.setting import QUICK, Setting
from tests.support.engine import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "results.json"


@pytest.fixture
def measured(
    tmp_path: Path, path: Path
) -> Callable[[Mapping[str, Callable[..., Iterator[Line]]]], list[str]]:
    """Measures rows into the current file; returns the names of those that failed."""
    return lambda rows: measure(rows, Setting(tmp_path, QUICK), load(path), path)


def line(name: str, figure: float, **others: object) -> Line:
    return Line.model_validate({"name": name, "work": "work", "measured": figure, "targets": 5, **others})


def figures(path: Path) -> dict[str, list[float]]:
    return {row: [each.measured for each in lines] for row, lines in load(path).rows.items()}


def test_a_failed_row_does_not_affect_the_others(
    measured: Callable[..., list[str]], path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def breaks(_: Setting) -> Iterator[Line]:
        yield line("first half", 1)
        raise RuntimeError("the engine is out of fuel")

    failed = measured({"breaks": breaks, "works": lambda _: iter([line("works", 2)])})
    assert failed == ["breaks"]
    assert figures(path) == {"breaks": [1], "works": [2]}
    assert "breaks FAILED: RuntimeError: the engine is out of fuel" in capsys.readouterr().err


def test_each_line_is_saved_before_the_next_is_measured(
    measured: Callable[..., list[str]], path: Path
) -> None:
    seen = []

    def row(_: Setting) -> Iterator[Line]:
        yield line("first", 1)
        seen.append(figures(path))
        yield line("second", 2)

    assert measured({"row": row}) == []
    assert seen == [{"row": [1]}]


def test_a_row_only_replaces_its_own_earlier_measurement(
    measured: Callable[..., list[str]], path: Path
) -> None:
    measured({"a": lambda _: iter([line("a", 1), line("a", 2, parallel="default")])})
    measured({"b": lambda _: iter([line("b", 3), line("gone by then", 4)])})
    measured({"b": lambda _: iter([line("b", 5)])})
    assert figures(path) == {"a": [1, 2], "b": [5]}
    kept = load(path)
    assert len(kept.runs) == 2
    assert {each.run for lines in kept.rows.values() for each in lines} == set(kept.runs)


@pytest.mark.parametrize(
    ("figure", "limit", "at_least", "reached", "verdict"),
    [
        (1.1, 1.1, False, True, "yes"),
        (1.21, 1.1, False, False, "MISSED: ratio by 10%"),
        (9, 10, True, False, "MISSED: ratio by 10%"),
        (3, 0, False, False, "MISSED: ratio by 3"),
    ],
)
def test_the_file_says_whether_a_bound_is_met(
    path: Path, *, figure: float, limit: float, at_least: bool, reached: bool, verdict: str
) -> None:
    bound = Bound(what="ratio", figure=figure, limit=limit, at_least=at_least)
    measured = line("row", 2.2, floor=2, bounds=[bound])
    Results(rows={"row": [measured]}).save(path)
    assert f'"reached": {str(reached).lower()}' in path.read_text()
    (kept,) = load(path).rows["row"]
    assert (kept.reached, kept.verdict, kept.ratio) == (reached, verdict, 1.1)


def test_a_quick_run_leaves_results_and_docs_unchanged(path: Path) -> None:
    """It uses a row that needs no engine; its figures are real."""
    kept = [ROOT / "docs" / "performance.md", ROOT / "bench" / "results.json"]
    before = [each.read_bytes() for each in kept if each.exists()]
    run = subprocess.run(
        [sys.executable, "-m", "bench", "--quick", "--row", "declare", "--results", path],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "declare 50 targets without an engine" in run.stdout
    results = load(path)
    (declared,) = results.rows["declare"]
    assert declared.measured > 0
    assert declared.floor
    assert results.runs[declared.run].cores > 0
    assert [each.read_bytes() for each in kept if each.exists()] == before
