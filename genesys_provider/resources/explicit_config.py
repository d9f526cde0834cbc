"""Validates the settings of an explicit provider before they are used."""

from __future__ import annotations

from collections.abc import Mapping

from pulumi.dynamic import CheckFailure
from pulumi.output import Unknown

from genesys_provider.resources.explicit_provider import NAMESPACE, PROVIDER_NAME


def failures(config: Mapping[str, object]) -> list[CheckFailure]:
    """The faults in a provider's config, as far as its values are known.

    The default provider's config, which is the stack's, is only checked on use: it may be for other resources.

    Args:
        config: All keys, with their namespaces.
    """
    ours = {key.removeprefix(f"{NAMESPACE}:"): value for key, value in config.items()}
    if PROVIDER_NAME not in ours:
        return []
    # Imported late, since every command passes the default provider's config through here.
    from genesys_provider.client.errors import ConfigurationError
    from genesys_provider.client.settings import Settings
    from genesys_provider.resources.session import settings_of
    from genesys_provider.resources.words import said

    try:
        if any(isinstance(value, Unknown) for value in ours.values()):
            Settings.require_arguments(ours, str(ours[PROVIDER_NAME]))
        else:
            settings_of(ours)
    except ConfigurationError as error:
        return [CheckFailure("", said(error))]
    return []
