"""The drawing of the rooms is that of the import contracts, and of the code."""

from __future__ import annotations

import re

from tests.docs.pages import ROOT, blocks

CONTRACTS = (ROOT / "pyproject.toml").read_text()


def drawn() -> tuple[list[set[str]], set[str]]:
    """The layers of the drawing from top to bottom, and the rooms that stand alone."""
    (drawing,) = [block.text for block in blocks("docs/architecture.md") if block.title == "rooms"]
    layers, alone = (part.splitlines() for part in drawing.strip().split("\n\n"))
    beside = [re.match(r"(\w+)(?:\s*\|\s*(\w+))?", line) for line in layers]
    return [set(filter(None, found.groups())) for found in beside if found], {
        line.split()[0] for line in alone
    }


def test_the_layers_are_those_that_are_enforced() -> None:
    enforced = re.search(r'type = "layers"\s*layers = \[(.*?)\]', CONTRACTS, re.DOTALL)
    assert enforced is not None
    lines = re.findall(r'"([^"]+)"', enforced[1])
    assert drawn()[0] == [set(re.findall(r"genesys_provider\.(\w+)", line)) for line in lines]


def test_each_room_is_drawn() -> None:
    packages = {each.parent.name for each in (ROOT / "genesys_provider").glob("*/__init__.py")}
    layers, alone = drawn()
    assert set().union(*layers) | alone == packages


def test_who_stands_alone_is_forbidden_to_import_the_others() -> None:
    for room in drawn()[1]:
        source = rf'source_modules = \["genesys_provider\.{room}"\]\s*forbidden_modules = \[(.*?)\]'
        contract = re.search(source, CONTRACTS, re.DOTALL)
        assert contract is not None, room
        for layer in drawn()[0]:
            for other in layer:
                assert f'"genesys_provider.{other}"' in contract[1], f"{room} may import {other}"
