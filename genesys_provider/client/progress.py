"""Status lines of waiting calls, such as "rate limit, 40 s".

The receiver belongs to the calling thread's context, so that a wait deep inside a call can report without every
function in between passing the receiver on. By default nobody receives the lines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Say = Callable[[str], None]


def _ignore(_message: str) -> None:
    return None


_say: ContextVar[Say] = ContextVar("say", default=_ignore)


@contextmanager
def reporting_to(say: Say) -> Iterator[None]:
    """Sends what this thread reports to `say`, for the duration of the block."""
    token = _say.set(say)
    try:
        yield
    finally:
        _say.reset(token)


def receiver() -> Say:
    """Where this thread's reports go, so that another thread can report for it."""
    return _say.get()


def report(message: str) -> None:
    """Reports what the call is doing or waiting for. Put the figure first: a narrow terminal cuts off the rest."""
    _say.get()(message)
