"""One organization for all tests of this folder, reset for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.shared_cloud import reset_cloud

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.cloud import Cloud


@pytest.fixture
def cloud(one_cloud: Cloud) -> Iterator[Cloud]:
    """An empty organization, with fast verifications and no rate limit."""
    yield from reset_cloud(one_cloud)
