"""Closes a connection in the middle of a request, for which ASGI has no message.

uvicorn gives each request a copy of its application state; this protocol adds the connection to it. After
`abort` or `hang_up` the application ends without an answer, which uvicorn treats as a disconnected client.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    from starlette.types import Receive, Scope

_KEY = "connection"


class ClosableProtocol(H11Protocol):
    """HTTP/1.1 whose connections an application can close."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.app_state = {**self.app_state, _KEY: self}

    def shutdown(self) -> None:
        """Close the connection when the server ends; immediately if it is idle."""
        super().shutdown()
        # TLS would wait for the client's close_notify, which an idle client doesn't send.
        if self.transport.is_closing() and self.transport.get_write_buffer_size() == 0:
            self.transport.abort()


async def abort(scope: Scope, receive: Receive) -> None:
    """Close the request's connection, and discard unsent data."""
    scope["state"][_KEY].transport.abort()
    await _closed(receive)


async def hang_up(scope: Scope, receive: Receive) -> None:
    """Close the request's connection after the data that was sent so far."""
    scope["state"][_KEY].transport.close()
    await _closed(receive)


async def _closed(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
