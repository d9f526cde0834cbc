"""Writes targets: POST, PUT, DELETE, and how to interpret the responses.

From a response we only use the id, the status and the path; the rest is what we sent. If even the id is missing, or
the response was lost, the target is looked up (`common.writing`).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from genesys_provider.client.api import TARGETS, GenesysClient
from genesys_provider.client.errors import Conflict, InvalidRequest, NotFound, UnexpectedAnswer
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
    """The writes of targets, for one process. Thread-safe."""

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
        """Writes the configuration if the target is ours and differs from it.

        Args:
            target_id: The target.
            config: The whole configuration; without an owner it keeps the target's mark.
            recorded_owner: The mark last recorded in the state, which is ours too.
            unchanged: Whether an earlier run has written exactly this configuration, including secrets. Then a
                target whose verification is in progress or has passed is not written again, which would restart it.

        Raises:
            NotFound: The target does not exist any more.
            OwnedByAnother: Another resource has taken over the target.
            NameTaken: Another target has the new name.
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
        if unchanged and config.visible.same_as(target.visible) and (target.verified or not target.final):
            if self._writes.show_no_old_verdict(target_id):
                return Written(target, self._clock())
            # The status may be from before the last write, which is not visible in any other way.
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
        body = target.put_body(config.payload())
        for pause in NAME_PAUSES:
            self._cancelled.wait(pause)
            self._stop_if_cancelled()
            report("configuring")
            started = self._clock()
            try:
                answer = self._client.update_target(target.id, body)
                break
            except (Conflict, InvalidRequest) as error:
                # A taken name may also be refused with a 400 [C].
                may_be_taken = isinstance(error, Conflict) or config.name != target.name
                if pause == NAME_PAUSES[-1] or not may_be_taken:
                    raise
                holder = self._directory.find_now(config.name)
                if holder is not None and holder.id != target.id:
                    self._names.wait_for(config.name, holder, config.owner, creates=False)
                elif isinstance(error, InvalidRequest):
                    raise
                # The holder has released the name; the service may take a moment to notice.
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
        return existing.visible.same_as(config.visible)

    def _is_a_scripts_first_try(self, existing: Target, config: TargetConfig) -> bool:
        # A verified target may be in use.
        return not existing.verified and existing.visible.same_as(config.visible)
