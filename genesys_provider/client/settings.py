"""How to reach one Genesys Cloud organization and log in to it, from a stack's config or the environment.

A key that is missing from the config is read from the environment variable that the Terraform provider
`genesyscloud` uses [G], so that one CI configuration serves both. An explicit provider in a program is for one of
several organizations: there a missing key is an error, and never read from elsewhere.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

from genesys_provider.client import regions
from genesys_provider.client.errors import ConfigurationError, MissingSetting
from genesys_provider.client.naming import snake
from genesys_provider.client.urls import checked_url

DEFAULT_MAX_RETRIES = 3
"""How often a throttled or failed request is retried [S]."""

DEFAULT_VERIFICATION_TIMEOUT = 75.0
"""Seconds to wait for a verdict: the source document's 15 polls, one every 5 s [S]."""

NAMESPACE = "genesys"
"""The namespace of our config keys."""

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
"""Each config key with the environment variable that can replace it."""

_KEY_OF = {variable: f"{NAMESPACE}:{key}" for key, variable in ENVIRONMENT.items()}
_VARIABLE = re.compile("|".join(_KEY_OF))

ARGUMENTS = {key: snake(key) for key in ENVIRONMENT}
"""Each config key, and the argument of an explicit provider that gives it: `clientId`, `client_id`."""

AUDIT_KEY = "GENESYSCLOUD_AUDIT_KEY"
"""Only an environment variable, since readers of a stack's config must not be able to forge its audit file."""


LONGEST_SECONDS = 86_400
"""One day. A longer wait, or more retries, must be a mistake."""

UrlKey = Literal["apiUrl", "loginUrl"]
_CALLS: dict[UrlKey, str] = {"apiUrl": "/api/v2/…", "loginUrl": "/oauth/token"}

_CALLS_PATH = re.compile(r"/+(api/v2|oauth/token)(/.*)?$", re.IGNORECASE)
"""The end of a URL to which a call's path was pasted along with the base."""

_KEY = r"\bgenesys:([A-Za-z]+)"
_KEYS_IN_A_ROW = rf"{_KEY}(?:(?:,| and|, and| or) {_KEY})*"


_QUOTES = ("'", '"', "\u201c", "\u201d")
"""Characters that are not part of a credential, but of the text around it."""


class Origins(NamedTuple):
    """Where values came from, if not from the stack's config."""

    names: Mapping[str, str]
    """What errors call a config key: the environment variable, or the argument of an explicit provider."""
    correction: str = ""
    """What to do about a wrong value."""
    whose: str = ""
    """What follows a name, or the last of several in a row: ` of provider 'eu'`."""
    given: Collection[str] = ()
    """The config keys that have a value, as far as that is known."""


FROM_CONFIG = Origins({})
"""All values are called by their config keys."""


