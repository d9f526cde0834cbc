"""Which proxy a request goes through, as the environment says: HTTPS_PROXY, ALL_PROXY, NO_PROXY.

Not httpx's own way: it sends a loopback address through the proxy, login and all, and breaks with a traceback on
what it can't read. A variable that no request needs is not looked at.
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
    """A proxy, and what named it."""

    named_by: str
    """The environment variable, or the system's settings (macOS, Windows)."""
    url: httpx.URL = field(repr=False)
    """It may hold the credentials for the proxy."""

    def __str__(self) -> str:
        port = f":{self.url.port}" if self.url.port else ""
        return f"the proxy {self.url.host}{port} that {self.named_by} names"


def proxy_for(url: httpx.URL) -> Proxy | None:
    """The proxy that requests to this URL go through; None where they go directly, as to loopback they always do.

    Raises:
        ConfigurationError: The variable that would name it holds no proxy; it says which, never what it holds.
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
        # What they say may repeat the URL, and so its credentials.
        proxy = None
    if proxy is None:
        raise ConfigurationError(
            f"{named_by} holds no URL of a proxy",
            hint=(
                "Write it as http://proxy.example.com:3128 (with %40 for an @ in a user name or password, and so "
                "on), or unset it"
            ),
        )
    if proxy.scheme not in SCHEMES:
        raise ConfigurationError(
            f"{named_by} names a proxy of a kind that is not known, {proxy.scheme}://",
            hint=f"Use one of {', '.join(f'{scheme}://' for scheme in SCHEMES)}, or unset it",
        )
    if proxy.scheme == "socks5h":
        # httpx leaves it to the proxy to look names up anyhow, and knew no other name for it before 0.28.
        proxy = proxy.copy_with(scheme="socks5")
    hide(proxy.password, unquote(proxy.userinfo.decode("ascii")))
    return Proxy(named_by, proxy)


def _variable(scheme: str) -> str:
    """The variable in effect: the one in small letters goes first."""
    names = [name for name in os.environ if name.lower() == f"{scheme}_proxy"]
    return max(names) if names else "the system's proxy setting"


def _goes_directly(url: httpx.URL) -> bool:
    host = url.host.rstrip(".")
    port = url.port or (443 if url.scheme == "https" else 80)
    entries = re.split(r"[\s,]+", getproxies_environment().get("no", ""))
    # The second is for the system's own settings (macOS, Windows).
    return any(_covers(entry.lower(), host, port) for entry in entries if entry) or bool(proxy_bypass(host))


def _covers(entry: str, host: str, port: int) -> bool:
    """Whether an entry of NO_PROXY is for this host: a name and all below it, an address, a network, `*`."""
    entry = entry.rpartition("://")[2]
    try:
        return ip_address(host) in ip_network(entry.strip("[]"), strict=False)
    except ValueError:
        # One of the two is a name, or the entry has a port.
        match = _ENTRY.fullmatch(entry)
    if match is None or (match["port"] and int(match["port"]) != port):
        return False
    name = match["name"].lstrip("*").lstrip(".")
    return entry == "*" or host == name or (bool(name) and host.endswith(f".{name}"))
