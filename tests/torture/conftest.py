"""The world from which all runs branch, and the table at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.torture.tally import Tally
from tests.torture.worlds import Origin

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.keys import Keys

_TALLY = Tally()


@pytest.fixture(scope="session")
def origin(tmp_path_factory: pytest.TempPathFactory, keys: Keys) -> Iterator[Origin]:
    """A deployed stack from which runs branch."""
    with Origin(tmp_path_factory.mktemp("origin"), keys) as origin:
        yield origin


@pytest.fixture(scope="session")
def tally() -> Tally:
    """Collects the result of each run."""
    return _TALLY


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Prints the table."""
    if _TALLY.points or _TALLY.faults or _TALLY.totals["sequences"]:
        terminalreporter.section("torture")
        for line in _TALLY.lines():
            terminalreporter.write_line(line)
