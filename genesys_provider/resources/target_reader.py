"""The engine's operations for an `EventBridgeTarget.get`: only to read."""

from __future__ import annotations

from genesys_provider.resources.owned_reader import OwnedReader
from genesys_provider.resources.target_provider import EventBridgeTargetProvider


class TargetReader(OwnedReader):
    """Reads targets of others."""

    of = EventBridgeTargetProvider
