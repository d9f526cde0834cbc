"""What can go wrong with a source, under the tree that `genesys_provider.client.errors` draws."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genesys_provider.client.errors import Conflict, GenesysError
from genesys_provider.common.errors import Unfinished

if TYPE_CHECKING:
    from genesys_provider.sources.models import Source


class NotActive(Unfinished):
    """The source exists, as `source` says, but is not known to be what it is to be: active, or inactive."""

    def __init__(self, message: str, source: Source, *, hint: str | None = None) -> None:
        super().__init__(message, source, hint=hint)
        self.source = source


class ActivationFailed(NotActive):
    """Genesys Cloud says `ERROR` [G]."""

    hint = (
        "Look at the reason, check the AWS account and region, and whether another source has the suffix, then "
        "try again"
    )


class ActivationTimeout(NotActive):
    """The source did not get there within the time limit."""

    hint = "Try again, or allow more time: `timeout` of the call"


class ActivationCancelled(NotActive):
    """The run was cancelled during the wait."""

    hint = "The source is there: to register it again goes on with it"


class ActivationUnknown(NotActive):
    """Whether it got there could not be asked for, or the steps before could not be finished."""


class SourceChanged(GenesysError):
    """Another hand has changed the configuration between the reading and the write: it was left as it is."""

    hint = "Read the source again, and decide which of the two it is to be"


class TooManySources(GenesysError):
    """The service takes no more integrations of this type, or has another reason not to make one."""

    hint = (
        "An organization may have so many integrations of a type (`maxInstances`): delete one that is not needed, "
        "or ask Genesys Cloud for more"
    )

    def __init__(self, error: Conflict) -> None:
        super().__init__(error.saying(f"no source can be made: {error.message}", "").rstrip(". "))


class OtherType(GenesysError):
    """The id is that of an integration of another type."""

    hint = "Take the id of an integration of the type Amazon EventBridge Source"

    def __init__(self, source_id: str, type_: str) -> None:
        super().__init__(f"{source_id} is an integration of the type {type_}, not an event source")
