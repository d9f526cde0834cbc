"""What to do with a target, and in which order: register, wait, update, read, delete, check, sync, watch.

Usable without Pulumi:

    manager = TargetManager.from_environment()
    registered = manager.register(TargetConfig(name=…, endpoint_url=…, event_types=[…]))
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from genesys_provider.client.errors import (
    Cancelled,
    GenesysError,
    NotFound,
    shortened,
)
from genesys_provider.client.progress import report
from genesys_provider.client.settings import Settings
from genesys_provider.client.urls import shown_url
from genesys_provider.common.audit import AuditEvent
from genesys_provider.common.directory import Directory
from genesys_provider.common.manager import Manager
from genesys_provider.common.names import Names
from genesys_provider.common.run import Run
from genesys_provider.common.times import utc_now
from genesys_provider.common.waiting import NoVerdict
from genesys_provider.common.writes import LastWrite, Writes
from genesys_provider.common.writing import Written
from genesys_provider.targets.errors import (
    VerificationCancelled,
    VerificationFailed,
    VerificationTimeout,
    VerificationUnknown,
)
from genesys_provider.targets.gateway import UPDATED, Delivery, Gateway, SyncEvent
from genesys_provider.targets.models import Target, TargetConfig
from genesys_provider.targets.reading import TargetReader
from genesys_provider.targets.verification import Verifications
from genesys_provider.targets.vocabulary import VERIFIED
from genesys_provider.targets.webhook import SigningSecrets
from genesys_provider.targets.writing import TargetWriting

_log = logging.getLogger(__name__)

UNKNOWN_HEALTH = "UNKNOWN"
"""The health of a target whose check could not be asked for."""


@dataclass(frozen=True)
class Outcome:
    """A target that is as its configuration says, and verified."""

    target: Target
    verified_at: str | None
    """UTC, ISO 8601; None where no verification was started, since the target was verified already."""
    verification_seconds: float | None
    """From the request to the verdict."""
    health_status: str | None
    """What the health check said, where one was asked for."""
    adopted: bool = False
    """Whether the target was found, left behind by an earlier run, and not made anew."""

    @property
    def thing(self) -> Target:
        """The target, as the outcome of any kind calls it."""
        return self.target


class Health(NamedTuple):
    """What a health check says."""

    status: str
    """`HEALTHY`, `UNHEALTHY`, or what else the service says [S]."""
    message: str | None = None
    """Why, in the service's words."""


