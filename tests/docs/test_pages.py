"""What holds for every page: links and anchors, blocks that say what they are, commands that there are."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import click
import pytest
import yaml

import genesys_provider
from genesys_provider.cli import main
from tests.docs.pages import PAGES, ROOT, anchors, blocks, inline_code, links

LANGUAGES = {"console", "python", "yaml", "json", "toml", "text", "mermaid", "ini"}
README_LINES = 150


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= README_LINES


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    for link in links(page):
        if "://" in link or link.startswith("mailto:"):
            continue
        path, _, anchor = link.partition("#")
        led_to = (ROOT / page).parent / path if path else ROOT / page
        assert led_to.exists(), f"{page}: {link}"
        if anchor:
            name = str(led_to.resolve().relative_to(ROOT))
            assert anchor in anchors(name), f"{page}: {link}; there are {sorted(anchors(name))}"


def test_each_page_is_reached_from_the_readme() -> None:
    seen: set[Path] = set()
    ahead = [ROOT / "README.md"]
    while ahead:
        page = ahead.pop().resolve()
        if page in seen or page.suffix != ".md" or not page.is_file():
            continue
        seen.add(page)
        name = str(page.relative_to(ROOT))
        ahead += [page.parent / link.partition("#")[0] for link in links(name) if "://" not in link]
    assert {str(page.relative_to(ROOT)) for page in seen} >= set(PAGES)


@pytest.mark.parametrize("page", PAGES)
def test_each_block_says_what_it_is(page: str) -> None:
    """So no command escapes `test_commands.py`: all of them are in `console` blocks, after a prompt."""
    for block in blocks(page):
        assert block.language in LANGUAGES, f"{block}: write one of {sorted(LANGUAGES)} behind the fence"
        if block.language == "console":
            assert block.text.startswith("$ "), f"{block}: a console block begins with `$ `"
        else:
            assert not [line for line in block.text.splitlines() if line.startswith("$ ")], block


@pytest.mark.parametrize("page", PAGES)
def test_each_block_can_be_read_as_what_it_says(page: str) -> None:
    for block in blocks(page):
        if block.language == "python":
            compile(block.text.replace("…", "..."), str(block), "exec")
        elif block.language == "yaml":
            list(yaml.safe_load_all(block.text))
        elif block.language == "json":
            json.loads(block.text)


@pytest.mark.parametrize("page", PAGES)
def test_the_names_that_programs_import_are_public(page: str) -> None:
    for block in blocks(page):
        if block.language != "python":
            continue
        scope: dict[str, object] = {}
        for line in block.text.splitlines():
            if line.startswith("from genesys_provider import ") and "(" not in line:
                exec(line, scope)  # noqa: S102 - the page's own line
    assert genesys_provider.__all__


@pytest.mark.parametrize("page", PAGES)
def test_the_files_that_prose_names_are_there(page: str) -> None:
    """Those of this repository: they are named from its root."""
    for code in inline_code(page):
        if re.fullmatch(r"(genesys_provider|tests|tools|contract|docs|examples|stacks)/[\w./-]*", code):
            assert (ROOT / code).exists(), f"{page}: `{code}`"


def _unknown(words: list[str]) -> str | None:
    """What of a call of `genesys-eventbridge` its commands do not know."""
    command: click.Command = main
    for word in words:
        if word.startswith("-"):
            option = word.partition("=")[0]
            known = [name for each in command.params for name in each.opts] + ["--help", "-h"]
            if option not in known and len(option) > 1:
                return f"{command.name} has no option {option}"
        elif isinstance(command, click.Group) and word.isalpha():
            if word not in command.commands:
                return f"{command.name} has no command {word}"
            command = command.commands[word]
    return None


@pytest.mark.parametrize("page", PAGES)
def test_what_prose_calls_a_command_is_one(page: str) -> None:
    for code in inline_code(page):
        if code.startswith("genesys-eventbridge ") and "|" not in code and "[" not in code:
            words = shlex.split(code)[1:]
            assert _unknown(words) is None, f"{page}: `{code}`: {_unknown(words)}"
