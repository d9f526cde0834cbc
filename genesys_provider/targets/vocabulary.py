"""The API's names for a target's statuses, results of health checks and authentication fields.

Without pydantic, so that code that only compares a target's properties need not load the models.
"""

from __future__ import annotations

VERIFIED = "VERIFIED"
FAILED = "FAILED"
TIMEOUT = "TIMEOUT"
PENDING_VERIFICATION = "PENDING_VERIFICATION"
FINAL_STATUSES = frozenset({VERIFIED, FAILED, TIMEOUT})
"""The statuses that end a verification; any other status is pending [S]."""

HEALTHY = "HEALTHY"
UNHEALTHY = "UNHEALTHY"
"""The results of a health check [S]."""
UNKNOWN_HEALTH = "UNKNOWN"
"""Our own result of a health check that failed, or gave no status."""

NEEDED_AUTH_FIELDS: dict[str, tuple[str, ...]] = {
    "BASIC": ("username", "password"),
    "OAUTH2": ("clientId", "clientSecret", "tokenUrl"),
}
"""The fields that `authConfig` requires for each `authType`; there is no rule for `JWT` [S]."""

SHOWN_AUTH_FIELDS = ("username", "clientId", "tokenUrl")
"""The fields of `authConfig` that the API returns [C]."""
