"""What can go wrong with a target, under the tree that `genesys_provider.client.errors` draws."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from genesys_provider.client.errors import GenesysError

if TYPE_CHECKING:
    from genesys_provider.targets.models import Fault, Target
    from genesys_provider.targets.organization import Organization


class InvalidTarget(GenesysError):
    """Rules of the contract are broken; nothing was sent. `faults` has each with its property path."""

    hint = "Mend the properties that are named"

    def __init__(self, name: object, faults: Sequence[Fault]) -> None:
        listed = "; ".join(f"{fault.path} {fault.reason}" for fault in faults)
        super().__init__(f"target {name!r} is not valid: {listed}")
        self.faults = list(faults)


class OtherOrganization(GenesysError):
    """The configured organization is not the one that the target belongs to; nothing was sent to it."""

    hint = (
        "Set GENESYSCLOUD_REGION, GENESYSCLOUD_API_URL and the OAuth client back to those of the target's "
        "organization"
    )

    def __init__(self, what: str, recorded: Organization, now: Organization) -> None:
        super().__init__(f"{what} belongs to {recorded}, but the configuration leads to {now}")
        self.recorded = recorded
        self.now = now


class NameTaken(GenesysError):
    """Another target of the organization has the name; `holder` is that target."""

    def __init__(self, name: str, holder: Target, *, hint: str) -> None:
        super().__init__(
            f"the name {name!r} is taken by target {holder.id}, which {_whose(holder)}", hint=hint
        )
        self.holder = holder


class OwnedByAnother(GenesysError):
    """Another resource has taken the target over: it was left as it is."""

    def __init__(self, target: Target, *, hint: str) -> None:
        super().__init__(
            f"target {target.name!r} ({target.id}) {_whose(target)} by now, and was left as it is", hint=hint
        )
        self.target = target


class ReplacementRefused(GenesysError):
    """A replacement that creates first would adopt the target that the engine then deletes.

    Args:
        target: The target that has the name.
        urn: Its resource, as a shell takes it.
    """

    def __init__(self, target: Target, urn: str) -> None:
        super().__init__(
            f"target {target.name!r} ({target.id}) can't be replaced by one of the same name while it is there",
            hint=(
                "Remove `delete_before_replace=False` from the resource's options: then the old target is deleted "
                "before the new one is made, and one that an earlier run left behind is taken over. Or give the "
                "new one another name (`name=`). With `retain_on_delete=True` the old one keeps the name: to keep "
                f"that target, run `pulumi state delete {urn} --target-dependents`, and the next `pulumi up` takes "
                "it over"
            ),
        )


class StillThere(GenesysError):
    """The service took the deletion of a target, or did not know it, but goes on showing it."""

    hint = "Run the command again later: deleting what is gone by then does no harm"

    def __init__(self, target_id: str) -> None:
        super().__init__(f"target {target_id} was deleted, but Genesys Cloud still shows it")


class NotVerified(GenesysError):
    """The target exists, as `target` says, but is not known to be verified."""

    def __init__(self, message: str, target: Target, *, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.target = target


class VerificationFailed(NotVerified):
    """The verdict is `FAILED` or `TIMEOUT`: the endpoint did not accept the verification's POST [S]."""

    hint = (
        "The endpoint must accept a POST with JSON from outside and answer 2xx: check its firewall (does it let "
        "Genesys Cloud's addresses through?), its credentials and its certificate, then try again"
    )


class VerificationTimeout(NotVerified):
    """No verdict came within the time limit."""

    hint = "Try again, or allow more time: `timeout` of the call, or GENESYSCLOUD_VERIFICATION_TIMEOUT"


class VerificationCancelled(NotVerified):
    """The run was cancelled during the wait."""

    hint = "The target is there: to register it again goes on with it"


class VerificationUnknown(NotVerified):
    """The verdict could not be asked for."""


class SyncFailed(GenesysError):
    """The gateway did not take the webhook."""

    hint = (
        "Check that the gateway is up, that GENESYSCLOUD_CA_FILE trusts its certificate, and that both sides have "
        "the same signing secret and the right time on their clocks"
    )


def _whose(target: Target) -> str:
    return f"is owned by {target.owner}" if target.owner else "is owned by no stack"
