"""How to reach and log in to one Genesys Cloud organisation, from a stack's config or the environment.

A key that the config lacks is looked for under the environment variable that the Terraform provider
`genesyscloud` uses [G], so that one CI set-up serves both.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
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
    max_retries: int = DEFAULT_MAX_RETRIES
    verification_timeout: float = DEFAULT_VERIFICATION_TIMEOUT

    @classmethod
    def resolve(cls, config: Mapping[str, object], environ: Mapping[str, str] = os.environ) -> Settings:
        """Settings from config keys without their namespace (`region`, `clientId`), else the environment.

        A missing client is no error yet, since a stack that makes no request needs none; the login says so.

        Raises:
            ConfigurationError: A value is not what its key takes; it names the key, never a secret.
        """

        def text(key: str) -> str:
            value = config.get(key)
            return str(value) if value not in (None, "") else environ.get(ENVIRONMENT[key], "")

        def number(key: str, default: float, convert: Callable[[str], float]) -> float:
            try:
                value = convert(text(key) or str(default))
            except ValueError as error:
                raise ConfigurationError(f"genesys:{key} must be a number") from error
            if not 0 <= value <= 86400:  # noqa: PLR2004  (a day; also refuses nan)
                raise ConfigurationError(f"genesys:{key} must be from 0 to 86400")
            return value

        def url(key: str, default: Callable[[str], str]) -> str:
            given = text(key)
            if not given:
                return default(text("region") or regions.DEFAULT_DOMAIN)
            try:
                return checked_url(given, loopback_http=True).rstrip("/")
            except ValueError as error:
                raise ConfigurationError(f"genesys:{key} {error}") from error

        def path(key: str) -> Path | None:
            return Path(text(key)).expanduser() if text(key) else None

        return cls(
            client_id=text("clientId"),
            client_secret=text("clientSecret"),
            api_url=url("apiUrl", regions.api_url),
            login_url=url("loginUrl", regions.login_url),
            ca_file=path("caFile"),
            audit_log=path("auditLog"),
            max_retries=int(number("maxRetries", DEFAULT_MAX_RETRIES, int)),
            verification_timeout=number("verificationTimeout", DEFAULT_VERIFICATION_TIMEOUT, float),
        )
