"""One organization for all tests of this folder, reset for each; the time of its managers runs faster."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from genesys_provider import SourceManager
from genesys_provider.common.run import Run
from tests.sources.quick import QuickTime
from tests.support.shared_cloud import SkippedWaits, reset_cloud, settings_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.cloud import Cloud


@pytest.fixture
def cloud(one_cloud: Cloud) -> Iterator[Cloud]:
    """An empty organization without a rate limit; an activation takes a fifth of a second."""
    yield from reset_cloud(one_cloud)


@pytest.fixture
def cancelled() -> QuickTime:
    """The event that cancels the manager, and the manager's clock."""
    return QuickTime()


@pytest.fixture
def manager(cloud: Cloud, tmp_path: Path, cancelled: QuickTime) -> Iterator[SourceManager]:
    settings = settings_of(cloud, tmp_path, maxRetries=1)
    with SourceManager(
        settings, cancelled=cancelled, run=Run(cancelled.clock), clock=cancelled.clock
    ) as manager:
        yield manager


@pytest.fixture
def hurried(cloud: Cloud, tmp_path: Path) -> Iterator[SourceManager]:
    """A manager whose waits take no time."""
    skipped = SkippedWaits()
    settings = settings_of(cloud, tmp_path, maxRetries=1)
    with SourceManager(settings, cancelled=skipped, clock=skipped.clock) as manager:
        yield manager


@pytest.fixture
def another(cloud: Cloud, tmp_path: Path) -> Iterator[SourceManager]:
    """The manager of another process."""
    time = QuickTime()
    settings = settings_of(cloud, tmp_path, maxRetries=1)
    with SourceManager(settings, cancelled=time, run=Run(time.clock), clock=time.clock) as manager:
        yield manager
