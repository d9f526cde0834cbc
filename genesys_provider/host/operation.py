"""What the host offers to a dynamic provider.

A provider written for `pulumi.dynamic` needs none of it. Others call `current()` inside any of their methods. Under
our host they get the operation's URN, time limit, cancellation and status line; under the stock host a stand-in
that does nothing. So the same provider works with both.
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
    """An error whose message is meant for the user: the host shows it without a traceback."""


class InitFailed(OperationError):
    """The object exists but is not as it should be: the engine records it, and the next `up` updates it.

    Raised in `create`, `update` or `read`. The stock host can't record this: check
    `Operation.records_init_failures` first. `inputs` is for `read` only, as in `pulumi.dynamic.ReadResult`.
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
    """A `DiffResult` that tells for each property what changes.

    `detailed` maps property paths, such as `retryPolicy.maxRetries`, to the kind of change. `replaces` names the
    properties whose change requires a new object; the old one is deleted first. `stables` names the outputs that an
    update does not change, so that a preview knows them. `note` is a message that a preview shows for the resource.
    The stock host only shows whether anything changes.
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
    """The time limit in seconds from the program's `customTimeouts`, if any."""
    cancelled: threading.Event = field(default_factory=threading.Event)
    """Set when the user presses Ctrl-C; the same event for all operations of the process."""
    records_init_failures: bool = False
    """Whether `InitFailed` keeps the object in the state."""
    secrets: frozenset[str] = frozenset()
    """The texts in the properties, old and new, that are secret according to the program or the state."""
    newly_secret: tuple[tuple[str, ...], ...] | None = None
    """The properties that are plain text in the state but now secret in the program: only an update makes them
    secret in the state. None if the host can't tell."""
    show_status: Callable[[str], None] = _silent
    """Shows a transient message in the resource's line of the live display; never raises."""
    warn: Callable[[str], None] = _silent
    """Shows a lasting warning; never raises."""
    at_end: Callable[[Callable[[], str | None]], None] = _silent
    """Takes a function to call once at the end of the run, even if it is given repeatedly. The message that it
    returns is shown below the stack. The engine cancels at every end, so `cancelled` means nothing then."""


_WITHOUT_HOST = Operation()
_current: ContextVar[Operation] = ContextVar("operation", default=_WITHOUT_HOST)


def current() -> Operation:
    """The operation of the calling thread."""
    return _current.get()


@contextmanager
def carrying_out(operation: Operation) -> Iterator[None]:
    """Makes `operation` the current one of the calling thread: for hosts, and for tests of providers."""
    token = _current.set(operation)
    try:
        yield
    finally:
        _current.reset(token)
