"""What the engine asks of an `EventBridgeSource.get`: to read a source, and nothing else."""

from __future__ import annotations

from genesys_provider.resources.owned_reader import OwnedReader
from genesys_provider.resources.source_provider import EventBridgeSourceProvider


class SourceReader(OwnedReader):
    """Reads sources that are not this stack's."""

    of = EventBridgeSourceProvider
