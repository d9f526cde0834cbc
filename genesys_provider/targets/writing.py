"""Writing a target: POST, PUT, DELETE, what their answers mean, and what to do when none came.

What the service answers to a write was never seen in reality [C]. Of an answer only the id, the status and the path
count; the rest is what was sent. Where even the id is missing, or no answer came, the target is looked up by its
name, for as long as the service may lag, before anything is sent again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from genesys_provider.client.api import TARGETS, GenesysClient
from genesys_provider.client.errors import (
    HOPELESS,
    Cancelled,
    Conflict,
    ConnectionFailed,
    GenesysError,
    NotFound,
    ServerError,
    UnexpectedAnswer,
)
from genesys_provider.client.progress import report
from genesys_provider.common.audit import AuditEvent, AuditTrail
from genesys_provider.common.errors import StillThere
from genesys_provider.common.names import Names
from genesys_provider.common.ownership import Owner, is_left_behind, may_delete
from genesys_provider.common.run import Run
from genesys_provider.common.times import utc_now
from genesys_provider.targets.directory import LAG_SECONDS, Directory
from genesys_provider.targets.models import PENDING_VERIFICATION, Target, TargetConfig
from genesys_provider.targets.verification import Written

NAME_PAUSES = (0.0, 0.1, 0.5, 1.0, 2.0, 4.0)
"""Seconds before each try to give a target a name that others let go of in the same run."""

POST_TRIES = 3
"""How often a target is posted whose earlier posts, as a look-up showed, did not act."""

_MAY_HAVE_ACTED = (ConnectionFailed, ServerError, UnexpectedAnswer)


class Writing:
    """The writes of one process. Safe for threads."""

    def __init__(
        self,
        client: GenesysClient,
        directory: Directory,
        names: Names,
        run: Run,
        audit: AuditTrail,
        cancelled: threading.Event,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._directory = directory
        self._names = names
        self._run = run
        self._audit = audit
        self._cancelled = cancelled
        self._clock = clock

    def create(self, config: TargetConfig, *, creates_first: bool) -> tuple[Written, bool]:
        """Makes the target, or adopts what an earlier run left behind; whether it was adopted.

        Args:
            config: The whole configuration.
            creates_first: Whether the resource is created before it is deleted where it is replaced.

        Raises:
            NameTaken: Another target has the name, and is not ours.
            ReplacementRefused: The target of this name is the one that the resource has.
        """
        self._stop_if_cancelled()
        report("looks for an existing target")
        existing = self._directory.find(config.name)
        if existing is not None:
            # The shared look-up may be old: by now it may have another owner or status, or be gone.
            existing = self._left_behind(config, creates_first)
        tries, while_the_name_is_taken = POST_TRIES, self._directory.pauses()
        while True:
            self._stop_if_cancelled()
            if existing is not None:
                try:
                    return self._adopted(existing, config), True
                except NotFound:
                    # Deleted since it was seen.
                    self._directory.deleted(existing.id)
            try:
                return self._post(config), False
            except Conflict:
                existing = self._left_behind(config, creates_first)
                # Nobody has the name any more; or the list does not show yet who has it.
                if existing is None and next(while_the_name_is_taken, True):
                    raise
            except _MAY_HAVE_ACTED as error:
                if error.tried_enough or not error.maybe_acted:
                    raise
                tries -= 1
                existing = self._made_all_the_same(config, creates_first, error)
                if existing is None and not tries:
                    raise

    def update(
        self, target_id: str, config: TargetConfig, recorded_owner: str | None, *, unchanged: bool
    ) -> Written:
        """Writes the configuration, if the target is ours, and leaves alone what is as it is to be.

        Args:
            target_id: The target.
            config: The whole configuration; without an owner of its own it keeps the mark that it finds.
            recorded_owner: The mark that the state recorded last, which is ours too.
            unchanged: Whether an earlier run has written this very configuration, secrets and all: then one whose
                verification runs, or has passed by now, is not written again, which would start it anew.

        Raises:
            NotFound: There is no such target any more.
            OwnedByAnother: Another resource has taken it over.
            NameTaken: The new name is.
        """
        self._stop_if_cancelled()
        owner = None if config.owner is None else Owner(config.owner, recorded_owner)
        target = self._directory.get_settled(
            target_id,
            fresh=unchanged,
            expected=lambda seen: owner is None or owner.may_write(seen.owner),
        )
        if target is None:
            raise NotFound(f"target {config.name!r} ({target_id}) is gone", status=404)
        if owner is None:
            config = config.model_copy(update={"owner": target.owner})
        else:
            owner.require(target)
        if unchanged and config.visible == target.visible and (target.verified or not target.final):
            if self._directory.shows_no_old_verdict(target_id):
                return Written(target, self._clock())
            # Its verdict may be the one from before the last write, of which nothing else shows.
            pending = target.model_copy(update={"status": PENDING_VERIFICATION})
            return Written(pending, self._clock(), before=target)
        return self._put(target, config, AuditEvent.TARGET_UPDATED)

    def delete(self, target_id: str, owner: Owner | None) -> Target | None:
        """Deletes the target; one that is gone already is no error.

        Args:
            target_id: The target.
            owner: The resource that deletes it; None is a script, which says itself what goes.

        Returns:
            The target, if it was left as it is, since it is another resource's by now.

        Raises:
            StillThere: The service took the deletion, but still shows the target.
        """
        self._stop_if_cancelled()
        started = self._clock()
        if owner is not None:
            target = self._directory.get(target_id)
            if target is not None and not owner.may_write(target.owner):
                # The mark may be the one from before our last write.
                target = self._directory.get_settled(
                    target_id, shared=False, expected=lambda seen: owner.may_write(seen.owner)
                )
            if target is not None and not may_delete(target, owner, self._run):
                return target.model_copy(update={"owner": self._run.wanted_by(target_id) or target.owner})
        found = self._deleted(target_id)
        self._directory.deleted(target_id)
        self._names.deleted(target_id)
        self._audit.record(
            AuditEvent.TARGET_DELETED,
            target_id,
            latency_seconds=self._clock() - started,
            # Also the answer to a second try, where that to the first was lost.
            error=None if found else "it was gone already",
        )
        return None

    def _deleted(self, target_id: str) -> bool:
        """Whether the target was there until now; a read confirms what the answer does not say for certain."""
        accepted = maybe = False
        for _ in self._directory.pauses():
            if not accepted:
                try:
                    if self._client.delete_target(target_id):
                        return True
                    accepted = True
                except NotFound as error:
                    maybe = maybe or error.repeated
            # A 404 alone may also mean «not yet».
            if self._is_gone(target_id) and (accepted or self._directory.shows(target_id)):
                return accepted or maybe
        raise StillThere(f"target {target_id}")

    def _is_gone(self, target_id: str) -> bool:
        try:
            return self._directory.get(target_id, fresh=True) is None
        except HOPELESS:
            raise
        except GenesysError:
            # It could not be asked; it is asked again.
            return False

    def _left_behind(self, config: TargetConfig, creates_first: bool) -> Target | None:
        """The target that a create adopts, or None where the name is free; waits for a name that gets free."""
        for pause in NAME_PAUSES:
            existing = self._directory.find_now(config.name)
            if existing is None:
                return None
            if self._adopts(existing, config, creates_first):
                return existing
            self._names.wait_for(config.name, existing, config.owner, creates=True)
            self._cancelled.wait(pause)
            self._stop_if_cancelled()
        # The holder has let go of the name, but the list still shows it there: the POST tells whether it is free.
        return None

    def _made_all_the_same(
        self, config: TargetConfig, creates_first: bool, error: GenesysError
    ) -> Target | None:
        """What a POST has made whose answer did not come; None where it shows in all that time nowhere.

        Only then may the target be posted again.
        """
        looked = False
        for _ in self._directory.pauses():
            report(f"looks whether the target was made all the same: {error.message}")
            try:
                existing = self._directory.find_now(config.name)
            except HOPELESS:
                raise
            except GenesysError:
                # What has lost the answer may last a while.
                continue
            looked = True
            if existing is not None:
                # What its own POST made is known by its looks; a script's targets carry no mark.
                ours = existing.visible == config.visible
                return existing if ours else self._left_behind(config, creates_first)
        if not looked:
            raise error
        asked = getattr(error, "retry_after", None) or 0.0
        self._cancelled.wait(max(0.0, asked - LAG_SECONDS))
        return None

    def _adopts(self, existing: Target, config: TargetConfig, creates_first: bool) -> bool:
        if config.owner is None:
            # What a script's first try has made, whose verification failed. One that is verified may be in use.
            return not existing.verified and existing.visible == config.visible
        return is_left_behind(existing, config.owner, self._run, creates_first=creates_first)

    def _post(self, config: TargetConfig) -> Written:
        report("creates the target")
        started = self._clock()
        answer = self._client.create_target(config.payload())
        if not answer.get("id"):
            raise UnexpectedAnswer("the answer to POST names no target")
        return self._accepted(config, answer, AuditEvent.TARGET_CREATED, started, None)

    def _adopted(self, existing: Target, config: TargetConfig) -> Written:
        report(f"adopts target {existing.id}, which an earlier run left behind")
        return self._put(existing, config, AuditEvent.TARGET_ADOPTED)

    def _put(self, target: Target, config: TargetConfig, event: AuditEvent) -> Written:
        body = target.carried_on(config.payload())
        for pause in NAME_PAUSES:
            self._cancelled.wait(pause)
            self._stop_if_cancelled()
            report("writes the configuration")
            started = self._clock()
            try:
                answer = self._client.update_target(target.id, body)
                break
            except Conflict:
                if pause == NAME_PAUSES[-1]:
                    raise
                holder = self._directory.find_now(config.name)
                if holder is not None and holder.id != target.id:
                    self._names.wait_for(config.name, holder, config.owner, creates=False)
                # Whoever had the name has let go of it; the service may take a moment to notice.
        return self._accepted(config, {**answer, "id": target.id}, event, started, target)

    def _accepted(
        self,
        config: TargetConfig,
        answer: Mapping[str, Any],
        event: AuditEvent,
        started: float,
        before: Target | None,
    ) -> Written:
        target_id, status = str(answer["id"]), answer.get("status")
        target = Target.read(
            {
                **config.payload(),
                "id": target_id,
                "status": status if isinstance(status, str) else "",
                "selfUri": str(answer.get("selfUri") or f"{TARGETS}/{target_id}"),
            }
        ).model_copy(update={"written_at": utc_now()})
        self._directory.wrote(target, made=before is None)
        self._names.wrote(target.id, target.name)
        self._audit.record(event, target.id, latency_seconds=self._clock() - started)
        return Written(target, self._clock(), before)

    def _stop_if_cancelled(self) -> None:
        if self._cancelled.is_set():
            raise Cancelled("cancelled before anything was sent")
