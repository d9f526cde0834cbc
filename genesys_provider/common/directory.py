"""The shared, cached view of the organization's targets or sources.

Genesys Cloud counts requests, so all reads go through here. Questions are collected into batches. A batch is
answered from the list, 100 objects per request, if that takes fewer requests than single reads. Nobody knows how
many questions are still to come, so a batch collects them while they follow each other closely. Later ones are
asked for singly, until there were as many questions as the list has pages; then the list is read. So n questions
cost min(n, pages) requests if they arrive together, plus one to learn that the list is too long. If they arrive
apart, they cost at most 2 * pages - 1, plus one if the list is continued so late that its first page is outdated.

There are two kinds of questions:

- what is known about an object, by name or id: a reading of the whole list is valid for `FRESH_SECONDS`, except
  for what we have written since (`writes`);
- its current status (`look`), for those who wait for a verdict or a deletion: never older than the question. These
  polls only read the pages of the list that show those who wait. They are admitted before bulk requests, and use at
  most `LOOK_SHARE` of the rate limit.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, TypeVar

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
from genesys_provider.client.progress import Say, report, reporting_to
from genesys_provider.common.batches import Batches
from genesys_provider.common.paging import Page
from genesys_provider.common.reader import Listed, Look, Reader
from genesys_provider.common.writes import LAG_SECONDS, Writes

FRESH_SECONDS = 30.0
"""How long a reading of the list answers questions by id, except for what we have written since."""

GATHER_SECONDS = 0.02
"""How long a batch waits for more questions."""

LULL_SECONDS = 0.1
"""The batch ends after this time without another question. The engine registers a resource every 5 to 10 ms, more
slowly on a busy machine."""

LOOK_SHARE = 0.25
"""The share of the rate limit that polls may use, so that a waiting fleet leaves room for its writes."""

READS_AT_ONCE = 8

_FOR_ALL = (Cancelled, ConfigurationError, Unauthorized)
"""Failures of the list that would also affect single reads. Others, including `Forbidden`, may not."""
_OF_THE_LIST = (ConnectionFailed, RateLimited, ServerError, UnexpectedAnswer)
"""Failures of a look-up by name that would affect other names too."""

_log = logging.getLogger(__name__)
T = TypeVar("T", bound=Listed)
K = TypeVar("K")
V = TypeVar("V")


class Question(NamedTuple):
    """What is known about the object with this id or name."""

    field: str
    value: str
    since: float = float("-inf")
    """The clock time before which the answer would be too old."""


@dataclass
class _Listing(Generic[T]):
    """A reading of the list, which may stop after any page and go on later."""

    started: float
    """By the clock."""
    pages: Iterator[Page[T]]
    by_id: dict[str, T] = field(default_factory=dict)


class Directory(Generic[T]):
    """The shared directory of one process. Thread-safe.

    Args:
        reader: Requests objects from the API.
        writes: Our recent writes.
        cancelled: Ends all waits when set.
        clock: The current time in seconds.
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
        self._page_of: dict[str, int] = {}
        """The page on which the list last showed an object, by its id."""
        self._begun: _Listing[T] | None = None
        self._look_at = float("-inf")
        self._list_fails_until = float("-inf")
        self._known: Batches[Question, T | None] = Batches(
            self._answer_known, lambda: self._cancelled.wait(GATHER_SECONDS), self._cancelled, "directory"
        )
        self._looks: Batches[str, Look[T]] = Batches(
            self._answer_looks, self._until_next_look, self._cancelled, "looks"
        )

    def find(self, name: str) -> T | None:
        """The object with this name, from the shared reading of the list, updated with our own writes.

        Changes by others since that reading are missing, so an absence proves nothing: the 409 of the API does, and
        `find_now` then tells who has the name. If the service accepts duplicate names, the reading is at most
        `FRESH_SECONDS` old.
        """
        return self._ask(Question("name", name))

    def known(self) -> list[T]:
        """The last reading of the list, updated with our own writes; empty if there was none."""
        with self._lock:
            read, read_at = self._by_id, self._read_at
        return list(self._writes.over(read or {}, read_at).values())

    def find_now(self, name: str, owner: str | None = None) -> T | None:
        """The current object of this name. If there are several, the one with this owner mark comes first."""
        found: T | None = None
        for page in self._reader.pages(name=name):
            for thing in page.things:
                if thing.name == name and not self._writes.is_deleted(thing.id):
                    if owner is None or thing.owner == owner:
                        return thing
                    found = found or thing
        return found

    def get(self, id_: str, *, fresh: bool = False) -> T | None:
        """The object with this id, or None if it is not found; never older than our own last write.

        Args:
            id_: The id.
            fresh: Whether the answer must not be older than the question.
        """
        if self._writes.may_be_missed(id_, self._clock()):
            return self.get_now(id_)
        return self._ask(Question("id", id_, self._clock()) if fresh else Question("id", id_))

    def get_now(self, id_: str) -> T | None:
        """The current object with this id, or None if it is not found."""
        return None if self._writes.is_deleted(id_) else self._reader.get(id_)

    def get_settled(
        self,
        id_: str,
        *,
        shared: bool = True,
        fresh: bool = False,
        expected: Callable[[T], bool] | None = None,
    ) -> T | None:
        """The object with this id once our last write is visible; None only after that had time to become visible.

        Args:
            id_: The id.
            shared: Whether a reading of the whole list may answer.
            fresh: Whether that reading must not be older than the question.
            expected: Whether the object is as it was written; until then it may still appear in its old form.
        """
        thing = self.get(id_, fresh=fresh) if shared else self.get_now(id_)
        for tries, _ in enumerate(self._writes.pauses()):
            thing = self.get_now(id_) if tries else thing
            if self._writes.settled(id_):
                break
            if thing is not None and (expected is None or self._writes.seen(id_) or expected(thing)):
                break
            found = "not found" if thing is None else "still as before the last write"
            report(f"rereading {self._writes.age(id_):.0f}/{LAG_SECONDS:g} s: {found}")
        return thing

    def look(self, id_: str) -> Look[T]:
        """The current status, from a request that was sent after the question.

        Raises:
            NotFound: The object does not exist, or is not visible yet (`Writes.settled`).
        """
        return self._looks.ask(id_)

    def _ask(self, question: Question) -> T | None:
        known = self._from_list([question])
        if question in known:
            return known[question]
        with self._lock:
            self._asked += 1
        return self._known.ask(question)

    def _from_list(self, questions: Iterable[Question]) -> dict[Question, T | None]:
        """Answers from the last reading of the list; an id that is missing there stays unanswered.

        Pages can shift during a listing, so an absence is confirmed with a single GET.
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

    def _answer_known(self, questions: Mapping[Question, Say]) -> Mapping[Question, T | Exception | None]:
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
            # Ask for one name first: if the list fails, it fails for all of them.
            answers[names[0]] = found = _each(questions, names[:1], self._answer_one)[names[0]]
            if isinstance(found, _OF_THE_LIST):
                answers |= dict.fromkeys(names, found)
        return answers | _each(questions, [each for each in rest if each not in answers], self._answer_one)

    def _answer_one(self, question: Question) -> T | None:
        return self.find_now(question.value) if question.field == "name" else self.get_now(question.value)

    def _read_list_if_cheaper(self, questions: Iterable[Question]) -> None:
        """Continues the list while that takes no more requests than were asked for, or if nothing else helps."""
        if self._clock() < self._list_fails_until:
            return
        must = not self._reader.finds_by_name and any(each.field == "name" for each in questions)
        if not must and not self._pays():
            return
        reading, self._begun = self._begun, None
        if reading is None or self._clock() >= reading.started + FRESH_SECONDS:
            reading = _Listing(self._clock(), self._pages(Priority.BULK))
        for page in reading.pages:
            reading.by_id.update((thing.id, thing) for thing in page.things)
            if not must and not self._pays():
                self._begun = reading
                return
        with self._lock:
            self._by_id = reading.by_id
            self._read_at = reading.started
            # This reading also answers those who asked during it; count the later ones from zero.
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

    def _pages(self, priority: Priority, first: int = 1) -> Iterator[Page[T]]:
        try:
            for page in self._reader.pages(priority=priority, first=first):
                self._page_count = page.page_count
                self._page_of.update(dict.fromkeys(page.ids, page.number))
                yield page
        except GenesysError:
            # For a while, ask for each object singly instead.
            self._list_fails_until = self._clock() + FRESH_SECONDS
            raise

    # How it is now

    def _until_next_look(self) -> None:
        self._cancelled.wait(max(GATHER_SECONDS, self._look_at - self._clock()))

    def _answer_looks(self, ids: Mapping[str, Say]) -> Mapping[str, Look[T] | Exception]:
        seen: dict[str, Look[T] | Exception] = {}
        requests = 0
        if len(ids) > 1 and self._clock() >= self._list_fails_until:
            try:
                for page in self._pages_showing(ids, seen):
                    requests += 1
                    seen.update(
                        (each.id, Look(each.status, None, each)) for each in page.among(ids) if each.status
                    )
            except _FOR_ALL:
                raise
            except GenesysError as error:
                _log.debug("a look at the list failed: %s", error)
        rest = [each for each in ids if each not in seen]
        seen |= _each(ids, rest, self._reader.look)
        pause = (requests + len(rest)) * self._reader.allowance.seconds_a_request / LOOK_SHARE
        self._look_at = self._clock() + max(pause, self._reader.look_pause)
        return seen

    def _pages_showing(self, ids: Collection[str], seen: Collection[str]) -> Iterator[Page[T]]:
        """The pages of the list that may show these objects, while those cost less than to look at each one.

        First those that showed them last. What was never shown is likely to be new, and new objects to come last.
        After that the others, so that no page is read twice.

        Args:
            ids: The objects.
            seen: Those that were found meanwhile.
        """
        last = self._page_count
        likely = {self._page_of.get(each, last) for each in ids}
        others = [each for each in range(1, last + 1) if each not in likely]
        for number in [*sorted(likely), *others]:
            left = len(ids) - len(seen)
            # Decided once: what the first of the others lack may be on any of the rest.
            if left == 0 or ([number] == others[:1] and self._page_count > left):
                return
            for page in self._pages(Priority.INTERACTIVE, number):
                yield page
                # More pages may have come after the last one.
                if number != last or page.page_count - page.number > len(ids) - len(seen):
                    break


def _each(askers: Mapping[K, Say], keys: Sequence[K], answer: Callable[[K], V]) -> dict[K, V | Exception]:
    """The answer or error for each of these keys of a batch; several are computed in parallel."""

    def outcome(key: K) -> V | Exception:
        try:
            # Only those who asked this question: otherwise a hundred failing reads would write ten thousand lines.
            with reporting_to(askers[key]):
                return answer(key)
        except Exception as error:  # noqa: BLE001  (it is raised to the thread that asked)
            return error

    if not keys:
        return {}
    with ThreadPoolExecutor(min(READS_AT_ONCE, len(keys))) as pool:
        return dict(zip(keys, pool.map(outcome, keys), strict=True))
