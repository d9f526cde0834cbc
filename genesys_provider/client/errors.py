"""Everything that can go wrong, as a tree: one class for each thing that a caller can do something about.

    GenesysError
    ├── ConfigurationError        a setting is wrong: nothing was sent
    │   └── MissingSetting        it is not there
    ├── Cancelled                 the user pressed Ctrl-C
    ├── ConnectionFailed          no answer came; `maybe_acted` says whether the server may have acted
    ├── UnexpectedAnswer          an answer that is not what the API's contract says
    ├── ApiError                  the API refused; `status`, `code` and `correlation_id` say more
    │   ├── InvalidRequest        400: the payload breaks a rule
    │   ├── Unauthorized          401, or the login was refused: the client's id or secret
    │   ├── Forbidden             403: a permission or scope is missing
    │   ├── NotFound              404, 408 or 410 of a call that names one, in the API's own words
    │   ├── Conflict              409: the name is taken, or something else is in the way
    │   │   └── StaleVersion      a configuration was written by another since it was read
    │   ├── RateLimited           429, or the login's 400: still throttled after the last retry
    │   └── ServerError           5xx or 408: still failing after the last retry
    └── (in `genesys_provider.common`, `targets` and `sources`)
        ├── Invalid               a rule of the contract is broken: nothing was sent
        ├── OtherOrganization     the configuration leads to another organization than the recorded one
        ├── NameTaken             another target or source has the name, or the place
        ├── OwnedByAnother        another resource has taken it over
        ├── ReplacementRefused    a replacement that creates first would adopt what its delete takes away
        ├── StillThere            what was deleted still shows
        ├── Unfinished            it exists, but is not known to be as it is to be; `thing` is what it is
        │   ├── NotVerified            the target
        │   │   ├── VerificationFailed     the endpoint did not pass
        │   │   ├── VerificationTimeout    no verdict within the time limit
        │   │   ├── VerificationCancelled  the user pressed Ctrl-C during the wait
        │   │   └── VerificationUnknown    the verdict could not be asked for
        │   └── NotActive              the source
        │       ├── ActivationFailed       Genesys Cloud says ERROR
        │       ├── ActivationTimeout      not there within the time limit
        │       ├── ActivationCancelled    the user pressed Ctrl-C on the way
        │       └── ActivationUnknown      a step on the way could not be finished, or the state not be asked for
        ├── SourceChanged         another hand has changed the source between the reading and the write
        ├── TooManySources        the organization may have no more of them
        ├── OtherType             the id is that of an integration of another type
        ├── NoVerdict             inside: what becomes a VerificationTimeout or an ActivationTimeout
        └── SyncFailed            the gateway did not take a webhook

`str(error)` is written for the user's terminal: what happened, what to do next, the correlation id. It never
holds a secret, a request's body or more than a short part of an answer's. It speaks to whoever runs a script; what
a Pulumi user does instead is said by `genesys_provider.resources`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from genesys_provider.client.redaction import LONGEST_ESCAPE, longest_written, redacted, shown

if TYPE_CHECKING:
    from typing_extensions import Self

A = TypeVar("A", bound="ApiError")

SHOWN_CHARACTERS = 300
"""How much of a server's own words is shown: a page of HTML helps nobody."""


class GenesysError(Exception):
    """The root of the tree. `hint` says what the user can do next."""

    hint: str = ""
    maybe_acted = False
    """Whether the request may have reached the server, so that sending it again could act twice."""
    tried_enough = False
    """Whether it was tried again as often as allowed: who sees it need not start anew."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        # What it says of a value, such as a name or a URL, may be a secret of the program's.
        self.message = shown(message)
        super().__init__(self.message)
        if hint is not None:
            self.hint = shown(hint)

    def __str__(self) -> str:
        return self.saying(self.message, self.hint)

    def __copy__(self) -> Self:
        """The same for another thread: a traceback belongs to the one that raised it."""
        copied = type(self).__new__(type(self), *self.args)
        copied.__dict__.update(self.__dict__)
        return copied

    def saying(self, message: str, hint: str) -> str:
        """The whole text, with these words in the place of its own."""
        # A message may end with a whole sentence of the service's.
        return message.removesuffix(".") + f". {hint}" if hint else message


class ConfigurationError(GenesysError):
    """A setting is missing or wrong; nothing was sent."""

    hint = "Correct it, in the environment or in a `Settings` of your own"


class MissingSetting(ConfigurationError):
    """A setting is needed that is not there; `variable` is the environment variable that would set it."""

    hint = "Set it, or use a `Settings` of your own"

    def __init__(self, variable: str) -> None:
        super().__init__(f"{variable} is not set")
        self.variable = variable


class Cancelled(GenesysError):
    """The run was cancelled while the call waited."""

    hint = "What was done so far is kept: run the command again to go on"


class ConnectionFailed(GenesysError):
    """No answer came: connection refused, reset, cut short, or slower than the time limit."""

    hint = (
        "Check that the API is reachable from here (proxy, firewall, DNS) and that GENESYSCLOUD_REGION, or "
        "GENESYSCLOUD_API_URL and GENESYSCLOUD_LOGIN_URL, are right"
    )

    def __init__(self, message: str, *, maybe_acted: bool, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.maybe_acted = maybe_acted


class UnexpectedAnswer(GenesysError):
    """An answer that the API's contract does not know: not JSON, not the schema, a redirect, too large."""

    maybe_acted = True
    hint = (
        "Something between here and Genesys Cloud may have answered in its place: check GENESYSCLOUD_API_URL "
        "and the proxy"
    )


