"""What the tests of the provider share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from declared import Declared
from engine import OWN_HOST

if TYPE_CHECKING:
    from pathlib import Path

    from cloud import Cloud


@pytest.fixture
def declared(cloud: Cloud, make_stack: Any) -> Declared:
    """Writes programs for the test's cloud, and makes stacks of them."""
    return Declared(cloud, make_stack)


@pytest.fixture(params=[OWN_HOST, None], ids=["own", "stock"])
def host(request: pytest.FixtureRequest) -> Path | None:
    """The provider host of a stack: ours, and the stock one."""
    host: Path | None = request.param
    return host
