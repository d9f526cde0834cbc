"""What the rows run on: stacks of targets and of trivial resources, organisations, sizes."""

from __future__ import annotations

import json
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from bench.declaring import PROGRAMS
from bench.services import Organisation
from tests.engine import OWN_HOST, ROOT, Running, Stack

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PARALLEL = 256
LIMIT_SECONDS = 900.0
"""A command that takes longer is stuck."""


@dataclass(frozen=True)
class Sizes:
    """How many of what, and how often."""

    few: int = 100
    limited: int = 400
    rate_limit: int = 300
    fleet: int = 500
    in_flight: int = 400
    one_after_another: int = 12
    repeats: int = 3

    @property
    def changed(self) -> int:
        """So many of the fleet change in a preview."""
        return self.fleet // 10

    @property
    def updated(self) -> int:
        """So many of the fleet are updated."""
        return self.fleet // 5


QUICK = Sizes(few=20, limited=40, rate_limit=30, fleet=50, in_flight=40, one_after_another=2, repeats=1)


class Fleet:
    """A stack of one of the programs."""

    def __init__(
        self, directory: Path, program: str, count: int, env: dict[str, str], host: Path | None = OWN_HOST
    ) -> None:
        self.count = count
        text = (PROGRAMS / f"{program}.py").read_text()
        self._stack = Stack(directory, text, env={**env, "PYTHONPATH": str(ROOT)}, host=host)

    def start(
        self, *arguments: str, changed: int = 0, parallel: int = PARALLEL, env: dict[str, str] | None = None
    ) -> Running:
        """Starts a command of Pulumi, the engine's own questions answered."""
        if arguments[0] != "preview":
            arguments = (*arguments, "--yes", "--skip-preview")
        counts = {"BENCH_COUNT": str(self.count), "BENCH_CHANGED": str(changed)}
        return self._stack.start(*arguments, "--parallel", str(parallel), env={**counts, **(env or {})})

    def run(self, *arguments: str, changed: int = 0, env: dict[str, str] | None = None) -> float:
        """Runs a command of Pulumi to its end; the seconds that it took."""
        result = self.start(*arguments, changed=changed, env=env).wait(LIMIT_SECONDS)
        if result.code != 0:
            raise RuntimeError(f"`pulumi {' '.join(arguments)}` failed:\n{result.output}")
        return result.seconds

    def bytes_each(self) -> float:
        """Bytes of state for each resource."""
        states = [len(json.dumps(each)) for each in self._stack.resources().values()]
        return sum(states) / len(states)


class Setting:
    """Makes what rows need, once each, and takes it down at the end."""

    def __init__(self, directory: Path, sizes: Sizes) -> None:
        self.sizes = sizes
        self._directory = directory
        self._made = 0
        self._started = time.monotonic()
        self._ends = ExitStack()

    def close(self) -> None:
        """Ends every organisation."""
        self._ends.close()

    def say(self, what: str) -> None:
        """A line of progress."""
        sys.stderr.write(f"{time.monotonic() - self._started:6.0f} s  {what}\n")
        sys.stderr.flush()

    def organisation(self, **settings: Any) -> Organisation:
        """An organisation that is there until the end, unless the caller ends it."""
        self._made += 1
        organisation = Organisation(self._directory / f"organisation{self._made}", **settings)
        return self._ends.enter_context(organisation)

    def fleet(self, program: str, count: int, env: dict[str, str], *, host: Path | None = OWN_HOST) -> Fleet:
        """A stack that is still empty."""
        self._made += 1
        return Fleet(self._directory / f"{program}{self._made}", program, count, env, host)

    @cached_property
    def large(self) -> tuple[Fleet, Fleet, Organisation]:
        """A stack of targets and one of trivial resources, both up, which several rows use."""
        count = self.sizes.fleet
        self.say(f"brings {count} targets and {count} trivial resources up, for several rows")
        organisation = self.organisation(verification_seconds=1)
        targets = self.fleet("targets", count, organisation.env)
        trivial = self.fleet("trivial", count, organisation.env)
        for fleet in (targets, trivial):
            fleet.run("up")
        return targets, trivial, organisation


def in_turns(repeats: int, floor: Callable[[], float], measured: Callable[[], float]) -> tuple[float, float]:
    """The best of both, run by turns, so that what else the machine does strikes both."""
    pairs = [(floor(), measured()) for _ in range(repeats)]
    return min(each for each, _ in pairs), min(each for _, each in pairs)
