"""How to reach and log in to one Genesys Cloud organisation, from a stack's config or the environment.

A key that the config lacks is looked for under the environment variable that the Terraform provider
`genesyscloud` uses [G], so that one CI set-up serves both.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from genesys_provider.client import regions
from genesys_provider.client.errors import ConfigurationError
from genesys_provider.client.urls import checked_url

DEFAULT_MAX_RETRIES = 3
"""How often a throttled or failed request is sent again [S]."""

DEFAULT_VERIFICATION_TIMEOUT = 75.0
"""Seconds until a wait for a verdict is given up: the source's 15 looks, one every 5 s [S]."""

ENVIRONMENT = {
    "region": "GENESYSCLOUD_REGION",
    "clientId": "GENESYSCLOUD_OAUTHCLIENT_ID",
    "clientSecret": "GENESYSCLOUD_OAUTHCLIENT_SECRET",
    "apiUrl": "GENESYSCLOUD_API_URL",
    "loginUrl": "GENESYSCLOUD_LOGIN_URL",
    "caFile": "GENESYSCLOUD_CA_FILE",
    "auditLog": "GENESYSCLOUD_AUDIT_LOG",
    "maxRetries": "GENESYSCLOUD_MAX_RETRIES",
    "verificationTimeout": "GENESYSCLOUD_VERIFICATION_TIMEOUT",
}
"""Each config key of the namespace `genesys`, and the environment variable that stands in for it."""

AUDIT_KEY = "GENESYSCLOUD_AUDIT_KEY"
"""An environment variable alone: who reads a stack's config must not be able to forge its audit file."""


LONGEST_SECONDS = 86_400
"""A day: who waits longer, or tries again more often, has mistyped."""

_CALLS = {"apiUrl": "/api/v2/…", "loginUrl": "/oauth/token"}

_CALLS_PATH = re.compile(r"/+(api/v2|oauth/token)(/.*)?$", re.IGNORECASE)
"""What a URL that was pasted whole ends with."""


@dataclass(frozen=True)
class Settings:
    """One organisation, one OAuth client, and how patient to be."""

    client_id: str
    client_secret: str = field(repr=False)
    api_url: str = regions.api_url(regions.DEFAULT_DOMAIN)
    login_url: str = regions.login_url(regions.DEFAULT_DOMAIN)
    ca_file: Path | None = None
    """A CA that is trusted besides the system's, for the API and for webhooks."""
    audit_log: Path | None = None
    audit_key: str = field(default="", repr=False)
    """What the audit file's entries are sealed with; empty seals none."""
    max_retries: int = DEFAULT_MAX_RETRIES
    verification_timeout: float = DEFAULT_VERIFICATION_TIMEOUT
    from_environment: frozenset[str] = field(default=frozenset(), repr=False, compare=False)
    """The config keys whose values are those of environment variables: errors name the variable."""

    def __post_init__(self) -> None:
        """Checks the values, wherever they come from.

        Raises:
            ConfigurationError: One can't be used; it names the config key, never a secret.
        """
        for key, name in (("apiUrl", "api_url"), ("loginUrl", "login_url")):
            object.__setattr__(self, name, _base_url(key, getattr(self, name)))
        for key, value in (
            ("maxRetries", self.max_retries),
            ("verificationTimeout", self.verification_timeout),
        ):
            if not 0 <= value <= LONGEST_SECONDS:  # also refuses nan
                raise ConfigurationError(f"genesys:{key} must be from 0 to {LONGEST_SECONDS}")

    @classmethod
    def resolve(cls, config: Mapping[str, object], environ: Mapping[str, str] = os.environ) -> Settings:
        """Settings from config keys without their namespace (`region`, `clientId`), else the environment.

        A missing client is no error yet, since a stack that makes no request needs none; the login says so.

        Raises:
            ConfigurationError: A value is not what its key takes; it names the key, or the environment variable
                that the value is from, never a secret.
        """
        from_environment = frozenset(
            key
            for key, variable in ENVIRONMENT.items()
            if config.get(key) in (None, "") and environ.get(variable)
        )

        def text(key: str) -> str:
            value = config.get(key)
            return str(value) if value not in (None, "") else environ.get(ENVIRONMENT[key], "")

        def number(key: str, default: float, convert: Callable[[str], float]) -> float:
            try:
                return convert(text(key) or str(default))
            except ValueError as error:
                raise ConfigurationError(f"genesys:{key} must be a number") from error

        def url(key: str, default: Callable[[str], str]) -> str:
            return text(key) or default(text("region") or regions.DEFAULT_DOMAIN)

        def path(key: str) -> Path | None:
            return Path(text(key)).expanduser() if text(key) else None

        with _naming_variables(from_environment):
            return cls(
                client_id=text("clientId"),
                client_secret=text("clientSecret"),
                api_url=url("apiUrl", regions.api_url),
                login_url=url("loginUrl", regions.login_url),
                ca_file=path("caFile"),
                audit_log=path("auditLog"),
                audit_key=environ.get(AUDIT_KEY, ""),
                max_retries=int(number("maxRetries", DEFAULT_MAX_RETRIES, int)),
                verification_timeout=number("verificationTimeout", DEFAULT_VERIFICATION_TIMEOUT, float),
                from_environment=from_environment,
            )

    def naming_variables(self) -> AbstractContextManager[None]:
        """Within it, a `ConfigurationError` names the environment variable where a value is from one."""
        return _naming_variables(self.from_environment)

    def in_its_words(self, text: str) -> str:
        """A text in which each config key whose value is from an environment variable is that variable."""
        return _with_variables(text, self.from_environment)


@contextmanager
def _naming_variables(keys: frozenset[str]) -> Iterator[None]:
    try:
        yield
    except ConfigurationError as error:
        message = _with_variables(error.message, keys)
        hint = None if message == error.message else "Correct the variable, or unset it"
        if error.hint != ConfigurationError.hint:
            hint = _with_variables(error.hint, keys)
        raise ConfigurationError(message, hint=hint) from None


def _with_variables(text: str, keys: frozenset[str]) -> str:
    return re.sub(
        r"\bgenesys:([A-Za-z]+)", lambda match: ENVIRONMENT[match[1]] if match[1] in keys else match[0], text
    )


def _base_url(key: str, url: str) -> str:
    """The URL without a slash at its end: calls are appended to it."""
    try:
        checked_url(url, loopback_http=True)
    except ValueError as error:
        raise ConfigurationError(f"genesys:{key} {error}") from error
    base = _CALLS_PATH.sub("", re.split("[?#]", url)[0]).rstrip("/")
    if base == url.rstrip("/"):
        return base
    raise ConfigurationError(
        f"genesys:{key} must be the address to which calls such as {_CALLS[key]} are appended, without a query or "
        "a fragment",
        hint=f"Write {base}",
    )
