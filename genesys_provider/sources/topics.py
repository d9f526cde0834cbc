"""The topics of a source: how a template is written, and which ones the organization offers.

A topic is a *template*: `{id}` stands in it as it is, for all objects at once [G]. Only its form is a rule. Whether
it exists the organization says, whose list changes without notice; so a topic that it does not offer is worth a
warning, and no error [C].
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches
from typing import Any

EXAMPLE = "v2.users.{id}.presence"

_FORM = re.compile(r"v2(\.([A-Za-z_]+|\{id\}))+")
"""The form of all templates that are published [G]."""
_WILDCARDS = re.compile(r"[*?#>+]")
_PLACEHOLDER = re.compile(r"\{[^{}.]*\}|:\w+|<[^<>.]*>")
"""How others write what is always `{id}`."""
_SENT = frozenset({"all", "eventbridge"})
"""The transports that EventBridge is among [G]."""


def topic_fault(topic: str) -> str | None:
    """What is wrong with the form of a topic, and how it is written."""
    if _FORM.fullmatch(topic):
        return None
    for meant, rule in (
        (topic.strip(), "must have no white space around it"),
        (_PLACEHOLDER.sub("{id}", topic), "must have {id} where an object's id stands, as it is"),
        (_with_placeholders(topic), "must have {id} in place of a real id, for all objects at once"),
        (f"v2.{topic}", "must begin with its version"),
    ):
        if _FORM.fullmatch(meant):
            return f"{rule}: {meant}"
    if _WILDCARDS.search(topic):
        return (
            "must have no wildcard: name each topic by its template, whose {id} is for all objects at once, such "
            f"as {EXAMPLE}"
        )
    return f"must be the template of a topic, such as {EXAMPLE}"


def _with_placeholders(topic: str) -> str:
    """The topic with `{id}` for each step that holds a digit or a hyphen, as ids do and names don't."""
    version, *steps = topic.split(".")
    return ".".join([version, *("{id}" if re.search(r"[\d-]", step) else step for step in steps)])


def offered(listing: Mapping[str, Any]) -> frozenset[str]:
    """The topics that an answer of `GET /api/v2/notifications/availabletopics` has for EventBridge [G].

    One whose transports it does not say counts: nothing is known against it.
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
    """A warning for each topic that is not among those that are available."""
    return [_warning(topic, available) for topic in topics if topic not in available]


def _warning(topic: str, available: Collection[str]) -> str:
    nearest = get_close_matches(topic, available, n=1)
    meant = f"is {nearest[0]!r} meant? Otherwise check" if nearest else "check"
    return (
        f"topic {topic!r} is not among those that this organization offers on EventBridge, so it may bring no "
        f"events: {meant} it with `GET /api/v2/notifications/availabletopics?expand=transports`"
    )
