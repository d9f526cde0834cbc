"""Errors of targets, in the tree that `genesys_provider.client.errors` draws."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genesys_provider.client.errors import GenesysError
from genesys_provider.common.errors import Unfinished

if TYPE_CHECKING:
    from genesys_provider.targets.models import Target


class NotVerified(Unfinished):
    """The target (`target`) exists, but may not be verified."""

    def __init__(self, message: str, target: Target, *, hint: str | None = None) -> None:
        super().__init__(message, target, hint=hint)
        self.target = target


class VerificationFailed(NotVerified):
    """The verdict is `FAILED` or `TIMEOUT`: the endpoint did not accept the verification POST [S]."""

    hint = (
        "The endpoint must answer a POST from Genesys Cloud with 2xx: check its URL, firewall, credentials and "
        "certificate, then try again"
    )


class VerificationTimeout(NotVerified):
    """There was no verdict within the time limit."""

    hint = "Try again, or allow more time: `timeout` of the call, or GENESYSCLOUD_VERIFICATION_TIMEOUT"


class VerificationCancelled(NotVerified):
    """The run was cancelled during the wait."""

    hint = "The target exists: register it again to continue"


class VerificationUnknown(NotVerified):
    """The verdict could not be read."""


class SyncFailed(GenesysError):
    """The gateway did not accept the webhook: it gave no answer, or `SyncRefused`."""

    hint = (
        "Check that the webhook's URL is right, that the gateway is up, and that GENESYSCLOUD_CA_FILE trusts its "
        "certificate"
    )


class SyncRefused(SyncFailed):
    """The gateway answered, but with an error."""

    hint = (
        "Check that the webhook's URL is right, and that both sides have the same signing secret and correct "
        "clocks; the gateway's log may say more"
    )