class TargetManager(Manager[Target, TargetConfig]):
    """Everything that can be done with the targets of one organization. Safe for threads.

    Every method may raise any `GenesysError`; what is special is said in its docstring.
    """

    _reader: TargetReader
    _writing: TargetWriting

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
        self._gateway = Gateway(
            settings.ca_file, self.audit, max_retries=settings.max_retries, cancelled=self._cancelled
        )
        self._reader = TargetReader(self._client)
        self._writes: Writes[Target] = Writes(self._cancelled, clock)
        self._directory = Directory(self._reader, self._writes, self._cancelled, clock)
        self._writing = TargetWriting(
            self._client,
            self._directory,
            self._writes,
            Names(self._run, self._cancelled),
            self._run,
            self.audit,
            self._cancelled,
            clock,
        )
        self._verifications = Verifications(
            self._reader, self._directory, self._writes, self._cancelled, clock
        )

    def close(self) -> None:
        """Closes all connections, those of a manager beside it too."""
        super().close()
        self._gateway.close()

    def register(
        self,
        config: TargetConfig,
        *,
        timeout: float | None = None,
        health_check: bool = False,
        creates_first: bool = False,
    ) -> Outcome:
        """Creates a target and waits for the verdict on it.

        A target of this name that carries the same owner mark is what an earlier run left behind: it is adopted
        and made right (`ownership` has the rules). An answer to the POST that never came is looked up before
        anything is sent again, so that no target is made twice.

        Args:
            config: The whole configuration.
            timeout: Seconds to wait for the verdict; else `Settings.verification_timeout`.
            health_check: Whether to ask for one after the verification.
            creates_first: Whether the resource is created before it is deleted where it is replaced: then nothing
                is adopted.

        Raises:
            NameTaken: Another target has the name, and is not ours.
            ReplacementRefused: The target of this name is the one that the resource has.
            NotVerified: The target exists, but is not verified; a subclass says why.
            NotFound: The target was deleted during the wait.
        """
        started = self._clock()
        try:
            written, adopted = self._writing.create(config, creates_first=creates_first)
        except GenesysError as error:
            self._failed(AuditEvent.TARGET_FAILED, None, started, error)
            raise
        return self._verified(written, timeout, health_check=health_check, adopted=adopted)

    def update(
        self,
        target_id: str,
        config: TargetConfig,
        *,
        recorded_owner: str | None = None,
        last_write: LastWrite | None = None,
        unchanged: bool = False,
        timeout: float | None = None,
        health_check: bool = False,
    ) -> Outcome:
        """Replaces a target's whole configuration, and waits where that started its verification again [C].

        It looks first whose the target is. Without an owner of its own, the configuration of a script, it keeps
        the mark that it finds.

        Args:
            target_id: The target.
            config: The whole configuration, with the owner mark that the target is to carry.
            recorded_owner: The mark that the state recorded last, which is ours too.
            last_write: What an earlier process wrote of it.
            unchanged: Whether an earlier run has written this very configuration, secrets and all, and only the
                verdict is missing: then a verification that still runs is waited for, and not started anew.
            timeout: As in `register`.
            health_check: As in `register`.

        Raises:
            NotFound: There is no such target any more.
            OwnedByAnother: Another resource has taken it over: it is left as it is.
            NameTaken: The new name is.
            NotVerified: The configuration is replaced, but the target is not verified.
        """
        started = self._clock()
        try:
            self._writes.written_earlier(target_id, last_write)
            written = self._writing.update(target_id, config, recorded_owner, unchanged=unchanged)
        except GenesysError as error:
            self._failed(AuditEvent.TARGET_FAILED, target_id, started, error)
            raise
        return self._verified(written, timeout, health_check=health_check, adopted=False)

    def why_not_verified(self, target: Target) -> str | None:
        """Why a target's last verification came to nothing, in a sentence; None unless it did."""
        if target.verified or not target.final:
            return None
        try:
            said = self.reason(target.id)
        except Cancelled:
            raise
        except GenesysError as error:
            # The status is known; only the reason is missing.
            said = f"the reason can't be read ({error.message})"
        what = f"target {target.name!r} ({shown_url(target.endpoint_url)}) is {target.status}"
        return f"{what}: {said}" if said else what

    def reason(self, target_id: str) -> str | None:
        """What the service says of a target's last verification, in one line; None where it says nothing.

        One request.
        """
        said = self._reader.verification(target_id).message
        return shortened(said) if said else None

    def check_health(self, target_id: str) -> str:
        """Has Genesys Cloud check the endpoint now; what it says, such as `HEALTHY` [S]."""
        return self.examine(target_id).status

    def examine(self, target_id: str) -> Health:
        """As `check_health`, with what the service says about it."""
        started = self._clock()
        error: GenesysError | None = None
        try:
            answer = self._client.check_health(target_id)
            status, said = answer.get("status"), answer.get("message")
            return Health(str(status or UNKNOWN_HEALTH).upper(), shortened(str(said)) if said else None)
        except GenesysError as failure:
            error = failure
            raise
        finally:
            self.audit.record(
                AuditEvent.HEALTH_CHECK_TRIGGERED,
                target_id,
                latency_seconds=self._clock() - started,
                error=error.message if error else None,
            )

    def health(self, target_id: str) -> str:
        """What `check_health` says, or `UNKNOWN` where it fails, or the run is cancelled.

        What happened to the target before must not be lost over a check. The audit has the error.
        """
        report("checking health")
        try:
            return self.check_health(target_id)
        except GenesysError:
            return UNKNOWN_HEALTH

    def sync(
        self,
        webhook_url: str,
        target_id: str,
        *,
        event: SyncEvent = UPDATED,
        signing_secret: SigningSecrets | None = None,
        timeout: float | None = None,
    ) -> Delivery:
        """Tells a gateway that a target's configuration has changed or is gone, signed where a secret is given.

        Args:
            webhook_url: The gateway's webhook: an `https://` URL.
            target_id: The target.
            event: What happened to it.
            signing_secret: The secret that the gateway knows; while it is exchanged, the old and the new one.
            timeout: Seconds for all tries together; else `Settings.max_retries` alone is the limit.

        Raises:
            SyncFailed: The gateway did not take it.
        """
        return self._gateway.notify(
            webhook_url, event, target_id, signing_secret=signing_secret, timeout=timeout
        )

    def _verified(
        self, written: Written[Target], timeout: float | None, *, health_check: bool, adopted: bool
    ) -> Outcome:
        target = written.thing
        verified_at: str | None = None
        seconds: float | None = None
        if not target.verified:
            target = self._wait(written, timeout)
            seconds = round(self._clock() - written.at, 3)
            verified_at = utc_now()
        health = self.health(target.id) if health_check else None
        return Outcome(target, verified_at, seconds, health, adopted)

    def _wait(self, written: Written[Target], timeout: float | None) -> Target:
        limit = self.settings.verification_timeout if timeout is None else timeout
        target, started = written.thing, written.at
        name = f"target {target.name!r}"
        try:
            with self._run.turns.waiting(target.kind):
                verdict = self._verifications.wait(written, limit)
            seen = target.model_copy(update={"status": verdict.status})
            if verdict.status == VERIFIED:
                self.audit.record(
                    AuditEvent.TARGET_VERIFIED, target.id, latency_seconds=self._clock() - started
                )
                report(f"verified after {self._clock() - started:.1f} s")
                return seen
            said = f": {shortened(verdict.message)}" if verdict.message else ""
            report(f"{verdict.status} after {self._clock() - started:.1f} s{said}")
            failure: GenesysError = VerificationFailed(
                f"{name} ({shown_url(target.endpoint_url)}) is not verified, {verdict.status}{said}", seen
            )
        except NoVerdict as error:
            failure = VerificationTimeout(
                f"{name} ({shown_url(target.endpoint_url)}): {error.message}", target
            )
        except NotFound as error:
            failure = self._gone_meanwhile(target.id, f"{name} was deleted while it was verified", error)
        except Cancelled:
            failure = VerificationCancelled(f"{name}: cancelled while waiting for verification", target)
        except GenesysError as error:
            failure = VerificationUnknown(
                f"{name} exists, but whether it is verified can't be asked: {error.message}",
                target,
                hint=error.hint,
            )
        self._failed(AuditEvent.TARGET_VERIFICATION_FAILED, target.id, started, failure)
        raise failure
