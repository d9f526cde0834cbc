"""A local gateway: the endpoint that targets send events to, and that is told of changes to targets.

| call | does |
|---|---|
| `POST /v1/genesys/events`, or any path below it | takes an event: JSON; HTTP Basic where a user is set |
| `POST /webhooks/genesys/targets` | takes a sync, signed by Standard Webhooks where a signing secret is set |
| `GET /received` | what was taken: `{"events", "syncs"}`, each with `at`, `path`, `headers`, `body` |
| `DELETE /received` | forgets them (not which syncs were seen: a replay stays a replay) |
| `POST /behaviour` | `{"path", "status", "drop", "seconds", "when", "times"}`: endpoints do something else |
| `DELETE /behaviour` | endpoints work again |
| `GET`, `DELETE /held` | the requests that a behaviour lets wait now; they go on at once |

A behaviour's `path` is a pattern, all events endpoints if left out; the newest that matches a request acts:
it waits `seconds`, then answers `status` instead of taking the request, or closes the connection where `drop` is
set; with neither the request is taken. With `"when": "after"` the request is taken first.
"""

from __future__ import annotations

import base64
import json
import secrets
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from standardwebhooks.webhooks import EmptyWebhookSecretError, Webhook
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from genesys_provider.emulator import connection
from genesys_provider.emulator.errors import broken_rules
from genesys_provider.emulator.events import timestamp
from genesys_provider.emulator.held import HeldRequests, When

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from starlette.requests import Request
    from starlette.types import ASGIApp

    Take = Callable[[Request], Awaitable[Response]]

EVENTS_PATH = "/v1/genesys/events"
SYNCS_PATH = "/webhooks/genesys/targets"

_HIDDEN_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie"})


@dataclass(frozen=True)
class GatewaySettings:
    """How a gateway behaves.

    Attributes:
        certificate_dir: Where its certificate is, or will be made; `ca.pem` there is its CA.
        username: Who may send events; none lets everybody.
        password: The password of `username`.
        signing_secret: What syncs are signed with; none takes unsigned ones.
    """

    certificate_dir: Path
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    signing_secret: str | None = field(default=None, repr=False)


class Behaviour(BaseModel):
    """What endpoints do instead of their work."""

    model_config = ConfigDict(extra="forbid")

    path: str = EVENTS_PATH + "*"
    status: Annotated[int, Field(ge=200, le=599)] | None = None
    drop: bool = False
    seconds: Annotated[float, Field(ge=0)] = 0
    when: When = "before"
    times: Annotated[int, Field(ge=1)] | None = None


