"""The notes of a source: the user's text, and the line that names its owner."""

from __future__ import annotations

import re
from typing import Any

from genesys_provider.common.ownership import mark_as_text, mark_from_text
from genesys_provider.sources.vocabulary import with_plain_ends

_NO_NOTES = "node_dynamodb_empty_string"
"""How empty notes may be returned [G]."""
_MARK = re.compile(r"Pulumi: (?P<mark>urn:pulumi:\S+(::\S+){3})")
"""The line of the notes that holds the owner mark [C]; a text with fewer than four parts is not a URN any more."""


def has_mark(notes: str) -> bool:
    """Whether a line of the text would be taken for an owner mark."""
    return any(_MARK.fullmatch(line.strip()) for line in with_plain_ends(notes).split("\n"))


def with_mark(notes: str | None, owner: str | None) -> str:
    """The text that the API gets."""
    mark = None if owner is None else f"Pulumi: {mark_as_text(owner)}"
    return "\n".join(each for each in (notes, mark) if each)


def notes_and_mark(notes: Any) -> tuple[str | None, str | None]:
    """The user's notes and the owner mark. A user may have added text after the mark."""
    if not isinstance(notes, str) or notes == _NO_NOTES:
        return None, None
    owner, rest = None, []
    for line in with_plain_ends(notes).split("\n"):
        if found := _MARK.fullmatch(line.strip()):
            owner = mark_from_text(found["mark"])
        else:
            rest.append(line)
    return "\n".join(rest) or None, owner
