"""Reads targets: the list, a single one, its verification."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from genesys_provider.client.api import GenesysClient
from genesys_provider.client.errors import (
    PERMANENT,
    ConnectionFailed,
    GenesysError,
    NotFound,
    RateLimited,
    UnexpectedAnswer,
)
from genesys_provider.client.limits import Priority
from genesys_provider.common.faults import faults_of
from genesys_provider.common.paging import Page, pages
from genesys_provider.common.reader import Look
from genesys_provider.targets.models import Target
from genesys_provider.targets.vocabulary import PENDING_VERIFICATION


def parsed(answer: Any, what: str = "the list of targets") -> Target:
    """Parses a target from a response.

    Raises:
        UnexpectedAnswer: It does not follow the contract. The message names the fields, not their values.
    """
    try:
        return Target.read(answer)
    except ValidationError as error:
        listed = "; ".join(map(str, faults_of(error)))
        raise UnexpectedAnswer(f"{what}: the answer is not a target: {listed}") from error


def unread_reason(error: GenesysError) -> str:
    """What stands where the reason of a failed verification could not be read."""
    return f"the reason can't be read ({error.message})"


class TargetReading:
    """How the directory reads targets."""

    finds_by_name = True
    look_pause = 0.5

    def __init__(self, client: GenesysClient) -> None:
        self._client = client
        self.allowance = client.allowance

    def pages(
        self, *, name: str | None = None, priority: Priority = Priority.BULK, first: int = 1
    ) -> Iterator[Page[Target]]:
        """The list of targets from this page on; with `name`, only those of that name."""
        return pages(
            "target",
            lambda number: self._client.list_targets(number, name=name, priority=priority),
            parsed,
            first,
        )

    def get(self, target_id: str) -> Target | None:
        """The target with this id, or None if it is not found: one request."""
        target = self._without_verification(target_id)
        if target is None or target.status:
            return target
        try:
            status = self.verification(target_id).status
        except PERMANENT:
            raise
        except GenesysError:
            # The target exists; only its status is unknown.
            status = PENDING_VERIFICATION
        return target.model_copy(update={"status": status})

    def _without_verification(self, target_id: str) -> Target | None:
        try:
            answer = self._client.get_target(target_id)
        except NotFound:
            return None
        return parsed({**answer, "id": target_id}, f"target {target_id}")

    def look(self, target_id: str) -> Look[Target]:
        """The current status of the target: that of its verification or, if that can't be read, its own.

        Raises:
            NotFound: The target does not exist, or is not visible yet.
            GenesysError: Neither could be read.
        """
        try:
            return self.verification(target_id)
        except (*PERMANENT, ConnectionFailed, RateLimited):
            # The target itself would meet the same.
            raise
        except GenesysError as error:
            target = self._without_verification(target_id)
            if target is None:
                raise NotFound(f"target {target_id} is not found", status=404) from None
            if not target.status and not isinstance(error, NotFound):
                raise
            return Look(target.status or PENDING_VERIFICATION, None, target)

    def verification(self, target_id: str) -> Look[Target]:
        """The result of `verify`, including why a verification failed: one request.

        Raises:
            NotFound: The target does not exist, or is not visible yet.
        """
        answer = self._client.get_verification(target_id)
        status, message = answer.get("status"), answer.get("message")
        if not isinstance(status, str):
            raise UnexpectedAnswer(f"target {target_id}: the answer to verify has no status")
        return Look(status.strip().upper(), None if message is None else str(message))
