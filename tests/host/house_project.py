"""A project around `house.py`, whose provider is controlled by its inputs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.support.engine import Stack, StackMaker

HOUSE = Path(__file__).with_name("house.py")
THING = "pulumi-python:dynamic/house:Thing"
"""The type of its resources."""


class House:
    """A stack of the house's resources, and the recorded calls of its provider."""

    def __init__(self, make_stack: StackMaker, log: Path) -> None:
        self._make = make_stack
        self.log = log

    def stack(self, *lines: str, **options: Any) -> Stack:
        """A stack whose program has these lines."""
        env = {"HOUSE_LOG": str(self.log), **options.pop("env", {})}
        return self._make(program(*lines), modules={"house.py": HOUSE.read_text()}, env=env, **options)

    def calls(self, what: str) -> list[dict[str, Any]]:
        """What the provider recorded under this heading."""
        return [line for line in self.every_call() if line["what"] == what]

    def every_call(self) -> list[dict[str, Any]]:
        """Everything that the provider recorded, in order."""
        return [json.loads(line) for line in self.log.read_text().splitlines()] if self.log.exists() else []


def program(*lines: str) -> str:
    """A program with these lines."""
    return "\n".join(["import pulumi", "from house import *", *lines, ""])
