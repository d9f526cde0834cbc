"""One environment: a gateway, targets that send events to it, syncs that tell it of their changes, and a source.

The differences between environments are in `stacks/`; this program is the same for all of them.
"""

from __future__ import annotations

from typing import Any

import pulumi

from genesys_provider import (
    BasicAuth,
    EventBridgeSource,
    EventBridgeTarget,
    GatewaySync,
    OAuth2Auth,
    RetryPolicy,
)


class EventGateway(pulumi.ComponentResource):
    """The gateway's URL, and the credentials for its events."""

    def __init__(self, name: str, settings: dict[str, Any], secret: pulumi.Output[str]) -> None:
        super().__init__("genesys:gateway:EventGateway", name)
        self.url: str = settings["url"]
        self.auth: BasicAuth | OAuth2Auth
        if "tokenUrl" in settings:
            self.auth = OAuth2Auth(settings["clientId"], secret, settings["tokenUrl"])
        else:
            self.auth = BasicAuth(settings["username"], secret)
        self.register_outputs({"url": self.url})

    def fed_by(
        self, name: str, settings: dict[str, Any], retry: RetryPolicy, signing_secret: pulumi.Output[str]
    ) -> EventBridgeTarget:
        """Declares a target that sends its events here, and the sync that tells the gateway of it."""
        target = EventBridgeTarget(
            name,
            name=f"{pulumi.get_stack()}-{name}",
            endpoint_url=f"{self.url}/v1/genesys/events{settings.get('path', '')}",
            event_types=settings["eventTypes"],
            auth=self.auth,
            retry_policy=retry,
            headers={"X-Source-System": "GenesysCloud"},
            health_check=settings.get("healthCheck", False),
            opts=pulumi.ResourceOptions(parent=self),
        )
        GatewaySync(
            name,
            target_id=target.id,
            revision=target.revision,
            webhook_url=f"{self.url}/webhooks/genesys/targets",
            signing_secret=signing_secret,
            opts=pulumi.ResourceOptions(parent=target),
        )
        return target


config = pulumi.Config()
gateway = EventGateway("gateway", config.require_object("gateway"), config.require_secret("gatewaySecret"))
retry_policy = RetryPolicy(**config.require_object("retryPolicy"))
targets = {
    name: gateway.fed_by(name, settings, retry_policy, config.require_secret("signingSecret"))
    for name, settings in config.require_object("targets").items()
}
source_settings = config.require_object("source")
source = EventBridgeSource(
    "events",
    name=f"{pulumi.get_stack()}-events",
    aws_account_id=source_settings["awsAccountId"],
    aws_region=source_settings["awsRegion"],
    event_source_suffix=f"contact-centre-{pulumi.get_stack()}",
    topics=source_settings["topics"],
)

pulumi.export("gateway", gateway.url)
pulumi.export("source", {"name": source.event_source_name, "state": source.state})
pulumi.export(
    "targets", {name: {"id": target.id, "status": target.status} for name, target in targets.items()}
)
