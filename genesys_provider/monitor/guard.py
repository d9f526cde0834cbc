"""Access control: refuses pages of other sites, and clients without the token if one is set.

A page of another site can't read our responses, but could resolve a name of its own to this address (DNS
rebinding): so the `Host` must be ours. It must not trigger actions here either: so a foreign `Origin` is refused.
"""

from __future__ import annotations

import base64
import binascii
import re
import secrets
import socket
from ipaddress import ip_address
from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse

from genesys_provider.client.urls import is_loopback

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEALTH_PATH = "/healthz"
"""Open to everybody, since the probe of an orchestrator has no token."""

_HOST = re.compile(r"(?P<name>\[[0-9A-Fa-f:.]+\]|[\w.-]+)(:[0-9]*)?")

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Guard:
    """The gate in front of the application.

    Args:
        app: The application.
        host: The address that the server listens on.
        token: What a client must present: as a bearer token, or as the password of any user.
    """

    def __init__(self, app: ASGIApp, host: str, token: str | None) -> None:
        self._app = app
        self._token = token
        self._hosts = {host.lower(), "localhost"}
        self._only_loopback = is_loopback(host)
        if not self._only_loopback:
            self._hosts |= {socket.gethostname().lower(), socket.getfqdn().lower()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on, or refuses it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(_HEADERS)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        app = self._refusal(Headers(scope=scope), scope["path"]) or self._app
        await app(scope, receive, guarded)

    def _refusal(self, headers: Headers, path: str) -> PlainTextResponse | None:
        host = headers.get("host", "")
        if not self._is_ours(host):
            return PlainTextResponse(
                "This monitor is not reached by that name. Use the address that it printed when it started.\n",
                421,
            )
        origin = headers.get("origin")
        if origin is not None and origin.lower().partition("://")[2] != host.lower():
            return PlainTextResponse("A page of another site may not ask here.\n", 403)
        if self._token is not None and path != HEALTH_PATH and not self._knows_it(headers):
            return PlainTextResponse(
                "Give the token of --token-file: as a bearer token, or as the password of any user.\n",
                401,
                {"WWW-Authenticate": 'Basic realm="genesys-eventbridge monitor"'},
            )
        return None

    def _is_ours(self, host: str) -> bool:
        """Whether a host name is ours. Its port does not matter, since a tunnel has its own."""
        form = _HOST.fullmatch(host)
        if form is None:
            return False
        name = form["name"].strip("[]").lower()
        if name in self._hosts:
            return True
        try:
            address = ip_address(name)
        except ValueError:
            return False
        return address.is_loopback or not self._only_loopback

    def _knows_it(self, headers: Headers) -> bool:
        scheme, _, given = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            try:
                given = base64.b64decode(given, validate=True).decode().partition(":")[2]
            except (binascii.Error, ValueError):
                return False
        elif scheme.lower() != "bearer":
            return False
        return secrets.compare_digest(given.strip().encode(), (self._token or "").encode())
