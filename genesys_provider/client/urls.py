"""Which URLs secrets and events may be sent to."""

from __future__ import annotations

import re
from ipaddress import IPv6Address, ip_address
from urllib.parse import SplitResult, urlsplit

MAX_URL_CHARACTERS = 65_536
"""httpx takes no longer one."""

MAX_HOST_CHARACTERS = 253
_IN_BRACKETS = re.compile(r"\[([^][]*)\](:[0-9]*)?")
_LABEL = re.compile(r"[A-Za-z0-9_-]{1,63}")


def is_loopback(host: str) -> bool:
    """Whether a host name or address never leaves the machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def shown_url(url: str) -> str:
    """A URL as errors and logs have it: its query may hold a key."""
    return url.partition("?")[0]


def folded_url(url: str) -> str:
    """The URL with its scheme and host in small letters, as a service may return it: the same URL (RFC 3986)."""
    host = re.match(r"[^/]*//[^/?#]*", url)
    return url if host is None else host.group().lower() + url[host.end() :]


def checked_url(url: str, *, loopback_http: bool = False) -> str:
    """The URL as it was typed, if it is one that events or secrets may be sent to.

    HTTPS only [S]; with `loopback_http` also plain HTTP to a loopback address [C]. No credentials in the URL,
    since URLs are shown and logged.

    Raises:
        ValueError: It says what is wrong with the URL, never the URL itself.
    """
    parts = split_url(url)
    host = parts.hostname
    scheme = parts.scheme.lower()
    if scheme != "https" and not (loopback_http and scheme == "http" and is_loopback(host or "")):
        raise ValueError("must be an https:// URL")
    if not host:
        raise ValueError("must name a host, as in https://gateway.example.com/events")
    if parts.username is not None or parts.password is not None:
        raise ValueError("must hold no credentials: use the authentication's own fields instead")
    if parts.port == 0:
        raise ValueError("must name a port from 1 to 65535")
    return url


def split_url(url: str) -> SplitResult:
    """The parts of a URL, whose host, if it has one, can be looked up, and whose port can be read.

    Raises:
        ValueError: It says what is wrong with the URL, never the URL itself.
    """
    if not url or any(character.isspace() or not character.isprintable() for character in url):
        raise ValueError("must be a URL without white space")
    if len(url) > MAX_URL_CHARACTERS:
        raise ValueError(f"must have at most {MAX_URL_CHARACTERS} characters")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise ValueError("is not a valid URL: its host or port can't be read") from error
    where = parts.netloc.rpartition("@")[2]
    if host and not (_is_address(where) if "[" in where or "]" in where else _can_be_looked_up(host, url)):
        raise ValueError("is not a valid URL: its host can't be looked up")
    return parts


def _is_address(where: str) -> bool:
    """Whether a host with its port is an IPv6 address in brackets; Python takes other things in and around them."""
    match = _IN_BRACKETS.fullmatch(where)
    try:
        return match is not None and IPv6Address(match[1]) is not None
    except ValueError:
        return False


def _can_be_looked_up(host: str, url: str) -> bool:
    """Whether a URL's host is an address, or a name as DNS has them."""
    if not host.isascii() or "xn--" in host:
        # A name that IDNA has to write, or has written: loaded for these alone.
        import httpx

        try:
            # Reading `host` decodes it.
            host = httpx.URL(url).host and httpx.URL(url).raw_host.decode("ascii")
            # Of several labels it decodes the first alone.
            for label in host.split("."):
                if label.startswith("xn--"):
                    _ = httpx.URL(f"https://{label}/").host
        except (httpx.InvalidURL, UnicodeError):
            return False
    *_, last = labels = host.removesuffix(".").split(".")
    if last.isdecimal():
        try:
            ip_address(host)
        except ValueError:
            return False
        return True
    return len(host) <= MAX_HOST_CHARACTERS and all(_LABEL.fullmatch(label) for label in labels)
