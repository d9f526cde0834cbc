"""The number of requests for look-ups before creates, in virtual time."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from genesys_provider.client.errors import (
    ApiError,
    Forbidden,
    GenesysError,
    ServerError,
    UnexpectedAnswer,
)
from genesys_provider.client.limits import Allowance, Priority
from genesys_provider.common.directory import Directory
from genesys_provider.common.paging import Page, pages
from genesys_provider.common.reader import Look
from genesys_provider.common.writes import Writes
from genesys_provider.targets.models import Target
from genesys_provider.targets.reading import parsed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

PAGE = 100
BEYOND = ApiError("GET /targets: no such page", status=404, in_envelope=True)


def listed(*answers: Mapping[str, Any] | GenesysError) -> list[str]:
    """The ids in the list that a service answers with these pages; it refuses or answers no further page."""
    left = list(answers)

    def page(_number: int) -> Mapping[str, Any]:
        answer = left.pop(0)
        if isinstance(answer, GenesysError):
            raise answer
        return answer

    return [target.id for page in pages("target", page, parsed) for target in page.things]


def page_of(*ids: str, **fields: Any) -> dict[str, Any]:
    entities = [{"id": each, "name": each, "endpointUrl": "https://localhost"} for each in ids]
    return {"entities": entities, **fields}


@pytest.mark.parametrize("status", [400, 404, 416])
def test_a_page_that_no_answer_announced_may_be_refused(status: int) -> None:
    beyond = ApiError("GET /targets: no such page", status=status, in_envelope=True)
    assert listed(page_of("a", "b"), beyond) == ["a", "b"]
    assert listed(page_of("a", "b", pageSize=2), page_of("c", "d", pageSize=2), beyond) == list("abcd")


@pytest.mark.parametrize(
    ("first", "refusal"),
    [
        (page_of("a", pageCount=2), BEYOND),
        (page_of("a", nextUri="/next"), BEYOND),
        (page_of("a", total=2), BEYOND),
        (page_of("a"), Forbidden("no", status=403, in_envelope=True)),
        (page_of("a"), ServerError("no", status=500, in_envelope=True)),
        (page_of("a"), UnexpectedAnswer("a page of a proxy")),
    ],
)
def test_any_other_page_that_fails_is_an_error(first: Mapping[str, Any], refusal: GenesysError) -> None:
    with pytest.raises(type(refusal)):
        listed(first, refusal)


def test_a_refused_first_page_is_an_error() -> None:
    with pytest.raises(ApiError):
        listed(BEYOND)


def test_a_page_may_be_shorter_than_requested() -> None:
    assert listed(page_of("a", pageSize=100, total=2), page_of("b", pageSize=100, total=2)) == ["a", "b"]


def test_an_entry_on_two_pages_is_listed_once() -> None:
    assert listed(page_of("a", "b", pageCount=2), page_of("b", "c", pageCount=2)) == ["a", "b", "c"]
    assert listed(page_of("a", "a", pageCount=1)) == ["a"]


class Organization:
    """A reader of a number of targets, which counts its requests."""

    allowance = Allowance(threading.Event())
    finds_by_name = True
    look_pause = 0.0

    def __init__(self, count: int, *, says_how_long: bool = True) -> None:
        self.requests: list[str] = []
        self._names = [f"there-{number}" for number in range(count)]
        self._says_how_long = says_how_long

    def pages(
        self, *, name: str | None = None, priority: Priority = Priority.BULK, first: int = 1
    ) -> Iterator[Page[Target]]:
        assert priority is Priority.BULK

        def page(number: int) -> Mapping[str, Any]:
            self.requests.append("page" if name is None else "one")
            shown = [each for each in self._names if name in (None, each)]
            answer = {
                "entities": [
                    {"id": each, "name": each, "endpointUrl": "https://localhost"}
                    for each in shown[PAGE * (number - 1) : PAGE * number]
                ],
                "pageSize": PAGE,
            }
            if self._says_how_long:
                answer["pageCount"] = -(-len(shown) // PAGE)
            return answer

        return pages("target", page, parsed, first)

    def get(self, _id: str) -> Target | None:
        raise AssertionError("a name was asked for")

    def look(self, _id: str) -> Look[Target]:
        raise AssertionError("a name was asked for")


class Asking(threading.Event):
    """A `cancelled` whose waits take no time: they advance the clock, and ask the questions that are due then."""

    def __init__(self, organization: Organization, due: Sequence[float]) -> None:
        super().__init__()
        self._now = 0.0
        self._due = sorted(due, reverse=True)
        self._asking: list[threading.Thread] = []
        self._passing = threading.Lock()
        self._directory = Directory(organization, Writes[Target](self), self, lambda: self._now)

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        self._pass(timeout)
        return False

    def ask_all(self) -> None:
        """Asks all questions, and returns when they are answered."""
        while self._due:
            if self._directory._known._works:
                time.sleep(0.001)
            else:
                self._pass(self._due[-1] - self._now)
        for each in self._asking:
            each.join()

    def _pass(self, seconds: float) -> None:
        # The first question starts a worker, whose waits also advance the time, one after the other.
        with self._passing:
            until = self._now + seconds
            while self._due and self._due[-1] <= until:
                self._now = max(self._now, self._due.pop())
                number = len(self._asking)
                asked = len(self._directory._known._asked)
                thread = threading.Thread(target=self._directory.find, args=(f"new-{number}",))
                self._asking.append(thread)
                thread.start()
                while thread.is_alive() and len(self._directory._known._asked) == asked:
                    time.sleep(0.0001)
            self._now = until


AT_ONCE = [0.0] * 100
TRICKLING = [0.01 * number for number in range(100)]
EIGHT_AT_A_TIME = [5.5 * (number // 8) for number in range(100)]
ONE_BY_ONE = [5.5 * number for number in range(100)]
HALTING = [0.01 * number + 0.5 * (number > 4) for number in range(100)]


@pytest.mark.parametrize(
    ("due", "there", "most"),
    [
        pytest.param(AT_ONCE, 2000, 20, id="100-at-once"),
        pytest.param(TRICKLING, 2000, 20, id="100-trickling"),
        pytest.param(HALTING, 2000, 20 + 5, id="100-after-a-halt"),
        # The number of questions is unknown in advance: fewer requests than reading the list twice.
        pytest.param(EIGHT_AT_A_TIME, 2000, 2 * 20 - 1, id="8-at-a-time"),
        pytest.param(ONE_BY_ONE, 2000, 2 * 20, id="one-by-one"),
        # The additional request finds the length of the list.
        pytest.param(AT_ONCE[:5], 2000, 5 + 1, id="5-at-once"),
        pytest.param(TRICKLING[:5], 2000, 5 + 1, id="5-trickling"),
        pytest.param([0.0], 2000, 1, id="one"),
        pytest.param(AT_ONCE, 50, 1, id="one-page"),
        pytest.param(TRICKLING, 50, 1, id="one-page-trickling"),
    ],
)
def test_look_ups_choose_the_cheaper_reads(due: list[float], there: int, most: int) -> None:
    organization = Organization(there)
    Asking(organization, due).ask_all()
    assert len(organization.requests) <= most, organization.requests


@pytest.mark.parametrize("due", [AT_ONCE, TRICKLING, EIGHT_AT_A_TIME])
def test_look_ups_stay_cheap_without_a_total_in_the_list(due: list[float]) -> None:
    organization = Organization(2000, says_how_long=False)
    Asking(organization, due).ask_all()
    # An empty page ends the list.
    assert len(organization.requests) <= 2 * 21, organization.requests
