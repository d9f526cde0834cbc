"""The headers that the sender sets for each request (RFC 9110), and that a target may therefore not set [C]."""

from __future__ import annotations

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
_OF_THE_BODY = frozenset({"content-encoding", "content-type"})


def is_senders_own(name: str) -> bool:
    """Whether the header belongs to the connection or describes the body."""
    folded = name.lower()
    return folded in _OF_THE_CONNECTION | _OF_THE_BODY or folded.startswith("proxy-")
