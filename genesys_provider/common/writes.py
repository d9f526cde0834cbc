"""Our recent writes: the service may lag behind them [G], so for a while a read does not prove anything."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, NamedTuple, Protocol, TypeVar

from genesys_provider.client.errors import Cancelled
from genesys_provider.common.times import seconds_since

LAG_SECONDS = 30.0
"""How long a read may lag behind a write. Elsewhere in Genesys Cloud it takes seconds; the Terraform provider
allows minutes [G]."""

LAG_PAUSES = (0.5, 1.0, 2.0, 4.0)
"""Seconds between two reads while the service may lag; the last value repeats."""


class LastWrite(NamedTuple):
    """The last write of an earlier process."""

    at: str
    """UTC, ISO 8601."""
    seen: bool
    """Whether that process has seen its write in a read."""
    made: bool = False
    """Whether the write created the object, so that no older verdict exists."""


class Identified(Protocol):
    """An object with an id."""

    @property
    def id(self) -> str:
        """Its id in Genesys Cloud."""


T = TypeVar("T", bound=Identified)


@dataclass
class _Write(Generic[T]):
    at: float
    """The clock time of the write."""
    seen: bool = False
    """Whether a read has shown it."""
    made: bool = False
    """Whether it created the object, so that there was nothing before."""
    ours: bool = True
    """Whether this process wrote it, and therefore knows the result."""
    left: T | None = None
    """The result; None if the object was deleted."""


class Writes(Generic[T]):
    """The last write of each object, by this process or an earlier one. Thread-safe.

    Args:
        cancelled: Ends all waits when set.
        clock: The current time in seconds.
    """

    def __init__(self, cancelled: threading.Event, clock: Callable[[], float] = time.monotonic) -> None:
        self._cancelled = cancelled
        self._clock = clock
        self._lock = threading.Lock()
        self._last: dict[str, _Write[T]] = {}

    def wrote(self, thing: T, *, made: bool = False) -> None:
        """Records a write of ours that was just accepted, with its result."""
        self._record(thing.id, _Write(self._clock(), made=made, left=thing))

    def deleted(self, id_: str) -> None:
        """Records that the object is deleted; a lagging read may still show it."""
        self._record(id_, _Write(self._clock(), seen=True))

    def written_earlier(self, id_: str, last_write: LastWrite | None) -> None:
        """Records the last write of an earlier process."""
        if last_write is not None:
            at = self._clock() - seconds_since(last_write.at)
            earlier = _Write[T](at, seen=last_write.seen, made=last_write.made, ours=False)
            with self._lock:
                self._last.setdefault(id_, earlier)

    def age(self, id_: str) -> float:
        """Seconds since our last write; 0 if there was none."""
        last = self._last.get(id_)
        return 0.0 if last is None else self._clock() - last.at

    def left(self, id_: str) -> T | None:
        """The result of this process's last write; None if there was none, or if it deleted the object."""
        last = self._last.get(id_)
        return None if last is None else last.left

    def has_shown(self, id_: str) -> None:
        """Records that a read has shown our last write."""
        with self._lock:
            if id_ in self._last:
                self._last[id_].seen = True

    def settled(self, id_: str) -> bool:
        """Whether our last write had enough time to become visible. For a deleted object we don't wait."""
        last = self._last.get(id_)
        return last is None or self._is_old(last, self._clock()) or (last.ours and last.left is None)

    def seen(self, id_: str) -> bool:
        """Whether a read has shown our last write."""
        last = self._last.get(id_)
        return last is None or last.seen

    def show(self, id_: str) -> bool:
        """Whether our last write was seen, or had enough time to become visible."""
        return self.seen(id_) or self.settled(id_)

    def show_no_old_verdict(self, id_: str) -> bool:
        """Whether reads can no longer show the verdict from before our last write."""
        last = self._last.get(id_)
        return (last is not None and last.made) or self.show(id_)

    def may_be_missed(self, id_: str, by: float) -> bool:
        """Whether a read at that clock time may lack what this process has written."""
        last = self._last.get(id_)
        return last is not None and last.ours and not self._is_old(last, by)

    def is_deleted(self, id_: str) -> bool:
        """Whether we deleted the object so recently that a read may still show it."""
        last = self._last.get(id_)
        return last is not None and last.left is None and self.may_be_missed(id_, self._clock())

    def over(self, read: Mapping[str, T], by: float) -> dict[str, T]:
        """What was read at that clock time, updated with what this process has written since."""
        known = dict(read)
        with self._lock:
            ours = {id_: last.left for id_, last in self._last.items() if self.may_be_missed(id_, by)}
        for id_, left in ours.items():
            if left is None:
                known.pop(id_, None)
            else:
                known[id_] = left
        return known

    def pauses(self, seconds: float = LAG_SECONDS) -> Iterator[None]:
        """Yields immediately and then after growing pauses, for as long as the service may lag from now on.

        Args:
            seconds: How long.

        Raises:
            Cancelled: The run was cancelled.
        """
        ends, pauses = self._clock() + seconds, iter(LAG_PAUSES)
        while (left := ends - self._clock()) > 0:
            yield
            if self._cancelled.wait(min(next(pauses, LAG_PAUSES[-1]), left)):
                raise Cancelled("cancelled while waiting for the service to catch up")
        yield

    def _record(self, id_: str, write: _Write[T]) -> None:
        with self._lock:
            self._last[id_] = write

    @staticmethod
    def _is_old(last: _Write[T], by: float) -> bool:
        return by >= last.at + LAG_SECONDS
