"""The fixtures that the tests of the command line share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.declared import Declared

if TYPE_CHECKING:
    from tests.support.cloud import Cloud
    from tests.support.engine import StackMaker


@pytest.fixture
def declared(cloud: Cloud, make_stack: StackMaker) -> Declared:
    """Writes programs for the test's cloud, and creates stacks from them."""
    return Declared(cloud, make_stack)
