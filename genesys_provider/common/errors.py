"""Errors of targets and sources alike, in the tree that `genesys_provider.client.errors` draws."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from genesys_provider.client.errors import GenesysError

if TYPE_CHECKING:
    from genesys_provider.common.faults import Fault
    from genesys_provider.common.owned import Owned


class Invalid(GenesysError):
    """Rules of the contract are broken; nothing was sent. `faults` has each of them with its property path.

    Args:
        what: What is invalid: "target 'orders'".
        faults: All broken rules.
    """

    hint = "Correct the properties that are named"

    def __init__(self, what: str, faults: Sequence[Fault]) -> None:
        super().__init__(f"{what} is not valid: {'; '.join(map(str, faults))}")
        self.faults = list(faults)


class NameTaken(GenesysError):
    """Another object of the organization, the `holder`, has the name or another value that must be unique.

    Args:
        what: What is taken: "the name 'orders'".
        holder: The object that has it.
        hint: The way out.
    """

    def __init__(self, what: str, holder: Owned, *, hint: str) -> None:
        super().__init__(f"{what} is taken by {holder.kind} {holder.id}, which {_whose(holder)}", hint=hint)
        self.holder = holder


class OwnedByAnother(GenesysError):
    """Another resource has taken over the object, which was left unchanged."""

    def __init__(self, owned: Owned, *, hint: str) -> None:
        super().__init__(
            f"{owned.kind} {owned.name!r} ({owned.id}) is now owned by {owned.owner}, so it was left unchanged",
            hint=hint,
        )


class ReplacementRefused(GenesysError):
    """A create-before-delete replacement would adopt the very object that the engine then deletes.

    Args:
        holder: The object that has the name.
        urn: The URN of its resource, quoted for a shell.
        another: What the user can change to avoid the conflict, for the hint.
    """

    def __init__(self, holder: Owned, urn: str, another: str = "name (`name=`)") -> None:
        what = another.partition(" ")[0]
        super().__init__(
            f"{holder.kind} {holder.name!r} ({holder.id}) can't be replaced by one of the same {what} while it is "
            "there",
            hint=(
                "Remove `delete_before_replace=False` from the resource's options, so that the old one is deleted "
                "first (one left behind by an earlier run is adopted). Or give the new one another "
                f"{another}. To keep that {holder.kind} (`retain_on_delete=True`), run "
                f"`pulumi state delete {urn} --target-dependents`, and the next `pulumi up` takes it over"
            ),
        )


class Unfinished(GenesysError):
    """The object (`thing`) exists, but may not be in its desired state."""

    def __init__(self, message: str, thing: Owned, *, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.thing = thing


class StillThere(GenesysError):
    """The service accepted the deletion, or did not find the object, but still shows it."""

    hint = "Run the command again later; it is safe to delete what is already gone"

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} was deleted, but Genesys Cloud still shows it")


def _whose(owned: Owned) -> str:
    return f"is owned by {owned.owner}" if owned.owner else "is owned by no stack"
