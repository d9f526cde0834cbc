"""A local gateway: the endpoint that receives the events of targets, and the syncs about changes to targets.

| call | effect |
|---|---|
| `POST /v1/genesys/events`, or any path below it | accepts an event in JSON; requires HTTP Basic if a user is set |
| `POST /webhooks/genesys/targets` | accepts a sync; requires a Standard Webhooks signature if a secret is set |
| `GET /received` | what was accepted: `{"events", "syncs"}`, each with `at`, `path`, `headers`, `body` |
| `DELETE /received` | clears both lists (a replayed sync is still recognized afterwards) |
| `POST /behaviour` | `{"path", "status", "drop", "seconds", "when", "times"}`: changes how endpoints respond |
| `DELETE /behaviour` | endpoints respond normally again |
| `GET`, `DELETE /held` | the requests that a behaviour is holding; DELETE releases them |

A behaviour's `path` is a pattern; the default is all event endpoints. The newest behaviour that matches a request
applies: it waits `seconds`, then answers `status` instead of accepting the request, or closes the connection if
`drop` is set; otherwise the request is accepted. With `"when": "after"` the request is accepted first.
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
    """The settings of a gateway.

    Attributes:
        certificate_dir: The directory of its certificate, which is created if missing; `ca.pem` there is its CA.
        username: The user that may send events; None means no authentication.
        password: The password of `username`.
        signing_secret: The secret that signs syncs; None accepts unsigned syncs.
    """

    certificate_dir: Path
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    signing_secret: str | None = field(default=None, repr=False)


class EndpointBehaviour(BaseModel):
    """How endpoints respond instead of normally."""

    model_config = ConfigDict(extra="forbid")

    path: str = EVENTS_PATH + "*"
    status: Annotated[int, Field(ge=200, le=599)] | None = None
    drop: bool = False
    seconds: Annotated[float, Field(ge=0)] = 0
    when: When = "before"
    times: Annotated[int, Field(ge=1)] | None = None


class Gateway:
    """The gateway's calls, and what it has received so far.

    Raises:
        ValueError: The signing secret is not valid.
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
        self._behaviours: list[EndpointBehaviour] = []
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
                Route("/behaviour", self.behave_as_usual, methods=["DELETE"]),
                Route("/held", self.list_held, methods=["GET"]),
                Route("/held", self.release_held, methods=["DELETE"]),
            ]
        )

    async def take_event(self, request: Request) -> Response:
        """Accept an event, a verification or a health check of a target."""
        if self._basic is not None:
            given = request.headers.get("authorization", "").encode("latin-1")
            if not secrets.compare_digest(given, self._basic):
                return _refusal(401, "the user name or password is wrong", {"WWW-Authenticate": "Basic"})
        try:
            body = json.loads(await request.body())
        except (ValueError, RecursionError):
            return _refusal(400, "the body is not JSON")
        self._events.append(_record(request, body))
        return JSONResponse({"accepted": True}, 202)

    async def take_sync(self, request: Request) -> Response:
        """Accept a sync about a target, after checking its signature and that it is not a replay."""
        raw = await request.body()
        if self._webhook is not None:
            try:
                self._webhook.verify(raw, dict(request.headers), json_parse=False)
            except Exception:  # noqa: BLE001 - the library raises its own errors, and ValueErrors for odd headers
                return _refusal(401, "the signature is not valid, or too old")
        try:
            body = json.loads(raw)
        except (ValueError, RecursionError):
            body = None
        if not isinstance(body, dict):
            return _refusal(400, "the body is not a JSON object")
        sync_id = request.headers.get("webhook-id")
        if sync_id is not None:
            if sync_id in self._sync_ids:
                return _refusal(409, "a sync with this webhook-id was already received")
            self._sync_ids.add(sync_id)
        self._syncs.append(_record(request, body))
        return JSONResponse({"accepted": True})

    async def received(self, _: Request) -> Response:
        """Everything that was accepted, oldest first."""
        return JSONResponse({"events": self._events, "syncs": self._syncs})

    async def forget(self, _: Request) -> Response:
        """Clear the lists of accepted requests."""
        self._events.clear()
        self._syncs.clear()
        return Response(status_code=204)

    async def behave(self, request: Request) -> Response:
        """Change how endpoints respond; replaces the behaviour of the same path."""
        try:
            behaviour = EndpointBehaviour.model_validate_json(await request.body())
        except ValidationError as error:
            return _refusal(400, "; ".join(f"{each.property}: {each.reason}" for each in broken_rules(error)))
        self._behaviours = [each for each in self._behaviours if each.path != behaviour.path]
        self._behaviours.append(behaviour)
        return JSONResponse(behaviour.model_dump(), 201)

    async def behave_as_usual(self, _: Request) -> Response:
        """Remove all behaviours."""
        self._behaviours.clear()
        return Response(status_code=204)

    async def list_held(self, _: Request) -> Response:
        """The requests that are being held."""
        return JSONResponse(self._held.all())

    async def release_held(self, _: Request) -> Response:
        """Release all held requests."""
        self._held.release()
        return Response(status_code=204)

    def _behaving(self, take: Take) -> Take:
        """Wraps an endpoint, so that it follows the behaviour that applies."""

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
                return _refusal(behaviour.status, "set by POST /behaviour")
            return taken or await take(request)

        return endpoint

    def _behaviour(self, path: str) -> EndpointBehaviour | None:
        """The newest behaviour for the path; the request counts towards its `times`."""
        behaviour = next((each for each in reversed(self._behaviours) if fnmatchcase(path, each.path)), None)
        if behaviour is not None and behaviour.times is not None:
            behaviour.times -= 1
            if behaviour.times == 0:
                self._behaviours.remove(behaviour)
        return behaviour


def _webhook(secret: str) -> Webhook:
    """The verifier of signatures. After a prefix `whsec_` the secret is base64; any other secret is the key itself.

    Raises:
        ValueError: The secret is empty, or not base64.
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
