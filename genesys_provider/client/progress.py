"""What a waiting call says to whoever watches it: a line such as «waits 12 s for the rate limit».

The watcher belongs to the calling thread's context, so that a wait deep inside a call can speak without every
function between them passing it on. Nobody listens unless somebody asks to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Say = Callable[[str], None]


def _nobody(_message: str) -> None:
    return None


_say: ContextVar[Say] = ContextVar("say", default=_nobody)


@contextmanager
def reporting_to(say: Say) -> Iterator[None]:
    """Within it, what `report` says in this thread goes to `say`."""
    token = _say.set(say)
    try:
        yield
    finally:
        _say.reset(token)


def report(message: str) -> None:
    """Says what the call is waiting for."""
    _say.get()(message)
