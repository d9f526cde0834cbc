"""The wording of errors for scripts, and for users of a stack."""

from __future__ import annotations

import pytest

from genesys_provider.client.errors import (
    ConfigurationError,
    ConnectionFailed,
    GenesysError,
    MissingSetting,
    NotFound,
    RateLimited,
    Unauthorized,
    UnexpectedAnswer,
)
from genesys_provider.client.settings import ENVIRONMENT, Settings
from genesys_provider.client.transport import where_to_look
from genesys_provider.common.organization import Organization, OtherOrganization
from genesys_provider.resources import words
from genesys_provider.resources.words import said
from genesys_provider.sources.errors import (
    ActivationCancelled,
    ActivationFailed,
    ActivationTimeout,
    ActivationUnknown,
    SourceChanged,
)
from genesys_provider.sources.models import Source
from genesys_provider.targets.errors import (
    SyncFailed,
    SyncRefused,
    VerificationCancelled,
    VerificationFailed,
    VerificationTimeout,
    VerificationUnknown,
)
from genesys_provider.targets.models import Target

TARGET = Target(id="id-1", name="orders", endpoint_url="https://a.example", status="FAILED")
SOURCE = Source(id="id-2", name="orders")
HERE = Organization("here", "https://api.example")
URL = "https://api.example"
UNAUTHORIZED = Unauthorized("no", status=401)

ERRORS: dict[GenesysError, str] = {
    ConfigurationError("it is wrong"): "it is wrong. Set it with `pulumi config set`",
    MissingSetting(ENVIRONMENT["clientSecret"]): (
        "genesys:clientSecret is not set. Run `pulumi config set genesys:clientSecret …` (with --secret for a "
        "secret), or set the environment variable GENESYSCLOUD_OAUTHCLIENT_SECRET"
    ),
    ConnectionFailed(
        "no", maybe_acted=False
    ): "genesys:region, or genesys:apiUrl and genesys:loginUrl, are right",
    UnexpectedAnswer("no"): "check genesys:apiUrl and the proxy",
    UNAUTHORIZED: "genesys:clientId and genesys:clientSecret belong to",
    NotFound("no", status=404): "`pulumi refresh` corrects the state",
    RateLimited("no", status=429): "raise genesys:maxRetries",
    OtherOrganization("target 'orders'", HERE, HERE): "run `pulumi destroy` with the old configuration first",
    ActivationCancelled("no", SOURCE): "the next `pulumi up` goes on with it",
    ActivationFailed("no", SOURCE): "check aws_account_id and aws_region",
    ActivationTimeout("no", SOURCE): "Run `pulumi up` again, or allow more time: activation_timeout",
    ActivationUnknown("no", SOURCE, hint=NotFound.hint): "`pulumi refresh` corrects the state",
    SourceChanged("no"): "Run `pulumi up --refresh`",
    SyncFailed("no"): "that genesys:caFile trusts its certificate",
    SyncRefused("no"): "Check that webhook_url is right, and that both sides have the same signing secret",
    VerificationCancelled("no", TARGET): "the next `pulumi up` goes on with it",
    VerificationFailed("no", TARGET): "then run `pulumi up` again",
    VerificationTimeout("no", TARGET): "Run `pulumi up` again, or allow more time: verification_timeout",
    # An error may have the hint of its cause.
    VerificationUnknown("no", TARGET, hint=NotFound.hint): "`pulumi refresh` corrects the state",
}


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_a_pulumi_user_gets_advice_about_pulumi(error: GenesysError) -> None:
    to_a_script = str(error)
    assert "pulumi" not in to_a_script
    assert "genesys:" not in to_a_script
    to_a_stack = said(error)
    assert ERRORS[error] in to_a_stack
    assert "GENESYSCLOUD_" not in to_a_stack.partition("or set the environment variable")[0]
    # The error itself stays unchanged, since others may show it too.
    assert str(error) == to_a_script


def test_the_user_of_an_explicit_provider_gets_its_arguments() -> None:
    settings = Settings.of_provider({"clientId": "id", "clientSecret": "canary", "region": "eu-west-1"}, "eu")
    assert "that client_id and client_secret of provider 'eu' belong to" in said(UNAUTHORIZED, settings)
    assert "genesys:" not in said(UNAUTHORIZED, settings)


def test_a_provider_with_urls_is_not_asked_about_its_region() -> None:
    config = {"clientId": "id", "clientSecret": "canary", "apiUrl": URL, "loginUrl": f"{URL}/login"}
    settings = Settings.of_provider(config, "eu")
    error = UnexpectedAnswer("no", hint=where_to_look("loginUrl", settings))
    assert f"check login_url of provider 'eu', which leads to {URL}/login" in said(error, settings)
    assert "region" not in said(error, settings)
    refused = said(UNAUTHORIZED, settings)
    assert "or api_url and login_url of provider 'eu', are those of the organization" in refused


def test_no_two_errors_have_the_same_hint_for_scripts() -> None:
    """Otherwise one would get the wording of the other."""
    kinds = [GenesysError]
    for kind in kinds:
        kinds += kind.__subclasses__()
    hints = {kind.hint for kind in kinds if kind.hint in words._HINTS}
    assert hints == set(words._HINTS)
