"""What each kind of object supplies to the directory: how it is listed, read and polled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from genesys_provider.client.limits import Allowance, Priority
from genesys_provider.common.owned import Owned
from genesys_provider.common.paging import Page

if TYPE_CHECKING:
    from typing_extensions import Self


class Listed(Owned, Protocol):
    """An object that the directory lists."""

    @property
    def status(self) -> str:
        """The status in capital letters; empty if the service does not give one."""

    def model_copy(self, *, update: Mapping[str, Any] | None = None) -> Self:
        """A copy with changed values."""


T = TypeVar("T", bound=Listed)


@dataclass(frozen=True)
class Look(Generic[T]):
    """The current status of an object, from the cheapest request that gives it."""

    status: str
    message: str | None = None
    thing: T | None = None


class Reader(Protocol[T]):
    """How to request objects of one kind."""

    allowance: Allowance
    finds_by_name: bool
    """Whether the service can filter the list by name. If so, it also refuses a name that is taken."""
    look_pause: float
    """Minimum seconds between two polls."""

    def pages(
        self, *, name: str | None = None, priority: Priority = Priority.BULK, first: int = 1
    ) -> Iterator[Page[T]]:
        """The list from this page on; with `name`, at least the objects of that name."""

    def get(self, id_: str, /) -> T | None:
        """The object with this id, or None if it is not found."""

    def look(self, id_: str, /) -> Look[T]:
        """The current status, from the cheapest request; `NotFound` if there is no such object."""
