"""The statuses of a target [S]."""

from __future__ import annotations

PENDING_VERIFICATION = "PENDING_VERIFICATION"
VERIFIED = "VERIFIED"
FAILED = "FAILED"
TIMEOUT = "TIMEOUT"
