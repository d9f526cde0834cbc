"""A monitor in its own process, and an organization to watch."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Protocol

import pytest

from tests.monitor.watching import Watch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.cloud import Cloud


class Watcher(Protocol):
    """Starts a monitor of the test's cloud with these options."""

    def __call__(self, *options: object, env: dict[str, str] | None = None) -> Watch: ...


@pytest.fixture
def watch(cloud: Cloud) -> Iterator[Watcher]:
    """Starts monitors that end with the test."""
    with ExitStack() as stack:

        def start(*options: object, env: dict[str, str] | None = None) -> Watch:
            return stack.enter_context(Watch(*options, env={**cloud.env, **(env or {})}))

        yield start
