"""`EventBridgeTarget`: a target of Genesys Cloud as a resource of a stack."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import pulumi

from genesys_provider.client.redaction import SECRET_FIELDS
from genesys_provider.resources.arguments import Arguments
from genesys_provider.resources.declaring import (
    DeclaredResource,
    declared_options,
    existing,
    hidden_if_it_holds_credentials,
    secret_paths,
    urn_of,
)
from genesys_provider.resources.options import ITEMS, KEYS, PropertyNames
from genesys_provider.resources.target_provider import EventBridgeTargetProvider
from genesys_provider.resources.target_reader import TargetReader
from genesys_provider.targets.inputs import Auth, RetryPolicy
from genesys_provider.targets.vocabulary import SHOWN_AUTH_FIELDS

if TYPE_CHECKING:
    from typing_extensions import Self

_OUTPUTS = (
    "status",
    "selfUri",
    "revision",
    "verifiedAt",
    "verificationSeconds",
    "healthStatus",
    "organizationId",
)
_NAMES = PropertyNames(
    inputs=(
        "name",
        "endpointUrl",
        "eventTypes",
        "authType",
        "authConfig",
        "retryPolicy",
        "headers",
        "verificationTimeout",
        "healthCheck",
    ),
    # The mark is not an argument: ignoring its changes would make the resource look like another one some day.
    outputs=("owner", "apiUrl", "secrets", "claimedBy", "importedFrom", *_OUTPUTS),
    inside={
        "authConfig": frozenset((*SHOWN_AUTH_FIELDS, *SECRET_FIELDS)),
        "retryPolicy": frozenset(RetryPolicy().retry_policy()),
        "headers": KEYS,
        "eventTypes": ITEMS,
    },
    shorthands={"auth": ("authConfig", "authType")},
)


class EventBridgeTarget(DeclaredResource, module="genesys", name="EventBridgeTarget"):
    """An EventBridge target. It is created, updated and imported in place, never replaced.

    `pulumi up` waits until Genesys Cloud has verified the endpoint: Genesys Cloud sends it a JSON POST with the
    target's authentication and headers, and expects a 2xx [S]. If the verification fails, the target stays in the
    state with its `status`, and the next `up` tries again.

    Args:
        resource_name: The name in the stack.
        endpoint_url: Where events are sent: an `https://` URL, which may be another resource's output.
        event_types: At least one, such as `CONVERSATION_STARTED`; their order does not matter.
        name: The name in Genesys Cloud, 1 to 100 characters, unique in the organization; by default
            `resource_name`.
        auth: `BasicAuth`, `OAuth2Auth` or `JwtAuth`; without it `NONE`. Secrets are encrypted in the state.
        retry_policy: How undelivered events are retried; by default 5 times, `EXPONENTIAL`, from 2 s.
        headers: Sent with each event. Values that are secrets are encrypted in the state.
        verification_timeout: Seconds to wait for the verdict; by default `genesys:verificationTimeout`, or 75.
            `customTimeouts` takes precedence. A new value alone changes nothing in Genesys Cloud.
        health_check: Whether to request a health check after each verification; see `health_status`.
        opts: Pulumi's resource options. They name properties as here or as in the state: `endpoint_url` or
            `endpointUrl`, `retry_policy.max_retries` or `retryPolicy.maxRetries`. A header is named as it is
            written: `headers["X-Key"]`. `auth` is the whole authentication (`authType` and `authConfig` in the
            state), since neither makes sense without the other; `auth.password` is that field of `authConfig`.

    Raises:
        pulumi.RunError: An argument has the wrong type, or an option names an unknown property.
    """

    if TYPE_CHECKING:
        # Only for type checkers, since Pulumi's SDK would evaluate them again for each resource.
        name: pulumi.Output[str]
        status: pulumi.Output[str]
        """`VERIFIED`, or the result of the last verification."""
        revision: pulumi.Output[int]
        """Starts at 1 and grows with each update, also one found by a refresh: a `GatewaySync` watches it."""

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
        """Declares the target. The class describes the arguments."""
        arguments = Arguments(type(self), resource_name, opts)
        arguments.text("endpoint_url", endpoint_url)
        arguments.texts("event_types", event_types, "a list of texts, such as ['CONVERSATION_STARTED']")
        arguments.text("name", name, optional=True)
        _check_auth(arguments, auth)
        _check_retry_policy(arguments, retry_policy)
        arguments.texts_by_name(
            "headers", headers, "a dict of texts, such as {'X-Source-System': 'GenesysCloud'}"
        )
        arguments.number(
            "verification_timeout", verification_timeout, optional=True, wanted="seconds: a number"
        )
        arguments.flag("health_check", health_check)
        arguments.check()
        properties: dict[str, Any] = {
            "name": resource_name if name is None else name,
            "endpointUrl": hidden_if_it_holds_credentials(endpoint_url),
            "eventTypes": event_types,
            "authType": "NONE" if auth is None else auth.auth_type,
            "authConfig": None if auth is None else _with_secrets(auth.auth_config()),
            "retryPolicy": (retry_policy or RetryPolicy()).retry_policy(),
            "headers": headers,
            "verificationTimeout": verification_timeout,
            "healthCheck": None if health_check is False else health_check,
            "createBeforeDelete": True if opts and opts.delete_before_replace is False else None,
            # Written into the target itself, so that whoever finds it knows its owner.
            "owner": urn_of(f"pulumi-python:{self._resource_type_name}", resource_name, opts),
        }
        properties["secrets"] = secret_paths({**properties, "authConfig": _without_secrets(auth)})
        given = {name: value for name, value in properties.items() if value is not None}
        # Each output takes time, so this one is only declared with a health check.
        outputs = (name for name in _OUTPUTS if name != "healthStatus" or "healthCheck" in given)
        super().__init__(
            EventBridgeTargetProvider(),
            resource_name,
            {**given, **dict.fromkeys(outputs)},
            declared_options(opts, arguments.resource, _NAMES),
        )

    @classmethod
    def get(
        cls,
        resource_name: str,
        id: pulumi.Input[str],  # noqa: A002 (its name in all of Pulumi's SDKs)
        opts: pulumi.ResourceOptions | None = None,
    ) -> Self:
        """An existing target, whoever created it, to read its outputs: this stack never writes or deletes it.

        It is read in each `preview` and `up`. Secrets are missing, since the API never returns them; `revision` is
        always 1, since this stack updates nothing.

        Args:
            resource_name: The name in the stack.
            id: The target's id in Genesys Cloud.
            opts: Pulumi's resource options.

        Raises:
            pulumi.RunError: An argument has the wrong type, or an option names an unknown property.
        """
        return existing(cls, TargetReader(), resource_name, id, opts, _NAMES)

    # The state has the API's names; these properties have Python's, so that they can't be confused with headers.

    @property
    def endpoint_url(self) -> pulumi.Output[str]:
        """Where events are sent."""
        return cast("pulumi.Output[str]", pulumi.get(self, "endpointUrl"))

    @property
    def event_types(self) -> pulumi.Output[Sequence[str]]:
        """Which events are sent there."""
        return cast("pulumi.Output[Sequence[str]]", pulumi.get(self, "eventTypes"))

    @property
    def auth_type(self) -> pulumi.Output[str]:
        """`NONE`, `BASIC`, `OAUTH2` or `JWT`."""
        return cast("pulumi.Output[str]", pulumi.get(self, "authType"))

    @property
    def organization_id(self) -> pulumi.Output[str | None]:
        """The id of the target's organization; None if the service does not tell it."""
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
        """The seconds that it took, from the request to the verdict."""
        return cast("pulumi.Output[float | None]", pulumi.get(self, "verificationSeconds"))

    @property
    def health_status(self) -> pulumi.Output[str | None]:
        """The result of the last health check, if `health_check` is set."""
        told = cast("pulumi.Output[str | None] | None", pulumi.get(self, "healthStatus"))
        return pulumi.Output.from_input(None) if told is None else told


def _check_auth(arguments: Arguments, auth: object) -> None:
    wanted = "BasicAuth(…), OAuth2Auth(…) or JwtAuth(…), whose fields may be outputs"
    if arguments.instance("auth", auth, Auth, wanted):
        for field, value in vars(auth).items():
            arguments.text(f"auth.{field}", value, optional=True)


def _check_retry_policy(arguments: Arguments, policy: object) -> None:
    wanted = (
        "RetryPolicy(max_retries=…, backoff_strategy=…, initial_delay_seconds=…), whose fields may be outputs"
    )
    if arguments.instance("retry_policy", policy, RetryPolicy, wanted):
        for field, value in vars(policy).items():
            look = arguments.text if field == "backoff_strategy" else arguments.number
            look(f"retry_policy.{field}", value, optional=True)


def _with_secrets(auth_config: dict[str, Any]) -> dict[str, Any]:
    return {
        name: pulumi.Output.secret(value) if name in SECRET_FIELDS else value
        for name, value in auth_config.items()
    }


def _without_secrets(auth: Auth | None) -> dict[str, Any]:
    """The fields that a program may give as secrets."""
    given = {} if auth is None else auth.auth_config()
    return {name: value for name, value in given.items() if name not in SECRET_FIELDS}
