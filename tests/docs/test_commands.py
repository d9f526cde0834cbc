"""Runs every command of every page as written, unless the page says why not, and compares its output with the page.

Ids, times and durations may differ, and `…` stands for what a page leaves out. See `pages.Block` for the marks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.docs.pages import PAGES, Block, blocks
from tests.docs.readers import READERS
from tests.docs.shell import Done, Shell, same

if TYPE_CHECKING:
    from pathlib import Path

MARKS = {"not run", "background", "exits", "typed", "varies", "file"}


def steps(page: str) -> list[Block]:
    """The steps of a reader of this page: the blocks to run, and the files to write."""
    return [
        block
        for block in blocks(page)
        if "not run" not in block.marks
        and (block.language == "console" or block.title or "file" in block.marks)
    ]


@pytest.mark.parametrize("page", PAGES)
def test_each_command_is_run_or_the_page_says_why_not(page: str) -> None:
    for block in blocks(page):
        assert block.marks.keys() <= MARKS, f"{block}: a mark is one of {sorted(MARKS)}"
        if "not run" in block.marks:
            assert block.marks["not run"], f"{block}: say why it can't be run"
    commands = [block for block in steps(page) if block.language == "console"]
    if commands:
        assert page in READERS, (
            f"{commands[0]} is not run: say where in readers.py, or mark it `not run: why`"
        )


@pytest.mark.parametrize("page", [page for page in PAGES if page in READERS])
@pytest.mark.timeout(300)
def test_the_commands_of_a_page(page: str, tmp_path: Path) -> None:
    with READERS[page](tmp_path) as shell:
        for block in steps(page):
            if block.language == "console":
                run(shell, block)
            elif "file" in block.marks:
                text = shell.read(block.marks["file"])
                assert same(block.text, text), f"{block}: {block.marks['file']} is\n{text}"
            else:
                shell.write(str(block.title), block.text)


def run(shell: Shell, block: Block) -> None:
    """Runs a block, and compares its output with the page."""
    commands = list(block.commands())
    for command in commands:
        is_last = command is commands[-1]
        code = int(block.marks.get("exits", "0")) if is_last else 0
        if "background" in block.marks:
            done = shell.start(command.text, len(command.output.splitlines()))
        else:
            done = shell.run(command.text, block.marks.get("typed", "") + "\n" if is_last else "")
        where = f"{block.page}:{command.line}: `{command.text}`"
        assert done.code == code, f"{where} ended with {done.code}:\n{done.output}"
        if "varies" not in block.marks:
            # A terminal echoes what is typed; a pipe does not.
            shown = (
                command.output.replace(f": {block.marks['typed']}\n", ": ")
                if "typed" in block.marks
                else command.output
            )
            assert same(shown, done.output), _differs(where, command.output, done)


def _differs(where: str, expected: str, done: Done) -> str:
    return f"{where}\n--- the page shows\n{expected}\n--- it printed\n{done.output}"
