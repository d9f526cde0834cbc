"""The tree of errors: one class for each problem that a caller can act upon.

    GenesysError
    ├── ConfigurationError        a setting is wrong: nothing was sent
    │   └── MissingSetting        a required setting is missing
    ├── Cancelled                 the user pressed Ctrl-C
    ├── ConnectionFailed          no answer came; `maybe_acted` says whether the server may have acted
    ├── UnexpectedAnswer          the response does not follow the API's contract
    ├── ApiError                  the API refused; `status`, `code` and `correlation_id` say more
    │   ├── InvalidRequest        400: the payload breaks a rule
    │   ├── Unauthorized          401, or the login was refused: the client's id or secret
    │   ├── Forbidden             403: a permission or scope is missing
    │   ├── NotFound              404, 408 or 410 in the API's envelope, for a call that names an object
    │   ├── Conflict              409, 412 or 423: the name is taken, or something else is in the way
    │   │   └── StaleVersion      somebody else has written the configuration since it was read
    │   ├── RateLimited           429, or the login's 400: still throttled after the last retry
    │   └── ServerError           5xx, 408 or 425: still failing after the last retry
    └── (in `genesys_provider.common`, `targets` and `sources`)
        ├── Invalid               a rule of the contract is broken: nothing was sent
        ├── OtherOrganization     the settings lead to another organization than the recorded one
        ├── NameTaken             another target or source has the name, or the same suffix
        ├── OwnedByAnother        another resource has taken over the object
        ├── ReplacementRefused    a create-before-delete replacement would adopt what it then deletes
        ├── StillThere            a deleted object is still visible
        ├── Unfinished            the object (`thing`) exists, but may not be in its desired state
        │   ├── NotVerified            the target
        │   │   ├── VerificationFailed     the endpoint did not pass
        │   │   ├── VerificationTimeout    no verdict within the time limit
        │   │   ├── VerificationCancelled  the user pressed Ctrl-C during the wait
        │   │   └── VerificationUnknown    the verdict could not be read
        │   └── NotActive              the source
        │       ├── ActivationFailed       Genesys Cloud reports ERROR
        │       ├── ActivationTimeout      the state was not reached within the time limit
        │       ├── ActivationCancelled    the user pressed Ctrl-C before the state was reached
        │       └── ActivationUnknown      a step failed, or the state could not be read
        ├── SourceChanged         somebody else changed the source between our read and our write
        ├── TooManySources        the organization has reached its limit
        ├── OtherType             the id belongs to an integration of another type
        ├── NoVerdict             internal: becomes VerificationTimeout or ActivationTimeout
        └── SyncFailed            the gateway did not accept a webhook
            └── SyncRefused       it answered, but with an error

`str(error)` is meant for the user's terminal: what happened, what to do next, and the correlation id. It never
contains a secret, a request body or more than a short part of a response. The hints address script authors;
`genesys_provider.resources` replaces them for Pulumi users.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from genesys_provider.client.redaction import shown

if TYPE_CHECKING:
    from typing_extensions import Self

A = TypeVar("A", bound="ApiError")


class GenesysError(Exception):
    """The root of the tree. `hint` tells the user what to do next."""

    hint: str = ""
    maybe_acted = False
    """Whether the request may have reached the server, so that sending it again could act twice."""
    tried_enough = False
    """True once the retries are exhausted; callers must not retry."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        # The message may contain a value, such as a name or a URL, that the program marks as secret.
        self.message = shown(message)
        super().__init__(self.message)
        if hint is not None:
            self.hint = shown(hint)

    def __str__(self) -> str:
        return self.saying(self.message, self.hint)

    def __copy__(self) -> Self:
        """A copy for another thread, since each thread adds its own traceback."""
        copied = type(self).__new__(type(self), *self.args)
        copied.__dict__.update(self.__dict__)
        return copied

    def saying(self, message: str, hint: str) -> str:
        """The whole text, with the given message and hint in place of its own."""
        # The service's text may already end with a full stop.
        return message.removesuffix(".") + f". {hint}" if hint else message


class ConfigurationError(GenesysError):
    """A setting is missing or wrong; nothing was sent."""

    hint = "Correct it in the environment, or pass your own `Settings`"


class MissingSetting(ConfigurationError):
    """A required setting is missing; `variable` is the environment variable that would set it."""

    hint = "Set it, or pass your own `Settings`"

    def __init__(self, variable: str) -> None:
        super().__init__(f"{variable} is not set")
        self.variable = variable


class Cancelled(GenesysError):
    """The run was cancelled while the call waited."""

    hint = "What was done so far is kept: run the command again to continue"


