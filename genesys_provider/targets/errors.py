"""What can go wrong with a target, under the tree that `genesys_provider.client.errors` draws."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from genesys_provider.client.errors import GenesysError

if TYPE_CHECKING:
    from genesys_provider.targets.models import Fault, Target


class InvalidTarget(GenesysError):
    """Rules of the contract are broken; nothing was sent. `faults` has each with its property path."""

    hint = "Mend the properties that are named"

    def __init__(self, name: object, faults: Sequence[Fault]) -> None:
        listed = "; ".join(f"{fault.path} {fault.reason}" for fault in faults)
        super().__init__(f"target {name!r} is not valid: {listed}")
        self.faults = list(faults)


class NameTaken(GenesysError):
    """The organisation has a target of this name, and it is not ours to change."""

    def __init__(self, name: str, target_id: str, owner: str | None, wanted_by: str | None) -> None:
        whose = f"is owned by {owner}" if owner else "was not made by Pulumi"
        super().__init__(f"the name {name!r} is taken by target {target_id}, which {whose}")
        self.target_id = target_id
        self.owner = owner
        if wanted_by and owner and owner.rpartition("/")[0] == wanted_by.rpartition("/")[0]:
            former = owner.rpartition("/")[2]
            self.hint = (
                f"If that resource of this stack was renamed, add opts=pulumi.ResourceOptions("
                f"aliases=[pulumi.Alias(name={former!r})]); otherwise give one of the two another name"
            )
        else:
            self.hint = (
                "Give this target another name, or, if it is to be managed here, take it over with "
                f"`pulumi import pulumi-python:dynamic/genesys:EventBridgeTarget <resource> {target_id}`"
            )


class NotVerified(GenesysError):
    """The target exists, as `target` says, but is not known to be verified."""

    def __init__(self, message: str, target: Target, *, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.target = target


class VerificationFailed(NotVerified):
    """The verdict is `FAILED` or `TIMEOUT`: the endpoint did not accept the verification's POST [S]."""

    hint = (
        "The endpoint must accept a POST with JSON from outside and answer 2xx: check its firewall (does it let "
        "Genesys Cloud's addresses through?), its credentials and its certificate, then run `pulumi up` again"
    )


class VerificationTimeout(NotVerified):
    """No verdict came within the time limit."""

    hint = (
        "Run `pulumi up` again, or allow more time: verification_timeout of the target, "
        "genesys:verificationTimeout, or customTimeouts"
    )


class VerificationCancelled(NotVerified):
    """The run was cancelled during the wait."""

    hint = "The target is in the state; the next `pulumi up` goes on with it"


class VerificationUnknown(NotVerified):
    """The verdict could not be asked for."""


class SyncFailed(GenesysError):
    """The gateway did not take the webhook."""

    hint = (
        "Check that the gateway is up, that genesys:caFile trusts its certificate, and that both sides have the "
        "same signing secret and the right time on their clocks; with required=False a sync that fails is only a "
        "warning"
    )
