"""The results of the suite, for the table at its end."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from tests.support.thoroughness import COUNTED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.torture.points import Point
    from tests.torture.worlds import Recovery


class Tally:
    """Counts of one session."""

    def __init__(self) -> None:
        self.points: Counter[tuple[str, str]] = COUNTED["points"]
        self.faults: Counter[str] = COUNTED["faults"]
        self.steps: Counter[str] = COUNTED["steps"]
        self.interruptions: Counter[str] = COUNTED["interruptions"]
        self.bad: Counter[str] = COUNTED["bad"]
        self.totals: Counter[str] = COUNTED["totals"]

    def point(self, point: Point, recovery: Recovery) -> None:
        """Counts a kill point."""
        self.points[point.host, point.strike.value] += 1
        self.recovered(recovery)

    def recovered(self, recovery: Recovery) -> None:
        """Counts a recovery."""
        self.bad.update(each.kind for each in recovery.failures)
        self.totals["cancels"] += recovery.cancelled
        self.totals["searched"] += recovery.searched
        self.totals["pending_creates"] += recovery.pending_creates > 0

    def lines(self) -> Iterator[str]:
        """The table."""
        if self.points:
            yield f"{'kill points':28}{'own host':>10}{'stock':>10}"
            for strike in dict.fromkeys(name for _, name in self.points):
                own, stock = (self.points[host, strike] for host in ("own", "stock"))
                yield f"  {strike:26}{own:>10}{stock:>10}"
            yield f"  {'all':26}{self._of('own'):>10}{self._of('stock'):>10}"
            yield f"  recoveries in which Pulumi asked for `pulumi cancel`: {self.totals['cancels']}"
            yield f"  recoveries after which a pending create waits for a refresh: {self.totals['pending_creates']}"
        if self.faults:
            yield "faults absorbed, or told in one clear error and healed"
            yield from (f"  {kind:46}{count:>4}" for kind, count in self.faults.items())
        if self.totals["sequences"]:
            steps = ", ".join(f"{count} {kind}" for kind, count in sorted(self.steps.items()))
            yield f"random sequences: {self.totals['sequences']} ({steps})"
        yield f"texts searched for secrets: {self.totals['searched']}"
        shown = {
            "orphan": "orphans",
            "duplicate": "duplicates",
            "mismatch": "mismatches",
            "untold": "changes untold",
            "lie": "last words untrue",
            "lost": "wanted targets deleted",
            "leak": "leaks",
        }
        counts = ", ".join(f"{words} {self.bad[kind]}" for kind, words in shown.items())
        yield f"{counts}, operations left pending {self.bad['pending']}"

    def _of(self, host: str) -> int:
        return sum(count for (each, _), count in self.points.items() if each == host)
