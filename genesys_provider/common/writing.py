"""Making and deleting a target or a source: what is there already, what answers mean, what to do when none came.

What the service answers to a write was never seen in reality [C]. Where no answer came, the thing is looked up by
its name, for as long as the service may lag, before anything is sent again.
"""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Generic, NamedTuple, Protocol, TypeVar

from genesys_provider.client.errors import (
    HOPELESS,
    MAY_HAVE_ACTED,
    Cancelled,
    Conflict,
    GenesysError,
    NotFound,
)
from genesys_provider.client.progress import report
from genesys_provider.common.audit import AuditEvent, AuditTrail
from genesys_provider.common.directory import Directory, Listed
from genesys_provider.common.errors import StillThere
from genesys_provider.common.names import Names
from genesys_provider.common.ownership import Owner, is_left_behind, may_delete
from genesys_provider.common.run import Run
from genesys_provider.common.writes import LAG_SECONDS, Writes

NAME_PAUSES = (0.0, 0.1, 0.5, 1.0, 2.0, 4.0)
"""Seconds before each try to give a thing a name that others let go of in the same run."""

POST_TRIES = 3
"""How often a thing is posted whose earlier posts, as a look-up showed, did not act."""


class Wanted(Protocol):
    """A configuration, as far as its name and its owner go."""

    @property
    def name(self) -> str:
        """The name in Genesys Cloud."""

    @property
    def owner(self) -> str | None:
        """The mark; None is a script's."""


T = TypeVar("T", bound=Listed)
W = TypeVar("W", bound=Wanted)


@dataclass(frozen=True)
class Written(Generic[T]):
    """What a write of ours has left.

    Attributes:
        thing: As the answer said, completed by what was sent.
        at: When the service accepted it, by the clock.
        before: As it was; None where it is new, or was not written at all.
    """

    thing: T
    at: float
    before: T | None = None


class Left(NamedTuple, Generic[T]):
    """What a delete has left as it is."""

    thing: T
    owner: str | None
    """Whose it is by now."""


