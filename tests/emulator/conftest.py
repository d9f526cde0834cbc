"""A gateway and an emulator on real sockets, shared by the whole session and reset for each test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from genesys_provider.emulator import EmulatorServer, EmulatorSettings, GatewayServer, GatewaySettings
from genesys_provider.emulator.server import Server
from tests.emulator.emulated import SIGNING_SECRET, Api, Witness, trusting

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def gateway_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayServer]:
    directory = tmp_path_factory.mktemp("gateway")
    with GatewayServer(GatewaySettings(directory, "relay", "sesame", SIGNING_SECRET)) as server:
        yield server


@pytest.fixture(scope="session")
def gateway_client(gateway_server: GatewayServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=gateway_server.url, verify=trusting(gateway_server.ca_file)) as client:
        yield client


@pytest.fixture
def gateway(gateway_client: httpx.Client) -> httpx.Client:
    """A client of the gateway, which is empty and responds normally."""
    gateway_client.delete("/received")
    gateway_client.delete("/behaviour")
    return gateway_client


@pytest.fixture
def endpoint(gateway: httpx.Client) -> str:
    """An endpoint that accepts events from the user `relay` with the password `sesame`."""
    return str(gateway.base_url.join("/v1/genesys/events"))


@pytest.fixture(scope="session")
def emulator_api(gateway_server: GatewayServer) -> Iterator[Api]:
    settings = EmulatorSettings(
        verification_seconds=0,
        activation_seconds=0,
        rate_limit=0,
        ca_file=gateway_server.ca_file,
        endpoint_seconds=1,
    )
    with EmulatorServer(settings) as server, Api(server.url) as api:
        yield api


@pytest.fixture
def api(emulator_api: Api) -> Api:
    """A client of an empty emulator; verdicts are immediate, and endpoints have one second to answer."""
    emulator_api.post("/emulator/reset")
    return emulator_api


@pytest.fixture
def witness(gateway_server: GatewayServer) -> Iterator[Witness]:
    """An HTTPS endpoint that records all headers of what it receives."""
    seen = Witness()
    chain = gateway_server.ca_file.with_name("gateway.pem")
    with Server(seen.app(), "127.0.0.1", 0, chain) as server:
        seen.url = server.url + "/in"
        yield seen
