"""Writing a target: POST, PUT, DELETE, and what their answers mean.

Of an answer only the id, the status and the path count; the rest is what was sent. Where even the id is missing,
or no answer came, the target is looked up (`common.writing`).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from genesys_provider.client.api import TARGETS, GenesysClient
from genesys_provider.client.errors import Conflict, NotFound, UnexpectedAnswer
from genesys_provider.client.progress import report
from genesys_provider.common.audit import AuditEvent, AuditTrail
from genesys_provider.common.directory import Directory
from genesys_provider.common.names import Names
from genesys_provider.common.ownership import Owner
from genesys_provider.common.run import Run
from genesys_provider.common.times import utc_now
from genesys_provider.common.writes import Writes
from genesys_provider.common.writing import NAME_PAUSES, Writing, Written
from genesys_provider.targets.models import Target, TargetConfig
from genesys_provider.targets.vocabulary import PENDING_VERIFICATION


class TargetWriting(Writing[Target, TargetConfig]):
    """The writes of targets of one process. Safe for threads."""

    kind: ClassVar = "target"
    deleted_event: ClassVar = AuditEvent.TARGET_DELETED

    def __init__(
        self,
        client: GenesysClient,
        directory: Directory[Target],
        writes: Writes[Target],
        names: Names,
        run: Run,
        audit: AuditTrail,
        cancelled: threading.Event,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(directory, writes, names, run, audit, cancelled, clock)
        self._client = client

    def update(
        self, target_id: str, config: TargetConfig, recorded_owner: str | None, *, unchanged: bool
    ) -> Written[Target]:
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
            if self._writes.show_no_old_verdict(target_id):
                return Written(target, self._clock())
            # Its verdict may be the one from before the last write, of which nothing else shows.
            pending = target.model_copy(update={"status": PENDING_VERIFICATION})
            return Written(pending, self._clock(), before=target)
        return self._put(target, config, AuditEvent.TARGET_UPDATED)

    def _post(self, config: TargetConfig) -> Written[Target]:
        report("creating")
        started = self._clock()
        answer = self._client.create_target(config.payload())
        if not answer.get("id"):
            raise UnexpectedAnswer("the answer to POST names no target")
        return self._accepted(config, answer, AuditEvent.TARGET_CREATED, started, None)

    def _adopted(self, existing: Target, config: TargetConfig) -> Written[Target]:
        report(f"adopting target {existing.id}, left behind by an earlier run")
        return self._put(existing, config, AuditEvent.TARGET_ADOPTED)

    def _put(self, target: Target, config: TargetConfig, event: AuditEvent) -> Written[Target]:
        body = target.carried_on(config.payload())
        for pause in NAME_PAUSES:
            self._cancelled.wait(pause)
            self._stop_if_cancelled()
            report("configuring")
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
    ) -> Written[Target]:
        target_id, status = str(answer["id"]), answer.get("status")
        target = Target.read(
            {
                **config.payload(),
                "id": target_id,
                "status": status if isinstance(status, str) else "",
                "selfUri": str(answer.get("selfUri") or f"{TARGETS}/{target_id}"),
            }
        ).model_copy(update={"written_at": utc_now()})
        self._writes.wrote(target, made=before is None)
        self._names.wrote(target.id, target.name)
        self._audit.record(event, target.id, latency_seconds=self._clock() - started)
        return Written(target, self._clock(), before)

    def _delete(self, target_id: str) -> bool:
        return self._client.delete_target(target_id)

    def _is_what_was_sent(self, existing: Target, config: TargetConfig) -> bool:
        return existing.visible == config.visible

    def _is_a_scripts_first_try(self, existing: Target, config: TargetConfig) -> bool:
        # One that is verified may be in use.
        return not existing.verified and existing.visible == config.visible
