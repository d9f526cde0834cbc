"""What the host asks about the settings of an explicit provider, before anything is configured with them."""

from __future__ import annotations

from collections.abc import Mapping

from pulumi.dynamic import CheckFailure
from pulumi.output import Unknown

from genesys_provider.resources.explicit_provider import NAMESPACE, PROVIDER_NAME


def failures(config: Mapping[str, object]) -> list[CheckFailure]:
    """What is wrong with the config of a provider, as far as its values are known yet.

    That of the default provider, the stack's, is looked at when it is needed: it may be for other resources alone.

    Args:
        config: All keys, with their namespaces.
    """
    ours = {key.removeprefix(f"{NAMESPACE}:"): value for key, value in config.items()}
    if PROVIDER_NAME not in ours or any(isinstance(value, Unknown) for value in ours.values()):
        return []
    # Only here: the default provider's config passes through in each command.
    from genesys_provider.client.errors import ConfigurationError
    from genesys_provider.resources.session import settings_of
    from genesys_provider.resources.words import said

    try:
        settings_of(ours)
    except ConfigurationError as error:
        return [CheckFailure("", said(error))]
    return []
