"""The AWS regions and domains of Genesys Cloud, from the official SDK's `purecloud_region_hosts` [G]."""

from __future__ import annotations

import re

from genesys_provider.client.errors import ConfigurationError

DEFAULT_DOMAIN = "mypurecloud.com"
"""Used if no region is configured [S]."""

DOMAIN_BY_REGION = {
    "us-east-1": "mypurecloud.com",
    "us-east-2": "use2.us-gov-pure.cloud",
    "us-west-2": "usw2.pure.cloud",
    "ca-central-1": "cac1.pure.cloud",
    "mx-central-1": "mxc1.pure.cloud",
    "sa-east-1": "sae1.pure.cloud",
    "eu-west-1": "mypurecloud.ie",
    "eu-west-2": "euw2.pure.cloud",
    "eu-central-1": "mypurecloud.de",
    "eu-central-2": "euc2.pure.cloud",
    "eusc-de-east-1": "edee1.eusc-pure.cloud",
    "me-central-1": "mec1.pure.cloud",
    "ap-south-1": "aps1.pure.cloud",
    "ap-southeast-1": "apse1.pure.cloud",
    "ap-southeast-2": "mypurecloud.com.au",
    "ap-northeast-1": "mypurecloud.jp",
    "ap-northeast-2": "apne2.pure.cloud",
    "ap-northeast-3": "apne3.pure.cloud",
}

_DOMAINS = "|".join(map(re.escape, DOMAIN_BY_REGION.values()))
_ADDRESS = re.compile(rf"(https://)?(api|apps|login)\.(?P<domain>{_DOMAINS})[./]*")
"""What people copy from a browser or from other tools in place of the domain."""

_DOMAIN = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+", re.IGNORECASE)


def domain_of(region: str) -> str:
    """Returns the domain for an AWS region (`eu-central-1`); a domain (`mypurecloud.de`) is returned as it is.

    Raises:
        ConfigurationError: The value is neither.
    """
    name = region.strip().lower()
    if address := _ADDRESS.fullmatch(name):
        raise ConfigurationError(
            f"genesys:region is {region!r}, which is an address in a domain",
            hint=f"Write {address['domain']}",
        )
    if name in DOMAIN_BY_REGION:
        return DOMAIN_BY_REGION[name]
    if _DOMAIN.fullmatch(name):
        return name
    raise ConfigurationError(
        f"genesys:region is {region!r}, which is neither an AWS region of Genesys Cloud nor a domain",
        hint=f"Use one of {', '.join(sorted(DOMAIN_BY_REGION))}, or a domain such as {DEFAULT_DOMAIN}",
    )


def api_url(region: str) -> str:
    """`https://api.{domain}` [G]. The source document omits `api.`, but the SDKs use it."""
    return f"https://api.{domain_of(region)}"


def login_url(region: str) -> str:
    """`https://login.{domain}` [G]."""
    return f"https://login.{domain_of(region)}"
