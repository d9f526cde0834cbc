"""What the service says of the organisation's targets: asked once for all who want to know.

Requests are what Genesys Cloud counts, so all reading goes one way. Questions are gathered into batches, and a
batch is answered by the list, 100 targets to a request, where that takes fewer requests than single reads do. There
are two kinds of questions:

- what is known of a target, by its name or id: a reading of the whole list answers for `FRESH_SECONDS`, except
  about what we have written since;
- how it is now (`look`), for those who wait for a verdict or a deletion: never older than the question. Looks go
  before bulk work, and use no more than `LOOK_SHARE` of the rate limit.

A service may lag behind its writes [G]. After a write of ours an absence means «not yet» for `LAG_SECONDS`.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, TypeVar

from genesys_provider.client.api import GenesysClient
from genesys_provider.client.errors import (
    HOPELESS,
    Cancelled,
    ConfigurationError,
    ConnectionFailed,
    GenesysError,
    NotFound,
    RateLimited,
    ServerError,
    Unauthorized,
    UnexpectedAnswer,
)
from genesys_provider.client.limits import Priority
from genesys_provider.common.batches import Batches
from genesys_provider.common.times import LastWrite, seconds_since
from genesys_provider.targets.models import PENDING_VERIFICATION, Target
from genesys_provider.targets.paging import Page, among, pages, parsed

LAG_SECONDS = 30.0
"""How long a read may lag behind a write. Elsewhere in Genesys Cloud it is seconds; the Terraform provider allows
for minutes [G]."""

LAG_PAUSES = (0.5, 1.0, 2.0, 4.0)
"""Seconds between two reads while the service may lag; the last one repeats."""

FRESH_SECONDS = 30.0
"""How long a reading of the list answers questions by id, but for what we have written since."""

GATHER_SECONDS = 0.02
"""How long a batch waits for more questions; for five times as long where the list turns out to be long."""

LOOK_SHARE = 0.25
"""The share of the rate limit that looks may use, so that a fleet that waits leaves room for its writes."""

SHORTEST_PAUSE = 0.5
"""Seconds between two looks, at least."""

READS_AT_ONCE = 8

_FOR_ALL = (Cancelled, ConfigurationError, Unauthorized)
"""Failures of the list that are those of single reads too; others, `Forbidden` included, say nothing of them."""
_OF_THE_LIST = (ConnectionFailed, RateLimited, ServerError, UnexpectedAnswer)
"""Failures of a look-up by name that another name would meet too."""

_log = logging.getLogger(__name__)
K = TypeVar("K")
V = TypeVar("V")


class Look(NamedTuple):
    """How a target is now. From the list comes the whole target, from `verify` its status and the reason."""

    status: str
    message: str | None = None
    target: Target | None = None


class Question(NamedTuple):
    """What is known of the target of this id or name."""

    field: str
    value: str
    since: float = float("-inf")
    """The answer is no older than this, by the clock."""


class Directory:
    """The shared knowledge of one process. Safe for threads.

    Args:
        client: The API.
        cancelled: When set, waits end.
        clock: Seconds.
    """

    def __init__(
        self,
        client: GenesysClient,
        cancelled: threading.Event | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._cancelled = cancelled or threading.Event()
        self._clock = clock
        self._lock = threading.Lock()
        self._by_id: dict[str, Target] | None = None
        self._read_at = float("-inf")
        self._asked = 0
        self._page_count = 1
        self._written_at: dict[str, float] = {}
        self._unseen: set[str] = set()
        self._made: set[str] = set()
        self._left: dict[str, Target | None] = {}
        """What our own writes have left; None where we have deleted the target."""
        self._look_at = float("-inf")
        self._list_fails_until = float("-inf")
        self._known = Batches(
            self._answer_known, lambda: time.sleep(GATHER_SECONDS), self._cancelled, "directory"
        )
        self._looks = Batches(self._answer_looks, self._until_next_look, self._cancelled, "looks")

    def find(self, name: str) -> Target | None:
        """The target of this name, as the run's shared look-up saw it, kept up with our own writes.

        What others did since does not show here. So an absence is no proof: the API's 409 is, and `find_now`
        then says who has the name.
        """
        return self._ask(Question("name", name))

    def find_now(self, name: str) -> Target | None:
        """The target that has this name now: one request."""
        for page in pages(self._client, name):
            for target in page.targets:
                if target.name == name and not self._is_deleted(target.id):
                    return target
        return None

    def get(self, target_id: str, *, fresh: bool = False) -> Target | None:
        """The target of this id, or None where none shows; never older than our own last write.

        Args:
            target_id: The target.
            fresh: Whether the answer must be no older than the question.
        """
        if self._may_be_missed(target_id, self._clock()):
            return self.get_now(target_id)
        return self._ask(Question("id", target_id, self._clock()) if fresh else Question("id", target_id))

    def get_now(self, target_id: str) -> Target | None:
        """The target that has this id now, or None where none shows: one request."""
        if self._is_deleted(target_id):
            return None
        try:
            answer = self._client.get_target(target_id)
        except NotFound:
            return None
        target = parsed({**answer, "id": target_id}, f"target {target_id}")
        if target.status:
            return target
        try:
            status = self.verification(target_id).status
        except HOPELESS:
            raise
        except GenesysError:
            # The target is there; only its status is not known.
            status = PENDING_VERIFICATION
        return target.model_copy(update={"status": status})

    def get_settled(
        self,
        target_id: str,
        *,
        shared: bool = True,
        fresh: bool = False,
        expected: Callable[[Target], bool] | None = None,
    ) -> Target | None:
        """The target, once our last write shows: an absence counts only when it has had the time to.

        Args:
            target_id: The target.
            shared: Whether a reading of the whole list may answer.
            fresh: Whether that must be no older than the question.
            expected: Whether a target is as it was written; until that has shown, it may show as it was before.
        """
        target = self.get(target_id, fresh=fresh) if shared else self.get_now(target_id)
        for tries, _ in enumerate(self.pauses()):
            target = self.get_now(target_id) if tries else target
            if self.settled(target_id):
                break
            if target is not None and (expected is None or self.seen(target_id) or expected(target)):
                break
        return target

    def look(self, target_id: str) -> Look:
        """How the target is now, from a reading that began after the question.

        Raises:
            NotFound: It is not there; where we have just written it, not yet (`settled`).
        """
        return self._looks.ask(target_id)

    def verification(self, target_id: str) -> Look:
        """What `verify` says now: one request; also why a verification failed.

        Raises:
            NotFound: There is no such target, or not yet.
        """
        answer = self._client.get_verification(target_id)
        status, message = answer.get("status"), answer.get("message")
        if not isinstance(status, str):
            raise UnexpectedAnswer(f"target {target_id}: the answer to verify has no status")
        return Look(status.strip().upper(), None if message is None else str(message))

    def settled(self, target_id: str) -> bool:
        """Whether the service has had the time to show our last write of this target."""
        with self._lock:
            return self._settled(target_id, self._clock()) or self._left.get(target_id, target_id) is None

    def _settled(self, target_id: str, by: float) -> bool:
        return by >= self._written_at.get(target_id, float("-inf")) + LAG_SECONDS

    def seen(self, target_id: str) -> bool:
        """Whether a reading has shown our last write of this target."""
        with self._lock:
            return target_id not in self._unseen

    def shows(self, target_id: str) -> bool:
        """Whether our last write of this target was seen, or has had the time to show."""
        return self.seen(target_id) or self.settled(target_id)

    def shows_no_old_verdict(self, target_id: str) -> bool:
        """Whether no reading of this target can show the verdict from before our last write any more."""
        return target_id in self._made or self.shows(target_id)

    def write_has_shown(self, target_id: str) -> None:
        """Takes in that a reading has shown our last write."""
        with self._lock:
            self._unseen.discard(target_id)

    def wrote(self, target: Target, *, made: bool = False) -> None:
        """Takes in a POST or PUT of ours that was accepted just now; a POST has made the target."""
        with self._lock:
            (self._made.add if made else self._made.discard)(target.id)
            self._written_at[target.id] = self._clock()
            self._unseen.add(target.id)
            self._left[target.id] = target
            if self._by_id is not None:
                self._by_id[target.id] = target

    def written_earlier(self, target_id: str, last_write: LastWrite | None) -> None:
        """Takes in the last write of an earlier process."""
        if last_write is None:
            return
        with self._lock:
            if target_id not in self._written_at:
                self._written_at[target_id] = self._clock() - seconds_since(last_write.at)
                if not last_write.seen:
                    self._unseen.add(target_id)
                if last_write.made:
                    self._made.add(target_id)

    def deleted(self, target_id: str) -> None:
        """Takes in that a target is gone; a reading that lags may go on showing it."""
        with self._lock:
            self._written_at[target_id] = self._clock()
            self._unseen.discard(target_id)
            self._left[target_id] = None
            if self._by_id is not None:
                self._by_id.pop(target_id, None)

    def _may_be_missed(self, target_id: str, by: float) -> bool:
        """Whether a list that was read then may lack what this process has written."""
        return target_id in self._left and not self._settled(target_id, by)

    def _is_deleted(self, target_id: str) -> bool:
        with self._lock:
            return self._may_be_missed(target_id, self._clock()) and self._left[target_id] is None

    def pauses(self) -> Iterator[None]:
        """Lets a caller ask again, with growing pauses, for as long as the service may lag from now on.

        Raises:
            Cancelled: The run was cancelled.
        """
        ends, pauses = self._clock() + LAG_SECONDS, iter(LAG_PAUSES)
        while (left := ends - self._clock()) > 0:
            yield
            if self._cancelled.wait(min(next(pauses, LAG_PAUSES[-1]), left)):
                raise Cancelled("cancelled while waiting for the service to catch up")
        yield

    def _ask(self, question: Question) -> Target | None:
        known = self._from_list([question])
        if question in known:
            return known[question]
        with self._lock:
            self._asked += 1
        return self._known.ask(question)

    def _from_list(self, questions: Sequence[Question]) -> dict[Question, Target | None]:
        """What the last reading of the list answers; that it lacks an id is no answer.

        Pages shift while others write, and a target is not given up for that.
        """
        with self._lock:
            if self._by_id is None:
                return {}
            fresh = self._clock() < self._read_at + FRESH_SECONDS
            answers: dict[Question, Target | None] = {}
            by_name: dict[str, Target] | None = None
            for question in questions:
                if question.field == "name":
                    by_name = by_name or {target.name: target for target in self._by_id.values()}
                    answers[question] = by_name.get(question.value)
                elif (
                    fresh
                    and self._read_at >= question.since
                    and question.value in self._by_id
                    and not self._may_be_missed(question.value, self._read_at)
                ):
                    answers[question] = self._by_id[question.value]
            return answers

    # What is known

    def _answer_known(self, questions: Sequence[Question]) -> Mapping[Question, Target | Exception | None]:
        answers: dict[Question, Target | Exception | None] = {**self._from_list(questions)}
        if len(answers) < len(questions):
            try:
                self._read_list_if_cheaper()
            except _FOR_ALL:
                raise
            except GenesysError as error:
                _log.debug("the list of targets can't be read: %s", error)
            answers |= self._from_list(questions)
        rest = [question for question in questions if question not in answers]
        names = [question for question in rest if question.field == "name"]
        if names:
            # One goes ahead: where the list fails, it fails for all.
            answers[names[0]] = found = _each(names[:1], self._answer_one)[names[0]]
            if isinstance(found, _OF_THE_LIST):
                answers |= dict.fromkeys(names, found)
        return answers | _each([each for each in rest if each not in answers], self._answer_one)

    def _answer_one(self, question: Question) -> Target | None:
        return self.find_now(question.value) if question.field == "name" else self.get_now(question.value)

    def _read_list_if_cheaper(self) -> None:
        """Reads the whole list, where that takes fewer requests than were asked for by now."""
        if self._asked <= self._page_count or self._clock() < self._list_fails_until:
            return
        started = self._clock()
        by_id: dict[str, Target] = {}
        for page in self._pages(Priority.BULK):
            if page.page_count > self._asked:
                # A busy host asks haltingly: more may come.
                time.sleep(5 * GATHER_SECONDS)
            if page.page_count > self._asked:
                # Where the list does not say how long it is, the next try is worth it once twice as many asked.
                self._page_count = max(page.page_count, 2 * self._asked)
                return
            by_id.update((target.id, target) for target in page.targets)
        with self._lock:
            for target_id, left in self._left.items():
                # The reading may lag behind what we have written: that answers nothing, but its name is known.
                if not self._may_be_missed(target_id, started):
                    continue
                if left is None:
                    by_id.pop(target_id, None)
                else:
                    by_id[target_id] = left
            self._by_id = by_id
            self._read_at = started
            # Who asks after this reading is answered by it; later ones are counted anew.
            self._asked = 0

    def _pages(self, priority: Priority) -> Iterator[Page]:
        try:
            for page in pages(self._client, priority=priority):
                self._page_count = page.page_count
                yield page
        except GenesysError:
            # What it would have answered is asked for singly, for a while.
            self._list_fails_until = self._clock() + FRESH_SECONDS
            raise

    # How it is now

    def _until_next_look(self) -> None:
        self._cancelled.wait(max(GATHER_SECONDS, self._look_at - self._clock()))

    def _look(self, target_id: str) -> Look:
        try:
            return self.verification(target_id)
        except NotFound:
            # Of a verification: whether the target is there is the target's own call to say.
            target = self.get_now(target_id)
            if target is None:
                raise
            return Look(target.status, None, target)

    def _answer_looks(self, ids: Sequence[str]) -> Mapping[str, Look | Exception]:
        seen: dict[str, Look | Exception] = {}
        requests = 0
        if len(ids) > 1 and self._page_count <= len(ids) and self._clock() >= self._list_fails_until:
            try:
                for page in self._pages(Priority.INTERACTIVE):
                    requests += 1
                    if page.page_count > len(ids):
                        break
                    seen.update((target.id, Look(target.status, None, target)) for target in among(ids, page))
                    if len(seen) == len(ids):
                        break
            except _FOR_ALL:
                raise
            except GenesysError as error:
                _log.debug("a look at the list failed: %s", error)
        rest = [each for each in ids if each not in seen]
        seen |= _each(rest, self._look)
        pause = (requests + len(rest)) * self._client.seconds_a_request / LOOK_SHARE
        self._look_at = self._clock() + max(pause, SHORTEST_PAUSE)
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
