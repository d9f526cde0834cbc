"""What the engine asks of an `EventBridgeTarget.get`: to read a target, and nothing else."""

from __future__ import annotations

from genesys_provider.resources.owned_reader import OwnedReader
from genesys_provider.resources.target_provider import EventBridgeTargetProvider


class TargetReader(OwnedReader):
    """Reads targets that are not this stack's."""

    of = EventBridgeTargetProvider
