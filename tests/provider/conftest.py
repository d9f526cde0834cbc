"""The fixtures that the tests of the provider share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.cloud import Cloud
from tests.support.engine import OWN_HOST

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def other(cloud: Cloud, tmp_path: Path) -> Iterator[Cloud]:
    """A second organization, whose targets use the same gateway."""
    with Cloud(tmp_path / "other", beside=cloud) as other:
        yield other


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Runs tests with a `host` under ours, and at full length under the stock one too."""
    if "host" in metafunc.fixturenames:
        hosts = (
            {"own": OWN_HOST, "stock": None} if metafunc.config.getoption("--torture") else {"own": OWN_HOST}
        )
        metafunc.parametrize("host", hosts.values(), ids=list(hosts))