class Gateway:
    """The gateway's calls, and what it took so far.

    Raises:
        ValueError: The signing secret is not one.
    """

    def __init__(self, settings: GatewaySettings) -> None:
        self._basic: bytes | None = None
        if settings.username is not None:
            credentials = f"{settings.username}:{settings.password or ''}".encode()
            self._basic = b"Basic " + base64.b64encode(credentials)
        secret = settings.signing_secret
        self._webhook = None if secret is None else _webhook(secret)
        self._events: list[dict[str, Any]] = []
        self._syncs: list[dict[str, Any]] = []
        self._sync_ids: set[str] = set()
        self._behaviours: list[Behaviour] = []
        self._held = HeldRequests()

    def app(self) -> ASGIApp:
        """The gateway as an ASGI application."""
        return Starlette(
            routes=[
                Route(EVENTS_PATH, self._behaving(self.take_event), methods=["POST"]),
                Route(EVENTS_PATH + "/{rest:path}", self._behaving(self.take_event), methods=["POST"]),
                Route(SYNCS_PATH, self._behaving(self.take_sync), methods=["POST"]),
                Route("/received", self.received, methods=["GET"]),
                Route("/received", self.forget, methods=["DELETE"]),
                Route("/behaviour", self.behave, methods=["POST"]),
                Route("/behaviour", self.behave_well, methods=["DELETE"]),
                Route("/held", self.list_held, methods=["GET"]),
                Route("/held", self.release_held, methods=["DELETE"]),
            ]
        )

    async def take_event(self, request: Request) -> Response:
        """An event, a verification or a health check of a target."""
        if self._basic is not None:
            given = request.headers.get("authorization", "").encode("latin-1")
            if not secrets.compare_digest(given, self._basic):
                return _refusal(401, "the user name or the password is wrong", {"WWW-Authenticate": "Basic"})
        try:
            body = json.loads(await request.body())
        except (ValueError, RecursionError):
            return _refusal(400, "the body is not JSON")
        self._events.append(_record(request, body))
        return JSONResponse({"accepted": True}, 202)

    async def take_sync(self, request: Request) -> Response:
        """News of a target: its signature is checked, and that it comes once only."""
        raw = await request.body()
        if self._webhook is not None:
            try:
                self._webhook.verify(raw, dict(request.headers), json_parse=False)
            except Exception:  # noqa: BLE001 - the library raises its own, and ValueErrors for odd headers
                return _refusal(401, "the signature does not fit, or is too old")
        try:
            body = json.loads(raw)
        except (ValueError, RecursionError):
            body = None
        if not isinstance(body, dict):
            return _refusal(400, "the body is not a JSON object")
        sync_id = request.headers.get("webhook-id")
        if sync_id is not None:
            if sync_id in self._sync_ids:
                return _refusal(409, "a sync with this webhook-id was taken before")
            self._sync_ids.add(sync_id)
        self._syncs.append(_record(request, body))
        return JSONResponse({"accepted": True})

    async def received(self, _: Request) -> Response:
        """Everything that was taken, oldest first."""
        return JSONResponse({"events": self._events, "syncs": self._syncs})

    async def forget(self, _: Request) -> Response:
        """Forget everything that was taken."""
        self._events.clear()
        self._syncs.clear()
        return Response(status_code=204)

    async def behave(self, request: Request) -> Response:
        """Let endpoints answer something else; replaces what was set for the same path."""
        try:
            behaviour = Behaviour.model_validate_json(await request.body())
        except ValidationError as error:
            return _refusal(400, "; ".join(f"{each.property}: {each.reason}" for each in broken_rules(error)))
        self._behaviours = [each for each in self._behaviours if each.path != behaviour.path]
        self._behaviours.append(behaviour)
        return JSONResponse(behaviour.model_dump(), 201)

    async def behave_well(self, _: Request) -> Response:
        """Let endpoints work again."""
        self._behaviours.clear()
        return Response(status_code=204)

    async def list_held(self, _: Request) -> Response:
        """The requests that wait."""
        return JSONResponse(self._held.all())

    async def release_held(self, _: Request) -> Response:
        """No request waits any longer."""
        self._held.release()
        return Response(status_code=204)

    def _behaving(self, take: Take) -> Take:
        """An endpoint that does what a behaviour says instead of its work, or besides it."""

        async def endpoint(request: Request) -> Response:
            behaviour = self._behaviour(request.url.path)
            if behaviour is None:
                return await take(request)
            taken = await take(request) if behaviour.when == "after" else None
            await self._held.hold(request.method, request.url.path, behaviour.when, behaviour.seconds)
            if behaviour.drop:
                await request.body()
                await connection.abort(request.scope, request.receive)
                return Response(status_code=204)
            if behaviour.status is not None:
                return _refusal(behaviour.status, "as POST /behaviour said")
            return taken or await take(request)

        return endpoint

    def _behaviour(self, path: str) -> Behaviour | None:
        """What the newest behaviour for the path says, which thereby has one request fewer to go."""
        behaviour = next((each for each in reversed(self._behaviours) if fnmatchcase(path, each.path)), None)
        if behaviour is not None and behaviour.times is not None:
            behaviour.times -= 1
            if behaviour.times == 0:
                self._behaviours.remove(behaviour)
        return behaviour


def _webhook(secret: str) -> Webhook:
    """What checks signatures: a secret that begins with `whsec_` is base64 after it, any other is the key.

    Raises:
        ValueError: It is empty, or no base64.
    """
    try:
        return Webhook(secret if secret.startswith("whsec_") else secret.encode())
    except EmptyWebhookSecretError as error:
        raise ValueError("the signing secret is empty") from error
    except ValueError as error:
        raise ValueError("the signing secret is not base64 after whsec_") from error


def _record(request: Request, body: Any) -> dict[str, Any]:
    headers = {name: value for name, value in request.headers.items() if name not in _HIDDEN_HEADERS}
    return {"at": timestamp(), "path": request.url.path, "headers": headers, "body": body}


def _refusal(status: int, reason: str, headers: dict[str, str] | None = None) -> Response:
    if status in {204, 304}:
        return Response(status_code=status)
    return JSONResponse({"error": reason}, status, headers=headers)
