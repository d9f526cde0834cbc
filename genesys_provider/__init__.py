"""Genesys Cloud EventBridge as code.

A stack declares `EventBridgeTarget`, `EventBridgeSource` and `GatewaySync`, and a `GenesysProvider` for each
organization where it works in several. A script without Pulumi uses `TargetManager` and `SourceManager`.

Each name is loaded when it is first used: a program that only declares loads no HTTP client, a script no Pulumi.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from genesys_provider.client.errors import GenesysError
    from genesys_provider.client.settings import Settings
    from genesys_provider.common.errors import NameTaken
    from genesys_provider.resources.explicit_provider import GenesysProvider
    from genesys_provider.resources.source import EventBridgeSource
    from genesys_provider.resources.sync import GatewaySync
    from genesys_provider.resources.target import EventBridgeTarget
    from genesys_provider.sources.manager import SourceManager
    from genesys_provider.sources.models import SourceConfig
    from genesys_provider.targets.inputs import BasicAuth, JwtAuth, OAuth2Auth, RetryPolicy
    from genesys_provider.targets.manager import TargetManager
    from genesys_provider.targets.models import TargetConfig

__all__ = [
    "BasicAuth",
    "EventBridgeSource",
    "EventBridgeTarget",
    "GatewaySync",
    "GenesysError",
    "GenesysProvider",
    "JwtAuth",
    "NameTaken",
    "OAuth2Auth",
    "RetryPolicy",
    "Settings",
    "SourceConfig",
    "SourceManager",
    "TargetConfig",
    "TargetManager",
]

_HOMES = {
    "BasicAuth": "targets.inputs",
    "EventBridgeSource": "resources.source",
    "EventBridgeTarget": "resources.target",
    "GatewaySync": "resources.sync",
    "GenesysError": "client.errors",
    "GenesysProvider": "resources.explicit_provider",
    "JwtAuth": "targets.inputs",
    "NameTaken": "common.errors",
    "OAuth2Auth": "targets.inputs",
    "RetryPolicy": "targets.inputs",
    "Settings": "client.settings",
    "SourceConfig": "sources.models",
    "SourceManager": "sources.manager",
    "TargetConfig": "targets.models",
    "TargetManager": "targets.manager",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
