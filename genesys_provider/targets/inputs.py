"""The inputs of programs and scripts, in Python's naming: authentication and retry policy.

A value may not be known yet, such as a Pulumi `Output`, so nothing is validated here. The rules are in `models`,
and are applied when the target is checked or registered.
"""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Protocol, TypeAlias, TypeVar

from genesys_provider.client.naming import camel

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Eventual(Protocol[T_co]):
    """A value that will be known later, such as a Pulumi `Output`."""

    def future(self, with_unknowns: bool | None = None) -> Awaitable[T_co | None]:
        """The value, once it is known."""


Value: TypeAlias = T | Awaitable[T] | Eventual[T]


def _set_fields(instance: Any) -> dict[str, Any]:
    """The fields that are set, by their API names."""
    values = {item.name: getattr(instance, item.name) for item in fields(instance)}
    return {camel(name): value for name, value in values.items() if value is not None}


@dataclass(frozen=True)
class BasicAuth:
    """HTTP Basic: `Authorization: Basic …` [S]."""

    auth_type: ClassVar[str] = "BASIC"

    username: Value[str]
    password: Value[str] = field(repr=False)

    def auth_config(self) -> dict[str, Any]:
        """`authConfig` in the API's format, secrets included."""
        return _set_fields(self)


@dataclass(frozen=True)
class OAuth2Auth:
    """OAuth2 client credentials: Genesys Cloud gets a token from `token_url` and sends it as a bearer token [S]."""

    auth_type: ClassVar[str] = "OAUTH2"

    client_id: Value[str]
    client_secret: Value[str] = field(repr=False)
    token_url: Value[str]

    def auth_config(self) -> dict[str, Any]:
        """`authConfig` in the API's format, secrets included."""
        return _set_fields(self)


@dataclass(frozen=True)
class JwtAuth:
    """A JSON web token. The guide has no rule for its fields [S]: set those that your organization uses."""

    auth_type: ClassVar[str] = "JWT"

    client_id: Value[str] | None = None
    client_secret: Value[str] | None = field(default=None, repr=False)
    token_url: Value[str] | None = None
    username: Value[str] | None = None
    password: Value[str] | None = field(default=None, repr=False)

    def auth_config(self) -> dict[str, Any]:
        """`authConfig` in the API's format, secrets included."""
        return _set_fields(self)


Auth = BasicAuth | OAuth2Auth | JwtAuth


@dataclass(frozen=True)
class RetryPolicy:
    """How an event that could not be delivered is retried."""

    max_retries: Value[int] = 5
    """0 to 10 [S]."""
    backoff_strategy: Value[str] = "EXPONENTIAL"
    """`EXPONENTIAL` or `LINEAR` [S]."""
    initial_delay_seconds: Value[int] = 2
    """1 to 30 [S]."""

    def retry_policy(self) -> dict[str, Any]:
        """`retryPolicy` in the API's format."""
        return _set_fields(self)
