"""Which headers a target may have: well-formed ones that neither the connection nor this provider sets.

The contract says "string to string" [C]. The rest follows from HTTP: RFC 9110 defines names, values, and the
headers that a sender sets for each request. If a target has one of these, it breaks its requests: with
`Content-Length: 0`, for example, the verification fails for no visible reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

HEADER_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")

_OF_THE_CONNECTION = frozenset(
    {
        "connection",
        "content-length",
        "expect",
        "host",
        "http2-settings",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""In lowercase, like all names here. Names that begin with `proxy-` are reserved too."""
_OF_THE_BODY = frozenset({"content-encoding", "content-type"})


def header_faults(headers: Mapping[object, object], auth_type: str | None) -> Iterator[tuple[str, str]]:
    """The headers that break a rule, each with the reason, which does not repeat the value.

    Args:
        headers: The headers as given, of any type.
        auth_type: The target's `authType`; None if it is unknown.
    """
    seen: set[str] = set()
    for name, value in headers.items():
        if reason := _fault(name, value, seen, auth_type):
            yield str(name), reason
        seen.add(str(name).lower())


def _fault(name: object, value: object, seen: set[str], auth_type: str | None) -> str | None:
    if not isinstance(name, str) or not HEADER_NAME.fullmatch(name):
        return "is not a valid header name"
    folded = name.lower()
    if folded in seen:
        return "is given twice: header names are not case-sensitive"
    if reason := _not_the_targets(folded, auth_type):
        return f"must be left out: {reason}"
    if not isinstance(value, str):
        return "must be text"
    if not _HEADER_VALUE.fullmatch(value) or value != value.strip():
        return "must be printable Latin-1 text in one line, without white space around it"
    return None


def _not_the_targets(folded: str, auth_type: str | None) -> str | None:
    if folded in _OF_THE_CONNECTION or folded.startswith("proxy-"):
        return "it belongs to the connection, and is set for each request"
    if folded in _OF_THE_BODY:
        return "it describes the body, which is always plain JSON"
    if folded == "authorization" and auth_type not in (None, "NONE"):
        return f"authType {auth_type} sets it; without authentication you may set it yourself"
    return None
