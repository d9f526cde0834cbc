"""Errors of sources, in the tree that `genesys_provider.client.errors` draws."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genesys_provider.client.errors import Conflict, GenesysError
from genesys_provider.common.errors import Unfinished

if TYPE_CHECKING:
    from genesys_provider.sources.models import Source


class NotActive(Unfinished):
    """The source (`source`) exists, but may not be in its desired state, active or inactive."""

    def __init__(self, message: str, source: Source, *, hint: str | None = None) -> None:
        super().__init__(message, source, hint=hint)
        self.source = source


class ActivationFailed(NotActive):
    """Genesys Cloud reports `ERROR` [G]."""

    hint = (
        "See the reason, check the AWS account and region, and whether another source has the suffix, then "
        "try again"
    )


class ActivationTimeout(NotActive):
    """The source did not reach the state within the time limit."""

    hint = "Try again, or allow more time: `timeout` of the call"


class ActivationCancelled(NotActive):
    """The run was cancelled during the wait."""

    hint = "The source exists: register it again to continue"


class ActivationUnknown(NotActive):
    """The state could not be read, or a step before it failed."""


class SourceChanged(GenesysError):
    """Somebody else changed the configuration between our read and our write; it was left unchanged."""

    hint = "Read the source again, and decide which configuration it should have"


class TooManySources(GenesysError):
    """The service accepts no more integrations of this type, or has another reason not to create one."""

    hint = (
        "An organization has a maximum number of integrations of each type (`maxInstances`): delete one that is "
        "not needed, or ask Genesys Cloud for more"
    )

    def __init__(self, error: Conflict) -> None:
        super().__init__(error.saying(f"no source can be created: {error.message}", "").rstrip(". "))


class OtherType(GenesysError):
    """The id belongs to an integration of another type."""

    hint = "Use the id of an integration of the type Amazon EventBridge Source"

    def __init__(self, source_id: str, type_: str) -> None:
        super().__init__(f"{source_id} is an integration of the type {type_}, not an event source")
