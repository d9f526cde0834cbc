"""Creates and deletes targets and sources: checks what exists, interprets responses, recovers from lost ones.

Nobody has seen what the service really answers to a write [C]. After a lost response the object is looked up by
name, for as long as the service may lag, before anything is sent again.
"""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ClassVar, Generic, Protocol, TypeVar

from genesys_provider.client.errors import (
    MAY_HAVE_ACTED,
    PERMANENT,
    Cancelled,
    Conflict,
    GenesysError,
    InvalidRequest,
    NotFound,
)
from genesys_provider.client.progress import report
from genesys_provider.client.retries import LONGEST_WAIT
from genesys_provider.common.audit import AuditEvent, AuditTrail
from genesys_provider.common.directory import Directory
from genesys_provider.common.errors import StillThere
from genesys_provider.common.names import Names
from genesys_provider.common.ownership import Owner, is_left_behind, may_delete
from genesys_provider.common.reader import Listed
from genesys_provider.common.run import Run
from genesys_provider.common.writes import LAG_SECONDS, Writes

NAME_PAUSES = (0.0, 0.1, 0.5, 1.0, 2.0, 4.0)
"""Seconds before each attempt to take a name that another resource releases in the same run."""

POST_TRIES = 3
"""How often an object is posted, if look-ups show that the earlier attempts had no effect."""


class Wanted(Protocol):
    """The name and owner of a configuration."""

    @property
    def name(self) -> str:
        """The name in Genesys Cloud."""

    @property
    def owner(self) -> str | None:
        """The owner mark; None for a script."""


T = TypeVar("T", bound=Listed)
W = TypeVar("W", bound=Wanted)


@dataclass(frozen=True)
class Written(Generic[T]):
    """The result of a write of ours.

    Attributes:
        thing: The object according to the response, completed with what was sent.
        at: The clock time at which the service accepted the write.
        before: The object before the write; None if it is new, or if nothing was written.
    """

    thing: T
    at: float
    before: T | None = None


@dataclass(frozen=True)
class Left(Generic[T]):
    """An object that a delete has left in place."""

    thing: T
    owner: str | None
    """Its current owner."""


