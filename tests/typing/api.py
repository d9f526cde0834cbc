"""The public face as programs use it: never run, only type-checked."""

from __future__ import annotations

from collections.abc import Iterator

import pulumi

from genesys_provider import (
    BasicAuth,
    EventBridgeSource,
    EventBridgeTarget,
    GatewaySync,
    GenesysError,
    GenesysProvider,
    JwtAuth,
    NameTaken,
    OAuth2Auth,
    RetryPolicy,
    Settings,
    SourceConfig,
    SourceManager,
    TargetConfig,
    TargetManager,
)


def declares(url: pulumi.Output[str], secret: pulumi.Output[str], count: pulumi.Output[int]) -> None:
    """Everything may be an output; every output has its type."""
    plain = EventBridgeTarget("plain", endpoint_url="https://gateway.example.com", event_types=["A"])
    target = EventBridgeTarget(
        "target",
        endpoint_url=url,
        event_types=["A", plain.status],
        name=url,
        auth=BasicAuth("user", secret),
        retry_policy=RetryPolicy(max_retries=count, backoff_strategy="LINEAR", initial_delay_seconds=3),
        headers={"X-Key": secret},
        verification_timeout=30,
        health_check=True,
        opts=pulumi.ResourceOptions(depends_on=[plain]),
    )
    EventBridgeTarget("o", endpoint_url=url, event_types=["A"], auth=OAuth2Auth("id", secret, url))
    EventBridgeTarget("j", endpoint_url=url, event_types=["A"], auth=JwtAuth(client_secret=secret))
    sync = GatewaySync(
        "sync",
        target_id=target.id,
        revision=target.revision,
        webhook_url=url,
        signing_secret=secret,
        required=False,
    )
    rotated: pulumi.Output[list[str]] = pulumi.Output.all(secret, secret)
    GatewaySync("a", target_id="id", revision=1, webhook_url=url, signing_secret=["old", secret])
    GatewaySync("b", target_id="id", revision=1, webhook_url=url, signing_secret=rotated)
    GatewaySync("c", target_id="id", revision=1, webhook_url=url, signing_secret=("old", "new"))
    source = EventBridgeSource(
        "source",
        aws_account_id=secret,
        aws_region="us-east-1",
        event_source_suffix=target.name,
        topics=["v2.flows.{id}", plain.status],
        notes=url,
        enabled=pulumi.Output.from_input(False),
        activation_timeout=30,
    )
    found: EventBridgeSource = EventBridgeSource.get("found", source.id)
    bus: pulumi.Output[str] = found.event_source_name
    version: pulumi.Output[int | None] = source.config_version
    pulumi.export("source", [bus, version, source.state, source.topics, source.activation_seconds])
    name: pulumi.Output[str] = target.name
    seconds: pulumi.Output[float | None] = target.verification_seconds
    delivered: pulumi.Output[str | None] = sync.delivery_id
    pulumi.export(
        "all", [name, seconds, delivered, target.event_types, target.verified_at, target.health_status]
    )


def declares_elsewhere(region: pulumi.Output[str], secret: pulumi.Output[str]) -> None:
    """An explicit provider, and a resource that uses it."""
    eu = GenesysProvider("eu", region=region, client_id="id", client_secret=secret, verification_timeout=30)
    opts = pulumi.ResourceOptions(provider=eu)
    EventBridgeTarget("eu", endpoint_url="https://gateway.example.com", event_types=["A"], opts=opts)


class CompanyTarget(EventBridgeTarget):
    """A subclass with a signature of its own; it keeps the type."""

    def __init__(self, team: str) -> None:
        super().__init__(team, endpoint_url="https://gateway.example.com", event_types=["A"])


class OwnType(CompanyTarget, module="acme", name="Target"):
    """One that has another type on purpose."""


def reads(target_id: pulumi.Output[str]) -> None:
    """What exists; a subclass reads its own."""
    theirs: EventBridgeTarget = EventBridgeTarget.get("theirs", target_id)
    company: CompanyTarget = CompanyTarget.get(
        "company", "an-id", pulumi.ResourceOptions(additional_secret_outputs=["endpoint_url"])
    )
    named: OwnType = OwnType.get("named", id=company.id, opts=None)
    GatewaySync(
        "sync",
        target_id=theirs.id,
        revision=theirs.revision,
        webhook_url=named.endpoint_url,
        opts=pulumi.ResourceOptions(ignore_changes=["webhook_url"], replace_on_changes=["target_id"]),
    )


def manages_sources(settings: Settings) -> str:
    """Sources without Pulumi."""
    with SourceManager(settings) as manager:
        config = SourceConfig(
            name="orders",
            aws_account_id="012345678901",
            aws_region="us-east-1",
            event_source_suffix="orders",
            topics=["v2.flows.{id}"],
        )
        return manager.register(config, timeout=10).source.status


def manages(settings: Settings) -> Iterator[str]:
    """The same without Pulumi."""
    with TargetManager(settings) as manager:
        outcome = manager.register(
            TargetConfig(name="orders", endpoint_url="https://gateway.example.com", event_types=["A"]),
            timeout=10,
        )
        yield outcome.target.status
        for change in manager.monitor(interval=5):
            yield f"{change.before} → {change.after}"
        delivery_id: str = manager.sync("https://gateway.example.com/hooks", outcome.target.id).delivery_id
        yield delivery_id


def handles(manager: TargetManager, config: TargetConfig) -> str:
    """Errors of a script."""
    try:
        return manager.register(config).target.id
    except NameTaken as taken:
        return taken.holder.id
    except GenesysError as error:
        return str(error)
