"""What the suite has tried and what came of it: the table at its end."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from points import Point
    from worlds import Recovery


class Tally:
    """Counts of one session."""

    def __init__(self) -> None:
        self.points: Counter[tuple[str, str]] = Counter()
        self.faults: Counter[str] = Counter()
        self.sequences = 0
        self.steps: Counter[str] = Counter()
        self.interruptions: Counter[str] = Counter()
        self.bad: Counter[str] = Counter()
        self.cancels = 0
        self.untold = 0
        self.searched = 0
        self.pending_creates = 0

    def point(self, point: Point, recovery: Recovery) -> None:
        """One kill point was tried."""
        self.points[point.host, point.strike.value] += 1
        self.recovered(recovery)

    def recovered(self, recovery: Recovery) -> None:
        """A recovery was looked at."""
        self.bad.update(each.kind for each in recovery.failures)
        self.cancels += recovery.cancelled
        self.searched += recovery.searched
        self.pending_creates += recovery.pending_creates > 0

    def counts(self) -> dict[str, Any]:
        """What was counted, for another process."""
        return {
            name: dict(value) if isinstance(value, Counter) else value for name, value in vars(self).items()
        }

    def add(self, counts: dict[str, Any]) -> None:
        """Takes in what another process has counted."""
        for name, value in counts.items():
            if isinstance(value, dict):
                getattr(self, name).update(value)
            else:
                setattr(self, name, getattr(self, name) + value)

    def lines(self) -> Iterator[str]:
        """The table."""
        if self.points:
            yield f"{'kill points':28}{'own host':>10}{'stock':>10}"
            for strike in dict.fromkeys(name for _, name in self.points):
                own, stock = (self.points[host, strike] for host in ("own", "stock"))
                yield f"  {strike:26}{own:>10}{stock:>10}"
            yield f"  {'all':26}{self._of('own'):>10}{self._of('stock'):>10}"
            yield f"  recoveries in which Pulumi asked for `pulumi cancel`: {self.cancels}"
            yield f"  recoveries after which a pending create waits for a refresh: {self.pending_creates}"
        if self.faults:
            yield "faults absorbed, or told in one clear error and healed"
            yield from (f"  {kind:46}{count:>4}" for kind, count in self.faults.items())
        if self.sequences:
            steps = ", ".join(f"{count} {kind}" for kind, count in sorted(self.steps.items()))
            yield f"random sequences: {self.sequences} ({steps})"
            yield f"  updates that died and that a refresh took in, of which the gateway hears later: {self.untold}"
        yield f"texts searched for secrets: {self.searched}"
        shown = {
            "orphan": "orphans",
            "duplicate": "duplicates",
            "mismatch": "mismatches",
            "untold": "changes untold",
            "leak": "leaks",
        }
        counts = ", ".join(f"{words} {self.bad[kind]}" for kind, words in shown.items())
        yield f"{counts}, operations left pending {self.bad['pending']}"

    def _of(self, host: str) -> int:
        return sum(count for (each, _), count in self.points.items() if each == host)
