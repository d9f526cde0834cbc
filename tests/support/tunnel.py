"""A real HTTP proxy on a real socket: it accepts CONNECT, records the requests, and forwards all to one port."""

from __future__ import annotations

import socket
import ssl
import threading
from socketserver import BaseRequestHandler, ThreadingTCPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Self


class Tunnel:
    """A proxy that forwards every CONNECT to `port` of this machine, or refuses it with another `status`.

    With `context`, the proxy itself uses TLS. `asked` has the head of each request, which is all that a proxy sees.
    `url` is its address.
    """

    def __init__(
        self, port: int = 0, *, status: str = "200 OK", context: ssl.SSLContext | None = None
    ) -> None:
        self.asked: list[str] = []
        tunnel = self

        class Handler(BaseRequestHandler):
            def handle(self) -> None:
                head = b""
                while b"\r\n\r\n" not in head:
                    try:
                        more = self.request.recv(65536)
                    except OSError:
                        # The client does not trust this proxy.
                        return
                    if not more:
                        return
                    head += more
                tunnel.asked.append(head.decode("latin-1"))
                if not status.startswith("200") or not head.startswith(b"CONNECT "):
                    self.request.sendall(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())
                    return
                with socket.create_connection(("127.0.0.1", port)) as there:
                    self.request.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                    back = threading.Thread(target=pour, args=(there, self.request), daemon=True)
                    back.start()
                    pour(self.request, there)
                    back.join()

        self._server = ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        if context is not None:
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def pour(source: socket.socket, sink: socket.socket) -> None:
    """Forwards data until the source ends, then ends the sink too."""
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        # One side has closed the connection.
        return
