"""Writes sources: POST, PUT of the configuration, PATCH of the state, DELETE (contract, sections 1, 6 and 8).

The first three can't be one step, since a POST only takes a name and a type [G]. So a process that dies after the
POST leaves a *bare* source: our name, version 1, no configuration, no mark. A bare source is adopted, but not in
its first seconds, in which its creator may be about to configure it. If two processes do configure it, the version
lets only one of them succeed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any, ClassVar

from genesys_provider.client.api import GenesysClient
from genesys_provider.client.errors import (
    MAY_HAVE_ACTED,
    Cancelled,
    Conflict,
    GenesysError,
    NotFound,
    StaleVersion,
    UnexpectedAnswer,
)
from genesys_provider.client.progress import report
from genesys_provider.common.audit import AuditEvent, AuditTrail
from genesys_provider.common.directory import Directory
from genesys_provider.common.errors import OwnedByAnother, ReplacementRefused
from genesys_provider.common.names import Names
from genesys_provider.common.ownership import Owner, taken
from genesys_provider.common.run import Run
from genesys_provider.common.times import seconds_since, utc_now
from genesys_provider.common.urns import quoted
from genesys_provider.common.writes import Writes
from genesys_provider.common.writing import Left, Writing, Written
from genesys_provider.sources.errors import (
    ActivationCancelled,
    ActivationUnknown,
    NotActive,
    SourceChanged,
    TooManySources,
)
from genesys_provider.sources.models import FIRST_VERSION, INTEGRATION_TYPE, Source, SourceConfig
from genesys_provider.sources.places import Place
from genesys_provider.sources.reading import SourceReading
from genesys_provider.sources.vocabulary import ACTIVE, DISABLED, ENABLED, ERROR, INACTIVE

_ANOTHER_SUFFIX = "suffix (`event_source_suffix=`)"

MAKER_SECONDS = 10.0
"""How long a bare source is left to its possible creator [C]."""
VERSION_TRIES = 5
"""How often a configuration is written after its version was stale, if it is otherwise unchanged [C]."""


class SourceWriting(Writing[Source, SourceConfig]):
    """The writes of sources, for one process. Thread-safe."""

    kind: ClassVar = "source"
    deleted_event: ClassVar = AuditEvent.SOURCE_DELETED
    deletion_seconds: ClassVar = 120.0

    def __init__(
        self,
        client: GenesysClient,
        reader: SourceReading,
        directory: Directory[Source],
        writes: Writes[Source],
        names: Names,
        run: Run,
        audit: AuditTrail,
        cancelled: threading.Event,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(directory, writes, names, run, audit, cancelled, clock)
        self._client = client
        self._reader = reader
        self._lock = threading.Lock()
        self._locks: dict[str | Place, threading.Lock] = {}

    def update(
        self,
        source_id: str,
        config: SourceConfig,
        recorded_owner: str | None,
        expected: Callable[[Source], bool] | None = None,
    ) -> Written[Source]:
        """Writes what differs from the configuration, if the source is ours.

        Args:
            source_id: The source.
            config: The whole configuration; without an owner it keeps the source's mark.
            recorded_owner: The mark last recorded in the state, which is ours too.
            expected: Whether the source is as an earlier process wrote it; until then, a read may be outdated.

        Raises:
            NotFound: The source does not exist any more.
            OwnedByAnother: Another resource has taken over the source.
            SourceChanged: Somebody else has changed the source meanwhile.
        """
        self._stop_if_cancelled()
        owner = None if config.owner is None else Owner(config.owner, recorded_owner)
        left = self._writes.left(source_id)

        def is_up_to_date(seen: Source) -> bool:
            return (
                (owner is None or owner.may_write(seen.owner))
                and (left is None or seen.shows(left))
                and (expected is None or expected(seen))
            )

        source = self._directory.get_settled(source_id, expected=is_up_to_date)
        if source is None:
            raise _gone(config.name, source_id)
        if owner is None:
            config = config.model_copy(update={"owner": source.owner})
        else:
            owner.require(source)
        return self._reconciled(source, config, owner)

    def delete(self, id_: str, owner: Owner | None) -> Left[Source] | None:
        """Deletes the source; refuses the id of an integration of another type.

        Raises:
            OtherType: It is an integration of another type.
        """
        self._stop_if_cancelled()
        if owner is None:
            self._directory.get(id_)
        return super().delete(id_, owner)

    def _post(self, config: SourceConfig) -> Written[Source]:
        with self._locked(config.name, config.place):
            self._require_free(config)
            report("creating")
            started = self._clock()
            try:
                answer = self._client.create_integration(
                    {"name": config.name, "integrationType": {"id": INTEGRATION_TYPE}}
                )
            except Conflict as error:
                if self._directory.find_now(config.name) is not None:
                    raise
                # Names need not be unique, so the conflict must be another one.
                raise TooManySources(error) from None
            if not answer.get("id"):
                raise UnexpectedAnswer("the answer to POST names no integration")
            read = Source.read({**answer, "id": str(answer["id"])})
            bare = read.model_copy(
                update={
                    "name": config.name,
                    "config_version": FIRST_VERSION,
                    "intended": DISABLED,
                    "status": read.status or INACTIVE,
                }
            )
            self._accepted(bare, AuditEvent.SOURCE_CREATED, started, made=True)
            return self._set_up(bare, config)

    @contextmanager
    def _locked(self, *keys: str | Place) -> Iterator[None]:
        """Keeps other threads from creating a source with this name, or in this place, at the same time.

        The service accepts duplicate names, and refuses a place only when the configuration is written [C].
        """
        with ExitStack() as held:
            for key in keys:
                with self._lock:
                    lock = self._locks.setdefault(key, threading.Lock())
                held.enter_context(lock)
            yield

    def _require_free(self, config: SourceConfig) -> None:
        """Raises an error if the name or the place is taken.

        Raises:
            Conflict: Another thread has just created a source with this name.
            NameTaken: Another source has the place.
            ReplacementRefused: The source in this place is the one that the resource has.
        """
        now = self._clock()
        for other in self._writes.over({}, now).values():
            if other.name == config.name:
                raise Conflict(f"the name {config.name!r} is taken by source {other.id}", status=409)
        for other in self._directory.known():
            if other.place != config.place:
                continue
            ours = self._writes.may_be_missed(other.id, now)
            holder = other if ours else self._directory.get_now(other.id)
            if holder is not None and holder.place == config.place:
                if holder.owner == config.owner is not None and self._run.knows(holder.id):
                    raise ReplacementRefused(holder, quoted(config.owner), _ANOTHER_SUFFIX)
                where = f"{config.aws_account_id}, {config.aws_region}"
                raise taken(
                    holder,
                    f"the event source suffix {config.event_source_suffix!r} in {where}",
                    config.owner,
                    self._run,
                    _ANOTHER_SUFFIX,
                )

    def _adopted(self, existing: Source, config: SourceConfig) -> Written[Source]:
        report(f"adopting source {existing.id}, left behind by an earlier run")
        self._audit.record(AuditEvent.SOURCE_ADOPTED, existing.id, latency_seconds=None)
        return self._set_up(existing, config)

    def _delete(self, source_id: str) -> bool:
        return self._client.delete_integration(source_id)

    def _is_what_was_sent(self, existing: Source, config: SourceConfig) -> bool:  # noqa: ARG002 (its name was)
        return existing.is_bare and not self._run.knows(existing.id)

    def _is_a_scripts_first_try(self, existing: Source, config: SourceConfig) -> bool:
        # An active source may be in use.
        return existing.is_bare or (existing.visible == config.visible and existing.status != ACTIVE)

    def _adopts(self, existing: Source, config: SourceConfig, creates_first: bool) -> bool:
        if existing.is_bare and config.owner is not None:
            return not self._run.knows(existing.id)
        return super()._adopts(existing, config, creates_first)

    def _left_behind(self, config: SourceConfig, creates_first: bool) -> Source | None:
        for _ in self._writes.pauses(MAKER_SECONDS):
            existing = self._directory.find_now(config.name, config.owner)
            if existing is None or not existing.is_bare:
                break
            if self._run.knows(existing.id) or seconds_since(existing.last_updated) >= MAKER_SECONDS:
                break
            report(f"waiting: another run may be creating source {existing.id}")
        return super()._left_behind(config, creates_first)

    def _set_up(self, source: Source, config: SourceConfig) -> Written[Source]:
        """Configures and enables a new source, or one left behind by a process that died.

        Raises:
            NotActive: It failed; the source exists anyway, and is ours.
            NotFound: The source is gone.
            OwnedByAnother: Another resource has taken over the source.
            SourceChanged: Somebody else has changed it.
        """
        owner = None if config.owner is None else Owner(config.owner)
        with self._errors_with_source(source, "exists, but is not set up"):
            if source.is_bare:
                return self._intended(self._configured(source, config, owner), config, None)
            return self._reconciled(source, config, owner)

    @contextmanager
    def _errors_with_source(self, source: Source, how: str) -> Iterator[None]:
        """Turns errors into ones that contain the source, unless it is gone or now belongs to somebody else."""
        try:
            yield
        except (NotActive, NotFound, OwnedByAnother, SourceChanged):
            raise
        except GenesysError as error:
            left = self._writes.left(source.id) or source
            said = f"source {left.name!r} {how}: {error.message}"
            if isinstance(error, Cancelled):
                raise ActivationCancelled(said, left) from None
            if left.is_bare and not self._is_still_bare(source):
                # Somebody else has configured it in the meantime.
                raise
            raise ActivationUnknown(said, left, hint=error.hint) from None

    def _is_still_bare(self, bare: Source) -> bool:
        try:
            now = self._reader.configuration(bare)
        except GenesysError:
            return True
        return now is None or now.is_bare

    def _reconciled(self, source: Source, config: SourceConfig, owner: Owner | None) -> Written[Source]:
        """Writes what differs from the configuration."""
        if source.visible == config.visible:
            return self._intended(source, config, None)
        before = self._reader.configuration(source)
        if before is None:
            raise _gone(config.name, source.id)
        if owner is not None:
            owner.require(before)
        written = self._configured(before, config, owner)
        with self._errors_with_source(written, "has its configuration, but not its state"):
            return self._intended(written, config, before)

    def _configured(self, source: Source, config: SourceConfig, owner: Owner | None) -> Source:
        """Writes the configuration and returns the source with it.

        Raises:
            SourceChanged: Somebody else has written another configuration since it was read.
            OwnedByAnother: That was another resource.
        """
        before = source
        for tries in range(1, VERSION_TRIES + 1):
            report("configuring")
            started, body = self._clock(), source.put_body(config)
            try:
                answer = self._retried_while_lagging(
                    source, partial(self._client.configure_integration, source.id, body)
                )
            except (*MAY_HAVE_ACTED, StaleVersion) as error:
                now = (
                    self._written_by_others(source) if isinstance(error, StaleVersion) else self._now(source)
                )
                if now.visible == config.visible:
                    # An earlier attempt of the same PUT succeeded, but its response was lost.
                    source = now
                    break
                if owner is not None:
                    owner.require(now)
                if now.visible != before.visible:
                    raise SourceChanged(f"source {config.name!r} ({source.id}): {error.message}") from None
                if tries == VERSION_TRIES or now.config_version == source.config_version:
                    raise
                source = now
            else:
                version = answer.get("version")
                version = version if isinstance(version, int) else (source.config_version or 0) + 1
                source = _as_written(source, config, version)
                break
        self._accepted(source, AuditEvent.SOURCE_CONFIGURED, started)
        return source

    def _retried_while_lagging(self, source: Source, write: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """The response to a write; "not found" may only mean that the service has not caught up yet.

        Raises:
            NotFound: The source is gone.
        """
        for _ in self._writes.pauses():
            self._stop_if_cancelled("anything more was sent")
            try:
                return write()
            except NotFound:
                if self._writes.settled(source.id):
                    break
        raise _gone(source.name, source.id)

    def _now(self, source: Source) -> Source:
        """The source with its current configuration, or the given one if none is visible yet."""
        now = self._reader.configuration(source)
        if now is None and self._writes.settled(source.id):
            raise _gone(source.name, source.id)
        return now or source

    def _written_by_others(self, source: Source) -> Source:
        """The source with what somebody else has written since it was read, as soon as that is visible."""
        now = source
        for _ in self._writes.pauses():
            now = self._now(source)
            if now.config_version != source.config_version:
                break
        return now

    def _intended(self, source: Source, config: SourceConfig, before: Source | None) -> Written[Source]:
        """Requests the wanted state, unless the source has it or is on its way to it.

        Only a new configuration makes a failed but enabled source try again.
        """
        tries_again = before is not None and config.enabled
        if source.enabled == config.enabled and (source.status != ERROR or tries_again):
            return Written(source, self._clock(), before)
        report("enabling" if config.enabled else "disabling")
        started = self._clock()
        intended = ENABLED if config.enabled else DISABLED
        read = self._retried_while_lagging(
            source, partial(self._client.set_intended_state, source.id, intended)
        )
        answer = Source.read({**read, "id": source.id})
        status = answer.status if answer.status not in ("", ERROR) else source.status
        asked = source.model_copy(update={"intended": intended, "status": status, "written_at": utc_now()})
        event = AuditEvent.SOURCE_ENABLED if config.enabled else AuditEvent.SOURCE_DISABLED
        self._accepted(asked, event, started)
        return Written(asked, self._clock(), before or source)

    def _accepted(self, source: Source, event: AuditEvent, started: float, *, made: bool = False) -> None:
        self._writes.wrote(source, made=made)
        self._names.wrote(source.id, source.name)
        self._audit.record(event, source.id, latency_seconds=self._clock() - started)


def _as_written(source: Source, config: SourceConfig, version: int) -> Source:
    fields = ("name", "notes", "owner", "aws_account_id", "aws_region", "event_source_suffix", "topics")
    written = {field: getattr(config, field) for field in fields}
    return source.model_copy(update={**written, "config_version": version, "written_at": utc_now()})


def _gone(name: str, source_id: str) -> NotFound:
    return NotFound(f"source {name!r} ({source_id}) is gone", status=404)
