"""What to do with a source, and in which order: register, wait, update, read, delete, watch.

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

from genesys_provider.client.errors import Cancelled, GenesysError, NotFound, shortened
from genesys_provider.client.progress import report
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
from genesys_provider.sources.models import Source, SourceConfig, region_warning
from genesys_provider.sources.reading import SourceReader
from genesys_provider.sources.topics import offered, warnings
from genesys_provider.sources.vocabulary import ACTIVE
from genesys_provider.sources.writing import SourceWriting

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SourceOutcome:
    """A source that is as its configuration says: active, or inactive where it is not enabled."""

    source: Source
    activated_at: str | None
    """UTC, ISO 8601; None where no activation was waited for."""
    activation_seconds: float | None
    """From the last write that was accepted to the state."""
    adopted: bool = False
    """Whether the source was found, left behind by an earlier run, and not made anew."""
    warnings: Sequence[str] = field(default_factory=tuple)
    """What may be wrong, though no rule is broken: topics and regions that are not known."""

    @property
    def thing(self) -> Source:
        """The source, as the outcome of any kind calls it."""
        return self.source


class SourceManager(Manager[Source, SourceConfig]):
    """Everything that can be done with the Amazon EventBridge sources of one organization. Safe for threads.

    Every method may raise any `GenesysError`; what is special is said in its docstring.
    """

    _reader: SourceReader
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
        self._reader = SourceReader(self._client)
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
        """Creates a source and waits until it is active; one that is not enabled, until it is set up.

        What an earlier run left behind is adopted and made right: a source with the same owner mark, or a bare one
        of this name (`common.ownership`, `sources.writing`).

        Args:
            config: The whole configuration.
            timeout: Seconds to wait for the state; else 120.
            creates_first: Whether the resource is created before it is deleted where it is replaced: then nothing
                that is marked is adopted.

        Raises:
            NameTaken: Another source has the name, or the suffix in this account and region, and is not ours.
            TooManySources: The organization may have no more.
            NotActive: The source exists, but is not as it is to be; a subclass says why.
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
        """Makes a source what the configuration says, and waits for its state.

        Args:
            source_id: The source.
            config: The whole configuration, with the owner mark that it is to carry; without one, the configuration
                of a script, it keeps the mark that is there.
            recorded_owner: The mark that the state recorded last, which is ours too.
            last_write: What an earlier process wrote of it.
            expected: Whether it is as that process wrote it, as in `get`.
            timeout: As in `register`.

        Raises:
            NotFound: There is no such source any more.
            OwnedByAnother: Another resource has taken it over: it is left as it is.
            SourceChanged: Another hand has changed it meanwhile: it is left as it is.
            NotActive: The configuration is written, but the source is not as it is to be.
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
            with self._run.turns.waiting(source.kind):
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
                f"{name} exists, but whether it is {wanted} can't be asked: {error.message}",
                source,
                hint=error.hint,
            )
        self._failed(AuditEvent.SOURCE_NOT_SETTLED, source.id, started, failure)
        raise failure

    def _warnings(self, config: SourceConfig) -> list[str]:
        """What is to be said of its region and its topics; nothing where the topics can't be asked for."""
        said = [each for each in (region_warning(config.aws_region),) if each]
        available = self._topics_call.result(lambda: self._topics, self._offered)
        return said + (warnings(config.topics, available) if available else [])

    def _offered(self) -> frozenset[str]:
        """The topics that the organization offers; none where they can't be read, which is not tried again."""
        try:
            self._topics = offered(self._client.list_topics())
        except GenesysError as error:
            _log.debug("the topics that the organization offers can't be read: %s", error)
            self._topics = frozenset()
        return self._topics
