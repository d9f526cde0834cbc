"""`GenesysProvider`: one organization of several that a program works in."""

from __future__ import annotations

from typing import Any

import pulumi

from genesys_provider.resources.arguments import Arguments

NAMESPACE = "genesys"
"""Of our keys in a config."""
PROVIDER_NAME = "providerName"
"""The config key that tells an explicit provider from the default one, and what errors are to call it."""

_WANTED_PATH = "the path of a file: text"


class GenesysProvider(pulumi.ProviderResource):
    """The settings of one Genesys Cloud organization, for the resources that name it as their provider.

        eu = GenesysProvider("eu", region="eu-central-1", client_id=…, client_secret=…)
        EventBridgeTarget("orders", …, opts=pulumi.ResourceOptions(provider=eu))

    What it is not given is never taken from the stack's config or the environment: `client_id`, `client_secret` and
    where the organization lives (`region`, or `api_url` and `login_url`) must be there. `client_id` and
    `client_secret` are encrypted in the state. New credentials are a change of the provider, and of no resource.

    Give a `GatewaySync` the provider of its target. To a component it goes with
    `pulumi.ResourceOptions(providers=[eu])`.

    Args:
        resource_name: The name in the stack.
        region: An AWS region (`eu-central-1`) or a domain (`mypurecloud.de`).
        api_url: The API's address in place of the region's.
        login_url: The login's address in place of the region's.
        client_id: The OAuth client (client credentials).
        client_secret: Its secret.
        ca_file: A CA that is trusted besides the system's, for the API and for webhooks.
        audit_log: The audit file; none is written without.
        max_retries: How often a throttled or failed request is sent again; else 3.
        verification_timeout: Seconds to wait for a verdict; else 75.
        opts: Pulumi's resource options.

    Raises:
        pulumi.RunError: An argument is of the wrong kind.
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
            opts,
        )
