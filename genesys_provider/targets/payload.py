"""How large an event may be."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

OVERHEAD_BYTES = 256
"""What the envelope adds to an event, by the source's estimate [S]."""

MAX_ENTRY_BYTES = 256 * 1024
"""EventBridge takes no larger entry [G]."""


@dataclass(frozen=True)
class PayloadSize:
    """The estimated size of one event on its way."""

    total_bytes: int

    @property
    def fits(self) -> bool:
        """Whether EventBridge takes it."""
        return self.total_bytes <= MAX_ENTRY_BYTES


def payload_size(event: Any) -> PayloadSize:
    """The bytes of a sample event as UTF-8 JSON, and the overhead [S].

    Raises:
        TypeError: The event can't be written as JSON.
    """
    return PayloadSize(len(json.dumps(event, ensure_ascii=False).encode()) + OVERHEAD_BYTES)
