"""What the engine has shown in this run: which objects the program wants, and which were deleted.

A process serves one phase of one command. In an `up` the engine calls `Check` for each resource of the program and
`Diff` for each one in the state; a refresh or `destroy` calls no `Check`. So an object is *wanted* once a `Diff`
has named it for a resource that was checked before, or a `Create` has made it.

All methods are thread-safe. Resources are identified by their URN, objects (targets and sources) by their id.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from genesys_provider.common.parallelism import Parallelism

QUIET_SECONDS = 5.0
"""While operations follow each other within this many seconds, more may still come."""


Claim = tuple[str, str, str]
"""A value that no two objects of a kind share: the kind, the property and the value."""


@dataclass(frozen=True)
class Ownership:
    """What is known about the owner of an object: its owner mark, and its organization."""

    owner: str | None = None
    organization_id: str | None = None
    api_url: str | None = None


class Run:
    """The state of a run, for one process.

    Args:
        clock: The current time in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.parallelism = Parallelism(clock)
        """Which operations waited for verdicts, and which for a slot."""
        self._clock = clock
        self._lock = threading.Lock()
        self._checked: set[str] = set()
        self._creating: dict[str, frozenset[Claim]] = {}
        self._shown: dict[str, str] = {}
        self._made: set[str] = set()
        self._replaced: set[str] = set()
        self._gone: set[str] = set()
        self._at_deletion: dict[str, list[Callable[[], None]]] = {}
        self._ownership: dict[str, Ownership] = {}
        self._under_way = 0
        self._last_seen = clock()

    @contextmanager
    def operation(self) -> Iterator[None]:
        """Counts an operation of the engine as in progress."""
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
        """Counts an operation in progress as one that only waits for others."""
        with self._lock:
            self._under_way -= 1
        try:
            yield
        finally:
            with self._lock:
                self._under_way += 1

    @property
    def quiet(self) -> bool:
        """Whether all operations in progress are waiting, and no new one has arrived for a while.

        Then the engine is unlikely to show more before the deletes at the end of an `up`.
        """
        with self._lock:
            return self._under_way <= 0 and self._clock() - self._last_seen > QUIET_SECONDS

    @property
    def seconds_idle(self) -> float:
        """The time since an operation last started or ended."""
        with self._lock:
            return self._clock() - self._last_seen

    def checked(self, urn: str) -> None:
        """Records that the program declares this resource."""
        with self._lock:
            self._checked.add(urn)

    def creating(self, urn: str, taking: Iterable[Claim]) -> None:
        """Records that a new resource is to be created, which takes these values."""
        with self._lock:
            self._creating[urn] = frozenset(taking)

    def awaited(self, urn: str, having: Iterable[Claim]) -> str | None:
        """A new resource that was not created, and takes a value of a resource that the program no longer has.

        The two may be the same resource, moved or renamed.

        Args:
            urn: The resource that is to be deleted.
            having: Its values.
        """
        with self._lock:
            if urn in self._checked:
                return None
            return next((new for new, taking in self._creating.items() if taking.intersection(having)), None)

    @property
    def has_program(self) -> bool:
        """Whether the program has declared a resource in this run, so that its config is the current one."""
        with self._lock:
            return bool(self._checked)

    def shown(self, id_: str, urn: str) -> str | None:
        """Records that the state has this object for this resource.

        Returns:
            Another resource of the program that has the same object, if any.
        """
        with self._lock:
            if urn not in self._checked:
                return None
            other = self._shown.setdefault(id_, urn)
            return None if other == urn else other or None

    def created(self, id_: str, urn: str) -> None:
        """Records that the object was created or adopted for this resource, which replaces its previous one."""
        with self._lock:
            self._replaced.update(each for each, owner in self._shown.items() if owner == urn)
            self._replaced.discard(id_)
            self._shown[id_] = urn
            self._made.add(id_)
            self._creating.pop(urn, None)

    def deleted(self, id_: str) -> None:
        """Records that the object is deleted, and does what was to be done then."""
        with self._lock:
            self._shown.setdefault(id_, "")
            self._gone.add(id_)
            due = self._at_deletion.pop(id_, [])
        for each in due:
            each()

    def at_deletion(self, id_: str, do: Callable[[], None]) -> None:
        """Does something as soon as this run has deleted the object, if it does."""
        with self._lock:
            self._at_deletion.setdefault(id_, []).append(do)

    def knows(self, id_: str) -> bool:
        """Whether the object was shown, created or deleted in this run, so that no earlier run left it behind."""
        with self._lock:
            return id_ in self._shown

    def goes(self, id_: str) -> bool:
        """Whether the object was deleted in this run, or will be since its resource is replaced."""
        with self._lock:
            return id_ in self._gone or id_ in self._replaced

    def is_made(self, id_: str) -> bool:
        """Whether this run created or adopted the object, so that no delete of this run can mean it."""
        with self._lock:
            return id_ in self._made

    def wanted_by(self, id_: str) -> str | None:
        """The resource of the program that has this object and keeps it."""
        with self._lock:
            if id_ in self._gone or id_ in self._replaced:
                return None
            return self._shown.get(id_)

    def learned(self, id_: str, ownership: Ownership) -> None:
        """Records the owner of the object."""
        with self._lock:
            self._ownership[id_] = ownership

    def ownership(self, id_: str) -> Ownership | None:
        """The owner of the object, if this run has learned it."""
        with self._lock:
            return self._ownership.get(id_)