@dataclass(frozen=True)
class Settings:
    """The address, credentials, and retry and time limits for one organization."""

    client_id: str
    client_secret: str = field(repr=False)
    api_url: str = regions.api_url(regions.DEFAULT_DOMAIN)
    login_url: str = regions.login_url(regions.DEFAULT_DOMAIN)
    ca_file: Path | None = None
    """An additional trusted CA, for the API and for webhooks."""
    audit_log: Path | None = None
    audit_key: str = field(default="", repr=False)
    """The key for the seals of audit entries; without it they are only hashed."""
    max_retries: int = DEFAULT_MAX_RETRIES
    verification_timeout: float = DEFAULT_VERIFICATION_TIMEOUT
    origins: Origins = field(default=FROM_CONFIG, repr=False, compare=False)
    """For errors: where the values came from."""

    def __post_init__(self) -> None:
        """Validates the values, wherever they came from.

        Raises:
            ConfigurationError: A value is invalid. The message names the config key, never a secret.
        """
        for url_key in _CALLS:
            object.__setattr__(self, ARGUMENTS[url_key], _base_url(url_key, self.url_of(url_key)))
        for key, text in (("clientId", self.client_id), ("clientSecret", self.client_secret)):
            if text != text.strip():
                raise ConfigurationError(f"genesys:{key} begins or ends with white space")
            if text.startswith(_QUOTES) and text.endswith(_QUOTES):
                # `docker --env-file`, for one, takes quotes as part of the value.
                raise ConfigurationError(f"genesys:{key} must not be in quotes")
            if not text.isprintable():
                raise ConfigurationError(f"genesys:{key} contains an invisible or invalid character")
        for key, value in (
            ("maxRetries", self.max_retries),
            ("verificationTimeout", self.verification_timeout),
        ):
            if not 0 <= value <= LONGEST_SECONDS:  # also refuses nan
                raise ConfigurationError(f"genesys:{key} must be between 0 and {LONGEST_SECONDS}")

    @classmethod
    def resolve(cls, config: Mapping[str, object], environ: Mapping[str, str] | None = None) -> Settings:
        """Reads settings from config keys without their namespace (`region`, `clientId`), or else the environment.

        Missing credentials are not an error yet, since a stack that makes no request needs none; the login
        reports them.

        Raises:
            ConfigurationError: A value is invalid. The message names the config key or environment variable, never
                a secret.
        """
        # Not a default of the parameter: `help` would show the whole environment, secrets included.
        environ = os.environ if environ is None else environ
        variables = {
            key: variable
            for key, variable in ENVIRONMENT.items()
            if config.get(key) in (None, "") and environ.get(variable)
        }
        given = {**config, **{key: environ[name] for key, name in variables.items()}}
        return cls._from(given, environ, Origins(variables, "Correct the variable, or unset it"))

    @classmethod
    def of_provider(
        cls, config: Mapping[str, object], provider: str, environ: Mapping[str, str] | None = None
    ) -> Settings:
        """Settings of an explicit provider, from its own config keys alone.

        The environment is not used, except for `GENESYSCLOUD_AUDIT_KEY`, which belongs to the machine.

        Args:
            config: The keys that the provider was given, without their namespace.
            provider: Its name in the program, for errors.
            environ: The environment; by default this process's.

        Raises:
            ConfigurationError: A key is missing or invalid. The message names the argument of the provider, never a
                secret.
        """
        cls.require_arguments(config, provider)
        origins = Origins(ARGUMENTS, "Correct it in the program", f" of provider {provider!r}")
        return cls._from(config, os.environ if environ is None else environ, origins)

    @staticmethod
    def require_arguments(config: Mapping[str, object], provider: str) -> None:
        """Checks that an explicit provider was given all required keys, even if their values are not known yet.

        Args:
            config: As in `of_provider`.
            provider: Its name in the program.

        Raises:
            ConfigurationError: A key is missing. The message names the argument.
        """
        lacking = [key for key in ARGUMENTS if config.get(key) in (None, "")]
        missing = [ARGUMENTS[key] for key in ("clientId", "clientSecret") if key in lacking]
        urls = [ARGUMENTS[key] for key in _CALLS if key in lacking]
        if urls and "region" in lacking:
            missing.append("region" if len(urls) == len(_CALLS) else f"region or {urls[0]}")
        if missing:
            raise ConfigurationError(
                f"provider {provider!r} has no {', no '.join(missing)}",
                hint=f"Give it to GenesysProvider({provider!r}, …), which takes nothing from the stack's config or "
                "the environment",
            )

    @classmethod
    def _from(cls, config: Mapping[str, object], environ: Mapping[str, str], origins: Origins) -> Settings:
        def text(key: str) -> str:
            value = config.get(key)
            if isinstance(value, list | dict) or _is_structured(str(value)):
                raise ConfigurationError(f"genesys:{key} must be text")
            return "" if value is None else str(value)

        def number(key: str, default: float) -> float:
            try:
                return float(text(key) or default)
            except ValueError as error:
                raise ConfigurationError(f"genesys:{key} must be a number") from error

        def whole_number(key: str, default: int) -> int:
            value = number(key, default)  # all numbers in Pulumi's properties are floats
            if not value.is_integer():
                raise ConfigurationError(f"genesys:{key} must be a whole number")
            return int(value)

        def url(key: str, default: Callable[[str], str]) -> str:
            return text(key) or default(text("region") or regions.DEFAULT_DOMAIN)

        def path(key: str) -> Path | None:
            try:
                return Path(text(key)).expanduser() if text(key) else None
            except RuntimeError as error:
                raise ConfigurationError(
                    f"genesys:{key} names {text(key)}, whose home directory is not known",
                    hint="Write the whole path instead of ~",
                ) from error

        with _naming(origins):
            # Reads every key, even one that nothing else does, such as a region in addition to both URLs.
            given = [key for key in ENVIRONMENT if text(key)]
            return cls(
                client_id=text("clientId"),
                client_secret=text("clientSecret"),
                api_url=url("apiUrl", regions.api_url),
                login_url=url("loginUrl", regions.login_url),
                ca_file=path("caFile"),
                audit_log=path("auditLog"),
                audit_key=environ.get(AUDIT_KEY, ""),
                max_retries=whole_number("maxRetries", DEFAULT_MAX_RETRIES),
                verification_timeout=number("verificationTimeout", DEFAULT_VERIFICATION_TIMEOUT),
                origins=origins._replace(given=given),
            )

    def require_client(self) -> None:
        """Checks that there are credentials for a login.

        Raises:
            MissingSetting: One of them is missing.
        """
        for key, value in (("clientId", self.client_id), ("clientSecret", self.client_secret)):
            if not value:
                raise MissingSetting(ENVIRONMENT[key])

    def url_of(self, key: UrlKey) -> str:
        """The URL of a config key."""
        return self.api_url if key == "apiUrl" else self.login_url

    def origin_of(self, key: UrlKey) -> str:
        """Names the environment variables that a URL came from: `GENESYSCLOUD_REGION, which leads to https://…`."""
        url = self.url_of(key)
        # A URL that is given does not come from the region.
        found = next((each for each in (key, "region") if each in self.origins.given), None)
        if found is None:
            return f"{ENVIRONMENT[key]} or {ENVIRONMENT['region']}, which lead to {url}"
        return f"{ENVIRONMENT[found]}, which leads to {url}"

    def naming_sources(self) -> AbstractContextManager[None]:
        """Within the block, a `ConfigurationError` names where a value came from, as `in_its_words` does."""
        return _naming(self.origins)

    def in_its_words(self, text: str) -> str:
        """The text with each config key replaced by its name in `origins`."""
        return _renamed(text, self.origins)


