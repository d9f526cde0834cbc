"""`EventBridgeTarget`: a target of Genesys Cloud as a resource of a stack."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import pulumi
from pulumi.dynamic import Resource

from genesys_provider.resources.declaring import (
    deleted_before_replaced,
    hidden_if_it_holds_credentials,
    urn_of,
)
from genesys_provider.resources.target_provider import EventBridgeTargetProvider
from genesys_provider.targets.inputs import Auth, RetryPolicy

_SECRETS = ("password", "clientSecret")
_OUTPUTS = (
    "status",
    "selfUri",
    "revision",
    "verifiedAt",
    "verificationSeconds",
    "healthStatus",
    "organizationId",
)


class EventBridgeTarget(Resource, module="genesys", name="EventBridgeTarget"):
    """An EventBridge target. It is created, updated and imported in place, never replaced.

    `pulumi up` blocks until Genesys Cloud has verified the endpoint: it sends a JSON POST there, with the
    target's authentication and headers, and wants a 2xx [S]. A target whose verification failed stays in the
    state with its `status`, and the next `up` tries again.

    Args:
        resource_name: The name in the stack.
        endpoint_url: Where events go: an `https://` URL, which may be another resource's output.
        event_types: At least one, such as `CONVERSATION_STARTED`; their order does not matter.
        name: The name in Genesys Cloud, 1 to 100 characters, unique in the organisation; else `resource_name`.
        auth: `BasicAuth`, `OAuth2Auth` or `JwtAuth`; none is `NONE`. Secrets stay encrypted in the state.
        retry_policy: How undelivered events are sent again; else 5 tries, `EXPONENTIAL`, from 2 s.
        headers: Sent with each event. A value that is a secret stays encrypted in the state.
        verification_timeout: Seconds to wait for the verdict; else `genesys:verificationTimeout`, else 75.
            `customTimeouts` goes before it. It is a setting of the wait: changing it alone changes no target.
        health_check: Whether to ask for a health check after each verification; see `health_status`.
        opts: Pulumi's resource options; `ignore_changes` takes the state's names, such as `endpointUrl`.
    """

    name: pulumi.Output[str]
    status: pulumi.Output[str]
    """`VERIFIED`, or what the last verification came to."""
    revision: pulumi.Output[int]
    """1, and one more with each update, also one that a refresh finds: what a `GatewaySync` watches."""

    def __init__(
        self,
        resource_name: str,
        *,
        endpoint_url: pulumi.Input[str],
        event_types: pulumi.Input[Sequence[pulumi.Input[str]]],
        name: pulumi.Input[str] | None = None,
        auth: Auth | None = None,
        retry_policy: RetryPolicy | None = None,
        headers: pulumi.Input[Mapping[str, pulumi.Input[str]]] | None = None,
        verification_timeout: pulumi.Input[float] | None = None,
        health_check: pulumi.Input[bool] = False,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        properties: dict[str, Any] = {
            "name": resource_name if name is None else name,
            "endpointUrl": hidden_if_it_holds_credentials(endpoint_url),
            "eventTypes": event_types,
            "authType": "NONE" if auth is None else auth.auth_type,
            "authConfig": None if auth is None else _with_secrets(auth.auth_config()),
            "retryPolicy": (retry_policy or RetryPolicy()).retry_policy(),
            "headers": headers,
            "verificationTimeout": verification_timeout,
            "healthCheck": health_check,
            # Written into the target itself, so that whoever finds it knows whose it is.
            "owner": urn_of(f"pulumi-python:{self._resource_type_name}", resource_name, opts),
        }
        given = {name: value for name, value in properties.items() if value is not None}
        super().__init__(
            EventBridgeTargetProvider(),
            resource_name,
            {**given, **dict.fromkeys(_OUTPUTS)},
            deleted_before_replaced(opts),
        )

    # The state has the API's names; so that no header's name is taken for one of them, Python's are given here.

    @property
    def endpoint_url(self) -> pulumi.Output[str]:
        """Where events go."""
        return cast("pulumi.Output[str]", pulumi.get(self, "endpointUrl"))

    @property
    def event_types(self) -> pulumi.Output[Sequence[str]]:
        """Which events go there."""
        return cast("pulumi.Output[Sequence[str]]", pulumi.get(self, "eventTypes"))

    @property
    def auth_type(self) -> pulumi.Output[str]:
        """`NONE`, `BASIC`, `OAUTH2` or `JWT`."""
        return cast("pulumi.Output[str]", pulumi.get(self, "authType"))

    @property
    def organization_id(self) -> pulumi.Output[str | None]:
        """The organization that the target is in; None where the service does not say it."""
        return cast("pulumi.Output[str | None]", pulumi.get(self, "organizationId"))

    @property
    def self_uri(self) -> pulumi.Output[str]:
        """The target's path in the API."""
        return cast("pulumi.Output[str]", pulumi.get(self, "selfUri"))

    @property
    def verified_at(self) -> pulumi.Output[str | None]:
        """When the last verification that this stack waited for succeeded: UTC, ISO 8601."""
        return cast("pulumi.Output[str | None]", pulumi.get(self, "verifiedAt"))

    @property
    def verification_seconds(self) -> pulumi.Output[float | None]:
        """How long that took, from the request to the verdict."""
        return cast("pulumi.Output[float | None]", pulumi.get(self, "verificationSeconds"))

    @property
    def health_status(self) -> pulumi.Output[str | None]:
        """What the last health check said, where `health_check` is set."""
        return cast("pulumi.Output[str | None]", pulumi.get(self, "healthStatus"))


def _with_secrets(auth_config: dict[str, Any]) -> dict[str, Any]:
    return {
        name: pulumi.Output.secret(value) if name in _SECRETS else value
        for name, value in auth_config.items()
    }
