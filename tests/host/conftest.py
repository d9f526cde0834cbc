"""The fixtures that the tests of the host share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.host.house_project import HOUSE, THING, House

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.engine import StackMaker


@pytest.fixture
def house(make_stack: StackMaker, tmp_path: Path) -> House:
    """Stacks of the house's resources, and the recorded calls of its provider."""
    return House(make_stack, tmp_path / "calls.jsonl")


@pytest.fixture
def installed(tmp_path: Path) -> dict[str, str]:
    """An environment with a package `house` that declares its provider, and its check of the config."""
    site = tmp_path / "site"
    about = site / "house-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: house\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(
        f"[pulumi.dynamic.providers]\n{THING} = house:Things\n"
        "[pulumi.dynamic.configs]\nhouse = house:config_failures\n"
    )
    (site / "house.py").write_text(HOUSE.read_text())
    return {"PYTHONPATH": str(site)}
