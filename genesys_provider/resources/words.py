"""Errors for Pulumi users: config keys or arguments instead of environment variables, and the command to run next.

The domain also serves scripts, so it knows neither. Only for problems that scripts can't have (`ownership`,
`names`) it names the command itself.
"""

from __future__ import annotations

from genesys_provider.client.errors import (
    ConfigurationError,
    GenesysError,
    MissingSetting,
    NotFound,
    Unauthorized,
)
from genesys_provider.client.settings import Settings, with_config_keys
from genesys_provider.common.organization import OtherOrganization
from genesys_provider.sources.errors import (
    ActivationCancelled,
    ActivationFailed,
    ActivationTimeout,
    SourceChanged,
)
from genesys_provider.targets.errors import (
    SyncFailed,
    SyncRefused,
    VerificationCancelled,
    VerificationFailed,
    VerificationTimeout,
)

_HINTS = {
    ConfigurationError.hint: (
        "Set it with `pulumi config set`, or with the corresponding environment variable"
    ),
    NotFound.hint: "It may have been deleted by hand: `pulumi refresh` corrects the state",
    Unauthorized.hint: (
        "Check that genesys:clientId and genesys:clientSecret belong to a client-credentials OAuth client of this "
        "organization, and that genesys:region, or genesys:apiUrl and genesys:loginUrl, are those of the "
        "organization; if so, make a new secret in Genesys Cloud under Admin > Integrations > OAuth"
    ),
    OtherOrganization.hint: (
        "Set the OAuth client, genesys:region and genesys:apiUrl back to those of its organization, and run "
        "`pulumi up`: a plain refresh or destroy uses the settings of the last one. To move the stack to the other "
        "one, run `pulumi destroy` with the old configuration first. If that organization or resource no longer "
        "exists, remove it from the state, with what depends on it: `pulumi state delete --target-dependents "
        "'<its URN>'` (`pulumi stack --show-urns` lists the URNs)"
    ),
    ActivationCancelled.hint: "The source is in the state; the next `pulumi up` goes on with it",
    ActivationFailed.hint: (
        "See the reason, check aws_account_id and aws_region, and whether another source has the suffix, then "
        "run `pulumi up` again"
    ),
    ActivationTimeout.hint: (
        "Run `pulumi up` again, or allow more time: activation_timeout of the source, or customTimeouts"
    ),
    SourceChanged.hint: (
        "Run `pulumi up --refresh`: it shows what was changed, and restores what the program says"
    ),
    SyncFailed.hint: (
        "Check that webhook_url is right, that the gateway is up, and that genesys:caFile trusts its certificate; "
        "with required=False a failed sync is only a warning"
    ),
    SyncRefused.hint: (
        "Check that webhook_url is right, and that both sides have the same signing secret and correct clocks; the "
        "gateway's log may say more; with required=False a failed sync is only a warning"
    ),
    VerificationCancelled.hint: "The target is in the state; the next `pulumi up` goes on with it",
    VerificationFailed.hint: (
        "The endpoint must answer a POST from Genesys Cloud with 2xx: check its URL, firewall, credentials and "
        "certificate, then run `pulumi up` again"
    ),
    VerificationTimeout.hint: (
        "Run `pulumi up` again, or allow more time: verification_timeout of the target, "
        "genesys:verificationTimeout, or customTimeouts"
    ),
}
"""By the hint for scripts, since an error may have the hint of another one."""

AFTER_A_ROTATION = (
    "If it is new already, run `pulumi up` first: a plain refresh or destroy uses the secret of the last `up` "
    "(with --run-program it uses the current one)"
)
"""What to add where the login was refused with a secret from the state."""


def said(error: GenesysError, settings: Settings | None = None) -> str:
    """The text of an error for the user of a stack.

    Args:
        error: The error.
        settings: What the resource's provider is configured with, if that is known: an explicit provider is named,
            and its arguments take the place of config keys.
    """
    text = _said(error)
    return text if settings is None else settings.in_its_words(text)


def _said(error: GenesysError) -> str:
    if isinstance(error, MissingSetting):
        key = with_config_keys(error.variable)
        return error.saying(
            f"{key} is not set",
            f"Run `pulumi config set {key} …` (with --secret for a secret), or set the environment variable "
            f"{error.variable}",
        )
    hint = _HINTS.get(error.hint) or with_config_keys(error.hint)
    return error.saying(error.message, hint)
