"""The plot of the growth: the time of the engine and the verification, and ours, by the size of the fleet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib as mpl
from matplotlib.figure import Figure

from bench.growth import WORK

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bench.results import Line

ENGINE, OURS = "#b8c4d6", "#c0392b"


def plot(lines: Sequence[Line], path: Path) -> None:
    """Writes the plot as SVG, the same bytes for the same lines."""
    figure = Figure(figsize=(11, 3.6), layout="constrained")
    for axes, work in zip(figure.subplots(1, len(WORK)), WORK, strict=True):
        points = sorted((line for line in lines if line.name == work), key=lambda line: line.targets)
        counts = [line.targets for line in points]
        floors = [line.floor or 0.0 for line in points]
        # A measurement can be below its floor by chance.
        ours = [max(line.measured - floor, 0.0) for line, floor in zip(points, floors, strict=True)]
        axes.stackplot(
            counts, floors, ours, labels=("engine and verification", "ours"), colors=(ENGINE, OURS)
        )
        axes.set(title=work, xlabel="targets", xticks=counts, xlim=(min(counts), max(counts)), ylim=(0, None))
        axes.tick_params(axis="x", labelrotation=60)
        axes.spines[["top", "right"]].set_visible(False)
    first = figure.axes[0]
    first.set_ylabel("seconds")
    first.legend(loc="upper left", frameon=False)
    with mpl.rc_context({"svg.hashsalt": "growth", "svg.fonttype": "none"}):
        figure.savefig(path, format="svg", metadata={"Date": None})
