"""The API's names for a source's states, the name of its event source, and the comparison of notes.

Without pydantic, so that code that only compares a source's properties need not load the models.
"""

from __future__ import annotations

EVENT_SOURCE_PREFIX = "aws.partner/genesys.com/cloud"
"""The start of every event source's name; the organization's id and the suffix follow [G]."""

ACTIVE, ACTIVATING, INACTIVE, DEACTIVATING = "ACTIVE", "ACTIVATING", "INACTIVE", "DEACTIVATING"
ERROR = "ERROR"
"""Codes of `reportedState`, the actual state [G]. Other codes mean "not yet" [C]."""
ENABLED, DISABLED, DELETED = "ENABLED", "DISABLED", "DELETED"
"""Values of `intendedState`, the desired state [G]."""


def as_compared(notes: str | None) -> str:
    """Notes without insignificant differences: surrounding white space and line endings."""
    return with_plain_ends(notes or "").strip()


def with_plain_ends(text: str) -> str:
    """The text with uniform line endings."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def wanted_status(*, enabled: bool) -> str:
    """The status that a source should reach."""
    return ACTIVE if enabled else INACTIVE


def event_source_name(organization_id: str | None, suffix: str | None) -> str | None:
    """The name of the partner event source in AWS, and so of its event bus [G]; None if it is unknown."""
    return f"{EVENT_SOURCE_PREFIX}/{organization_id}/{suffix}" if organization_id and suffix else None
