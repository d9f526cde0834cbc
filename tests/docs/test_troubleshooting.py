"""The code contains the messages of `docs/troubleshooting.md`."""

from __future__ import annotations

import ast
from functools import cache

import pytest

from tests.docs.pages import ROOT, tokens

PULUMI = "Pulumi"
"""The section with messages of Pulumi."""
ANYTHING = "…"
THEIRS = ("Connection refused", "Name or service not known", "endpoint answered", "HTTP ", "is ERROR")
"""Texts of the operating system or the service, or assembled from several texts."""


@cache
def texts() -> str:
    """All texts in the package's code, one per line."""
    trees = (ast.parse(path.read_text()) for path in sorted((ROOT / "genesys_provider").rglob("*.py")))
    return "\n".join(
        node.value
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


def messages() -> list[str]:
    """The messages in the first column of each table."""
    parsed, found, section = tokens("docs/troubleshooting.md"), [], ""
    for number, token in enumerate(parsed):
        if token.type == "heading_open":
            section = parsed[number + 1].content
        if token.type == "tr_open" and parsed[number + 1].type == "td_open" and section != PULUMI:
            cell = parsed[number + 2].children or []
            found += [child.content for child in cell if child.type == "code_inline"]
    return found


@pytest.mark.parametrize("message", messages())
def test_the_code_contains_the_message(message: str) -> None:
    for part in message.split(ANYTHING):
        words = part.strip(" ,.:")
        if words and not any(each in words for each in THEIRS):
            assert words in texts(), f"no message has «{words}»"


def test_there_are_messages() -> None:
    assert len(messages()) > 10
