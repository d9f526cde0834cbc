"""What the API calls a target's statuses and the fields of its authentication.

Without pydantic: who only compares a target's properties need not load its models.
"""

from __future__ import annotations

VERIFIED = "VERIFIED"
FAILED = "FAILED"
TIMEOUT = "TIMEOUT"
PENDING_VERIFICATION = "PENDING_VERIFICATION"
FINAL_STATUSES = frozenset({VERIFIED, FAILED, TIMEOUT})
"""The statuses after which a verification changes no more; any other is pending [S]."""

NEEDED_AUTH_FIELDS: dict[str, tuple[str, ...]] = {
    "BASIC": ("username", "password"),
    "OAUTH2": ("clientId", "clientSecret", "tokenUrl"),
}
"""What `authConfig` must hold for each `authType`; no rule is given for `JWT` [S]."""

SHOWN_AUTH_FIELDS = ("username", "clientId", "tokenUrl")
"""The fields of `authConfig` that the API returns [C]."""
SECRET_FIELDS = ("password", "clientSecret")
"""Those that it never returns [C]."""
