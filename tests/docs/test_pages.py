"""Checks of every page: links and anchors, the languages of blocks, and the existence of files and commands."""

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
def test_links_are_not_broken(page: str) -> None:
    for link in links(page):
        if "://" in link or link.startswith("mailto:"):
            continue
        path, _, anchor = link.partition("#")
        led_to = (ROOT / page).parent / path if path else ROOT / page
        assert led_to.exists(), f"{page}: {link}"
        if anchor:
            name = str(led_to.resolve().relative_to(ROOT))
            assert anchor in anchors(name), f"{page}: {link}; there are {sorted(anchors(name))}"


def test_each_page_can_be_reached_from_the_readme() -> None:
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
def test_each_block_has_a_language(page: str) -> None:
    """All commands must be in `console` blocks, after a prompt, so that `test_commands.py` finds them."""
    for block in blocks(page):
        assert block.language in LANGUAGES, f"{block}: write one of {sorted(LANGUAGES)} after the fence"
        if block.language == "console":
            assert block.text.startswith("$ "), f"{block}: a console block begins with `$ `"
        else:
            assert not [line for line in block.text.splitlines() if line.startswith("$ ")], block


@pytest.mark.parametrize("page", PAGES)
def test_each_block_is_valid_in_its_language(page: str) -> None:
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
def test_the_files_in_prose_exist(page: str) -> None:
    """Files of this repository are named by their paths from its root."""
    for code in inline_code(page):
        if re.fullmatch(r"(genesys_provider|tests|tools|contract|docs|examples|stacks)/[\w./-]*", code):
            assert (ROOT / code).exists(), f"{page}: `{code}`"


def _unknown(words: list[str]) -> str | None:
    """The first word that is no command or option of `genesys-eventbridge`."""
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
def test_the_commands_in_prose_exist(page: str) -> None:
    for code in inline_code(page):
        if code.startswith("genesys-eventbridge ") and "|" not in code and "[" not in code:
            words = shlex.split(code)[1:]
            assert _unknown(words) is None, f"{page}: `{code}`: {_unknown(words)}"
