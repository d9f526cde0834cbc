"""The maximum size of an event."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

OVERHEAD_BYTES = 256
"""What the envelope adds to an event, according to the source's estimate [S]."""

MAX_ENTRY_BYTES = 256 * 1024
"""The largest entry that EventBridge accepts [G]."""


@dataclass(frozen=True)
class PayloadSize:
    """The estimated size of one event as it is sent."""

    total_bytes: int

    @property
    def fits(self) -> bool:
        """Whether EventBridge accepts it."""
        return self.total_bytes <= MAX_ENTRY_BYTES


def payload_size(event: Any) -> PayloadSize:
    """The size of a sample event as UTF-8 JSON, plus the overhead [S].

    Raises:
        TypeError: The event can't be converted to JSON.
    """
    return PayloadSize(len(json.dumps(event, ensure_ascii=False).encode()) + OVERHEAD_BYTES)
