"""What the rows run on: stacks of targets and of trivial resources, organizations, sizes."""

from __future__ import annotations

import json
import sys
import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from bench.declaring import PROGRAMS
from bench.results import DEFAULT
from bench.services import Organization
from tests.support.engine import ROOT, Stack
from tests.support.process import Result, Running

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PARALLEL = "256"
PARALLELS = (PARALLEL, DEFAULT)
"""The values of `--parallel` for the rows: one that allows everything at once, and the default."""
LIMIT_SECONDS = 900.0
"""The time limit of a command, in seconds."""
LINES_SHOWN = 25
"""How many lines of a failed command's output are shown."""


@dataclass(frozen=True)
class Sizes:
    """The sizes of the rows, and how often they are repeated."""

    few: int = 100
    limited: int = 400
    rate_limit: int = 300
    fleet: int = 500
    in_flight: int = 400
    in_flight_seconds: float = 25
    one_after_another: int = 12
    stacks: int = 20
    repeats: int = 3
    declaring_repeats: int = 7
    verification_seconds: float = 5
    growth: tuple[int, ...] = (50, 100, 200, 400, 700, 1000)

    @property
    def changed(self) -> int:
        """How many targets of the fleet change in a preview."""
        return self.fleet // 10

    @property
    def updated(self) -> int:
        """How many targets of the fleet are updated."""
        return self.fleet // 5

    def as_json(self) -> dict[str, Any]:
        """The sizes as the results record them."""
        return asdict(self)


QUICK = Sizes(
    few=20,
    limited=40,
    rate_limit=30,
    fleet=50,
    in_flight=40,
    in_flight_seconds=5,
    one_after_another=2,
    stacks=4,
    repeats=1,
    declaring_repeats=1,
    verification_seconds=1,
    growth=(10, 20),
)


class Fleet:
    """A stack of `count` resources of one of the programs; `options` are those of `tests.support.engine.Stack`."""

    def __init__(
        self, directory: Path, program: str, count: int, env: dict[str, str], **options: Any
    ) -> None:
        self.count = count
        text = (PROGRAMS / f"{program}.py").read_text()
        self._stack = Stack(directory, text, env={**env, "PYTHONPATH": str(ROOT)}, **options)

    def start(
        self, *arguments: str, parallel: str, changed: int = 0, env: dict[str, str] | None = None
    ) -> Running:
        """Starts a command of Pulumi without prompts."""
        if arguments[0] != "preview":
            arguments = (*arguments, "--yes", "--skip-preview")
        if parallel != DEFAULT:
            arguments = (*arguments, "--parallel", parallel)
        counts = {"BENCH_COUNT": str(self.count), "BENCH_CHANGED": str(changed)}
        return self._stack.start(*arguments, env={**counts, **(env or {})})

    def run(
        self, *arguments: str, parallel: str = PARALLEL, changed: int = 0, env: dict[str, str] | None = None
    ) -> float:
        """Runs a command of Pulumi to its end, and returns the seconds that it took."""
        running = self.start(*arguments, parallel=parallel, changed=changed, env=env)
        try:
            result = running.wait(LIMIT_SECONDS)
        except (KeyboardInterrupt, SystemExit):
            # It has its own process group, which Ctrl-C in a terminal does not reach.
            running.interrupt()
            raise
        check(result)
        return result.seconds

    def bytes_each(self) -> float:
        """The average size of a resource in the state, in bytes."""
        states = [len(json.dumps(each)) for each in self._stack.resources().values()]
        return sum(states) / len(states)


def check(result: Result) -> None:
    """Raises a `RuntimeError` with the end of the output if the command failed."""
    if result.code != 0:
        said = "\n".join(result.output.splitlines()[-LINES_SHOWN:])
        raise RuntimeError(f"a command of Pulumi failed; its last lines:\n{said}")


class Setting:
    """Creates what the rows need, and removes it at the end."""

    def __init__(self, directory: Path, sizes: Sizes) -> None:
        self.sizes = sizes
        self._directory = directory
        self._made = 0
        self._started = time.monotonic()
        self._ends = ExitStack()

    def close(self) -> None:
        """Ends every organization."""
        self._ends.close()

    @property
    def seconds(self) -> float:
        """The time since the start."""
        return time.monotonic() - self._started

    def say(self, what: str) -> None:
        """Prints a line of progress."""
        sys.stderr.write(f"{self.seconds:6.0f} s  {what}\n")
        sys.stderr.flush()

    def directory(self, name: str) -> Path:
        """An unused path for a directory, which is not created yet."""
        self._made += 1
        return self._directory / f"{name}{self._made}"

    def organization(self, **settings: Any) -> Organization:
        """An organization that lasts until the end, unless the caller ends it."""
        settings = {"verification_seconds": self.sizes.verification_seconds, **settings}
        return self._ends.enter_context(Organization(self.directory("organization"), **settings))

    def fleet(self, program: str, count: int, env: dict[str, str], **options: Any) -> Fleet:
        """A new, empty stack."""
        return Fleet(self.directory(program), program, count, env, **options)

    @cached_property
    def large(self) -> tuple[Fleet, Fleet, Organization]:
        """A deployed stack of targets and one of trivial resources, which several rows share."""
        count = self.sizes.fleet
        self.say(f"bringing up {count} targets and {count} trivial resources, for several rows")
        organization = self.organization(verification_seconds=1)
        targets = self.fleet("targets", count, organization.env)
        trivial = self.fleet("trivial", count, organization.env)
        for fleet in (targets, trivial):
            fleet.run("up")
        return targets, trivial, organization


def in_turns(repeats: int, floor: Callable[[], float], measured: Callable[[], float]) -> tuple[float, float]:
    """The best of each, from alternating runs, so that other load on the machine affects both."""
    pairs = [(floor(), measured()) for _ in range(repeats)]
    return min(each for each, _ in pairs), min(each for _, each in pairs)
