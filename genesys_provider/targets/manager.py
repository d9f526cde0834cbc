"""The operations on targets: register, wait, update, read, delete, check, sync, monitor.

Usable without Pulumi:

    manager = TargetManager.from_environment()
    registered = manager.register(TargetConfig(name=…, endpoint_url=…, event_types=[…]))
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from genesys_provider.client.errors import Cancelled, GenesysError, NotFound
from genesys_provider.client.progress import report
from genesys_provider.client.redaction import shortened
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
from genesys_provider.targets.gateway import UPDATED, Delivery, GatewayNotifier, SyncEvent
from genesys_provider.targets.models import Target, TargetConfig
from genesys_provider.targets.reading import TargetReading, unread_reason
from genesys_provider.targets.verification import Verifications
from genesys_provider.targets.vocabulary import UNKNOWN_HEALTH, VERIFIED
from genesys_provider.targets.webhook import SigningSecrets
from genesys_provider.targets.writing import TargetWriting


@dataclass(frozen=True)
class Outcome:
    """A target that matches its configuration and is verified."""

    target: Target
    verified_at: str | None
    """UTC, ISO 8601; None if no verification was started because the target was already verified."""
    verification_seconds: float | None
    """Seconds from the request to the verdict."""
    health_status: str | None
    """The result of the health check, if one was requested."""
    adopted: bool = False
    """Whether the target was left behind by an earlier run and adopted, rather than created."""

    @property
    def thing(self) -> Target:
        """The target, under the name that all outcomes share."""
        return self.target


class Health(NamedTuple):
    """The result of a health check."""

    status: str
    """`HEALTHY`, `UNHEALTHY`, or another status of the service [S]."""
    message: str | None = None
    """The reason, as the service gives it."""


class TargetManager(Manager[Target, TargetConfig]):
    """All operations on the targets of one organization. Thread-safe.

    Every method may raise any `GenesysError`. The docstrings only name errors that are specific to a method.

    Args:
        settings: Address, credentials, retry and time limits; `from_environment` takes them from the environment.
        cancelled: Ends all waits, and `monitor`, when set.
        run: For the provider: what the engine has shown in this run.
        clock: For tests: the current time in seconds.
        beside: A manager of the other kind with the same settings, to share its login and its rate limit.
    """

    _reader: TargetReading
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
        self._gateway = GatewayNotifier(
            settings.ca_file,
            self.audit,
            max_retries=settings.max_retries,
            cancelled=self._cancelled,
            clock=clock,
        )
        self._reader = TargetReading(self._client)
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
        """Closes all connections, including those shared with another manager."""
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
        """Creates a target and waits for its verdict.

        A target with this name and the same owner mark was left behind by an earlier run: it is adopted and updated
        (`ownership` has the rules). If the response to the POST is lost, the target is looked up before anything is
        sent again, so that no target is created twice.

        Args:
            config: The whole configuration.
            timeout: Seconds to wait for the verdict; by default `Settings.verification_timeout`.
            health_check: Whether to request a health check after the verification.
            creates_first: Whether a replacement creates the new object before it deletes the old one. Then nothing
                is adopted.

        Raises:
            NameTaken: Another target has the name, and is not ours.
            ReplacementRefused: The target with this name is the one that the resource has.
            NotVerified: The target exists, but is not verified; the subclass tells why.
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
        """Replaces a target's whole configuration, and waits if that restarts its verification [C].

        First it checks who owns the target. A configuration without an owner, such as a script's, keeps the
        target's owner mark.

        Args:
            target_id: The target.
            config: The whole configuration, including the owner mark.
            recorded_owner: The mark last recorded in the state, which is ours too.
            last_write: The last write of an earlier process.
            unchanged: Whether an earlier run has written exactly this configuration, including secrets, and only
                the verdict is missing. Then a verification in progress is awaited, not restarted.
            timeout: As in `register`.
            health_check: As in `register`.

        Raises:
            NotFound: The target does not exist any more.
            OwnedByAnother: Another resource has taken over the target, which is left unchanged.
            NameTaken: Another target has the new name.
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
        """A sentence that tells why a target's last verification failed; None if it did not fail."""
        if target.verified or not target.final:
            return None
        try:
            said = self.reason(target.id)
        except Cancelled:
            raise
        except GenesysError as error:
            # The status is known; only the reason is missing.
            said = unread_reason(error)
        what = f"target {target.name!r} ({shown_url(target.endpoint_url)}) is {target.status}"
        return f"{what}: {said}" if said else what

    def reason(self, target_id: str) -> str | None:
        """What the service says about a target's last verification, as one line; None if it says nothing.

        Makes one request.
        """
        said = self._reader.verification(target_id).message
        return shortened(said) if said else None

    def check_health(self, target_id: str) -> str:
        """Requests a health check of the endpoint; returns the result, such as `HEALTHY` [S]."""
        return self.examine(target_id).status

    def examine(self, target_id: str) -> Health:
        """Like `check_health`, but also returns the service's message."""
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

    def health(self, target_id: str, before: str = "") -> str:
        """The result of `check_health`, or `UNKNOWN` if it fails or the run is cancelled.

        A failed check must not hide the result of the operation before it. The audit trail has the error.

        Args:
            target_id: The target.
            before: The status line that the result is added to, since the terminal keeps only the last one.
        """
        report("checking health")
        try:
            result = self.check_health(target_id)
        except GenesysError:
            result = UNKNOWN_HEALTH
        report(f"{before}, health check: {result}" if before else f"health check: {result}")
        return result

    def sync(
        self,
        webhook_url: str,
        target_id: str,
        *,
        event: SyncEvent = UPDATED,
        signing_secret: SigningSecrets | None = None,
        timeout: float | None = None,
    ) -> Delivery:
        """Tells a gateway that a target's configuration has changed or is deleted; signed if a secret is given.

        Args:
            webhook_url: The gateway's webhook, an `https://` URL.
            target_id: The target.
            event: What happened to it.
            signing_secret: The secret shared with the gateway; during a rotation, the old and the new one.
            timeout: Seconds for all attempts together; by default only `Settings.max_retries` limits them.

        Raises:
            SyncFailed: The gateway did not accept it.
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
        verified = "" if seconds is None else f"verified after {seconds:.1f} s"
        health = self.health(target.id, verified) if health_check else None
        return Outcome(target, verified_at, seconds, health, adopted)

    def _wait(self, written: Written[Target], timeout: float | None) -> Target:
        limit = self.settings.verification_timeout if timeout is None else timeout
        target, started = written.thing, written.at
        name = f"target {target.name!r}"
        try:
            with self._run.parallelism.awaiting_verdict(target.kind):
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
            failure = self._gone_meanwhile(target.id, f"{name} was deleted during its verification", error)
        except Cancelled:
            failure = VerificationCancelled(f"{name}: cancelled while waiting for verification", target)
        except GenesysError as error:
            failure = VerificationUnknown(
                f"{name} exists, but its verification can't be read: {error.message}",
                target,
                hint=error.hint,
            )
        self._failed(AuditEvent.TARGET_VERIFICATION_FAILED, target.id, started, failure)
        raise failure
