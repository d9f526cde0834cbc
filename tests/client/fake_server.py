"""A test server instead of Genesys Cloud, with or without TLS."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import trustme
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from genesys_provider.client.api import GenesysClient
from genesys_provider.client.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.requests import Request


def nothing() -> Response:
    """An organization without targets."""
    return Response('{"entities": [], "pageCount": 0}')


class FakeServer:
    """A server that accepts every login, and answers calls of the API as the test defines."""

    def __init__(self) -> None:
        self.answer: Any = nothing
        self.seen: list[dict[str, str]] = []

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/oauth/token", self._token, methods=["POST"]),
                Route("/{rest:path}", self._call, methods=["GET", "POST", "PUT", "DELETE"]),
            ]
        )

    async def _token(self, _: Request) -> Response:
        return Response(json.dumps({"access_token": "canary-token", "expires_in": 300}))

    async def _call(self, request: Request) -> Response:
        self.seen.append(dict(request.headers))
        response: Response = self.answer()
        return response


def client_of(url: str, **config: object) -> GenesysClient:
    given = {"apiUrl": url, "loginUrl": url, "clientId": "me", "clientSecret": "canary", "maxRetries": 0}
    return GenesysClient(Settings.resolve({**given, **config}, {}))


def listed(url: str, **config: object) -> None:
    """Lists the targets there."""
    client = client_of(url, **config)
    try:
        client.list_targets()
    finally:
        client.close()


def certified(directory: Path, *hosts: str) -> tuple[Path, Path]:
    """The file of a certificate for these hosts with its key, and the file of its CA."""
    authority = trustme.CA()
    chain, ca_file = directory / "server.pem", directory / "ca.pem"
    chain.write_bytes(authority.issue_cert(*hosts).private_key_and_cert_chain_pem.bytes())
    ca_file.write_bytes(authority.cert_pem.bytes())
    return chain, ca_file
