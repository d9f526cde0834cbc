"""What is known of the organisation's targets: read once, by pages, for all who ask.

A run of a stack asks for many targets by name (is it there already?) and by id (has it drifted?). Both are
answered from one reading of the list, 100 targets to a request. Where single reads cost fewer requests than the
list, they are made instead.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from genesys_provider.client.api import GenesysClient
from genesys_provider.client.errors import GenesysError, NotFound, UnexpectedAnswer
from genesys_provider.targets.models import Target, faults_of

GATHER_SECONDS = 0.02
"""How long the first reader waits for others, to know whether the list is cheaper."""

SECOND_GATHER_SECONDS = 0.1
"""How long it waits once more, where the first page shows that the list is long: a busy host reads haltingly."""

FRESH_SECONDS = 30.0
"""How long a reading of the list answers reads by id, but for what we have written since."""


@dataclass(frozen=True)
class Page:
    """One page of the list as it came, and how many there are."""

    entities: list[Any]
    page_count: int

    @property
    def targets(self) -> list[Target]:
        """The targets on it."""
        return [parsed(entity, "the list of targets") for entity in self.entities]

    @property
    def statuses(self) -> dict[str, str]:
        """The status of each by its id: all that a wait needs, at a fraction of the work."""
        try:
            return {str(entity["id"]): str(entity["status"]) for entity in self.entities}
        except (TypeError, KeyError) as error:
            raise UnexpectedAnswer("the list of targets has one without id or status") from error


def parsed(answer: Any, what: str) -> Target:
    """The target that an answer holds.

    Raises:
        UnexpectedAnswer: It is not as the contract says; the message names the fields, not their values.
    """
    try:
        return Target.model_validate(answer)
    except ValidationError as error:
        listed = "; ".join(f"{fault.path or 'it'} {fault.reason}" for fault in faults_of(error))
        raise UnexpectedAnswer(f"{what}: the answer is not a target: {listed}") from error


def pages(client: GenesysClient, name: str | None = None) -> Iterator[Page]:
    """The list of targets, page by page as it is asked for; with `name`, those of that name alone."""
    number = page_count = 1
    while number <= page_count:
        answer = client.list_targets(number, name=name)
        entities, count = answer.get("entities"), answer.get("pageCount")
        if not isinstance(entities, list) or not isinstance(count, int):
            raise UnexpectedAnswer("the list of targets has no entities or no pageCount")
        page_count = count
        yield Page(entities, page_count)
        if not entities:
            return
        number += 1


class Directory:
    """The shared knowledge of one process. Safe for threads."""

    def __init__(self, client: GenesysClient, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._clock = clock
        self._reading = threading.Lock()
        self._lock = threading.Lock()
        self._asked = 0
        self._page_count = 1
        self._by_id: dict[str, Target] | None = None
        self._fresh_until = 0.0
        self._written: set[str] = set()
        self._failures = 0
        self._failure: GenesysError | None = None

    def find(self, name: str) -> Target | None:
        """The target of this name, as the run's shared look-up saw it, kept up with our own writes.

        What others did since does not show here. So an absence is no proof: the API's 409 is, and `find_now`
        then says who has the name.
        """
        with self._shared_reading():
            if self._by_id is None:
                self._read_list_if_cheaper()
            with self._lock:
                if self._by_id is not None:
                    return next((target for target in self._by_id.values() if target.name == name), None)
        return self.find_now(name)

    def find_now(self, name: str) -> Target | None:
        """The target that has this name now: one request."""
        for page in pages(self._client, name):
            for target in page.targets:
                if target.name == name:
                    return target
        return None

    def get(self, target_id: str) -> Target | None:
        """The target of this id, or None where there is none; never older than our own last write."""
        known = self._fresh(target_id)
        if known is None:
            with self._shared_reading():
                if self._clock() >= self._fresh_until:
                    self._read_list_if_cheaper()
                known = self._fresh(target_id)
        if known is not None:
            return known
        # Also where the list lacks it: pages shift while others write, and a target is not given up for that.
        return self.get_now(target_id)

    def _fresh(self, target_id: str) -> Target | None:
        with self._lock:
            known = self._by_id if self._clock() < self._fresh_until else None
            return None if known is None or target_id in self._written else known.get(target_id)

    def get_now(self, target_id: str) -> Target | None:
        """The target that has this id now: one request."""
        try:
            return parsed(self._client.get_target(target_id), f"target {target_id}")
        except NotFound:
            return None

    def wrote(self, target: Target) -> None:
        """Takes in the answer to a POST or PUT of ours."""
        with self._lock:
            self._written.add(target.id)
            if self._by_id is not None:
                self._by_id[target.id] = target

    def deleted(self, target_id: str) -> None:
        """Takes in that a target is gone."""
        with self._lock:
            self._written.add(target_id)
            if self._by_id is not None:
                self._by_id.pop(target_id, None)

    @contextmanager
    def _shared_reading(self) -> Iterator[None]:
        with self._lock:
            self._asked += 1
            first = self._asked == 1
        failures = self._failures
        if first:
            time.sleep(GATHER_SECONDS)
        with self._reading:
            if self._failure is not None and self._failures != failures:
                # Who waited for a reading that failed does not try the same once more.
                raise self._failure
            try:
                yield
            except GenesysError as error:
                self._failures, self._failure = self._failures + 1, error
                raise

    def _read_list_if_cheaper(self) -> None:
        """Reads the whole list where that takes fewer requests than were asked for by now."""
        if self._asked <= self._page_count:
            return
        started = self._clock()
        with self._lock:
            self._written.clear()
        by_id: dict[str, Target] = {}
        for page in pages(self._client):
            self._page_count = page.page_count
            if page.page_count > self._asked:
                time.sleep(SECOND_GATHER_SECONDS)
            if page.page_count > self._asked:
                return
            by_id.update((target.id, target) for target in page.targets)
        with self._lock:
            for target_id in self._written:
                # What was written while the list was read is not answered by it, but its name is known.
                written = None if self._by_id is None else self._by_id.get(target_id)
                if written is None:
                    by_id.pop(target_id, None)
                else:
                    by_id[target_id] = written
            self._by_id = by_id
            self._fresh_until = started + FRESH_SECONDS
            # Who asks after this reading is answered by it; later ones are counted anew.
            self._asked = 0