class ConnectionFailed(GenesysError):
    """There was no response: connection refused, reset or cut short, or a timeout."""

    hint = (
        "Check that the API is reachable from here (proxy, firewall, DNS) and that GENESYSCLOUD_REGION, or "
        "GENESYSCLOUD_API_URL and GENESYSCLOUD_LOGIN_URL, are right"
    )

    def __init__(self, message: str, *, maybe_acted: bool, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.maybe_acted = maybe_acted


class UnexpectedAnswer(GenesysError):
    """The response does not follow the API's contract: not JSON, another schema, a redirect, too large."""

    maybe_acted = True
    hint = (
        "Something between here and Genesys Cloud may have answered in its place: check GENESYSCLOUD_API_URL "
        "and the proxy"
    )


class ApiError(GenesysError):
    """The API refused the request."""

    hint = "If the message does not say what to change, contact Genesys Cloud support with the correlation id"

    def __init__(
        self,
        message: str,
        *,
        status: int,
        code: str = "",
        correlation_id: str = "",
        retry_after: float | None = None,
        in_envelope: bool = False,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.code = code
        self.correlation_id = correlation_id
        """`ININ-Correlation-Id`, which Genesys Cloud support asks for."""
        self.retry_after = retry_after
        """The seconds that the server asked us to wait, if it did."""
        self.in_envelope = in_envelope
        """Whether the API itself sent the response; otherwise it may come from a proxy."""

    def as_a(self, kind: type[A]) -> A:
        """The same response as an error of another class."""
        return kind(
            self.message,
            status=self.status,
            code=self.code,
            correlation_id=self.correlation_id,
            retry_after=self.retry_after,
            in_envelope=self.in_envelope,
        )

    def saying(self, message: str, hint: str) -> str:
        """Adds the status and the correlation id, for Genesys Cloud support."""
        origin = f"HTTP {self.status}" + (
            f", correlation id {self.correlation_id}" if self.correlation_id else ""
        )
        return super().saying(message.removesuffix(".") + f" ({origin})", hint)


class InvalidRequest(ApiError):
    """400: the payload breaks a rule [S]."""

    hint = "Correct what the message names"


class Unauthorized(ApiError):
    """401, or the login refused the client [S][G]."""

    hint = (
        "Check that GENESYSCLOUD_OAUTHCLIENT_ID and GENESYSCLOUD_OAUTHCLIENT_SECRET belong to a client-credentials "
        "OAuth client of this organization, and that GENESYSCLOUD_REGION, or GENESYSCLOUD_API_URL and "
        "GENESYSCLOUD_LOGIN_URL, are those of the organization; if so, make a new secret in Genesys Cloud under "
        "Admin > Integrations > OAuth"
    )


class Forbidden(ApiError):
    """403: a permission or scope is missing [S]. A client-credentials client has its roles' permissions [G]."""

    hint = (
        "Give the role of the OAuth client the permission that is missing (in all it needs "
        "integrations:integration:view, add, edit and delete). If the client has scopes, add integrations for "
        "sources, and integration:write, integration:eventbridge:write and integration:eventbridge:read for "
        "targets. Then wait: a change takes up to five minutes to take effect everywhere"
    )


class NotFound(ApiError):
    """404, 410 or a lasting 408, in the API's envelope, for a call that names an object: it does not exist.

    The state forgets an object that is not found, so nothing else counts: not a 404 from the login, from a proxy,
    or for a call that names no target or integration.
    """

    hint = "It may have been deleted by hand"
    repeated = False
    """Whether an earlier attempt of the same call may have taken effect without our getting its response."""


class Conflict(ApiError):
    """409: the name is taken, or something else is in the way [C]; 412 and 423 count as the same."""

    hint = "If the name is taken, choose another one"


class StaleVersion(Conflict):
    """409, or a 400 that means the same: the configuration's version is not the one that was sent [G]."""

    hint = "If somebody else has changed it since it was read, read it again"


class RateLimited(ApiError):
    """429, or the login's 400 `rate limit exceeded` [G]: still throttled after the last retry."""

    hint = (
        "It was retried already. If the throttling lasts, raise GENESYSCLOUD_MAX_RETRIES, or find out what else "
        "uses the rate limit of this OAuth client or organization"
    )


class ServerError(ApiError):
    """5xx, 408 or 425: still failing after the last retry."""

    maybe_acted = True
    hint = "Genesys Cloud, or a proxy in front of it, has a problem: see its status page, and try again later"


PERMANENT = (Cancelled, ConfigurationError, Forbidden, Unauthorized)
"""Errors that a retry can't fix."""
MAY_HAVE_ACTED = (ConnectionFailed, ServerError, UnexpectedAnswer)
"""Errors after which only a read can tell whether a write took effect; `maybe_acted` says whether it could have."""


def in_envelope(body: Mapping[str, Any] | None) -> bool:
    """Whether an error body is the API's own: an object with `status`, and `code` or `message` [C]."""
    return body is not None and "status" in body and bool(body.get("code") or body.get("message"))
