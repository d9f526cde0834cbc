"""What the engine has shown in this run: which targets the program wants, and which have just gone.

A process serves one phase of one command. In an `up` the engine calls `Check` for each resource of the program, and
`Diff` for each that the state has; in a refresh or a `destroy` it calls no `Check`. So a target is *wanted* once a
`Diff` has named it for a resource that was checked before, or a `Create` has made it.

All methods are safe for threads. A resource is named by its URN, a target by its id.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

QUIET_SECONDS = 5.0
"""More may still come while operations of this process follow each other this closely."""


@dataclass(frozen=True)
class Facts:
    """Whose a target is, as far as it is known: its owner mark, and the organisation that it is in."""

    owner: str | None = None
    organization_id: str | None = None
    api_url: str | None = None


class Run:
    """The knowledge of one process.

    Args:
        clock: Seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
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

    def shown(self, target_id: str, urn: str) -> str | None:
        """Notes that the state has this target for this resource.

        Returns:
            Another resource of the program that has the same target, if there is one.
        """
        with self._lock:
            if urn not in self._checked:
                return None
            other = self._shown.setdefault(target_id, urn)
            return None if other == urn else other or None

    def created(self, target_id: str, urn: str) -> None:
        """Notes that the target was made, or adopted, for this resource: one that it had so far goes."""
        with self._lock:
            self._replaced.update(each for each, owner in self._shown.items() if owner == urn)
            self._replaced.discard(target_id)
            self._shown[target_id] = urn
            self._made.add(target_id)

    def deleted(self, target_id: str) -> None:
        """Notes that the target is gone."""
        with self._lock:
            self._shown.setdefault(target_id, "")
            self._gone.add(target_id)

    def knows(self, target_id: str) -> bool:
        """Whether the target was shown, made or deleted in this run, so that no earlier run left it behind."""
        with self._lock:
            return target_id in self._shown

    def goes(self, target_id: str) -> bool:
        """Whether the target was deleted in this run, or will be, since its resource is replaced."""
        with self._lock:
            return target_id in self._gone or target_id in self._replaced

    def is_made(self, target_id: str) -> bool:
        """Whether the target was made, or adopted, in this run: then no delete of this run is meant for it."""
        with self._lock:
            return target_id in self._made

    def wanted_by(self, target_id: str) -> str | None:
        """The resource of the program that has this target and keeps it."""
        with self._lock:
            if target_id in self._gone or target_id in self._replaced:
                return None
            return self._shown.get(target_id)

    def learned(self, target_id: str, facts: Facts) -> None:
        """Notes whose the target is."""
        with self._lock:
            self._facts[target_id] = facts

    def facts(self, target_id: str) -> Facts | None:
        """Whose the target is, if this run has learned it."""
        with self._lock:
            return self._facts.get(target_id)
