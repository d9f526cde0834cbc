"""What the engine has shown in this run: which objects the program wants, and which have just gone.

A process serves one phase of one command. In an `up` the engine calls `Check` for each resource of the program, and
`Diff` for each that the state has; in a refresh or a `destroy` it calls no `Check`. So an object is *wanted* once a
`Diff` has named it for a resource that was checked before, or a `Create` has made it.

All methods are safe for threads. A resource is named by its URN, its object, a target or a source, by its id.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from genesys_provider.common.turns import Turns

QUIET_SECONDS = 5.0
"""More may still come while operations of this process follow each other this closely."""


@dataclass(frozen=True)
class Facts:
    """Whose an object is, as far as it is known: its owner mark, and the organisation that it is in."""

    owner: str | None = None
    organization_id: str | None = None
    api_url: str | None = None


class Run:
    """The knowledge of one process.

    Args:
        clock: Seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.turns = Turns(clock)
        """Who waited for verdicts, and who for a turn."""
        self._clock = clock
        self._lock = threading.Lock()
        self._checked: set[str] = set()
        self._shown: dict[str, str] = {}
        self._made: set[str] = set()
        self._replaced: set[str] = set()
        self._gone: set[str] = set()
        self._facts: dict[str, Facts] = {}
        self._under_way = 0
        self._last_seen = clock()

    @contextmanager
    def operation(self) -> Iterator[None]:
        """Counts an operation of the engine as under way."""
        with self._lock:
            self._under_way += 1
            self._last_seen = self._clock()
        try:
            yield
        finally:
            with self._lock:
                self._under_way -= 1
                self._last_seen = self._clock()

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Counts an operation that is under way as one that only waits for others."""
        with self._lock:
            self._under_way -= 1
        try:
            yield
        finally:
            with self._lock:
                self._under_way += 1

    @property
    def quiet(self) -> bool:
        """Whether nothing is under way but what waits, and nothing has come for a while.

        Then it is unlikely that the engine will show more before the deletes at the end of an `up`.
        """
        with self._lock:
            return self._under_way <= 0 and self._clock() - self._last_seen > QUIET_SECONDS

    def checked(self, urn: str) -> None:
        """Notes that the program declares this resource."""
        with self._lock:
            self._checked.add(urn)

    def shown(self, id_: str, urn: str) -> str | None:
        """Notes that the state has this object for this resource.

        Returns:
            Another resource of the program that has the same object, if there is one.
        """
        with self._lock:
            if urn not in self._checked:
                return None
            other = self._shown.setdefault(id_, urn)
            return None if other == urn else other or None

    def created(self, id_: str, urn: str) -> None:
        """Notes that the object was made, or adopted, for this resource: one that it had so far goes."""
        with self._lock:
            self._replaced.update(each for each, owner in self._shown.items() if owner == urn)
            self._replaced.discard(id_)
            self._shown[id_] = urn
            self._made.add(id_)

    def deleted(self, id_: str) -> None:
        """Notes that the object is gone."""
        with self._lock:
            self._shown.setdefault(id_, "")
            self._gone.add(id_)

    def knows(self, id_: str) -> bool:
        """Whether the object was shown, made or deleted in this run, so that no earlier run left it behind."""
        with self._lock:
            return id_ in self._shown

    def goes(self, id_: str) -> bool:
        """Whether the object was deleted in this run, or will be, since its resource is replaced."""
        with self._lock:
            return id_ in self._gone or id_ in self._replaced

    def is_made(self, id_: str) -> bool:
        """Whether the object was made, or adopted, in this run: then no delete of this run is meant for it."""
        with self._lock:
            return id_ in self._made

    def wanted_by(self, id_: str) -> str | None:
        """The resource of the program that has this object and keeps it."""
        with self._lock:
            if id_ in self._gone or id_ in self._replaced:
                return None
            return self._shown.get(id_)

    def learned(self, id_: str, facts: Facts) -> None:
        """Notes whose the object is."""
        with self._lock:
            self._facts[id_] = facts

    def facts(self, id_: str) -> Facts | None:
        """Whose the object is, if this run has learned it."""
        with self._lock:
            return self._facts.get(id_)
