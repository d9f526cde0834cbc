"""The engine's operations for an `EventBridgeSource.get`: only to read."""

from __future__ import annotations

from genesys_provider.resources.owned_reader import OwnedReader
from genesys_provider.resources.source_provider import EventBridgeSourceProvider


class SourceReader(OwnedReader):
    """Reads sources of others."""

    of = EventBridgeSourceProvider
