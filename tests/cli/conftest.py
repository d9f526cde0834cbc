"""The fixtures that the tests of the command line share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.declared import Declared

if TYPE_CHECKING:
    from tests.support.cloud import Cloud


@pytest.fixture
def declared(cloud: Cloud, make_stack: Any) -> Declared:
    """Writes programs for the test's cloud, and creates stacks from them."""
    return Declared(cloud, make_stack)
