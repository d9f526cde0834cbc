"""A client of an emulator, and the waits that tests need."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING, Any

import httpx
from starlette.applications import Starlette
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from tests.support.waiting import eventually

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.requests import Request
    from starlette.types import ASGIApp
    from typing_extensions import Self

TARGETS = "/api/v2/integrations/eventbridge/targets"
PENDING = "PENDING_VERIFICATION"
SIGNING_SECRET = "whsec_c2lnbmVkIGZvciB0aGUgZ2F0ZXdheQ=="
"""The gateway's secret, with which syncs are signed."""
BASIC: dict[str, Any] = {"authType": "BASIC", "authConfig": {"username": "relay", "password": "sesame"}}
"""The authentication of targets at the gateway."""
DEV_CLIENT = ("dev-client", "dev-secret")


class Api(httpx.Client):
    """A logged-in client of one emulator, with the waits that tests need."""

    def __init__(self, url: str) -> None:
        super().__init__(base_url=url, timeout=30)

    def __enter__(self) -> Self:
        super().__enter__()
        self.log_in()
        return self

    def log_in(self) -> None:
        answer = self.token()
        assert answer.status_code == 200, answer.text
        self.headers["Authorization"] = "Bearer " + answer.json()["access_token"]

    def token(self, client: tuple[str, str] = DEV_CLIENT) -> httpx.Response:
        grant = {"grant_type": "client_credentials"}
        return self.post("/oauth/token", auth=client, data=grant)

    def create(self, endpoint: str, name: str = "orders", **fields: Any) -> dict[str, Any]:
        answer = self.post(TARGETS, json=body(endpoint, name, **fields))
        assert answer.status_code == 201, answer.text
        created: dict[str, Any] = answer.json()
        return created

    def status(self, target: dict[str, Any]) -> dict[str, Any]:
        return dict(self.get(f"{TARGETS}/{target['id']}/verify").json())

    def verdict(self, target: dict[str, Any]) -> dict[str, Any]:
        """The verification's status and message, once it is final."""

        def final() -> dict[str, Any] | None:
            now = self.status(target)
            return now if now["status"] != PENDING else None

        return eventually(final)

    def fault(self, action: str, method: str | None = None, path: str | None = None, **more: Any) -> None:
        match = {"method": method, "path": path}
        answer = self.post("/emulator/faults", json={"match": match, "action": action, **more})
        assert answer.status_code == 201, answer.text

    def log(self) -> list[tuple[str, str, int | None]]:
        entries = self.get("/emulator/requests").json()
        return [(entry["method"], entry["path"], entry["status"]) for entry in entries]


def body(endpoint: str, name: str = "orders", **fields: Any) -> dict[str, Any]:
    return {
        "name": name,
        "endpointUrl": endpoint,
        "authType": "NONE",
        "authConfig": {},
        "retryPolicy": {"maxRetries": 5, "backoffStrategy": "EXPONENTIAL", "initialDelaySeconds": 2},
        "eventTypes": ["CONVERSATION_STARTED"],
        **fields,
    }


def trusting(ca_file: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(ca_file))


class Witness:
    """An endpoint that records the headers of each POST; `/in` accepts it, `/moved` redirects it.

    `/together` accepts POSTs once there are `together` of them.
    """

    url = ""

    def __init__(self) -> None:
        self.headers: list[dict[str, str]] = []
        self.together = 1
        self._there = asyncio.Event()

    def app(self) -> ASGIApp:
        return Starlette(
            routes=[
                Route("/in", self._take, methods=["POST"]),
                Route("/moved", self._send_on, methods=["POST"]),
                Route("/together", self._gather, methods=["POST"]),
            ]
        )

    async def _take(self, request: Request) -> Response:
        self.headers.append(dict(request.headers))
        return Response(status_code=204, headers={"Set-Cookie": "session=1"})

    async def _gather(self, request: Request) -> Response:
        answer = await self._take(request)
        if len(self.headers) >= self.together:
            self._there.set()
        await self._there.wait()
        return answer

    async def _send_on(self, _: Request) -> Response:
        return RedirectResponse("/in", 307)
