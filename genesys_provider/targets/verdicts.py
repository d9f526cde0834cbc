"""What the entries of an audit file tell about verifications: each target's last verdict, and when it began.

The API does not tell since when a target has had its status.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from genesys_provider.common.audit import AuditEvent
from genesys_provider.targets.vocabulary import FAILED, TIMEOUT, VERIFIED

_STATUSES = {
    AuditEvent.TARGET_VERIFIED.value: (VERIFIED,),
    AuditEvent.TARGET_VERIFICATION_FAILED.value: (FAILED, TIMEOUT),
}
"""The statuses that may begin with each event."""


class Verdict(NamedTuple):
    """The result of a verification."""

    statuses: tuple[str, ...]
    """The statuses that a target may have by it."""
    since: str
    """When it began, as the file has it: earlier verifications in a row may have had the same result."""
    latency_seconds: float | None


class Verdicts:
    """The last verdicts.

    Args:
        entries: Those that are there already, oldest first.
    """

    def __init__(self, entries: Iterable[Mapping[str, Any]] = ()) -> None:
        self._last: dict[str, Verdict] = {}
        for each in entries:
            self.take(each)

    def take(self, entry: Mapping[str, Any]) -> Verdict | None:
        """Takes the next entry, and returns the verdict in it, if any."""
        target_id, latency = entry.get("targetId"), entry.get("latencySeconds")
        statuses = _STATUSES.get(str(entry.get("event")))
        if statuses is None or not isinstance(target_id, str):
            return None
        last, since = self._last.get(target_id), str(entry.get("timestamp"))
        if last is not None and last.statuses == statuses:
            since = last.since
        took = float(latency) if isinstance(latency, int | float) else None
        self._last[target_id] = verdict = Verdict(statuses, since, took)
        return verdict

    def since(self, target_id: str, status: str) -> str | None:
        """When a target got its current status; None if the entries do not tell."""
        last = self._last.get(target_id)
        return last.since if last is not None and status in last.statuses else None
