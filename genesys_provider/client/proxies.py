"""Selects the proxy for a request from HTTPS_PROXY, ALL_PROXY and NO_PROXY.

We don't use httpx's own rules: they send loopback requests, credentials included, through the proxy, and end in a
traceback if a variable can't be parsed. We read a variable only if a request needs it.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from urllib.parse import unquote
from urllib.request import getproxies, getproxies_environment, proxy_bypass

import httpx

from genesys_provider.client.errors import ConfigurationError
from genesys_provider.client.redaction import hide
from genesys_provider.client.urls import is_loopback, split_url

SCHEMES = ("http", "https", "socks5", "socks5h")

_ENTRY = re.compile(r"\[?(?P<name>.*?)\]?(?::(?P<port>\d+))?")


@dataclass(frozen=True)
class Proxy:
    """A proxy, and where it is configured."""

    named_by: str
    """The environment variable, or the system's settings (macOS, Windows)."""
    url: httpx.URL = field(repr=False)
    """May contain the credentials for the proxy."""

    def __str__(self) -> str:
        return f"the proxy {self.url.netloc.decode('ascii')} that {self.named_by} names"


def proxy_for(url: httpx.URL) -> Proxy | None:
    """Returns the proxy for requests to this URL; None for a direct connection, as always for loopback.

    Raises:
        ConfigurationError: The variable does not contain a valid proxy. The message names it but never its value.
    """
    proxies = getproxies()
    given = (proxies.get(url.scheme) or proxies.get("all") or "").strip()
    if not given or is_loopback(url.host) or _goes_directly(url):
        return None
    named_by = _variable(url.scheme if proxies.get(url.scheme) else "all")
    if "://" not in given:
        given = f"http://{given}"
    try:
        proxy = httpx.URL(given) if split_url(given).hostname else None
    except (httpx.InvalidURL, ValueError):
        # Their message may repeat the URL, and with it the credentials.
        proxy = None
    if proxy is None:
        raise ConfigurationError(
            f"{named_by} does not contain the URL of a proxy",
            hint=(
                "Write it as http://proxy.example.com:3128 (with %40 for an @ in a user name or password, and so "
                "on), or unset it"
            ),
        )
    if proxy.scheme not in SCHEMES:
        raise ConfigurationError(
            f"{named_by} names an unsupported kind of proxy, {proxy.scheme}://",
            hint=f"Use one of {', '.join(f'{scheme}://' for scheme in SCHEMES)}, or unset it",
        )
    if proxy.scheme == "socks5h":
        # httpx lets the proxy resolve names in any case, and before 0.28 it only knew this name.
        proxy = proxy.copy_with(scheme="socks5")
    hide(proxy.password, unquote(proxy.userinfo.decode("ascii")))
    return Proxy(named_by, proxy)


def _variable(scheme: str) -> str:
    """The variable that applies: the lowercase one takes precedence."""
    names = [name for name in os.environ if name.lower() == f"{scheme}_proxy"]
    return max(names) if names else "the system's proxy setting"


def _goes_directly(url: httpx.URL) -> bool:
    host = url.host.rstrip(".")
    port = url.port or (443 if url.scheme == "https" else 80)
    entries = re.split(r"[\s,]+", getproxies_environment().get("no", ""))
    # `proxy_bypass` covers the system's own settings (macOS, Windows).
    return any(_covers(entry.lower(), host, port) for entry in entries if entry) or bool(proxy_bypass(host))


def _covers(entry: str, host: str, port: int) -> bool:
    """Whether a NO_PROXY entry matches the host: a domain with its subdomains, an address, a network, or `*`."""
    entry = entry.rpartition("://")[2]
    try:
        return ip_address(host) in ip_network(entry.strip("[]"), strict=False)
    except ValueError:
        # One of them is a name, or the entry has a port.
        match = _ENTRY.fullmatch(entry)
    if match is None or (match["port"] and int(match["port"]) != port):
        return False
    name = match["name"].lstrip("*").lstrip(".")
    return entry == "*" or host == name or (bool(name) and host.endswith(f".{name}"))
