"""What commands say of a target beyond what the API lists: why it is not verified, and since when."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from genesys_provider.client.errors import HOPELESS, GenesysError
from genesys_provider.client.urls import shown_url

if TYPE_CHECKING:
    from genesys_provider.sources.models import Source
    from genesys_provider.targets.manager import TargetManager
    from genesys_provider.targets.models import Target

_VERDICTS = {"TARGET_VERIFIED": True, "TARGET_VERIFICATION_FAILED": False}
"""The audit's events that say how a verification ended."""


def status_of(target: Target | Source) -> str:
    """Its status; of a target of which the service says none, that it is pending."""
    from genesys_provider.targets.vocabulary import PENDING_VERIFICATION

    return target.status or PENDING_VERIFICATION


def as_json(target: Target, *, reason: str | None = None, since: str | None = None) -> dict[str, Any]:
    """The target by the API's names, without a secret.

    Args:
        target: The target.
        reason: Why it is not verified.
        since: Since when it has its status: UTC, ISO 8601.
    """
    from genesys_provider.monitor.views import facts_of

    auth = dict(target.auth_config)
    if "tokenUrl" in auth:
        auth["tokenUrl"] = shown_url(auth["tokenUrl"])
    facts = facts_of(target)
    return {
        **facts,
        "status": status_of(target),
        "reason": reason,
        "since": since,
        "eventTypes": sorted(facts["eventTypes"]),
        "authConfig": auth,
    }


def reason_of(manager: TargetManager, target: Target) -> str | None:
    """Why its last verification came to nothing, in the service's words: one request; None unless it did."""
    if target.verified or not target.final:
        return None
    try:
        return manager.reason(target.id)
    except HOPELESS:
        raise
    except GenesysError as error:
        # The status is known; only the reason is missing.
        return f"the reason can't be read ({error.message})"


def since_when(entries: Iterable[Mapping[str, Any]], target: Target) -> str | None:
    """Since when a target has its status, as far as audit entries say it; the API does not.

    Args:
        entries: Oldest first.
        target: The target as it is now.
    """
    since: str | None = None
    verified: bool | None = None
    for entry in entries:
        verdict = _VERDICTS.get(str(entry.get("event")))
        if entry.get("targetId") == target.id and verdict is not None and verdict != verified:
            since, verified = str(entry.get("timestamp")), verdict
    return since if target.final and verified == target.verified else None


def audit_entries(path: Path | None) -> list[dict[str, Any]]:
    """What an audit file has, oldest first; nothing where there is none, or it can't be read."""
    from genesys_provider.common.audit import entries_of

    if path is None or not path.is_file():
        return []
    if not os.access(path, os.R_OK):
        click.echo(f"Warning: the audit file {path} can't be read, so it does not say since when.", err=True)
        return []
    return entries_of(path)
