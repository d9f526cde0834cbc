"""`GenesysProvider`: one of several organizations in a program."""

from __future__ import annotations

from typing import Any

import pulumi

from genesys_provider.client.settings import ENVIRONMENT, NAMESPACE
from genesys_provider.resources.arguments import Arguments
from genesys_provider.resources.options import PropertyNames, with_the_states_names

PROVIDER_NAME = "providerName"
"""The config key that distinguishes an explicit provider from the default one; its value is its name in errors."""

_NAMES = PropertyNames(
    inputs=tuple(ENVIRONMENT),
    outputs=(),
    namespace=f"{NAMESPACE}:",
)
_WANTED_PATH = "the path of a file: text"


class GenesysProvider(pulumi.ProviderResource):
    """The settings of one Genesys Cloud organization, for the resources that name it as their provider.

        eu = GenesysProvider("eu", region="eu-central-1", client_id=…, client_secret=…)
        EventBridgeTarget("orders", …, opts=pulumi.ResourceOptions(provider=eu))

    It never takes missing settings from the stack's config or the environment: `client_id`, `client_secret` and the
    location of the organization (`region`, or `api_url` and `login_url`) are required. `client_id` and
    `client_secret` are encrypted in the state. New credentials change the provider, but none of its resources.

    Give a `GatewaySync` the same provider as its target. Pass it to a component with
    `pulumi.ResourceOptions(providers=[eu])`.

    Args:
        resource_name: The name in the stack.
        region: An AWS region (`eu-central-1`) or a domain (`mypurecloud.de`).
        api_url: The API's URL, instead of the region's.
        login_url: The login's URL, instead of the region's.
        client_id: The OAuth client (client credentials).
        client_secret: Its secret.
        ca_file: An additional trusted CA, for the API and for webhooks.
        audit_log: The audit file; without it none is written.
        max_retries: How often a throttled or failed request is retried; by default 3.
        verification_timeout: Seconds to wait for a verdict; by default 75.
        opts: Pulumi's resource options.

    Raises:
        pulumi.RunError: An argument has the wrong type.
    """

    def __init__(
        self,
        resource_name: str,
        *,
        client_id: pulumi.Input[str],
        client_secret: pulumi.Input[str],
        region: pulumi.Input[str] | None = None,
        api_url: pulumi.Input[str] | None = None,
        login_url: pulumi.Input[str] | None = None,
        ca_file: pulumi.Input[str] | None = None,
        audit_log: pulumi.Input[str] | None = None,
        max_retries: pulumi.Input[int] | None = None,
        verification_timeout: pulumi.Input[float] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declares the provider. The class describes the arguments."""
        arguments = Arguments(type(self), resource_name, opts)
        arguments.text("client_id", client_id)
        arguments.text("client_secret", client_secret)
        arguments.text("region", region, optional=True)
        arguments.text("api_url", api_url, optional=True)
        arguments.text("login_url", login_url, optional=True)
        arguments.text("ca_file", ca_file, optional=True, wanted=_WANTED_PATH)
        arguments.text("audit_log", audit_log, optional=True, wanted=_WANTED_PATH)
        arguments.number("max_retries", max_retries, optional=True)
        arguments.number(
            "verification_timeout", verification_timeout, optional=True, wanted="seconds: a number"
        )
        arguments.check()
        settings: dict[str, Any] = {
            "region": region,
            "apiUrl": api_url,
            "loginUrl": login_url,
            "clientId": pulumi.Output.secret(client_id),
            "clientSecret": pulumi.Output.secret(client_secret),
            "caFile": ca_file,
            "auditLog": audit_log,
            "maxRetries": max_retries,
            "verificationTimeout": verification_timeout,
            PROVIDER_NAME: resource_name,
        }
        super().__init__(
            "pulumi-python",
            resource_name,
            {f"{NAMESPACE}:{key}": value for key, value in settings.items() if value is not None},
            None if opts is None else with_the_states_names(opts, arguments.resource, _NAMES),
        )