class Writing(ABC, Generic[T, W]):
    """The writes of one process. Safe for threads."""

    kind: ClassVar[str]
    """What users call what is written."""
    deleted_event: ClassVar[AuditEvent]
    """What the audit calls its deletion."""
    deletion_seconds: ClassVar[float] = LAG_SECONDS
    """How long a deletion that was accepted may take to show."""

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
        """Makes it, or adopts what an earlier run left behind; whether it was adopted.

        Args:
            config: The whole configuration.
            creates_first: Whether the resource is created before it is deleted where it is replaced.

        Raises:
            NameTaken: Another one has the name, and is not ours.
            ReplacementRefused: The one of this name is the one that the resource has.
        """
        self._stop_if_cancelled()
        report("looking up the name")
        existing = self._directory.find(config.name)
        if existing is not None:
            # The shared look-up may be old: by now it may have another owner or status, or be gone.
            existing = self._left_behind(config, creates_first)
        tries, while_the_name_is_taken = POST_TRIES, self._writes.pauses()
        while True:
            self._stop_if_cancelled()
            if existing is not None:
                try:
                    return self._adopted(existing, config), True
                except NotFound:
                    # Deleted since it was seen.
                    self._writes.deleted(existing.id)
            try:
                return self._post(config), False
            except Conflict:
                existing = self._left_behind(config, creates_first)
                # Nobody has the name any more; or the list does not show yet who has it.
                if existing is None and next(while_the_name_is_taken, True):
                    raise
            except MAY_HAVE_ACTED as error:
                if error.tried_enough or not error.maybe_acted:
                    raise
                tries -= 1
                existing = self._made_all_the_same(config, creates_first, error)
                if existing is None and not tries:
                    raise

    def delete(self, id_: str, owner: Owner | None) -> Left[T] | None:
        """Deletes it; one that is gone already is no error.

        Args:
            id_: Its id.
            owner: The resource that deletes it; None is a script, which says itself what goes.

        Returns:
            It, if it was left as it is, since it is another resource's by now.

        Raises:
            StillThere: The service took the deletion, but still shows it.
        """
        self._stop_if_cancelled()
        started = self._clock()
        if owner is not None:
            found = self._directory.get(id_)
            if found is not None and not owner.may_write(found.owner):
                # The mark may be the one from before our last write.
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
            # Also the answer to a second try, where that to the first was lost.
            error=None if was_there else "it was gone already",
        )
        return None

    def _deleted(self, id_: str) -> bool:
        """Whether it was there until now; a read confirms what the answer does not say for certain."""
        accepted = maybe = False
        try:
            for _ in self._writes.pauses(self.deletion_seconds):
                if not accepted:
                    try:
                        if self._delete(id_):
                            return True
                        accepted = True
                    except NotFound as error:
                        maybe = maybe or error.repeated
                # A 404 alone may also mean «not yet».
                if self._is_gone(id_) and (accepted or self._writes.show(id_)):
                    return accepted or maybe
        except Cancelled:
            # What the service has accepted is gone, though nobody looks any more: a state must not keep it.
            if accepted:
                return True
            raise
        raise StillThere(f"{self.kind} {id_}")

    def _is_gone(self, id_: str) -> bool:
        try:
            return self._directory.get(id_, fresh=True) is None
        except HOPELESS:
            raise
        except GenesysError:
            # It could not be asked; it is asked again.
            return False

    def _left_behind(self, config: W, creates_first: bool) -> T | None:
        """What a create adopts, or None where the name is free; waits for a name that gets free."""
        for pause in NAME_PAUSES:
            existing = self._directory.find_now(config.name, config.owner)
            if existing is None:
                return None
            if self._adopts(existing, config, creates_first):
                return existing
            self._names.wait_for(config.name, existing, config.owner, creates=True)
            self._cancelled.wait(pause)
            self._stop_if_cancelled()
        # The holder has let go of the name, but the list still shows it there: the POST tells whether it is free.
        return None

    def _made_all_the_same(self, config: W, creates_first: bool, error: GenesysError) -> T | None:
        """What a POST has made whose answer did not come; None where it shows in all that time nowhere.

        Only then may it be posted again.
        """
        looked = False
        for _ in self._writes.pauses():
            report(f"looking up the name again: {error.message}")
            try:
                existing = self._directory.find_now(config.name, config.owner)
            except HOPELESS:
                raise
            except GenesysError:
                # What has lost the answer may last a while.
                continue
            looked = True
            if existing is not None:
                # A script's carry no mark: what its own POST made is known by its looks.
                ours = self._is_what_was_sent(existing, config)
                return existing if ours else self._left_behind(config, creates_first)
        if not looked:
            raise error
        asked = getattr(error, "retry_after", None) or 0.0
        self._cancelled.wait(max(0.0, asked - LAG_SECONDS))
        return None

    def _adopts(self, existing: T, config: W, creates_first: bool) -> bool:
        if config.owner is None:
            return self._is_a_scripts_first_try(existing, config)
        return is_left_behind(existing, config.owner, self._run, creates_first=creates_first)

    @abstractmethod
    def _post(self, config: W) -> Written[T]:
        """Makes it, with one POST that is never repeated blindly."""

    @abstractmethod
    def _adopted(self, existing: T, config: W) -> Written[T]:
        """Makes right what an earlier run has left behind."""

    @abstractmethod
    def _delete(self, id_: str) -> bool:
        """Sends the DELETE: whether its answer says that it is gone; else that is still to be seen."""

    @abstractmethod
    def _is_what_was_sent(self, existing: T, config: W) -> bool:
        """Whether it is what a POST of this configuration makes."""

    @abstractmethod
    def _is_a_scripts_first_try(self, existing: T, config: W) -> bool:
        """Whether a script, whose things carry no mark, takes it for what its first try has left."""

    def _stop_if_cancelled(self, before: str = "anything was sent") -> None:
        if self._cancelled.is_set():
            raise Cancelled(f"cancelled before {before}")
