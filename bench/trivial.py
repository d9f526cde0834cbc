"""The floor: a dynamic resource whose operations do nothing.

The environment of the host can add the time that no provider can avoid to a create: `BENCH_HOLD` seconds of
verification, which begin when the rate limit of `BENCH_PER_WINDOW` requests per minute allows the create to send
its request.
"""

from __future__ import annotations

import itertools
import os
import time
import uuid
from typing import Any

from pulumi.dynamic import CreateResult, Resource, ResourceProvider, UpdateResult

WINDOW_SECONDS = 60.0

_arrivals = itertools.count()
_first: list[float] = []


class TrivialProvider(ResourceProvider):
    """Creates nothing, changes nothing, deletes nothing."""

    serialize_as_secret_always = False

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Returns an id, after the wait that the environment sets."""
        hold = float(os.environ.get("BENCH_HOLD", "0"))
        per_window = int(os.environ.get("BENCH_PER_WINDOW", "0"))
        if per_window:
            _first.append(time.monotonic())
            begins = _first[0] + WINDOW_SECONDS * (next(_arrivals) // per_window)
            hold += max(0.0, begins - time.monotonic())
        time.sleep(hold)
        return CreateResult(str(uuid.uuid4()), props)

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Returns the new inputs as the new state."""
        return UpdateResult(_news)


class Trivial(Resource, module="bench", name="Trivial"):
    """A resource that only has the cost of the engine and the host."""

    def __init__(self, resource_name: str, properties: dict[str, Any]) -> None:
        super().__init__(TrivialProvider(), resource_name, properties)
