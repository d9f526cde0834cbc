"""What a provider's config says: the stack's for the default provider, its own for an explicit one."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from pulumi.dynamic import CheckFailure, ConfigureRequest
from pulumi.output import Unknown

from genesys_provider.client.errors import ConfigurationError
from genesys_provider.client.settings import ENVIRONMENT, Settings
from genesys_provider.resources.explicit_provider import NAMESPACE, PROVIDER_NAME
from genesys_provider.resources.words import said


def config_of(request: ConfigureRequest) -> dict[str, object]:
    """The config keys of our namespace, without it."""
    return {key: request.config.get(f"{NAMESPACE}:{key}") for key in (*ENVIRONMENT, PROVIDER_NAME)}


def settings_of(config: Mapping[str, object]) -> Settings:
    """The settings that a config stands for. Only the stack's is completed from the environment.

    Raises:
        ConfigurationError: A value is invalid, or an explicit provider lacks one.
    """
    return _settings(tuple(config.items()))


@cache  # Each operation asks. The environment stays the same as long as the process lives.
def _settings(items: tuple[tuple[str, object], ...]) -> Settings:
    return _resolved(dict(items))


def _resolved(config: Mapping[str, object]) -> Settings:
    provider = config.get(PROVIDER_NAME)
    return Settings.of_provider(config, str(provider)) if provider else Settings.resolve(config)


def failures(config: Mapping[str, object]) -> list[CheckFailure]:
    """What is wrong with the config of an explicit provider: the entry point that the host calls in `CheckConfig`.

    The stack's config passes through here too. It is not judged before a resource needs it, since the stack may use
    the host for other resources only. While a preview does not know all values, only what is missing is a fault.

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
            # Not from the cache: a value of the wrong kind may be a list.
            _resolved(ours)
    except ConfigurationError as error:
        # On no property: of one that is named, the engine shows the value, and it may be a secret.
        return [CheckFailure("", said(error))]
    return []
