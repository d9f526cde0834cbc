"""Parses the pages of the documentation into blocks, commands, links and headings."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from markdown_it import MarkdownIt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from markdown_it.token import Token

ROOT = Path(__file__).parents[2]
PAGES = tuple(
    str(path.relative_to(ROOT))
    for path in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md")))
)
_MARK = re.compile(r"<!--\s*([a-z ]+?)\s*(?::\s*(.*?))?\s*-->", re.DOTALL)
_TITLE = re.compile(r'title="([^"]+)"')


@dataclass(frozen=True)
class Command:
    """A command in a `console` block, without its prompt, and the output that the page shows."""

    line: int
    text: str
    output: str


@dataclass(frozen=True)
class Block:
    """A fenced block.

    A comment directly above a block marks it for the tests, and is invisible to readers:

    `<!-- not run: why -->`  the block's commands can't be run in a test, for this reason
    `<!-- background -->`    the command keeps running while the rest of the page is run
    `<!-- exits: N -->`      the last command ends with this exit code
    `<!-- typed: y -->`      what is typed when the last command asks
    `<!-- varies: why -->`   the output is different each time, and is not compared
    `<!-- file: NAME -->`    the block shows what the commands before it have written to this file
    """

    page: str
    line: int
    language: str
    title: str | None
    text: str
    marks: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"

    def commands(self) -> Iterator[Command]:
        """The commands of a `console` block; a backslash continues a command on the next line."""
        lines = self.text.splitlines()
        starts = [number for number, line in enumerate(lines) if line.startswith("$ ")]
        for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
            last = start
            while lines[last].endswith("\\"):
                last += 1
            command = "\n".join(lines[start : last + 1])[2:]
            output = "\n".join(lines[last + 1 : end]).rstrip()
            yield Command(self.line + 1 + start, command, output)


@cache
def tokens(page: str) -> list[Token]:
    """The tokens of the page."""
    return MarkdownIt("commonmark").enable("table").parse((ROOT / page).read_text())


@cache
def blocks(page: str) -> list[Block]:
    """The page's blocks in order; a block without a fence has the language `indented`."""
    found = []
    marks: dict[str, str] = {}
    for token in tokens(page):
        if token.type == "html_block":
            marks = {name: why or "" for name, why in _MARK.findall(token.content)}
            continue
        if token.type in {"fence", "code_block"}:
            language, _, rest = token.info.partition(" ")
            title = _TITLE.search(rest)
            found.append(
                Block(
                    page,
                    (token.map or [0])[0] + 1,
                    language if token.type == "fence" else "indented",
                    title[1] if title else None,
                    token.content,
                    marks,
                )
            )
        marks = {}
    return found


@cache
def links(page: str) -> list[str]:
    """The destinations of the page's links and pictures."""
    return [
        str(child.attrs.get("href") or child.attrs.get("src"))
        for token in tokens(page)
        for child in token.children or ()
        if child.type in {"link_open", "image"}
    ]


@cache
def anchors(page: str) -> set[str]:
    """The anchors that both GitHub and MkDocs give to the page's headings."""
    parsed = tokens(page)
    return {
        _slug(parsed[number + 1].content)
        for number, token in enumerate(parsed)
        if token.type == "heading_open"
    }


def inline_code(page: str) -> Iterator[str]:
    """The inline code in the page's prose."""
    for token in tokens(page):
        for child in token.children or ():
            if child.type == "code_inline":
                yield child.content


def _slug(heading: str) -> str:
    words = re.sub(r"[^\w\- ]", "", heading.lower())
    return re.sub(r"[ -]+", "-", words).strip("-")
