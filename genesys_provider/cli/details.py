"""What commands show about a target beyond the API's list: why it is not verified, and its audit entries."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from genesys_provider.client.errors import PERMANENT, GenesysError

if TYPE_CHECKING:
    from genesys_provider.targets.manager import TargetManager
    from genesys_provider.targets.models import Target


def as_json(target: Target, *, reason: str | None = None, since: str | None = None) -> dict[str, Any]:
    """The target by the API's names, without secrets.

    Args:
        target: The target.
        reason: Why it is not verified.
        since: When it got its status: UTC, ISO 8601.
    """
    from genesys_provider.monitor.views import facts_of, status_of

    return {**facts_of(target), "status": status_of(target), "reason": reason, "since": since}


def reason_of(manager: TargetManager, target: Target) -> str | None:
    """Why its last verification failed, as the service gives it: one request; None if it did not fail."""
    from genesys_provider.targets.reading import unread_reason

    if target.verified or not target.final:
        return None
    try:
        return manager.reason(target.id)
    except PERMANENT:
        raise
    except GenesysError as error:
        # The status is known; only the reason is missing.
        return unread_reason(error)


def audit_entries(path: Path | None) -> list[dict[str, Any]]:
    """The entries of an audit file, oldest first; empty if there is no file, or with a warning if it has none."""
    from genesys_provider.common.audit_check import NotAnAuditFile, entries_of

    if path is None or not path.is_file():
        return []
    try:
        return entries_of(path)
    except OSError as error:
        problem = f"the audit file {path} can't be read ({error.strerror or error})"
    except NotAnAuditFile as error:
        problem = str(error)
    click.echo(f"Warning: {problem}; times of statuses are missing.", err=True)
    return []
