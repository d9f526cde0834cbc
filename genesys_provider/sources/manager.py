"""The operations on sources: register, wait, update, read, delete, monitor.

Usable without Pulumi:

    manager = SourceManager.from_environment()
    outcome = manager.register(SourceConfig(name=…, aws_account_id=…, aws_region=…, topics=[…], …))
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from genesys_provider.client.errors import Cancelled, GenesysError, NotFound
from genesys_provider.client.progress import report
from genesys_provider.client.redaction import shortened
from genesys_provider.client.settings import Settings
from genesys_provider.client.shared import SharedCall
from genesys_provider.common.audit import AuditEvent
from genesys_provider.common.directory import Directory
from genesys_provider.common.manager import Manager
from genesys_provider.common.names import Names
from genesys_provider.common.run import Run
from genesys_provider.common.times import utc_now
from genesys_provider.common.waiting import NoVerdict
from genesys_provider.common.writes import LastWrite, Writes
from genesys_provider.common.writing import Written
from genesys_provider.sources.activation import ACTIVATION_TIMEOUT, Activations
from genesys_provider.sources.errors import (
    ActivationCancelled,
    ActivationFailed,
    ActivationTimeout,
    ActivationUnknown,
    NotActive,
)
from genesys_provider.sources.models import Source, SourceConfig
from genesys_provider.sources.places import region_warning
from genesys_provider.sources.reading import SourceReading
from genesys_provider.sources.topics import offered, warnings
from genesys_provider.sources.vocabulary import ACTIVE
from genesys_provider.sources.writing import SourceWriting

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SourceOutcome:
    """A source that matches its configuration: active, or inactive if it is not enabled."""

    source: Source
    activated_at: str | None
    """UTC, ISO 8601; None if there was no wait for an activation."""
    activation_seconds: float | None
    """Seconds from the last accepted write to the state."""
    adopted: bool = False
    """Whether the source was left behind by an earlier run and adopted, rather than created."""
    warnings: Sequence[str] = field(default_factory=tuple)
    """What may be wrong, though no rule is broken: unknown topics and regions."""

    @property
    def thing(self) -> Source:
        """The source, under the name that all outcomes share."""
        return self.source


class SourceManager(Manager[Source, SourceConfig]):
    """All operations on the Amazon EventBridge sources of one organization. Thread-safe.

    Every method may raise any `GenesysError`. The docstrings only name errors that are specific to a method.

    Args:
        settings: Address, credentials, retry and time limits; `from_environment` takes them from the environment.
        cancelled: Ends all waits, and `monitor`, when set.
        run: For the provider: what the engine has shown in this run.
        clock: For tests: the current time in seconds.
        beside: A manager of the other kind with the same settings, to share its login and its rate limit.
    """

    _reader: SourceReading
    _writing: SourceWriting

    def __init__(
        self,
        settings: Settings,
        *,
        cancelled: threading.Event | None = None,
        run: Run | None = None,
        clock: Callable[[], float] = time.monotonic,
        beside: Manager[Any, Any] | None = None,
    ) -> None:
        super().__init__(settings, cancelled=cancelled, run=run, clock=clock, beside=beside)
        self._reader = SourceReading(self._client)
        self._writes: Writes[Source] = Writes(self._cancelled, clock)
        self._directory = Directory(self._reader, self._writes, self._cancelled, clock)
        self._writing = SourceWriting(
            self._client,
            self._reader,
            self._directory,
            self._writes,
            Names(self._run, self._cancelled),
            self._run,
            self.audit,
            self._cancelled,
            clock,
        )
        self._activations = Activations(self._reader, self._directory, self._writes, self._cancelled, clock)
        self._topics: frozenset[str] | None = None
        self._topics_call: SharedCall[frozenset[str]] = SharedCall()

    def register(
        self, config: SourceConfig, *, timeout: float | None = None, creates_first: bool = False
    ) -> SourceOutcome:
        """Creates a source and waits until it is active; if it is not enabled, until it is set up.

        A source left behind by an earlier run is adopted and updated: one with the same owner mark, or a bare one
        with this name (`common.ownership`, `sources.writing`).

        Args:
            config: The whole configuration.
            timeout: Seconds to wait for the state; by default 120.
            creates_first: Whether a replacement creates the new object before it deletes the old one. Then no
                marked source is adopted.

        Raises:
            NameTaken: Another source has the name, or the suffix in this account and region, and is not ours.
            TooManySources: The organization has reached its limit.
            NotActive: The source exists, but is not in its desired state; the subclass tells why.
            NotFound: The source was deleted during the wait.
        """
        started = self._clock()
        try:
            written, adopted = self._writing.create(config, creates_first=creates_first)
        except GenesysError as error:
            made = error.source.id if isinstance(error, NotActive) else None
            self._failed(AuditEvent.SOURCE_FAILED, made, started, error)
            raise
        return self._settled(written, config, timeout, adopted=adopted)

    def update(
        self,
        source_id: str,
        config: SourceConfig,
        *,
        recorded_owner: str | None = None,
        last_write: LastWrite | None = None,
        expected: Callable[[Source], bool] | None = None,
        timeout: float | None = None,
    ) -> SourceOutcome:
        """Updates a source to the configuration, and waits for its state.

        Args:
            source_id: The source.
            config: The whole configuration, including the owner mark. Without one, as in a script, the source keeps
                its mark.
            recorded_owner: The mark last recorded in the state, which is ours too.
            last_write: The last write of an earlier process.
            expected: Whether the source is as that process wrote it, as in `get`.
            timeout: As in `register`.

        Raises:
            NotFound: The source does not exist any more.
            OwnedByAnother: Another resource has taken over the source, which is left unchanged.
            SourceChanged: Somebody else has changed the source meanwhile; it is left unchanged.
            NotActive: The configuration is written, but the source is not in its desired state.
        """
        started = self._clock()
        try:
            self._writes.written_earlier(source_id, last_write)
            written = self._writing.update(source_id, config, recorded_owner, expected)
        except GenesysError as error:
            self._failed(AuditEvent.SOURCE_FAILED, source_id, started, error)
            raise
        return self._settled(written, config, timeout, adopted=False)

    def _settled(
        self, written: Written[Source], config: SourceConfig, timeout: float | None, *, adopted: bool
    ) -> SourceOutcome:
        source, wanted = written.thing, config.wanted_status
        activated_at: str | None = None
        seconds: float | None = None
        if source.status != wanted or (config.enabled and written.before is not None):
            source = self._wait(written, wanted, ACTIVATION_TIMEOUT if timeout is None else timeout)
            if wanted == ACTIVE:
                seconds = round(self._clock() - written.at, 3)
                activated_at = utc_now()
        return SourceOutcome(source, activated_at, seconds, adopted, self._warnings(config))

    def _wait(self, written: Written[Source], wanted: str, limit: float) -> Source:
        source, started = written.thing, written.at
        name = f"source {source.name!r} ({source.event_source_suffix})"
        region = region_warning(source.aws_region)
        doubt = f"; {region}" if region and wanted == ACTIVE else ""
        try:
            with self._run.parallelism.awaiting_verdict(source.kind):
                seen = self._activations.wait(written, wanted, limit)
            if seen.status == wanted:
                self.audit.record(
                    AuditEvent.SOURCE_SETTLED, source.id, latency_seconds=self._clock() - started
                )
                report(f"{wanted.lower()} after {self._clock() - started:.1f} s")
                return seen
            said = f": {shortened(seen.reason)}" if seen.reason else ""
            report(f"{seen.status} after {self._clock() - started:.1f} s{said}")
            failure: GenesysError = ActivationFailed(f"{name} is {seen.status}{said}{doubt}", seen)
        except NoVerdict as error:
            failure = ActivationTimeout(
                f"{name} is not {wanted}: {error.message}{doubt}",
                source.model_copy(update={"status": error.seen}),
            )
        except NotFound as error:
            failure = self._gone_meanwhile(source.id, f"{name} was deleted during the wait", error)
        except Cancelled:
            failure = ActivationCancelled(f"{name}: cancelled while waiting for {wanted}", source)
        except GenesysError as error:
            failure = ActivationUnknown(
                f"{name} exists, but whether it is {wanted} can't be read: {error.message}",
                source,
                hint=error.hint,
            )
        self._failed(AuditEvent.SOURCE_NOT_SETTLED, source.id, started, failure)
        raise failure

    def _warnings(self, config: SourceConfig) -> list[str]:
        """Warnings about the region and the topics; without the latter if the topics can't be read."""
        said = [each for each in (region_warning(config.aws_region),) if each]
        available = self._topics_call.result(lambda: self._topics, self._offered)
        return said + (warnings(config.topics, available) if available else [])

    def _offered(self) -> frozenset[str]:
        """The topics that the organization offers; empty if they can't be read, which is not retried."""
        try:
            self._topics = offered(self._client.list_topics())
        except GenesysError as error:
            _log.debug("the topics that the organization offers can't be read: %s", error)
            self._topics = frozenset()
        return self._topics