class ApiError(GenesysError):
    """The API refused the request."""

    hint = (
        "If the message does not say what to change, ask Genesys Cloud's support and give the correlation id"
    )

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
        """`ININ-Correlation-Id`: what Genesys Cloud's support asks for."""
        self.retry_after = retry_after
        """Seconds to wait that the server asked for, if it did."""
        self.in_envelope = in_envelope
        """Whether it is the API's own answer: anything else may come from a proxy before it."""

    def as_a(self, kind: type[A]) -> A:
        """The same answer as an error of another kind."""
        return kind(
            self.message,
            status=self.status,
            code=self.code,
            correlation_id=self.correlation_id,
            retry_after=self.retry_after,
            in_envelope=self.in_envelope,
        )

    def saying(self, message: str, hint: str) -> str:
        """With what Genesys Cloud's support asks for."""
        origin = f"HTTP {self.status}" + (
            f", correlation id {self.correlation_id}" if self.correlation_id else ""
        )
        return super().saying(message.removesuffix(".") + f" ({origin})", hint)


class InvalidRequest(ApiError):
    """400: the payload breaks a rule [S]."""

    hint = "Mend what is named"


class Unauthorized(ApiError):
    """401, or the login refused the client [S][G]."""

    hint = (
        "Check that GENESYSCLOUD_OAUTHCLIENT_ID and GENESYSCLOUD_OAUTHCLIENT_SECRET belong to a client-credentials "
        "OAuth client of this organization and region (GENESYSCLOUD_REGION); if they do, make a new secret in "
        "Genesys Cloud's Admin under Integrations > OAuth"
    )


class Forbidden(ApiError):
    """403: a permission or scope is missing [S]; a client of the grant client-credentials has roles [G]."""

    hint = (
        "Give the role of the OAuth client the permission that is missing (integrations:integration:view, add, "
        "edit and delete are needed in all); where the client has scopes, add integrations for sources, and "
        "integration:write, integration:eventbridge:write and integration:eventbridge:read for targets. Then wait: "
        "it takes up to five minutes until a change is known everywhere"
    )


class NotFound(ApiError):
    """404, 410 or a lasting 408, in the API's envelope, of a call that names one: there is none.

    Nothing else is one, since what is not there is given up: not a 404 of the login, of a proxy, of a call that
    names no target and no integration.
    """

    hint = "It may have been deleted by hand"
    repeated = False
    """Whether an earlier try of the same call, whose answer did not come, may have acted."""


class Conflict(ApiError):
    """409: the name is taken, or something else is in the way [C]."""

    hint = "If it is the name that is taken, give this one another"


class StaleVersion(Conflict):
    """409, or a 400 that says so: the configuration has another version than the one that was sent [G]."""

    hint = "If another hand has changed it since it was read, read it again"


class RateLimited(ApiError):
    """429, or the login's 400 `rate limit exceeded` [G]: still throttled after the last retry."""

    hint = (
        "It was retried already. Where throttling lasts, raise GENESYSCLOUD_MAX_RETRIES, or find what else uses "
        "this OAuth client's or the organization's allowance"
    )


class ServerError(ApiError):
    """5xx or 408: still failing after the last retry."""

    maybe_acted = True
    hint = "Genesys Cloud, or a proxy before it, has a problem: see its status page, and try again later"


HOPELESS = (Cancelled, ConfigurationError, Forbidden, Unauthorized)
"""Errors that asking again does not mend."""
MAY_HAVE_ACTED = (ConnectionFailed, ServerError, UnexpectedAnswer)
"""Errors after which only a look tells whether a write acted; `maybe_acted` of each says whether it can have."""


def in_envelope(body: Mapping[str, Any] | None) -> bool:
    """Whether an error answer's body is the API's own: an object with `status`, and `code` or `message` [C]."""
    return body is not None and "status" in body and bool(body.get("code") or body.get("message"))


def shortened(text: str) -> str:
    """A server's words in one line, without our secrets, cut to what helps; nothing acts on the terminal."""
    words = " ".join(text.split())
    # Not all of a large page, but what is shown must not end in the middle of a secret.
    words = redacted(words[: SHOWN_CHARACTERS * LONGEST_ESCAPE + longest_written()])
    line = "".join(character if character.isprintable() else "\ufffd" for character in words)
    return line if len(line) <= SHOWN_CHARACTERS else line[: SHOWN_CHARACTERS - 1] + "…"
