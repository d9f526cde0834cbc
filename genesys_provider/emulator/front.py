"""The front of the emulator, which every request to the login or the API passes.

It gives the request a correlation id, logs it, applies an injected fault, and adds the headers that every answer
has [G], including those of injected faults, with the rate limit of the request's token. Requests to the control
plane (`/emulator/…`) are not logged, and no fault applies to them. Only this module decides which behaviour applies
to a request: `request.state.behaviour`.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import deque
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from genesys_provider.emulator import connection
from genesys_provider.emulator.behaviour import AS_USUAL, USUAL
from genesys_provider.emulator.errors import plain_error
from genesys_provider.emulator.events import timestamp
from genesys_provider.emulator.login import LOGIN_PATH, THROTTLED, bearer_token

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from genesys_provider.emulator.behaviour import Behaving
    from genesys_provider.emulator.faults import Faults, InjectedFault
    from genesys_provider.emulator.held import HeldRequests
    from genesys_provider.emulator.limits import RateLimiter

CONTROL_PREFIX = "/emulator/"

_KEPT = 100_000
_HUGE_BYTES = 32 * 1024 * 1024
_BODIES: dict[str, Callable[[], bytes]] = {
    "malformed": lambda: b"<html><body>This is not JSON.</body></html>",
    "huge": lambda: b'{"padding": "%s"}' % (b"x" * _HUGE_BYTES),
}

logger = logging.getLogger(__name__)


class RequestLog:
    """The last hundred thousand requests to the login and the API, in the order in which they arrived."""

    def __init__(self) -> None:
        self._entries: deque[dict[str, Any]] = deque(maxlen=_KEPT)

    def add(self, scope: Scope) -> dict[str, Any]:
        """Add an entry; its `status` is null until an answer begins, and stays null without one."""
        entry = {
            "at": timestamp(),
            "method": scope["method"],
            "path": scope["path"],
            "query": scope["query_string"].decode("latin-1"),
            "status": None,
        }
        self._entries.append(entry)
        return entry

    def all(self) -> list[dict[str, Any]]:
        """Every entry, oldest first."""
        return list(self._entries)

    def clear(self) -> None:
        """Delete all entries."""
        self._entries.clear()


class Front:
    """The ASGI application that wraps the emulator's own."""

    def __init__(
        self,
        app: ASGIApp,
        log: RequestLog,
        faults: Faults,
        held: HeldRequests,
        limit: RateLimiter,
        behaving: Behaving,
    ) -> None:
        self._app = app
        self._log = log
        self._faults = faults
        self._held = held
        self._limit = limit
        self._behaving = behaving

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope["state"]["correlation_id"] = str(uuid4())
        if scope["path"].startswith(CONTROL_PREFIX):
            await self._serve(scope, receive, send)
            return
        entry = self._log.add(scope)
        headers = Headers(scope=scope)
        token = bearer_token(headers.get("authorization", ""))
        behaviour = USUAL if AS_USUAL in headers else self._behaving.now
        scope["state"]["behaviour"] = behaviour

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                entry["status"] = message["status"]
                every = [
                    *self._limit.headers(token),
                    (b"inin-correlation-id", scope["state"]["correlation_id"].encode()),
                ]
                # An injected fault may set some of them itself.
                given = dict(message["headers"])
                message["headers"] = [*message["headers"], *(each for each in every if each[0] not in given)]
            await send(message)

        if behaviour.latency_seconds:
            receive = await _read_ahead(receive)
            await asyncio.sleep(behaviour.latency_seconds)
        fault = self._faults.take(scope["method"], scope["path"])
        if fault is None:
            await self._serve(scope, receive, answer)
        else:
            await self._fail(fault, scope, receive, answer)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            # Route by the path as it was sent, in which a slash inside an id is escaped.
            await self._app({**scope, "path": scope["raw_path"].decode("latin-1")}, receive, send)
        except ClientDisconnect:
            pass
        except Exception:
            # Starlette has already answered 500; log the reason for whoever runs the emulator.
            logger.exception("%s %s failed", scope["method"], scope["path"])

    async def _fail(self, fault: InjectedFault, scope: Scope, receive: Receive, send: Send) -> None:
        if fault.seconds:
            receive = await _read_ahead(receive)
        if fault.when == "before":
            await self._hold(fault, scope)
        if fault.action == "delay" and fault.when == "before":
            await self._serve(scope, receive, send)
        elif fault.action == "status":
            await _status_answer(fault, scope)(scope, receive, send)
        elif fault.action == "drop_before":
            await connection.abort(scope, receive)
        else:
            await self._fail_after(fault, scope, receive, send)

    async def _fail_after(self, fault: InjectedFault, scope: Scope, receive: Receive, send: Send) -> None:
        start: Message = {}
        body = b""

        async def keep(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start":
                start = message
            else:
                body += message.get("body", b"")

        await self._serve(scope, receive, keep)
        if fault.when == "after":
            await self._hold(fault, scope)
        if fault.action == "delay":
            await send(start)
            await send({"type": "http.response.body", "body": body})
        elif fault.action in _BODIES:
            content = _BODIES[fault.action]()
            response = Response(content, fault.status or start["status"], media_type="application/json")
            await response(scope, receive, send)
        elif fault.action == "truncate" and body:
            await send(start)
            await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
            await connection.hang_up(scope, receive)
        else:
            await connection.abort(scope, receive)

    async def _hold(self, fault: InjectedFault, scope: Scope) -> None:
        await self._held.hold(scope["method"], scope["path"], fault.when, fault.seconds)


async def _read_ahead(receive: Receive) -> Receive:
    """Read the whole request now, so that it still counts if the client gives up during the wait."""
    messages: deque[Message] = deque()
    while not messages or messages[-1].get("more_body", False):
        messages.append(await receive())

    async def replay() -> Message:
        return messages.popleft() if messages else await receive()

    return replay


def _status_answer(fault: InjectedFault, scope: Scope) -> Response:
    status = fault.status or 500
    if fault.body is not None:
        body = fault.body if isinstance(fault.body, str) else json.dumps(fault.body)
    elif scope["path"] == LOGIN_PATH and status == 400:
        # The token endpoint throttles with 400 [G].
        body = json.dumps(THROTTLED)
    else:
        response: Response = plain_error(status).answer(scope["state"]["correlation_id"])
        response.headers.update(fault.headers)
        return response
    return Response(body, status, headers={"Content-Type": "application/json", **fault.headers})
