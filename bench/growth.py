"""How our own share grows with the fleet: the wall time less the floor's, and the requests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.setting import in_turns
from bench.table import grid
from tests.engine import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.services import Organisation
    from bench.setting import Fleet, Setting

COUNTS = (50, 100, 200, 400, 800)
QUICK_COUNTS = (10, 20)
REPEATS = 3
CHEAP = 200
"""The largest fleet that is created several times."""
PLOT = ROOT / "docs" / "scaling.svg"
WORK = ("create", "no-op", "refresh")
HEAD = ("targets", "work", "measured", "floor", "own share", "own share a target", "requests")


@dataclass(frozen=True)
class Point:
    """One piece of work on one fleet."""

    work: str
    count: int
    wall: float
    floor: float
    requests: int

    @property
    def share(self) -> float:
        """Our own seconds."""
        return self.wall - self.floor


def grow(setting: Setting, *, quick: bool) -> str:
    """Measures all fleets and writes the plot; the table as Markdown."""
    points = [point for count in (QUICK_COUNTS if quick else COUNTS) for point in _points(setting, count)]
    if not quick:
        PLOT.parent.mkdir(exist_ok=True)
        PLOT.write_text(plot(points))
    return grid(
        HEAD,
        [
            [
                str(point.count),
                point.work,
                f"{point.wall:.2f} s",
                f"{point.floor:.2f} s",
                f"{point.share:.2f} s",
                f"{1000 * point.share / point.count:.1f} ms",
                str(point.requests),
            ]
            for work in WORK
            for point in points
            if point.work == work
        ],
    )


def _points(setting: Setting, count: int) -> list[Point]:
    setting.say(f"growth: {count}")
    with setting.organisation() as organisation:
        targets = setting.fleet("targets", count, organisation.env)
        trivial = setting.fleet("trivial", count, organisation.env)
        pairs = []
        for turn in range(REPEATS if count <= CHEAP else 1):
            if turn:
                trivial.run("destroy")
                targets.run("destroy")
            organisation.traffic()
            pairs.append((trivial.run("up") + organisation.verification_seconds, targets.run("up")))
        floor, wall = min(each for each, _ in pairs), min(each for _, each in pairs)
        points = [Point("create", count, wall, floor, organisation.traffic().total)]
        for work, command in (("no-op", "up"), ("refresh", "refresh")):
            points.append(_repeated(work, command, targets, trivial, organisation))
    for point in points:
        setting.say(f"    {point.work}: {point.share:.2f} s of our own, {point.requests} requests")
    return points


def _repeated(work: str, command: str, targets: Fleet, trivial: Fleet, organisation: Organisation) -> Point:
    floor, wall = in_turns(REPEATS, lambda: trivial.run(command), lambda: targets.run(command))
    return Point(work, targets.count, wall, floor, organisation.traffic().total // REPEATS)


# The plot: two panels side by side, each with a line for each kind of work.

WIDTH, HEIGHT, LEFT, TOP, BOTTOM, GAP = 400, 300, 60, 40, 50, 40
COLOURS = {"create": "#c0392b", "no-op": "#2471a3", "refresh": "#1e8449"}
TICKS = 4
STYLE = "text{font:12px sans-serif;fill:#333}.axis{stroke:#999;fill:none}.grid{stroke:#eee}"


def plot(points: list[Point]) -> str:
    """The SVG."""
    panels = [
        _panel(points, 0, "own share in seconds: wall time less floor", lambda point: max(point.share, 0.0)),
        _panel(points, WIDTH + GAP, "requests", lambda point: float(point.requests)),
    ]
    whole, height = 2 * WIDTH + GAP, HEIGHT + 30
    legend = "".join(
        f'<circle cx="{LEFT + 90 * index}" cy="{HEIGHT + 12}" r="5" fill="{COLOURS[work]}"/>'
        f'<text x="{LEFT + 10 + 90 * index}" y="{HEIGHT + 16}">{work}</text>'
        for index, work in enumerate(WORK)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {whole} {height}" width="{whole}" height="{height}">'
        f'<style>{STYLE}</style><rect width="100%" height="100%" fill="#fff"/>{"".join(panels)}{legend}</svg>\n'
    )


def _panel(points: list[Point], offset: int, title: str, value: Callable[[Point], float]) -> str:
    largest = max(point.count for point in points)
    highest = max(*map(value, points), 1.0) * 1.05
    inner_width, inner_height = WIDTH - LEFT - 10, HEIGHT - TOP - BOTTOM

    def x(count: float) -> float:
        return round(offset + LEFT + inner_width * count / largest, 1)

    def y(height: float) -> float:
        return round(TOP + inner_height * (1 - height / highest), 1)

    parts = [f'<text x="{offset + LEFT}" y="{TOP - 16}" font-weight="bold">{title}</text>']
    for tick in range(TICKS + 1):
        at = highest * tick / TICKS
        parts.append(
            f'<line class="grid" x1="{x(0)}" y1="{y(at)}" x2="{x(largest)}" y2="{y(at)}"/>'
            f'<text x="{offset + LEFT - 6}" y="{y(at) + 4}" text-anchor="end">{at:.3g}</text>'
        )
    parts.extend(
        f'<text x="{x(count)}" y="{y(0) + 18}" text-anchor="middle">{count}</text>'
        for count in sorted({point.count for point in points})
    )
    parts.append(f'<text x="{x(largest / 2)}" y="{y(0) + 36}" text-anchor="middle">targets</text>')
    parts.append(f'<path class="axis" d="M{x(0)},{TOP} V{y(0)} H{x(largest)}"/>')
    for work in WORK:
        line = [(x(point.count), y(value(point))) for point in points if point.work == work]
        path = " ".join(f"{left},{top}" for left, top in line)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{COLOURS[work]}" stroke-width="2"/>')
        parts.extend(f'<circle cx="{left}" cy="{top}" r="3" fill="{COLOURS[work]}"/>' for left, top in line)
    return "".join(parts)
