"""The topics of a source: the form of templates, and which of them the organization offers.

A topic is a *template*: `{id}` is literally part of it, and stands for all objects at once [G]. Only the form is a
rule. Whether a topic exists is up to the organization, whose list changes without notice; so an unknown topic is a
warning, not an error [C].
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches
from typing import Any

EXAMPLE = "v2.users.{id}.presence"

_FORM = re.compile(r"v2(\.([A-Za-z_]+|\{id\}))+")
"""The form of all published templates [G]."""
_WILDCARDS = re.compile(r"[*?#>+]")
_PLACEHOLDER = re.compile(r"\{[^{}.]*\}|:\w+|<[^<>.]*>")
"""Other notations for `{id}`."""
_SENT = frozenset({"all", "eventbridge"})
"""The transports that include EventBridge [G]."""


def topic_fault(topic: str) -> str | None:
    """What is wrong with the form of a topic, and how to write it."""
    if _FORM.fullmatch(topic):
        return None
    for meant, rule in (
        (topic.strip(), "must have no white space around it"),
        (_PLACEHOLDER.sub("{id}", topic), "must have {id}, literally, where an object's id stands"),
        (_with_placeholders(topic), "must have {id} in place of a real id, for all objects at once"),
        (f"v2.{topic}", "must begin with its version"),
    ):
        if _FORM.fullmatch(meant):
            return f"{rule}: {meant}"
    if _WILDCARDS.search(topic):
        return (
            "must have no wildcard: name each topic by its template, whose {id} stands for all objects at once, "
            f"such as {EXAMPLE}"
        )
    return f"must be the template of a topic, such as {EXAMPLE}"


def _with_placeholders(topic: str) -> str:
    """The topic with `{id}` for each part that contains a digit or a hyphen, as ids do and names don't."""
    version, *steps = topic.split(".")
    return ".".join([version, *("{id}" if re.search(r"[\d-]", step) else step for step in steps)])


def offered(listing: Mapping[str, Any]) -> frozenset[str]:
    """The topics for EventBridge in a response of `GET /api/v2/notifications/availabletopics` [G].

    A topic without transports is included, since it may be available.
    """
    entities = listing.get("entities")
    return frozenset(
        topic["id"]
        for topic in (entities if isinstance(entities, list) else ())
        if isinstance(topic, Mapping)
        and isinstance(topic.get("id"), str)
        and _is_for_eventbridge(topic.get("transports"))
    )


def _is_for_eventbridge(transports: Any) -> bool:
    if not isinstance(transports, list) or not transports:
        return True
    return any(str(each).lower() in _SENT for each in transports)


def warnings(topics: Iterable[str], available: Collection[str]) -> list[str]:
    """A warning for each topic that is not available."""
    return [_warning(topic, available) for topic in topics if topic not in available]


def _warning(topic: str, available: Collection[str]) -> str:
    nearest = get_close_matches(topic, available, n=1)
    meant = f"is {nearest[0]!r} meant? Otherwise check" if nearest else "check"
    return (
        f"topic {topic!r} is not among those that this organization offers on EventBridge, so it may bring no "
        f"events: {meant} it with `GET /api/v2/notifications/availabletopics?expand=transports`"
    )
