"""The JSON that an endpoint receives: Genesys Cloud's events in EventBridge's envelope.

The envelope is [G]; that the verification and the health check use it too, and their names, is [C].
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any
from uuid import uuid4

ORGANISATION_ID = "5f7f0b4e-0c7f-4d0c-9a1e-6d3f6f1c2b00"
"""The emulated organisation. It exists nowhere."""

VERIFICATION = "TARGET_VERIFICATION"
HEALTH_CHECK = "TARGET_HEALTH_CHECK"


def timestamp() -> str:
    """The present moment in UTC to the millisecond, as `2026-01-31T12:00:00.123Z`."""
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def event(topic: str, body: Any) -> dict[str, Any]:
    """A new event of a topic, with an id that stays the same over all its deliveries."""
    now = timestamp()
    return {
        "version": "0",
        "id": str(uuid4()),
        "detail-type": topic,
        "source": f"aws.partner/genesys.com/cloud/{ORGANISATION_ID}/emulator",
        "account": "000000000000",
        "time": now,
        "region": "us-east-1",
        "resources": [],
        "detail": {
            "topicName": topic,
            "version": "1",
            "eventBody": body,
            "metadata": {"CorrelationId": str(uuid4())},
            "timestamp": now,
        },
    }
