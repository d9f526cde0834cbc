"""`docs/performance.md` shows exactly the results in `bench/results.json`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.pages import PAGE, rendered
from bench.results import FILE, Bound, Line, Results, Run, load

if TYPE_CHECKING:
    from pathlib import Path

MACHINE = Run(
    processor="Abacus",
    cores=2,
    load=0.1,
    system="Linux 6",
    python="3.12.1",
    engine="v3.274.1",
    packages={"pulumi": "3.272.0"},
    sizes={"fleet": 500},
)
EMPTY = "Before.\n<!-- bench: {} -->\nold\n<!-- bench: end -->\nAfter.\n"


def line(name: str, measured: float, floor: float, *, targets: int = 500, limit: float = 1.15) -> Line:
    return Line(
        name=name,
        work=f"{name} {targets} targets",
        measured=measured,
        floor=floor,
        targets=targets,
        parallel="default",
        requests={"list": 5, "login": 1},
        bounds=(Bound(what="ratio", figure=measured / floor, limit=limit),),
        reason="the modules that it loads",
        run="2026-11-26T10:00:00+00:00",
    )


def results(**rows: list[Line]) -> Results:
    return Results(runs={"2026-11-26T10:00:00+00:00": MACHINE}, rows=rows)


def part(name: str, of: Results) -> str:
    """The text of a part of the page."""
    before, _, rest = rendered(EMPTY.format(name), of).partition(f"<!-- bench: {name} -->\n")
    text, _, after = rest.partition("<!-- bench: end -->\n")
    assert (before, after) == ("Before.\n", "After.\n")
    return text


def test_the_page_is_up_to_date() -> None:
    """If not, run `.venv/bin/python -m bench.pages`."""
    page = PAGE.read_text()
    assert rendered(page, load(FILE)) == page
    for name in ("machines", "rows", "growth", "fleet"):
        assert page.count(f"<!-- bench: {name} -->") == 1


def test_a_row_of_the_table() -> None:
    text = part("rows", results(refresh=[line("refresh", 2.3, 2.0, limit=1.2)]))
    cells = [cell.strip() for cell in text.splitlines()[2].strip("|").split("|")]
    assert cells == [
        "refresh",
        "refresh 500 targets",
        "default",
        "2.30 s",
        "2.00 s",
        "1.15",
        "6: 5 list, 1 login",
        "ratio ≤ 1.2",
        "yes",
    ]
    assert "misses" not in text


def test_a_row_that_misses_its_bound_has_a_reason() -> None:
    text = part("rows", results(refresh=[line("refresh", 3.0, 2.0)]))
    assert "MISSED: ratio by 30%" in text
    assert text.endswith("\n- `refresh` misses a bound. Reason: the modules that it loads.\n")


def test_each_row_is_in_its_own_table() -> None:
    all_rows = results(
        growth=[line("create", 9, 8)], fleet=[line("up", 66, 60)], refresh=[line("refresh", 2, 2)]
    )
    assert "create" not in part("rows", all_rows)
    assert "| 500     | create | 9.00 s   | 8.00 s | 1.00 s    | 2.0 ms" in part("growth", all_rows)
    assert "up 500 targets" in part("fleet", all_rows)
    assert part("machines", all_rows) == (
        "- 2026-11-26, `refresh`, `growth`, `fleet`: 2 cores (Abacus), load 0.1 before it; Linux 6; Python 3.12.1; "
        "Pulumi v3.274.1; pulumi 3.272.0.\n"
    )
    assert part("fleet", Results()) == "Not measured yet.\n"


def test_the_plot_is_the_same_for_the_same_figures(tmp_path: Path) -> None:
    # Its library takes a third of a second to load, in each worker process that collects this module.
    from bench.plot import plot

    lines = [
        line(work, figure, figure - 1, targets=count)
        for work in ("create", "no-op", "refresh")
        for count, figure in ((50, 7.0), (1000, 90.0))
    ]
    for name in ("one.svg", "two.svg"):
        plot(lines, tmp_path / name)
    text = (tmp_path / "one.svg").read_text()
    assert text == (tmp_path / "two.svg").read_text()
    for word in ("create", "no-op", "refresh", "seconds", "1000", "ours"):
        assert f">{word}</text>" in text
