"""An emulator of Genesys Cloud's EventBridge targets and integrations, and a local gateway that takes events.

It models the project's API contract, and really does what it answers: it verifies endpoints, activates
integrations, delivers events and lets things go wrong on demand. Needs the extra `emulator`.
"""

from genesys_provider.emulator.app import EmulatorSettings
from genesys_provider.emulator.behaviour import Behaviour, BehaviourError
from genesys_provider.emulator.database import StateFileError
from genesys_provider.emulator.gateway import GatewaySettings
from genesys_provider.emulator.server import EmulatorServer, GatewayServer

__all__ = [
    "Behaviour",
    "BehaviourError",
    "EmulatorServer",
    "EmulatorSettings",
    "GatewayServer",
    "GatewaySettings",
    "StateFileError",
]
