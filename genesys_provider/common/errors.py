"""What can go wrong with a target as with a source, under the tree that `genesys_provider.client.errors` draws."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from genesys_provider.client.errors import GenesysError

if TYPE_CHECKING:
    from genesys_provider.common.faults import Fault
    from genesys_provider.common.organization import Organization
    from genesys_provider.common.ownership import Owned


class Invalid(GenesysError):
    """Rules of the contract are broken; nothing was sent. `faults` has each with its property path.

    Args:
        what: Whose they are: «target 'orders'».
        faults: All of them.
    """

    hint = "Mend the properties that are named"

    def __init__(self, what: str, faults: Sequence[Fault]) -> None:
        super().__init__(f"{what} is not valid: {'; '.join(map(str, faults))}")
        self.faults = list(faults)


class OtherOrganization(GenesysError):
    """The configured organization is not the one that it belongs to; nothing was sent to it."""

    hint = (
        "Set GENESYSCLOUD_REGION, GENESYSCLOUD_API_URL and the OAuth client back to those of the organization that "
        "it belongs to"
    )

    def __init__(self, what: str, recorded: Organization, now: Organization) -> None:
        super().__init__(f"{what} belongs to {recorded}, but the configuration leads to {now}")
        self.recorded = recorded
        self.now = now


class NameTaken(GenesysError):
    """Another one of the organization has the name, or what else must be unique: the `holder`.

    Args:
        what: What is taken: «the name 'orders'».
        holder: Who has it.
        hint: The way out.
    """

    def __init__(self, what: str, holder: Owned, *, hint: str) -> None:
        super().__init__(f"{what} is taken by {holder.kind} {holder.id}, which {_whose(holder)}", hint=hint)
        self.holder = holder


class OwnedByAnother(GenesysError):
    """Another resource has taken it over: it was left as it is."""

    def __init__(self, owned: Owned, *, hint: str) -> None:
        super().__init__(
            f"{owned.kind} {owned.name!r} ({owned.id}) {_whose(owned)} by now, and was left as it is",
            hint=hint,
        )


class ReplacementRefused(GenesysError):
    """A replacement that creates first would adopt the very one that the engine then deletes.

    Args:
        holder: The one that has the name.
        urn: Its resource, as a shell takes it.
        another: What to give instead, for the hint, where it is not the name that both would have.
    """

    def __init__(self, holder: Owned, urn: str, another: str = "name (`name=`)") -> None:
        what = another.partition(" ")[0]
        super().__init__(
            f"{holder.kind} {holder.name!r} ({holder.id}) can't be replaced by one of the same {what} while it is "
            "there",
            hint=(
                "Remove `delete_before_replace=False` from the resource's options: then the old one is deleted "
                "before the new one is made, and one that an earlier run left behind is taken over. Or give the "
                f"new one another {another}. With `retain_on_delete=True` the old one keeps the {what}: to keep "
                f"that {holder.kind}, run `pulumi state delete {urn} --target-dependents`, and the next "
                "`pulumi up` takes it over"
            ),
        )


class Unfinished(GenesysError):
    """It exists, as `thing` says, but is not known to be as it is to be."""

    def __init__(self, message: str, thing: Owned, *, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.thing = thing


class StillThere(GenesysError):
    """The service took the deletion, or did not know what to delete, but goes on showing it."""

    hint = "Run the command again later: deleting what is gone by then does no harm"

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} was deleted, but Genesys Cloud still shows it")


def _whose(owned: Owned) -> str:
    return f"is owned by {owned.owner}" if owned.owner else "is owned by no stack"
