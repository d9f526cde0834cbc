"""An emulator for the property tests, and the table of a long run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from genesys_provider.client.api import GenesysClient
from genesys_provider.client.settings import Settings
from genesys_provider.emulator import EmulatorServer, EmulatorSettings
from tests.support.thoroughness import COUNTS, THOROUGH

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def client() -> Iterator[GenesysClient]:
    """A client of an emulator without a rate limit and with a short timeout for endpoints."""
    settings = EmulatorSettings(verification_seconds=0, rate_limit=0, endpoint_seconds=0.3)
    with EmulatorServer(settings) as server:
        config = {"clientId": "dev-client", "clientSecret": "dev-secret", "maxRetries": 0}
        client = GenesysClient(Settings.resolve({**config, "apiUrl": server.url, "loginUrl": server.url}, {}))
        yield client
        client.close()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Prints the table of a long run."""
    if THOROUGH and COUNTS:
        terminalreporter.section("bad input")
        terminalreporter.write_line(", ".join(f"{name}: {count}" for name, count in COUNTS.items()))
