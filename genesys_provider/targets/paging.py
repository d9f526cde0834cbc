"""The list of targets, page by page, whatever of it can be read."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from pydantic import ValidationError

from genesys_provider.client.api import GenesysClient
from genesys_provider.client.errors import UnexpectedAnswer, shortened
from genesys_provider.client.limits import Priority
from genesys_provider.common.faults import faults_of
from genesys_provider.targets.models import Target

_log = logging.getLogger(__name__)


def parsed(answer: Any, what: str) -> Target:
    """The target that an answer holds.

    Raises:
        UnexpectedAnswer: It is not as the contract says; the message names the fields, not their values.
    """
    try:
        return Target.read(answer)
    except ValidationError as error:
        listed = "; ".join(f"{fault.path or 'it'} {fault.reason}" for fault in faults_of(error))
        raise UnexpectedAnswer(f"{what}: the answer is not a target: {listed}") from error


@dataclass(frozen=True)
class Page:
    """One page of the list as it came."""

    entities: list[Any]
    page_count: int
    """How many there are, as far as the service says it."""

    @property
    def targets(self) -> list[Target]:
        """The targets on it; one that can't be read is named in the log, and the others serve."""
        return [target for entity in self.entities if (target := _readable(entity)) is not None]


def _readable(entity: Any) -> Target | None:
    try:
        return parsed(entity, "the list of targets")
    except UnexpectedAnswer as error:
        _name(
            shortened(str(entity.get("id"))) if isinstance(entity, Mapping) else "without an id",
            error.message,
        )
        return None


@lru_cache(maxsize=1000)
def _name(target_id: str, why: str) -> None:
    """Names in the log what can't be read, once: it is there at every reading."""
    _log.warning("skips target %s: %s", target_id, why)


def pages(
    client: GenesysClient, name: str | None = None, priority: Priority = Priority.BULK
) -> Iterator[Page]:
    """The list of targets, page by page as it is asked for; with `name`, those of that name alone.

    It ends where the service says so, by `pageCount` or `nextUri`; where it says neither, with a page that is not
    full. Whatever it says, the list ends after two pages that bring nothing new.
    """
    seen: set[str] = set()
    number, without_news = 1, 0
    while True:
        answer = client.list_targets(number, name=name, priority=priority)
        entities, count = answer.get("entities"), answer.get("pageCount")
        if entities is None and _PAGE.intersection(answer):
            # An explicit null is an absent value in the answers of Genesys Cloud.
            entities = []
        if not isinstance(entities, list):
            raise UnexpectedAnswer("the list of targets has no entities")
        ids = {str(entity["id"]) for entity in entities if isinstance(entity, Mapping) and "id" in entity}
        without_news = 0 if ids - seen else without_news + 1
        if isinstance(count, int):
            more = number < count or bool(answer.get("nextUri"))
        else:
            more = _may_go_on(answer, len(entities))
            count = number + more
        yield Page(entities, max(count, number + more))
        if not more or without_news > 1:
            return
        seen |= ids
        number += 1


_PAGE = frozenset({"pageSize", "pageNumber", "pageCount", "total"})
"""What a page of the list has besides its entities [G]."""


def _may_go_on(answer: Mapping[str, Any], entities: int) -> bool:
    size = answer.get("pageSize")
    return bool(answer.get("nextUri")) or entities >= (size if isinstance(size, int) else entities)


def among(ids: Sequence[str], page: Page) -> Iterator[Target]:
    """Those of a page that are looked for and have a status. Only these are read, which takes time."""
    wanted = set(ids)
    for entity in page.entities:
        if isinstance(entity, Mapping) and str(entity.get("id")) in wanted:
            try:
                target = Target.read(entity)
            except ValidationError:
                continue
            if target.status:
                yield target
