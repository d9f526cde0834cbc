"""What the API calls a source's states, the name of its event source, and how notes are compared.

Without pydantic: who only compares a source's properties need not load its models.
"""

from __future__ import annotations

EVENT_SOURCE_PREFIX = "aws.partner/genesys.com/cloud"
"""How the name of each event source begins; the organization's id and the suffix follow [G]."""

ACTIVE, ACTIVATING, INACTIVE, DEACTIVATING = "ACTIVE", "ACTIVATING", "INACTIVE", "DEACTIVATING"
ERROR = "ERROR"
"""What a source is: the codes of `reportedState` [G]. Others may come; they mean «not yet» [C]."""
ENABLED, DISABLED, DELETED = "ENABLED", "DISABLED", "DELETED"
"""What a source is meant to be: `intendedState` [G]."""


def as_compared(notes: str | None) -> str:
    """Notes without what makes no difference: white space around them, and how their lines end."""
    return with_plain_ends(notes or "").strip()


def with_plain_ends(text: str) -> str:
    """A text whose lines all end alike."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def wanted_status(*, enabled: bool) -> str:
    """What a source will be once all is well."""
    return ACTIVE if enabled else INACTIVE


def event_source_name(organization_id: str | None, suffix: str | None) -> str | None:
    """The name of the partner event source in AWS, and so of its event bus [G]; None where it can't be known."""
    return f"{EVENT_SOURCE_PREFIX}/{organization_id}/{suffix}" if organization_id and suffix else None
