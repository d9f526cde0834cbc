"""What to do with a target, and in which order: register, wait, update, read, delete, check, sync, watch.

Usable without Pulumi:

    manager = TargetManager.from_environment()
    registered = manager.register(TargetConfig(name=…, endpoint_url=…, event_types=[…]))
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from types import TracebackType
from typing import TYPE_CHECKING

from genesys_provider.client.api import GenesysClient
from genesys_provider.client.errors import (
    Cancelled,
    Conflict,
    ConnectionFailed,
    GenesysError,
    NotFound,
    ServerError,
    UnexpectedAnswer,
    shortened,
)
from genesys_provider.client.progress import report
from genesys_provider.client.settings import Settings
from genesys_provider.client.urls import shown_url
from genesys_provider.targets.audit import AuditEvent, AuditTrail
from genesys_provider.targets.directory import Directory, pages, parsed
from genesys_provider.targets.errors import (
    VerificationCancelled,
    VerificationFailed,
    VerificationTimeout,
    VerificationUnknown,
)
from genesys_provider.targets.gateway import UPDATED, Delivery, Gateway, SigningSecrets, SyncEvent
from genesys_provider.targets.models import FINAL_STATUSES, VERIFIED, Target, TargetConfig
from genesys_provider.targets.names import Names
from genesys_provider.targets.organization import Organization, Organizations
from genesys_provider.targets.ownership import Owner, is_left_behind, may_delete
from genesys_provider.targets.run import Run
from genesys_provider.targets.verification import NoVerdict, Verifications

if TYPE_CHECKING:
    from typing_extensions import Self

UNKNOWN_HEALTH = "UNKNOWN"
"""The health of a target whose check could not be asked for."""

NAME_PAUSES = (0.0, 0.1, 0.5, 1.0, 2.0, 4.0)
"""Seconds before each try to give a target a name that others let go of in the same run."""

POST_TRIES = 3
"""How often a target is posted whose earlier posts, as a look-up showed, did not act."""


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


@dataclass(frozen=True)
class StatusChange:
    """What `TargetManager.monitor` saw: None stands for «not there»."""

    target: Target
    before: str | None
    after: str | None


class TargetManager:
    """Everything that can be done with the targets of one organisation. Safe for threads.

    Every method may raise any `GenesysError`; what is special is said in its docstring.

    Args:
        settings: Where, as whom, how patient.
        cancelled: When set, every wait ends at once.
        run: What the engine has shown in this run; a script has none.
    """

    def __init__(
        self, settings: Settings, *, cancelled: threading.Event | None = None, run: Run | None = None
    ) -> None:
        cancelled = cancelled or threading.Event()
        self._run = run or Run()
        self.settings = settings
        self.audit = AuditTrail(settings.audit_log, settings.audit_key)
        self._cancelled = cancelled
        self._clock: Callable[[], float] = time.monotonic
        self._client = GenesysClient(settings, cancelled=cancelled)
        self._gateway = Gateway(
            settings.ca_file, self.audit, max_retries=settings.max_retries, cancelled=cancelled
        )
        self._directory = Directory(self._client)
        self._names = Names(self._run, cancelled)
        self._organizations = Organizations(self._client, settings.api_url)
        self._verifications = Verifications(self._client, cancelled)

    @classmethod
    def from_environment(cls) -> TargetManager:
        """A manager as the environment variables `GENESYSCLOUD_…` say, those of the Terraform provider [G].

        Raises:
            ConfigurationError: One of them is wrong.
        """
        return cls(Settings.resolve({}))

    def close(self) -> None:
        """Closes all connections."""
        self._client.close()
        self._gateway.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def organization(self) -> Organization:
        """The organization that this manager works in, asked for once: `GET /api/v2/organizations/me` [G]."""
        return self._organizations.now()

    def require_organization(
        self, what: str, organization_id: str | None, api_url: str | None
    ) -> Organization:
        """The organization, if it is the one that was recorded earlier.

        Args:
            what: What belongs to it, for the error: «target 'orders'».
            organization_id: The recorded id, if there is one.
            api_url: The recorded address, if there is one.

        Raises:
            OtherOrganization: It is another one.
        """
        return self._organizations.require(what, organization_id, api_url)

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
            target, adopted = self._created_or_adopted(config, creates_first)
        except GenesysError as error:
            self.audit.record(
                AuditEvent.TARGET_FAILED, None, latency_seconds=self._clock() - started, error=error.message
            )
            raise
        return self._verified(target, started, timeout, health_check=health_check, adopted=adopted)

    def update(
        self,
        target_id: str,
        config: TargetConfig,
        *,
        recorded_owner: str | None = None,
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
            self._stop_if_cancelled()
            config = self._allowed(target_id, config, recorded_owner)
            target = self._put(target_id, config, AuditEvent.TARGET_UPDATED)
        except GenesysError as error:
            self.audit.record(
                AuditEvent.TARGET_FAILED,
                target_id,
                latency_seconds=self._clock() - started,
                error=error.message,
            )
            raise
        return self._verified(target, started, timeout, health_check=health_check, adopted=False)

    def get(self, target_id: str, *, shared: bool = False) -> Target | None:
        """The target as it is now, or None where there is none.

        Args:
            target_id: The target.
            shared: Whether a reading of the whole list may answer, which serves many calls with few requests;
                it is never older than half a minute, nor than the last write of this manager.
        """
        return self._directory.get(target_id) if shared else self._directory.get_now(target_id)

    def why_not_verified(self, target: Target) -> str | None:
        """Why a target's last verification came to nothing, in a sentence; None unless it did."""
        if target.verified or target.status not in FINAL_STATUSES:
            return None
        said = self._client.get_verification(target.id).get("message")
        what = f"target {target.name!r} ({shown_url(target.endpoint_url)}) is {target.status}"
        return f"{what}: {shortened(str(said))}" if said else what

    def find(self, name: str) -> Target | None:
        """The target that has this name now."""
        return self._directory.find_now(name)

    def list(self) -> Iterator[Target]:
        """All targets of the organisation, 100 to a request, as they are asked for."""
        for page in pages(self._client):
            yield from page.targets

    def delete(self, target_id: str, *, owner: Owner | None = None) -> Target | None:
        """Deletes a target; one that is gone already is no error.

        Args:
            target_id: The target.
            owner: The resource that deletes it; None is a script, which says itself what goes.

        Returns:
            The target, if it was left as it is, since it is another resource's by now.
        """
        started = self._clock()
        if owner is not None:
            self._stop_if_cancelled()
            target = self._directory.get(target_id)
            if target is not None and not may_delete(target, owner, self._run):
                return target.model_copy(update={"owner": self._run.wanted_by(target_id) or target.owner})
        try:
            self._client.delete_target(target_id)
            found = True
        except NotFound:
            found = False
        self._directory.deleted(target_id)
        self._names.deleted(target_id)
        self.audit.record(
            AuditEvent.TARGET_DELETED,
            target_id,
            latency_seconds=self._clock() - started,
            # Also the answer to a second try, where that to the first was lost.
            error=None if found else "it was gone already",
        )
        return None

    def check_health(self, target_id: str) -> str:
        """Has Genesys Cloud check the endpoint now; what it says, such as `HEALTHY` [S]."""
        started = self._clock()
        error: GenesysError | None = None
        try:
            return str(self._client.check_health(target_id).get("status") or UNKNOWN_HEALTH)
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

    def monitor(self, interval: float = 30.0) -> Iterator[StatusChange]:
        """Yields each change of a target's status, from now until the manager's `cancelled` is set.

        Args:
            interval: Seconds between two readings of the list.
        """
        known = {target.id: target for target in self.list()}
        while not self._cancelled.wait(interval):
            now = {target.id: target for target in self.list()}
            for target_id in known.keys() | now.keys():
                before, after = known.get(target_id), now.get(target_id)
                if _status(before) != _status(after):
                    shown = after or before
                    assert shown is not None  # noqa: S101  (for the type checker: one of the two was there)
                    yield StatusChange(shown, _status(before), _status(after))
            known = now

    def _created_or_adopted(self, config: TargetConfig, creates_first: bool) -> tuple[Target, bool]:
        self._stop_if_cancelled()
        report("looks for an existing target")
        posted = False
        existing = self._directory.find(config.name)
        if existing is not None and (
            self._run.is_gone(existing.id) or not self._adopts(existing, config, creates_first, posted)
        ):
            # The shared look-up may be old: by now it may have another owner, or be gone.
            existing = self._left_behind(config, creates_first, posted)
        for tries_left in reversed(range(POST_TRIES)):
            if existing is not None:
                try:
                    return self._adopted(existing, config), True
                except NotFound:
                    # Deleted since it was seen.
                    self._directory.deleted(existing.id)
            try:
                return self._post(config), False
            except (Conflict, ConnectionFailed, ServerError, UnexpectedAnswer) as error:
                # The server may have acted all the same: look before anything is sent again.
                posted = posted or not isinstance(error, Conflict)
                existing = self._left_behind(config, creates_first, posted)
                if existing is None and not tries_left:
                    raise
            self._stop_if_cancelled()
        assert existing is not None  # noqa: S101  (for the type checker: else the last try has raised)
        return self._adopted(existing, config), True

    def _left_behind(self, config: TargetConfig, creates_first: bool, posted: bool) -> Target | None:
        """The target that a create adopts, or None where the name is free; waits for a name that gets free."""
        for pause in NAME_PAUSES:
            existing = self._directory.find_now(config.name)
            if existing is None or self._run.is_gone(existing.id):
                return None
            if self._adopts(existing, config, creates_first, posted):
                return existing
            self._names.wait_for(config.name, existing, config.owner, creates=True)
            self._cancelled.wait(pause)
            self._stop_if_cancelled()
        # The holder has let go of the name, but the list still shows it there: the POST tells whether it is free.
        return None

    def _adopts(self, existing: Target, config: TargetConfig, creates_first: bool, posted: bool) -> bool:
        # What its own POST made is known by its looks; a script's targets carry no mark.
        if posted and _alike(existing, config):
            return True
        return is_left_behind(existing, config.owner, self._run, creates_first=creates_first)

    def _post(self, config: TargetConfig) -> Target:
        report("creates the target")
        started = self._clock()
        target = parsed(self._client.create_target(config.payload()), "the answer to POST")
        self._wrote(target)
        self.audit.record(AuditEvent.TARGET_CREATED, target.id, latency_seconds=self._clock() - started)
        return target

    def _adopted(self, existing: Target, config: TargetConfig) -> Target:
        report(f"adopts target {existing.id}, which an earlier run left behind")
        return self._put(existing.id, config, AuditEvent.TARGET_ADOPTED)

    def _allowed(self, target_id: str, config: TargetConfig, recorded_owner: str | None) -> TargetConfig:
        """The configuration to write, if the target may be written."""
        target = self._directory.get(target_id)
        if target is None:
            raise NotFound(f"target {config.name!r} ({target_id}) is gone", status=404)
        if config.owner is None:
            return config.model_copy(update={"owner": target.owner})
        Owner(config.owner, recorded_owner).require(target)
        return config

    def _put(self, target_id: str, config: TargetConfig, event: AuditEvent) -> Target:
        for pause in NAME_PAUSES:
            self._cancelled.wait(pause)
            self._stop_if_cancelled()
            report("writes the configuration")
            started = self._clock()
            try:
                target = parsed(self._client.update_target(target_id, config.payload()), "the answer to PUT")
                break
            except Conflict:
                if pause == NAME_PAUSES[-1]:
                    raise
                holder = self._directory.find_now(config.name)
                if holder is not None and holder.id != target_id:
                    self._names.wait_for(config.name, holder, config.owner, creates=False)
                # Whoever had the name has let go of it; the service may take a moment to notice.
        self._wrote(target)
        self.audit.record(event, target_id, latency_seconds=self._clock() - started)
        return target

    def _wrote(self, target: Target) -> None:
        self._directory.wrote(target)
        self._names.wrote(target.id, target.name)

    def _verified(
        self, target: Target, started: float, timeout: float | None, *, health_check: bool, adopted: bool
    ) -> Outcome:
        verified_at: str | None = None
        seconds: float | None = None
        if not target.verified:
            target = self._wait(target, started, timeout)
            seconds = round(self._clock() - started, 3)
            verified_at = datetime.now(timezone.utc).isoformat(timespec="seconds").replace("+00:00", "Z")
        health: str | None = None
        if health_check:
            report("checks the endpoint's health")
            try:
                health = self.check_health(target.id)
            except GenesysError:
                # The target is there and verified: that must not be lost over a check; the audit has the error.
                health = UNKNOWN_HEALTH
        return Outcome(target, verified_at, seconds, health, adopted)

    def _wait(self, target: Target, started: float, timeout: float | None) -> Target:
        limit = self.settings.verification_timeout if timeout is None else timeout
        name = f"target {target.name!r}"
        try:
            verdict = self._verifications.wait(target.id, since=started, timeout=limit)
            seen = target.model_copy(update={"status": verdict.status})
            if verdict.status == VERIFIED:
                self.audit.record(
                    AuditEvent.TARGET_VERIFIED, target.id, latency_seconds=self._clock() - started
                )
                report(f"verified after {self._clock() - started:.1f} s")
                return seen
            said = f": {shortened(verdict.message)}" if verdict.message else ""
            failure: GenesysError = VerificationFailed(
                f"{name} ({shown_url(target.endpoint_url)}) is not verified, {verdict.status}{said}", seen
            )
        except NoVerdict as error:
            failure = VerificationTimeout(
                f"{name} ({shown_url(target.endpoint_url)}): {error.message}", target
            )
        except NotFound as error:
            self._directory.deleted(target.id)
            failure = NotFound(
                f"{name} was deleted while it was verified: {error.message}",
                status=error.status,
                correlation_id=error.correlation_id,
            )
        except Cancelled:
            failure = VerificationCancelled(f"{name}: cancelled while waiting for verification", target)
        except GenesysError as error:
            failure = VerificationUnknown(
                f"{name} exists, but whether it is verified can't be asked: {error.message}",
                target,
                hint=error.hint,
            )
        self.audit.record(
            AuditEvent.TARGET_VERIFICATION_FAILED,
            target.id,
            latency_seconds=self._clock() - started,
            error=failure.message,
        )
        raise failure

    def _stop_if_cancelled(self) -> None:
        if self._cancelled.is_set():
            raise Cancelled("cancelled before anything was sent")


def _alike(target: Target, config: TargetConfig) -> bool:
    return (target.owner, target.endpoint_url, target.auth_type, target.headers, set(target.event_types)) == (
        config.owner,
        config.endpoint_url,
        config.auth_type,
        config.headers,
        set(config.event_types),
    )


def _status(target: Target | None) -> str | None:
    return None if target is None else target.status
