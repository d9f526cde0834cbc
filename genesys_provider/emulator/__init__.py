"""An emulator of Genesys Cloud's EventBridge targets and integrations, and a local gateway that receives events.

It implements the project's API contract, and performs what it promises: it verifies endpoints, activates
integrations, delivers events, and injects faults on demand. Needs the extra `emulator`.
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
