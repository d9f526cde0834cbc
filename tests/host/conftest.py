"""The fixture that the tests of the host share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from house_project import House

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def house(make_stack: Any, tmp_path: Path) -> House:
    """Stacks of the house, and what its provider was asked."""
    return House(make_stack, tmp_path / "calls.jsonl")
