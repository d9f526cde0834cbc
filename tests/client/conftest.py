"""One organization for all tests of this folder, reset for each."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from tests.support.shared_cloud import SkippedWaits, reset_cloud

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.cloud import Cloud


@pytest.fixture
def cloud(one_cloud: Cloud) -> Iterator[Cloud]:
    """An empty organization, with fast verifications and no rate limit."""
    yield from reset_cloud(one_cloud)


@pytest.fixture
def waits() -> SkippedWaits:
    return SkippedWaits()


@pytest.fixture
def unused_url() -> Iterator[str]:
    """The URL of a port that nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"