def with_config_keys(text: str) -> str:
    """The text with each of our environment variables replaced by its config key: `genesys:region`."""
    return _VARIABLE.sub(lambda found: _KEY_OF[found[0]], text)


def _is_structured(text: str) -> bool:
    """Whether this is an object or a list as JSON, which is how Pulumi hands over structured config."""
    if not text.startswith(("{", "[")):
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


@contextmanager
def _naming(origins: Origins) -> Iterator[None]:
    try:
        yield
    except ConfigurationError as error:
        message = _renamed(error.message, origins)
        if error.hint != ConfigurationError.hint:
            hint: str | None = _renamed(error.hint, origins)
        elif message == error.message:
            hint = None
        else:
            hint = origins.correction
        raise ConfigurationError(message, hint=hint) from None


def _renamed(text: str, origins: Origins) -> str:
    def named(several: re.Match[str]) -> str:
        names = re.sub(_KEY, lambda match: origins.names.get(match[1], match[0]), several[0])
        return names if names == several[0] else names + origins.whose

    return re.sub(_KEYS_IN_A_ROW, named, text)


def _base_url(key: UrlKey, url: str) -> str:
    """The URL without a trailing slash, so that paths can be appended."""
    try:
        checked_url(url, loopback_http=True)
    except ValueError as error:
        raise ConfigurationError(f"genesys:{key} {error}") from error
    base = _CALLS_PATH.sub("", re.split("[?#]", url)[0]).rstrip("/")
    if base == url.rstrip("/"):
        return base
    raise ConfigurationError(
        f"genesys:{key} must be the address to which paths such as {_CALLS[key]} are appended, without a query or "
        "fragment",
        hint=f"Write {base}",
    )
