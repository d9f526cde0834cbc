"""The contract's rules for a target's URLs [C], based on RFC 3986, RFC 1123 and IDNA 2008.

They share no code with the client's rules, so that tests can check each against the other.
"""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv4Address, IPv6Address, ip_address

import idna

_URL = re.compile(
    r"""
    (?P<scheme> [a-z][a-z0-9+.-]* ) ://
    (?P<host> \[ [^][/?#]* \] | [^][:@/?#]* )
    ( : (?P<port> [0-9]* ) )?
    ( [/?#] .* )?
    """,
    re.IGNORECASE | re.VERBOSE,
)
_LABEL = re.compile(r"[a-z0-9_-]{1,63}", re.IGNORECASE)
_MAX_NAME = 253
_MAX_PORT = 65_535


def url_fault(url: str, *, loopback_http: bool = False) -> str | None:
    """Why a target may not have the URL, or None; the reason never contains the URL itself.

    Args:
        url: Any text that is not empty.
        loopback_http: Whether plain HTTP to a loopback address is allowed.
    """
    if any(each.isspace() or not each.isprintable() for each in url):
        return "must not contain white space or invisible characters"
    parts = _URL.fullmatch(url)
    if parts is None:
        return "must be an absolute URL without a user name, as in https://gateway.example.com/events"
    if not _is_port(parts["port"]):
        return "must name a port from 1 to 65535, or none"
    host = _host(parts["host"].lower())
    if host is None:
        return "must name a host that can be looked up"
    if parts["scheme"].lower() != "https" and not (
        loopback_http and parts["scheme"].lower() == "http" and _is_loopback(host)
    ):
        return "must be an https:// URL"
    return None


def _is_port(text: str | None) -> bool:
    try:
        return not text or 1 <= int(text) <= _MAX_PORT
    except ValueError:
        return False  # Python refuses to convert thousands of digits.


def _host(host: str) -> str | None:
    """The host in the form for a DNS look-up; None if it is neither an address nor a name."""
    try:
        if host.startswith("["):
            return str(IPv6Address(host[1:-1]))
        if not host.isascii():
            host = idna.encode(host).decode()
        labels = host.removesuffix(".").split(".")
        if labels[-1].isdigit():
            return str(IPv4Address(host))
        for label in labels:
            if label.startswith("xn--"):
                idna.decode(label)
    except (AddressValueError, UnicodeError):
        return None
    return host if len(host) <= _MAX_NAME and all(map(_LABEL.fullmatch, labels)) else None


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
