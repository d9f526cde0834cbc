"""The JSON that an endpoint receives: events of Genesys Cloud in EventBridge's envelope.

The envelope is [G]. That the verification and the health check use it too, and their event names, is [C].
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any
from uuid import uuid4

SOURCE_PREFIX = "aws.partner/genesys.com/cloud"
"""The start of each event source's name [G]; the organization's id and the suffix follow."""

VERIFICATION = "TARGET_VERIFICATION"
HEALTH_CHECK = "TARGET_HEALTH_CHECK"


def timestamp() -> str:
    """The current time in UTC with milliseconds, such as `2026-01-31T12:00:00.123Z`."""
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def event(topic: str, body: Any, organization_id: str) -> dict[str, Any]:
    """A new event of a topic, whose id is the same in all its deliveries."""
    source = f"{SOURCE_PREFIX}/{organization_id}/emulator"
    return envelope(topic, body, source=source, account="000000000000", region="us-east-1")


def envelope(
    kind: str,
    body: Any,
    *,
    source: str,
    account: str,
    region: str,
    topic: str | None = None,
    version: str = "1",
) -> dict[str, Any]:
    """A new event of this kind in EventBridge's envelope; `topic` is the kind with actual ids."""
    now = timestamp()
    return {
        "version": "0",
        "id": str(uuid4()),
        "detail-type": kind,
        "source": source,
        "account": account,
        "time": now,
        "region": region,
        "resources": [],
        "detail": {
            "topicName": topic or kind,
            "version": version,
            "eventBody": body,
            "metadata": {"CorrelationId": str(uuid4())},
            "timestamp": now,
        },
    }
