"""`GatewaySync`: tells a gateway that a target has changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import pulumi

from genesys_provider.resources.arguments import Arguments
from genesys_provider.resources.declaring import (
    DeclaredResource,
    declared_options,
    hidden_if_it_holds_credentials,
    secret_paths,
)
from genesys_provider.resources.options import ITEMS, PropertyNames
from genesys_provider.resources.sync_provider import GatewaySyncProvider

_NAMES = PropertyNames(
    inputs=("targetId", "revision", "webhookUrl", "signingSecret", "required"),
    outputs=("deliveryId", "syncedAt", "organizationId", "apiUrl", "targetOwner", "secrets"),
    inside={"signingSecret": ITEMS},
)
SIGNING_SECRETS = "text, a list of texts, or an output that is one of them"


class GatewaySync(DeclaredResource, module="genesys", name="GatewaySync"):
    """A signed webhook to a gateway, sent when the target is verified and again after each change of the target.

    It waits for the target because `target_id` and `revision` are the target's outputs, and is sent again whenever
    one of them, the URL or the secret changes. If it is deleted together with the target, it first tells the
    gateway about the deletion; if it is deleted alone, it sends nothing.

    Args:
        resource_name: The name in the stack.
        target_id: The target's `id`.
        revision: The target's `revision`.
        webhook_url: The gateway's webhook: an `https://` URL.
        signing_secret: Signs the webhook according to the Standard Webhooks specification: `whsec_` and base64, or
            any other text. It is encrypted in the state. Without it the gateway can't detect forged webhooks.
            A list of several adds a signature for each: give the old and the new one during a rotation.
        required: Whether the operation fails if the gateway does not accept the webhook; otherwise that is a
            warning. A change takes effect with the next `pulumi up`, also for `destroy`.
        opts: Pulumi's resource options; `custom_timeouts` limits each webhook, with all its attempts. They name
            properties as here or as in the state: `webhook_url` or `webhookUrl`.

    Raises:
        pulumi.RunError: An argument has the wrong type, or an option names an unknown property.
    """

    def __init__(
        self,
        resource_name: str,
        *,
        target_id: pulumi.Input[str],
        revision: pulumi.Input[int],
        webhook_url: pulumi.Input[str],
        signing_secret: pulumi.Input[str | Sequence[str]] | Sequence[pulumi.Input[str]] | None = None,
        required: pulumi.Input[bool] = True,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declares the sync. The class describes the arguments."""
        arguments = Arguments(type(self), resource_name, opts)
        arguments.text("target_id", target_id, wanted="the target's id: write the target's `.id`")
        arguments.number("revision", revision, wanted="a number: write the target's `.revision`")
        arguments.text("webhook_url", webhook_url)
        if isinstance(signing_secret, Sequence) and not isinstance(signing_secret, str):
            arguments.texts("signing_secret", signing_secret, SIGNING_SECRETS)
        else:
            arguments.text("signing_secret", signing_secret, optional=True, wanted=SIGNING_SECRETS)
        arguments.flag("required", required)
        arguments.check()
        properties: dict[str, Any] = {
            "targetId": target_id,
            "revision": revision,
            "webhookUrl": hidden_if_it_holds_credentials(webhook_url),
            "signingSecret": None if signing_secret is None else pulumi.Output.secret(signing_secret),
            "required": required,
            "deliveryId": None,
            "syncedAt": None,
        }
        properties["secrets"] = secret_paths({**properties, "signingSecret": None})
        options = declared_options(opts, arguments.resource, _NAMES)
        super().__init__(GatewaySyncProvider(), resource_name, properties, options)

    @property
    def delivery_id(self) -> pulumi.Output[str | None]:
        """The `webhook-id` of the last webhook that the gateway accepted."""
        return cast("pulumi.Output[str | None]", pulumi.get(self, "deliveryId"))

    @property
    def synced_at(self) -> pulumi.Output[str | None]:
        """When the gateway accepted it: UTC, ISO 8601."""
        return cast("pulumi.Output[str | None]", pulumi.get(self, "syncedAt"))
