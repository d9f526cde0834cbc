"""Reads a paged list of the API, as far as its entries can be read."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Generic, TypeVar

from genesys_provider.client.api import MAX_PAGE_SIZE
from genesys_provider.client.errors import ApiError, UnexpectedAnswer
from genesys_provider.client.redaction import shortened

_log = logging.getLogger(__name__)
T = TypeVar("T")


@dataclass(frozen=True)
class Page(Generic[T]):
    """One page of a list, as it was received."""

    kind: str
    """What the list contains, for the log: `target`."""
    number: int
    """Its place in the list, from 1."""
    entities: list[Any]
    page_count: int
    """How many pages there are, if the service tells."""
    parse: Callable[[Any], T | None]
    """Parses one entry. Returns None for another kind of object; raises `UnexpectedAnswer` for a bad one."""

    @property
    def ids(self) -> set[str]:
        """The ids of the entities, as far as they have any."""
        return {
            str(entity["id"]) for entity in self.entities if isinstance(entity, Mapping) and "id" in entity
        }

    @property
    def things(self) -> list[T]:
        """The objects on this page. Entries that can't be parsed are logged and skipped."""
        return [thing for entity in self.entities for thing in self._readable(entity)]

    def _readable(self, entity: Any) -> Iterator[T]:
        try:
            thing = self.parse(entity)
        except UnexpectedAnswer as error:
            known = isinstance(entity, Mapping)
            _log_once(
                self.kind, shortened(str(entity.get("id"))) if known else "without an id", error.message
            )
        else:
            if thing is not None:
                yield thing

    def among(self, ids: Iterable[str]) -> Iterator[T]:
        """The objects with these ids. Only these are parsed, since parsing takes time."""
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
def _log_once(kind: str, id_: str, why: str) -> None:
    """Logs an entry that can't be parsed: once for the process, since every reading meets it again."""
    _log.warning("skipping %s %s: %s", kind, id_, why)


def pages(
    kind: str, list_page: Callable[[int], Mapping[str, Any]], parse: Callable[[Any], T | None], first: int = 1
) -> Iterator[Page[T]]:
    """Yields a list page by page, requesting pages as needed.

    The list ends where `pageCount`, `nextUri` or `total` says so, or, without them, with a page that is not full or
    that the service refuses because it is beyond the end. In any case it ends after two pages without anything new.
    An entry that is on several pages, since they shifted meanwhile, is only on the first one.

    Args:
        kind: What the list contains: `target`.
        list_page: Requests the page with this number.
        parse: Parses one entry, like `Page.parse`.
        first: The page to begin with.
    """
    seen: set[str] = set()
    # The pages before the first one are taken to be full.
    number, received, without_news, announced = first, (first - 1) * MAX_PAGE_SIZE, 0, True
    while True:
        try:
            answer = list_page(number)
        except ApiError as error:
            if announced or not error.in_envelope or error.status not in _BEYOND_THE_END:
                raise
            return
        entities, count = answer.get("entities"), answer.get("pageCount")
        if entities is None and _is_empty(answer):
            entities = []
        if not isinstance(entities, list):
            raise UnexpectedAnswer(f"the list of {kind}s has no entities")
        received += len(entities)
        announced, more = _goes_on(answer, number, received)
        known = len(seen)
        new = [entity for entity in entities if _is_new(entity, seen)]
        without_news = 0 if len(seen) > known else without_news + 1
        yield Page(kind, number, new, max(count if isinstance(count, int) else 0, number + more), parse)
        if not more or without_news > 1:
            return
        number += 1


_PAGE = frozenset({"pageSize", "pageNumber", "pageCount", "total"})
"""The fields of a page besides its entities [G]."""


_BEYOND_THE_END = (400, 404, 416)
"""How a service may refuse a page beyond the end of the list [C]."""


def _is_empty(answer: Mapping[str, Any]) -> bool:
    """Whether a page without entities is one of an empty list, since Genesys Cloud may omit what is absent."""
    elsewhere = any(isinstance(value, list) and value for value in answer.values())
    return bool(_PAGE.intersection(answer)) and answer.get("total") in (None, 0, "0") and not elsewhere


def _is_new(entity: Any, seen: set[str]) -> bool:
    """Whether the entity is not on an earlier page; notes its id."""
    if not isinstance(entity, Mapping) or "id" not in entity:
        return True
    id_ = str(entity["id"])
    if id_ in seen:
        return False
    seen.add(id_)
    return True


def _goes_on(answer: Mapping[str, Any], number: int, received: int) -> tuple[bool, bool]:
    """Whether the service says that there is another page, and whether there may be one."""
    count, total, size = (answer.get(name) for name in ("pageCount", "total", "pageSize"))
    if isinstance(count, int):
        announced = number < count or bool(answer.get("nextUri"))
        return announced, announced
    announced = bool(answer.get("nextUri")) or (isinstance(total, int) and received < total)
    entities = len(answer.get("entities") or ())
    return announced, announced or entities >= (size if isinstance(size, int) else entities)
