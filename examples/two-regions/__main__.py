"""The same targets in two organizations of Genesys Cloud: one stack, with an explicit provider for each.

Each organization has its own namespace in the stack's config:

    pulumi config set eu:region eu-central-1
    pulumi config set eu:clientId …
    pulumi config set --secret eu:clientSecret …
    pulumi config set eu:gateway https://gateway.eu.example.com
    pulumi config set --secret eu:gatewayPassword …
    pulumi config set --secret eu:signingSecret …
"""

import pulumi

from genesys_provider import BasicAuth, EventBridgeTarget, GatewaySync, GenesysProvider

EVENT_TYPES = {
    "conversations": ["CONVERSATION_STARTED", "CONVERSATION_ENDED"],
    "queues": ["QUEUE_MEMBER_ADDED"],
}


class ContactCentre(pulumi.ComponentResource):
    """The resources that every organization of the company has."""

    def __init__(self, name: str, config: pulumi.Config, opts: pulumi.ResourceOptions) -> None:
        super().__init__("company:genesys:ContactCentre", name, None, opts)
        gateway = config.require("gateway")
        child = pulumi.ResourceOptions(parent=self)
        for topic, event_types in EVENT_TYPES.items():
            target = EventBridgeTarget(
                f"{name}-{topic}",
                endpoint_url=f"{gateway}/v1/genesys/events/{topic}",
                event_types=event_types,
                auth=BasicAuth("genesys-relay", config.require_secret("gatewayPassword")),
                opts=child,
            )
            GatewaySync(
                f"{name}-{topic}",
                target_id=target.id,
                revision=target.revision,
                webhook_url=f"{gateway}/webhooks/genesys/targets",
                signing_secret=config.require_secret("signingSecret"),
                opts=child,
            )
        self.register_outputs({})


for place in ("eu", "us"):
    config = pulumi.Config(place)
    organization = GenesysProvider(
        place,
        region=config.get("region"),
        # Used instead of the region for the emulator.
        api_url=config.get("apiUrl"),
        login_url=config.get("loginUrl"),
        ca_file=config.get("caFile"),
        client_id=config.require("clientId"),
        client_secret=config.require_secret("clientSecret"),
    )
    # All children of the component use its provider.
    ContactCentre(place, config, pulumi.ResourceOptions(providers=[organization]))