class Writing(ABC, Generic[T, W]):
    """The writes of one process. Thread-safe."""

    kind: ClassVar[str]
    """What users call the object."""
    deleted_event: ClassVar[AuditEvent]
    """The audit event of its deletion."""
    deletion_seconds: ClassVar[float] = LAG_SECONDS
    """How long an accepted deletion may take to become visible."""

    def __init__(
        self,
        directory: Directory[T],
        writes: Writes[T],
        names: Names,
        run: Run,
        audit: AuditTrail,
        cancelled: threading.Event,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._directory = directory
        self._writes = writes
        self._names = names
        self._run = run
        self._audit = audit
        self._cancelled = cancelled
        self._clock = clock

    def create(self, config: W, *, creates_first: bool) -> tuple[Written[T], bool]:
        """Creates the object, or adopts one left behind by an earlier run; also returns whether it was adopted.

        Args:
            config: The whole configuration.
            creates_first: Whether a replacement creates the new object before it deletes the old one.

        Raises:
            NameTaken: Another object has the name, and is not ours.
            ReplacementRefused: The object with this name is the one that the resource has.
        """
        self._stop_if_cancelled()
        report("looking up the name")
        existing = self._directory.find(config.name)
        if existing is not None:
            # The shared reading may be outdated: the object may be gone, or have another owner or status.
            existing = self._left_behind(config, creates_first)
        tries, while_the_name_is_taken = POST_TRIES, self._writes.pauses()
        while True:
            self._stop_if_cancelled()
            if existing is not None:
                try:
                    return self._adopted(existing, config), True
                except NotFound:
                    # It was deleted in the meantime.
                    self._writes.deleted(existing.id)
            try:
                return self._post(config), False
            except (Conflict, InvalidRequest) as error:
                existing = self._in_the_way(error, config, creates_first, while_the_name_is_taken)
            except MAY_HAVE_ACTED as error:
                if error.tried_enough or not error.maybe_acted:
                    raise
                tries -= 1
                existing = self._created_by_lost_post(config, creates_first, error)
                if existing is None and not tries:
                    raise

    def delete(self, id_: str, owner: Owner | None) -> Left[T] | None:
        """Deletes the object. It is not an error if the object is already gone.

        Args:
            id_: The id.
            owner: The resource that deletes it. None for a script, which decides for itself.

        Returns:
            The object, if it was left in place because another resource now owns it.

        Raises:
            StillThere: The service accepted the deletion, but still shows the object.
            Conflict: Something is in the way, and stays there.
        """
        self._stop_if_cancelled()
        started = self._clock()
        if owner is not None:
            found = self._directory.get(id_)
            if found is not None and not owner.may_write(found.owner):
                # The read may show the mark from before our last write.
                found = self._directory.get_settled(
                    id_, shared=False, expected=lambda seen: owner.may_write(seen.owner)
                )
            if found is not None and not may_delete(found, owner, self._run):
                return Left(found, self._run.wanted_by(id_) or found.owner)
        was_there = self._deleted(id_)
        self._writes.deleted(id_)
        self._names.deleted(id_)
        self._audit.record(
            self.deleted_event,
            id_,
            latency_seconds=self._clock() - started,
            # This may also be a retry after a lost response.
            error=None if was_there else "it was gone already",
        )
        return None

    def _deleted(self, id_: str) -> bool:
        """Whether the object existed until now; a read confirms what the response leaves open."""
        accepted = maybe = False
        refusal: Conflict | None = None
        try:
            for _ in self._writes.pauses(self.deletion_seconds):
                if not accepted:
                    try:
                        if self._delete(id_):
                            return True
                        accepted = True
                    except NotFound as error:
                        maybe = maybe or error.repeated
                    except Conflict as error:
                        # Something, such as a verification, may be under way.
                        refusal = error
                        report(f"deleting again: {error.message}")
                        continue
                # A 404 alone may also mean "not yet visible".
                if self._is_gone(id_) and (accepted or self._writes.show(id_)):
                    return accepted or maybe
        except Cancelled:
            # The service has accepted the deletion, so the state must not keep the object, even unconfirmed.
            if accepted:
                return True
            raise
        if refusal is not None and not accepted:
            raise refusal
        raise StillThere(f"{self.kind} {id_}")

    def _is_gone(self, id_: str) -> bool:
        try:
            return self._directory.get(id_, fresh=True) is None
        except PERMANENT:
            raise
        except GenesysError:
            # The read failed; try again.
            return False

    def _left_behind(self, config: W, creates_first: bool) -> T | None:
        """The object that a create adopts, or None if the name is free; waits for a name that will be released."""
        for pause in NAME_PAUSES:
            existing = self._directory.find_now(config.name, config.owner)
            if existing is None:
                return None
            if self._adopts(existing, config, creates_first):
                return existing
            self._names.wait_for(config.name, existing, config.owner, creates=True)
            self._cancelled.wait(pause)
            self._stop_if_cancelled()
        # The holder has released the name, but the list still shows it: the POST will tell whether it is free.
        return None

    def _in_the_way(
        self, refusal: Conflict | InvalidRequest, config: W, creates_first: bool, pauses: Iterator[None]
    ) -> T | None:
        """What a refused create adopts; None if it can be sent again, after the next of these pauses.

        A taken name may also be refused with a 400 [C], but a 400 may have any other reason.
        """
        existing = self._left_behind(config, creates_first)
        # The name is free again, or the list does not show its holder yet.
        if existing is None and (isinstance(refusal, InvalidRequest) or next(pauses, True)):
            raise refusal
        return existing

    def _created_by_lost_post(self, config: W, creates_first: bool, error: GenesysError) -> T | None:
        """What a POST whose response was lost has created; None if nothing appears in all that time.

        Only then may the POST be repeated: not if the look-ups fail too, nor if the service asks for a long wait.
        """
        looked = False
        for _ in self._writes.pauses():
            report(f"looking up the name again: {error.message}")
            try:
                existing = self._directory.find_now(config.name, config.owner)
            except PERMANENT:
                raise
            except GenesysError:
                # Whatever lost the response may last a while.
                continue
            looked = True
            if existing is not None:
                # A script's objects carry no mark: recognize what its own POST created by the configuration.
                ours = self._is_what_was_sent(existing, config)
                return existing if ours else self._left_behind(config, creates_first)
        asked = getattr(error, "retry_after", None) or 0.0
        if not looked or asked > LONGEST_WAIT:
            raise error
        self._cancelled.wait(max(0.0, asked - LAG_SECONDS))
        return None

    def _adopts(self, existing: T, config: W, creates_first: bool) -> bool:
        if config.owner is None:
            return self._is_a_scripts_first_try(existing, config)
        return is_left_behind(existing, config.owner, self._run, creates_first=creates_first)

    @abstractmethod
    def _post(self, config: W) -> Written[T]:
        """Creates the object with one POST, which is never repeated blindly."""

    @abstractmethod
    def _adopted(self, existing: T, config: W) -> Written[T]:
        """Configures an object that an earlier run left behind."""

    @abstractmethod
    def _delete(self, id_: str) -> bool:
        """Sends the DELETE. Returns whether the response proves that the object is gone."""

    @abstractmethod
    def _is_what_was_sent(self, existing: T, config: W) -> bool:
        """Whether the object is what a POST of this configuration creates."""

    @abstractmethod
    def _is_a_scripts_first_try(self, existing: T, config: W) -> bool:
        """Whether a script, whose objects carry no mark, takes it for the result of its first attempt."""

    def _stop_if_cancelled(self, before: str = "anything was sent") -> None:
        if self._cancelled.is_set():
            raise Cancelled(f"cancelled before {before}")
