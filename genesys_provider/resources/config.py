"""The config of a provider: the stack's for the default provider, its own for an explicit one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache

from pulumi.dynamic import CheckFailure, ConfigureRequest
from pulumi.output import Unknown

from genesys_provider.client.errors import ConfigurationError
from genesys_provider.client.settings import ENVIRONMENT, NAMESPACE, Settings
from genesys_provider.resources.explicit_provider import PROVIDER_NAME
from genesys_provider.resources.words import said


def config_of(request: ConfigureRequest) -> dict[str, object]:
    """The config keys in our namespace, without the namespace."""
    return {key: request.config.get(f"{NAMESPACE}:{key}") for key in (*ENVIRONMENT, PROVIDER_NAME)}


def settings_of(config: Mapping[str, object]) -> Settings:
    """The settings in a config. Only the stack's config is completed from the environment.

    Raises:
        ConfigurationError: A value is invalid, or an explicit provider lacks one.
    """
    # As text, since a value of the wrong type may be a list, which is no key of a cache.
    return _settings(json.dumps(dict(config)))


@cache  # Cached, since each operation asks. The environment does not change while the process runs.
def _settings(written: str) -> Settings:
    config = json.loads(written)
    provider = config.get(PROVIDER_NAME)
    return Settings.of_provider(config, str(provider)) if provider else Settings.resolve(config)


def failures(config: Mapping[str, object]) -> list[CheckFailure]:
    """The faults in the config of an explicit provider: the entry point that the host calls in `CheckConfig`.

    The stack's config passes through here too. It is only checked when a resource needs it, since the stack may use
    the host just for other resources. While a preview does not know all values, only missing keys are faults.

    Args:
        config: All keys, with their namespaces.
    """
    prefix = f"{NAMESPACE}:"
    ours = {key[len(prefix) :]: value for key, value in config.items() if key.startswith(prefix)}
    if PROVIDER_NAME not in ours:
        return []
    try:
        if any(isinstance(value, Unknown) for value in ours.values()):
            Settings.require_arguments(ours, str(ours[PROVIDER_NAME]))
        else:
            settings_of(ours)
    except ConfigurationError as error:
        # Without a property, since the engine would show its value, which may be a secret.
        return [CheckFailure("", said(error))]
    return []
