"""A list of the API, page by page, whatever of it can be read."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Generic, TypeVar

from genesys_provider.client.errors import UnexpectedAnswer, shortened

_log = logging.getLogger(__name__)
T = TypeVar("T")


@dataclass(frozen=True)
class Page(Generic[T]):
    """One page of a list as it came."""

    kind: str
    """What is on it, for the log: `target`."""
    entities: list[Any]
    page_count: int
    """How many there are, as far as the service says it."""
    parse: Callable[[Any], T | None]
    """Reads one: None is of another kind; what can't be read is an `UnexpectedAnswer`."""

    @property
    def things(self) -> list[T]:
        """What is on it; what can't be read is named in the log, and the rest serves."""
        return [thing for entity in self.entities for thing in self._readable(entity)]

    def _readable(self, entity: Any) -> Iterator[T]:
        try:
            thing = self.parse(entity)
        except UnexpectedAnswer as error:
            known = isinstance(entity, Mapping)
            _name(self.kind, shortened(str(entity.get("id"))) if known else "without an id", error.message)
        else:
            if thing is not None:
                yield thing

    def among(self, ids: Sequence[str]) -> Iterator[T]:
        """Those of the page that are looked for. Only these are read, which takes time."""
        wanted = set(ids)
        for entity in self.entities:
            if isinstance(entity, Mapping) and str(entity.get("id")) in wanted:
                try:
                    thing = self.parse(entity)
                except UnexpectedAnswer:
                    continue
                if thing is not None:
                    yield thing


@lru_cache(maxsize=1000)
def _name(kind: str, id_: str, why: str) -> None:
    """Names in the log what can't be read, once: it is there at every reading."""
    _log.warning("skips %s %s: %s", kind, id_, why)


def pages(
    kind: str, list_page: Callable[[int], Mapping[str, Any]], parse: Callable[[Any], T | None]
) -> Iterator[Page[T]]:
    """A list, page by page as it is asked for.

    It ends where the service says so, by `pageCount` or `nextUri`; where it says neither, with a page that is not
    full. Whatever it says, the list ends after two pages that bring nothing new.

    Args:
        kind: What it lists: `target`.
        list_page: Asks for the page of this number.
        parse: Reads one entity, as `Page.parse`.
    """
    seen: set[str] = set()
    number, without_news = 1, 0
    while True:
        answer = list_page(number)
        entities, count = answer.get("entities"), answer.get("pageCount")
        if entities is None and _PAGE.intersection(answer):
            # An explicit null is an absent value in the answers of Genesys Cloud.
            entities = []
        if not isinstance(entities, list):
            raise UnexpectedAnswer(f"the list of {kind}s has no entities")
        ids = {str(entity["id"]) for entity in entities if isinstance(entity, Mapping) and "id" in entity}
        without_news = 0 if ids - seen else without_news + 1
        if isinstance(count, int):
            more = number < count or bool(answer.get("nextUri"))
        else:
            more = _may_go_on(answer, len(entities))
            count = number + more
        yield Page(kind, entities, max(count, number + more), parse)
        if not more or without_news > 1:
            return
        seen |= ids
        number += 1


_PAGE = frozenset({"pageSize", "pageNumber", "pageCount", "total"})
"""What a page of the list has besides its entities [G]."""


def _may_go_on(answer: Mapping[str, Any], entities: int) -> bool:
    size = answer.get("pageSize")
    return bool(answer.get("nextUri")) or entities >= (size if isinstance(size, int) else entities)
