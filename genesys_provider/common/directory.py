"""What the service says of the organization's targets, or sources: asked once for all who want to know.

Requests are what Genesys Cloud counts, so all reading goes one way. Questions are gathered into batches, and a
batch is answered by the list, 100 to a request, where that takes fewer requests than single reads do. Nobody says
how many questions are still to come, so gathering goes on while they follow each other closely. What comes later is
asked for singly, until there were as many questions as the list has pages; then the list is read. So n questions
cost min(n, pages) requests where they come closely, and one more that says how long the list is where it is too
long. Where they come apart, they cost at most 2 * pages - 1, and one more where the list is read on so late that
its first page is too old.

There are two kinds of questions:

- what is known of a thing, by its name or id: a reading of the whole list answers for `FRESH_SECONDS`, except
  about what we have written since (`writes`);
- how it is now (`look`), for those who wait for a verdict or a deletion: never older than the question. Looks go
  before bulk work, and use no more than `LOOK_SHARE` of the rate limit.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, Protocol, TypeVar

from genesys_provider.client.errors import (
    Cancelled,
    ConfigurationError,
    ConnectionFailed,
    GenesysError,
    RateLimited,
    ServerError,
    Unauthorized,
    UnexpectedAnswer,
)
from genesys_provider.client.limits import Priority
from genesys_provider.common.batches import Batches
from genesys_provider.common.ownership import Owned
from genesys_provider.common.paging import Page
from genesys_provider.common.writes import Writes

if TYPE_CHECKING:
    from typing_extensions import Self

FRESH_SECONDS = 30.0
"""How long a reading of the list answers questions by id, but for what we have written since."""

GATHER_SECONDS = 0.02
"""How long a batch waits for more questions."""

LULL_SECONDS = 0.1
"""After so long without another question no more are waited for: the engine has resources registered every 5 to
10 ms, on a busy machine haltingly."""

LOOK_SHARE = 0.25
"""The share of the rate limit that looks may use, so that a fleet that waits leaves room for its writes."""

READS_AT_ONCE = 8

_FOR_ALL = (Cancelled, ConfigurationError, Unauthorized)
"""Failures of the list that are those of single reads too; others, `Forbidden` included, say nothing of them."""
_OF_THE_LIST = (ConnectionFailed, RateLimited, ServerError, UnexpectedAnswer)
"""Failures of a look-up by name that another name would meet too."""

_log = logging.getLogger(__name__)
K = TypeVar("K")
V = TypeVar("V")


class Listed(Owned, Protocol):
    """What the directory lists."""

    @property
    def status(self) -> str:
        """How it is, in capital letters; empty where the service does not say it."""

    def model_copy(self, *, update: Mapping[str, Any] | None = None) -> Self:
        """One with other values."""


T = TypeVar("T", bound=Listed)


class Look(NamedTuple, Generic[T]):
    """How a thing is now, as far as the cheapest reading says it."""

    status: str
    message: str | None = None
    thing: T | None = None


class Reader(Protocol[T]):
    """How things of a kind are asked for."""

    @property
    def seconds_a_request(self) -> float:
        """How far apart requests are that use the whole rate limit up; 0 where there is none."""

    finds_by_name: bool
    """Whether the service lists those of one name alone; it also refuses a name that is taken, then."""
    look_pause: float
    """Seconds between two looks, at least."""

    def pages(self, *, name: str | None = None, priority: Priority = Priority.BULK) -> Iterator[Page[T]]:
        """The list; with `name`, at least those of that name."""

    def get(self, id_: str, /) -> T | None:
        """What has this id now, or None where none shows."""

    def look(self, id_: str, /) -> Look[T]:
        """How it is now, as cheaply as can be; `NotFound` where none shows."""


class Question(NamedTuple):
    """What is known of the thing of this id or name."""

    field: str
    value: str
    since: float = float("-inf")
    """The answer is no older than this, by the clock."""


@dataclass
class _Reading(Generic[T]):
    """A reading of the list, which may stop after any page and go on later."""

    started: float
    """By the clock."""
    pages: Iterator[Page[T]]
    by_id: dict[str, T] = field(default_factory=dict)


class Directory(Generic[T]):
    """The shared knowledge of one process. Safe for threads.

    Args:
        reader: Asks the API.
        writes: What was written lately.
        cancelled: When set, waits end.
        clock: Seconds.
    """

    def __init__(
        self,
        reader: Reader[T],
        writes: Writes[T],
        cancelled: threading.Event,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._reader = reader
        self._writes = writes
        self._cancelled = cancelled
        self._clock = clock
        self._lock = threading.Lock()
        self._by_id: dict[str, T] | None = None
        self._read_at = float("-inf")
        self._asked = 0
        self._page_count = 1
        self._begun: _Reading[T] | None = None
        self._look_at = float("-inf")
        self._list_fails_until = float("-inf")
        self._known: Batches[Question, T | None] = Batches(
            self._answer_known, lambda: self._cancelled.wait(GATHER_SECONDS), self._cancelled, "directory"
        )
        self._looks: Batches[str, Look[T]] = Batches(
            self._answer_looks, self._until_next_look, self._cancelled, "looks"
        )

    def find(self, name: str) -> T | None:
        """What has this name, as the run's shared look-up saw it, kept up with our own writes.

        What others did since does not show here. So an absence is no proof: the API's 409 is, and `find_now`
        then says who has the name. Where the service refuses no name, the look-up is at most `FRESH_SECONDS` old.
        """
        return self._ask(Question("name", name))

    def known(self) -> list[T]:
        """What the last reading of the list had, kept up with our own writes; nothing where there was none."""
        with self._lock:
            read, read_at = self._by_id, self._read_at
        return list(self._writes.over(read or {}, read_at).values())

    def find_now(self, name: str, owner: str | None = None) -> T | None:
        """What has this name now; of several, where names need not be unique, the one with this mark first."""
        found: T | None = None
        for page in self._reader.pages(name=name):
            for thing in page.things:
                if thing.name == name and not self._writes.is_deleted(thing.id):
                    if owner is None or thing.owner == owner:
                        return thing
                    found = found or thing
        return found

    def get(self, id_: str, *, fresh: bool = False) -> T | None:
        """What has this id, or None where none shows; never older than our own last write.

        Args:
            id_: The id.
            fresh: Whether the answer must be no older than the question.
        """
        if self._writes.may_be_missed(id_, self._clock()):
            return self.get_now(id_)
        return self._ask(Question("id", id_, self._clock()) if fresh else Question("id", id_))

    def get_now(self, id_: str) -> T | None:
        """What has this id now, or None where none shows."""
        return None if self._writes.is_deleted(id_) else self._reader.get(id_)

    def get_settled(
        self,
        id_: str,
        *,
        shared: bool = True,
        fresh: bool = False,
        expected: Callable[[T], bool] | None = None,
    ) -> T | None:
        """What has this id, once our last write shows: an absence counts only when it has had the time to.

        Args:
            id_: The id.
            shared: Whether a reading of the whole list may answer.
            fresh: Whether that must be no older than the question.
            expected: Whether it is as it was written; until that has shown, it may show as it was before.
        """
        thing = self.get(id_, fresh=fresh) if shared else self.get_now(id_)
        for tries, _ in enumerate(self._writes.pauses()):
            thing = self.get_now(id_) if tries else thing
            if self._writes.settled(id_):
                break
            if thing is not None and (expected is None or self._writes.seen(id_) or expected(thing)):
                break
        return thing

    def look(self, id_: str) -> Look[T]:
        """How it is now, from a reading that began after the question.

        Raises:
            NotFound: It is not there; where we have just written it, not yet (`Writes.settled`).
        """
        return self._looks.ask(id_)

    def _ask(self, question: Question) -> T | None:
        known = self._from_list([question])
        if question in known:
            return known[question]
        with self._lock:
            self._asked += 1
        return self._known.ask(question)

    def _from_list(self, questions: Sequence[Question]) -> dict[Question, T | None]:
        """What the last reading of the list answers; that it lacks an id is no answer.

        Pages shift while others write, and nothing is given up for that.
        """
        with self._lock:
            read, read_at = self._by_id, self._read_at
        if read is None:
            return {}
        fresh = self._clock() < read_at + FRESH_SECONDS
        answers: dict[Question, T | None] = {}
        by_name: dict[str, T] | None = None
        for question in questions:
            if question.field == "name":
                if not fresh and not self._reader.finds_by_name:
                    continue
                by_name = by_name or {each.name: each for each in self._writes.over(read, read_at).values()}
                answers[question] = by_name.get(question.value)
            elif (
                fresh
                and read_at >= question.since
                and question.value in read
                and not self._writes.may_be_missed(question.value, read_at)
            ):
                answers[question] = read[question.value]
        return answers

    # What is known

    def _answer_known(self, questions: Sequence[Question]) -> Mapping[Question, T | Exception | None]:
        answers: dict[Question, T | Exception | None] = {**self._from_list(questions)}
        if len(answers) < len(questions):
            try:
                self._read_list_if_cheaper(questions)
            except _FOR_ALL:
                raise
            except GenesysError as error:
                _log.debug("the list can't be read: %s", error)
            answers |= self._from_list(questions)
        rest = [question for question in questions if question not in answers]
        names = [question for question in rest if question.field == "name"]
        if names:
            # One goes ahead: where the list fails, it fails for all.
            answers[names[0]] = found = _each(names[:1], self._answer_one)[names[0]]
            if isinstance(found, _OF_THE_LIST):
                answers |= dict.fromkeys(names, found)
        return answers | _each([each for each in rest if each not in answers], self._answer_one)

    def _answer_one(self, question: Question) -> T | None:
        return self.find_now(question.value) if question.field == "name" else self.get_now(question.value)

    def _read_list_if_cheaper(self, questions: Sequence[Question]) -> None:
        """Reads the list on, as long as that takes no more requests than were asked for, or nothing else helps."""
        if self._clock() < self._list_fails_until:
            return
        must = not self._reader.finds_by_name and any(each.field == "name" for each in questions)
        if not must and not self._pays():
            return
        reading, self._begun = self._begun, None
        if reading is None or self._clock() >= reading.started + FRESH_SECONDS:
            reading = _Reading(self._clock(), self._pages(Priority.BULK))
        for page in reading.pages:
            reading.by_id.update((thing.id, thing) for thing in page.things)
            if not must and not self._pays():
                self._begun = reading
                return
        with self._lock:
            self._by_id = reading.by_id
            self._read_at = reading.started
            # Who asks after this reading is answered by it; later ones are counted anew.
            self._asked = 0

    def _pays(self) -> bool:
        """Whether the list costs no more than the questions; waits for more as long as they follow each other.

        For one question it never does: the first page may be the first of many.
        """
        asked = 1
        while asked < self._asked < self._page_count:
            asked = self._asked
            self._cancelled.wait(LULL_SECONDS)
        return self._asked >= max(2, self._page_count)

    def _pages(self, priority: Priority) -> Iterator[Page[T]]:
        try:
            for page in self._reader.pages(priority=priority):
                self._page_count = page.page_count
                yield page
        except GenesysError:
            # What it would have answered is asked for singly, for a while.
            self._list_fails_until = self._clock() + FRESH_SECONDS
            raise

    # How it is now

    def _until_next_look(self) -> None:
        self._cancelled.wait(max(GATHER_SECONDS, self._look_at - self._clock()))

    def _answer_looks(self, ids: Sequence[str]) -> Mapping[str, Look[T] | Exception]:
        seen: dict[str, Look[T] | Exception] = {}
        requests = 0
        if len(ids) > 1 and self._page_count <= len(ids) and self._clock() >= self._list_fails_until:
            try:
                for page in self._pages(Priority.INTERACTIVE):
                    requests += 1
                    if page.page_count > len(ids):
                        break
                    seen.update(
                        (each.id, Look(each.status, None, each)) for each in page.among(ids) if each.status
                    )
                    if len(seen) == len(ids):
                        break
            except _FOR_ALL:
                raise
            except GenesysError as error:
                _log.debug("a look at the list failed: %s", error)
        rest = [each for each in ids if each not in seen]
        seen |= _each(rest, self._reader.look)
        pause = (requests + len(rest)) * self._reader.seconds_a_request / LOOK_SHARE
        self._look_at = self._clock() + max(pause, self._reader.look_pause)
        return seen


def _each(keys: Sequence[K], answer: Callable[[K], V]) -> dict[K, V | Exception]:
    """What each is answered with, or the error; several at a time."""

    def outcome(key: K) -> V | Exception:
        try:
            return answer(key)
        except Exception as error:  # noqa: BLE001  (it is raised to whoever asked)
            return error

    if not keys:
        return {}
    with ThreadPoolExecutor(min(READS_AT_ONCE, len(keys))) as pool:
        return dict(zip(keys, pool.map(outcome, keys), strict=True))
