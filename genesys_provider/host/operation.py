"""What a dynamic provider may know of, and say to, the host that runs it.

A provider written for `pulumi.dynamic` needs none of this. One that wants more asks `current()` inside any of
its methods: under our host it gets the operation's URN, time limit, cancellation and status line; under the
stock host, which has none of them, a stand-in that does nothing. So the same provider works on both.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from pulumi.dynamic import DiffResult

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

ChangeKind = Literal["add", "delete", "update"]


class OperationError(Exception):
    """An error whose message is for the user: the host shows it as it is, without a traceback."""


class InitFailed(OperationError):
    """The object exists, but is not as it should be: the engine records it, and the next `up` updates it.

    Raised in `create`, `update` or `read`. The stock host can't record this: look at
    `Operation.records_init_failures` first. `inputs` are for `read` alone, as in `pulumi.dynamic.ReadResult`.
    """

    def __init__(
        self,
        id_: str,
        outs: Mapping[str, Any],
        reasons: Sequence[str],
        inputs: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__("; ".join(reasons))
        self.id = id_
        self.outs = dict(outs)
        self.reasons = list(reasons)
        self.inputs = None if inputs is None else dict(inputs)


class DetailedDiffResult(DiffResult):
    """A `DiffResult` that says property by property what changes.

    `detailed` maps property paths, such as `retryPolicy.maxRetries`, to what happens there. `replaces` names the
    properties whose change takes a new object, for which the old one is deleted first. `stables` names the outputs
    that an update leaves as they are, so that a preview of one knows them. `note` is a message that a preview shows
    for the resource. The stock host shows only whether anything changes.
    """

    def __init__(
        self,
        detailed: Mapping[str, ChangeKind],
        *,
        replaces: Sequence[str] = (),
        stables: Sequence[str] = (),
        note: str | None = None,
    ) -> None:
        super().__init__(
            changes=bool(detailed),
            replaces=list(replaces),
            stables=list(stables),
            delete_before_replace=bool(replaces),
        )
        self.detailed = dict(detailed)
        self.note = note


def _silent(_message: object) -> None:
    return None


@dataclass(frozen=True)
class Operation:
    """One call of the engine: a `check`, `diff`, `create`, `read`, `update` or `delete` of one resource."""

    urn: str | None = None
    timeout: float | None = None
    """The time limit in seconds that the program set in `customTimeouts`, if it did."""
    cancelled: threading.Event = field(default_factory=threading.Event)
    """Set when the user presses Ctrl-C: the same event for every operation of the process."""
    records_init_failures: bool = False
    """Whether `InitFailed` keeps the object in the state."""
    secrets: frozenset[str] = frozenset()
    """The texts among the properties, old and new, that the program or the state says are secret."""
    newly_secret: tuple[tuple[str, ...], ...] | None = None
    """The properties that the state has in plain text, and the program now as a secret: only an update makes them
    one in the state. None is a host that can't tell."""
    show_status: Callable[[str], None] = _silent
    """Shows a passing message in the resource's line of the live display; never raises."""
    warn: Callable[[str], None] = _silent
    """Shows a warning that stays; never raises."""
    at_end: Callable[[Callable[[], str | None]], None] = _silent
    """Takes a function that is called at the end of the run, once, however often it is given: the message that it
    returns is shown below the stack. The engine cancels at each end, so `cancelled` says nothing then."""


_WITHOUT_HOST = Operation()
_current: ContextVar[Operation] = ContextVar("operation", default=_WITHOUT_HOST)


def current() -> Operation:
    """The operation that the calling thread carries out."""
    return _current.get()


@contextmanager
def carrying_out(operation: Operation) -> Iterator[None]:
    """Makes `operation` the current one of the calling thread: for hosts, and for tests of providers."""
    token = _current.set(operation)
    try:
        yield
    finally:
        _current.reset(token)
