"""`EventBridgeSource`: the public integration `amazon-eventbridge-source` as a resource of a stack."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import pulumi

from genesys_provider.resources.arguments import Arguments
from genesys_provider.resources.declaring import (
    DeclaredResource,
    declared_options,
    existing,
    secret_paths,
    urn_of,
)
from genesys_provider.resources.options import ITEMS, PropertyNames
from genesys_provider.resources.source_provider import EventBridgeSourceProvider
from genesys_provider.resources.source_reader import SourceReader

if TYPE_CHECKING:
    from typing_extensions import Self

_OUTPUTS = (
    "eventSourceName",
    "organizationId",
    "state",
    "stateReason",
    "configVersion",
    "activatedAt",
    "activationSeconds",
)
_NAMES = PropertyNames(
    inputs=(
        "name",
        "awsAccountId",
        "awsRegion",
        "eventSourceSuffix",
        "topics",
        "notes",
        "enabled",
        "activationTimeout",
    ),
    # The mark is not an argument: ignoring its changes would make the resource look like another one some day.
    outputs=("owner", "apiUrl", "secrets", "claimedBy", "importedFrom", *_OUTPUTS),
    inside={"topics": ITEMS},
)


class EventBridgeSource(DeclaredResource, module="genesys", name="EventBridgeSource"):
    """A partner event source in an AWS account, to which Genesys Cloud sends its events.

    `pulumi up` waits until Genesys Cloud reports it as active; then the event bus of the same name can be created.
    A source that failed to become active stays in the state with its `state` and `state_reason`, and the next `up`
    continues. A new account, region or suffix is a new event source: the old one is deleted first.

        source = EventBridgeSource("orders", aws_account_id=…, aws_region="us-east-1",
                                   event_source_suffix="orders", topics=["v2.users.{id}.presence"])
        aws.cloudwatch.EventBus("orders", name=source.event_source_name,
                                event_source_name=source.event_source_name)

    Args:
        resource_name: The name in the stack.
        aws_account_id: 12 digits, as text.
        aws_region: The region of the event source, such as `us-east-1`, independent of the organization's region.
        event_source_suffix: The end of the event source's name: 1 to 64 letters, digits, dots, hyphens and
            underscores. It must be unique within the account and region.
        topics: At least one template, with a literal `{id}` that stands for all objects; their order does not
            matter. A topic that the organization does not offer gives a warning.
        name: The name in Genesys Cloud, 1 to 100 characters; by default `resource_name`.
        notes: Notes for the web page in Genesys Cloud. The provider adds a last line that names the owner.
        enabled: Whether the source should be active; if not, `pulumi up` waits until it is inactive.
        activation_timeout: Seconds to wait; by default 120. `customTimeouts` takes precedence. A new value
            alone changes nothing in Genesys Cloud.
        opts: Pulumi's resource options. They name properties as here or as in the state:
            `event_source_suffix` or `eventSourceSuffix`.

    Raises:
        pulumi.RunError: An argument has the wrong type, or an option names an unknown property.
    """

    if TYPE_CHECKING:
        # Only for type checkers, since Pulumi's SDK would evaluate them again for each resource.
        name: pulumi.Output[str]
        topics: pulumi.Output[Sequence[str]]
        notes: pulumi.Output[str | None]
        enabled: pulumi.Output[bool]
        state: pulumi.Output[str]
        """`ACTIVE`, or the last state that Genesys Cloud reported."""

    def __init__(
        self,
        resource_name: str,
        *,
        aws_account_id: pulumi.Input[str],
        aws_region: pulumi.Input[str],
        event_source_suffix: pulumi.Input[str],
        topics: pulumi.Input[Sequence[pulumi.Input[str]]],
        name: pulumi.Input[str] | None = None,
        notes: pulumi.Input[str] | None = None,
        enabled: pulumi.Input[bool] = True,
        activation_timeout: pulumi.Input[float] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Declares the source. The class describes the arguments."""
        arguments = Arguments(type(self), resource_name, opts)
        arguments.text(
            "aws_account_id", aws_account_id, wanted="12 digits as text, or an output that is text"
        )
        arguments.text("aws_region", aws_region)
        arguments.text("event_source_suffix", event_source_suffix)
        arguments.texts("topics", topics, "a list of texts, such as ['v2.users.{id}.presence']")
        arguments.text("name", name, optional=True)
        arguments.text("notes", notes, optional=True)
        arguments.flag("enabled", enabled)
        arguments.number("activation_timeout", activation_timeout, optional=True, wanted="seconds: a number")
        arguments.check()
        properties: dict[str, Any] = {
            "name": resource_name if name is None else name,
            "awsAccountId": aws_account_id,
            "awsRegion": aws_region,
            "eventSourceSuffix": event_source_suffix,
            "topics": topics,
            "notes": notes,
            "enabled": enabled,
            "activationTimeout": activation_timeout,
            "createBeforeDelete": True if opts and opts.delete_before_replace is False else None,
            # Written into the source itself, so that whoever finds it knows its owner.
            "owner": urn_of(f"pulumi-python:{self._resource_type_name}", resource_name, opts),
        }
        properties["secrets"] = secret_paths(properties)
        given = {name: value for name, value in properties.items() if value is not None}
        super().__init__(
            EventBridgeSourceProvider(),
            resource_name,
            {**given, **dict.fromkeys(_OUTPUTS)},
            declared_options(opts, arguments.resource, _NAMES),
        )

    @classmethod
    def get(
        cls,
        resource_name: str,
        id: pulumi.Input[str],  # noqa: A002 (its name in all of Pulumi's SDKs)
        opts: pulumi.ResourceOptions | None = None,
    ) -> Self:
        """An existing source, whoever created it, to read its outputs: this stack never writes or deletes it.

        It is read in each `preview` and `up`.

        Args:
            resource_name: The name in the stack.
            id: The integration's id in Genesys Cloud.
            opts: Pulumi's resource options.

        Raises:
            pulumi.RunError: An argument has the wrong type, or an option names an unknown property.
        """
        return existing(cls, SourceReader(), resource_name, id, opts, _NAMES)

    # The state has the API's names; these properties have Python's.

    @property
    def aws_account_id(self) -> pulumi.Output[str]:
        """The AWS account that receives the events."""
        return cast("pulumi.Output[str]", pulumi.get(self, "awsAccountId"))

    @property
    def aws_region(self) -> pulumi.Output[str]:
        """The region of the event source."""
        return cast("pulumi.Output[str]", pulumi.get(self, "awsRegion"))

    @property
    def event_source_suffix(self) -> pulumi.Output[str]:
        """The end of the event source's name."""
        return cast("pulumi.Output[str]", pulumi.get(self, "eventSourceSuffix"))

    @property
    def event_source_name(self) -> pulumi.Output[str]:
        """The name of the partner event source, which its event bus must have too."""
        return cast("pulumi.Output[str]", pulumi.get(self, "eventSourceName"))

    @property
    def organization_id(self) -> pulumi.Output[str | None]:
        """The id of the source's organization; None if the service does not tell it."""
        return cast("pulumi.Output[str | None]", pulumi.get(self, "organizationId"))

    @property
    def state_reason(self) -> pulumi.Output[str | None]:
        """The reason for this state, as the service gives it."""
        return cast("pulumi.Output[str | None]", pulumi.get(self, "stateReason"))

    @property
    def config_version(self) -> pulumi.Output[int | None]:
        """The version of the configuration, which grows with each write."""
        return cast("pulumi.Output[int | None]", pulumi.get(self, "configVersion"))

    @property
    def activated_at(self) -> pulumi.Output[str | None]:
        """When the last activation that this stack waited for succeeded: UTC, ISO 8601."""
        return cast("pulumi.Output[str | None]", pulumi.get(self, "activatedAt"))

    @property
    def activation_seconds(self) -> pulumi.Output[float | None]:
        """The seconds that it took, from the moment at which the last write was accepted."""
        return cast("pulumi.Output[float | None]", pulumi.get(self, "activationSeconds"))
