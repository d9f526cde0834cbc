"""Which URLs secrets and events may be sent to."""

from __future__ import annotations

import re
from ipaddress import IPv6Address, ip_address
from urllib.parse import SplitResult, urlsplit

MAX_URL_CHARACTERS = 65_536
"""httpx refuses longer URLs."""

MAX_HOST_CHARACTERS = 253
_IN_BRACKETS = re.compile(r"\[([^][]*)\](:[0-9]*)?")
_LABEL = re.compile(r"[A-Za-z0-9_-]{1,63}")


def is_loopback(host: str) -> bool:
    """Whether connections to this host name or address never leave the machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def shown_url(url: str) -> str:
    """The URL for errors and logs, without its query, which may contain a key."""
    return url.partition("?")[0]


def folded_url(url: str) -> str:
    """The URL in its normal form, as a service may return it: the same URL (RFC 3986).

    Scheme and host are in lowercase, the default port of HTTPS is left out, and an empty path is a slash.
    """
    host = re.match(r"[^/]*//[^/?#]*", url)
    if host is None:
        return url
    start, rest = host.group().lower(), url[host.end() :]
    if start.startswith("https:"):
        start = start.removesuffix(":443")
    return start + (rest if rest.startswith("/") else f"/{rest}")


def checked_url(url: str, *, loopback_http: bool = False) -> str:
    """Returns the URL unchanged, if events or secrets may be sent to it.

    Only HTTPS is accepted [S], and with `loopback_http` also plain HTTP to a loopback address [C]. URLs are shown
    and logged, so they must not contain credentials.

    Raises:
        ValueError: Says what is wrong with the URL, without repeating it.
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
        raise ValueError("must name a port between 1 and 65535")
    return url


def split_url(url: str) -> SplitResult:
    """Splits a URL; makes sure that its host, if any, can be resolved, and that its port is a number.

    Raises:
        ValueError: Says what is wrong with the URL, without repeating it.
    """
    if not url or any(character.isspace() or not character.isprintable() for character in url):
        raise ValueError("must be a URL without white space")
    if len(url) > MAX_URL_CHARACTERS:
        raise ValueError(f"must have at most {MAX_URL_CHARACTERS} characters")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise ValueError("is not a valid URL: its host or port can't be parsed") from error
    where = parts.netloc.rpartition("@")[2]
    if host and not (_is_address(where) if "[" in where or "]" in where else _can_be_looked_up(host, url)):
        raise ValueError("is not a valid URL: its host can't be resolved")
    return parts


def _is_address(where: str) -> bool:
    """Whether this is an IPv6 address in brackets, with an optional port; `urlsplit` is less strict."""
    match = _IN_BRACKETS.fullmatch(where)
    try:
        return match is not None and IPv6Address(match[1]) is not None
    except ValueError:
        return False


def _can_be_looked_up(host: str, url: str) -> bool:
    """Whether a URL's host is an address or a valid DNS name."""
    if not host.isascii() or "xn--" in host:
        # An internationalized name: load httpx only for these.
        import httpx

        try:
            # Reading `host` decodes it.
            host = httpx.URL(url).host and httpx.URL(url).raw_host.decode("ascii")
            # It only decodes the first label.
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
