"""Serves on real sockets: in a thread for tests, in the foreground for the command line.

An emulator for tests, and a gateway whose certificate it trusts:

    with GatewayServer(GatewaySettings(directory)) as gateway:
        settings = EmulatorSettings(ca_file=gateway.ca_file, verification_seconds=0)
        with EmulatorServer(settings) as emulator:
            httpx.get(emulator.url + "/emulator/health")
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import threading
from typing import TYPE_CHECKING, NoReturn

import uvicorn

from genesys_provider.emulator.app import EmulatorSettings, emulator_app
from genesys_provider.emulator.certificates import gateway_certificate
from genesys_provider.emulator.connection import ClosableProtocol
from genesys_provider.emulator.gateway import Gateway, GatewaySettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from types import FrameType

    from starlette.types import ASGIApp
    from typing_extensions import Self

_BACKLOG = 2048
_START_SECONDS = 30


class Server:
    """One HTTP server. It listens as soon as it is created, and serves inside `with` or in `run`.

    Args:
        app: The application.
        host: The address that it listens on.
        port: The port; 0 means any free port.
        chain_file: A private key with its certificate, in PEM, to serve HTTPS.

    Attributes:
        url: The base URL, without a trailing slash.

    Raises:
        OSError: The address can't be listened on.
    """

    def __init__(self, app: ASGIApp, host: str, port: int, chain_file: Path | None = None) -> None:
        self._socket = _listening(host, port)
        scheme = "http" if chain_file is None else "https"
        name = f"[{host}]" if ":" in host else host
        self.url = f"{scheme}://{name}:{self._socket.getsockname()[1]}"
        self._ready = threading.Event()
        self._server = _Uvicorn(
            uvicorn.Config(
                app,
                http=ClosableProtocol,
                ws="none",
                loop="asyncio",
                lifespan="on",
                ssl_certfile=chain_file,
                # Our own logger reports failures; uvicorn's would repeat them, and report each dropped connection.
                log_level="critical",
                access_log=False,
                timeout_graceful_shutdown=1,
                # Longer than clients keep idle connections, so that we never close one while a request arrives.
                timeout_keep_alive=75,
                server_header=False,
            ),
            self._ready.set,
        )
        self._thread: threading.Thread | None = None
        self._failure: BaseException | None = None

    def __enter__(self) -> Self:
        """Serve in a thread; returns as soon as connections are accepted."""
        self._thread = threading.Thread(target=self._serve_in_thread, name=self.url, daemon=True)
        self._thread.start()
        if not self._ready.wait(_START_SECONDS) or self._failure is not None:
            raise RuntimeError(f"The server at {self.url} did not start.") from self._failure
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the server, and wait until it has ended."""
        self._server.should_exit = True
        if self._thread is not None:
            self._thread.join()

    def run(self, ready: Callable[[], None]) -> NoReturn:
        """Serve in this thread until SIGTERM or SIGINT, then end the process with exit code 0.

        Args:
            ready: Called as soon as connections are accepted.
        """
        self._server.ready = ready
        self._server.ended = _exit
        self._serve()
        raise SystemExit(1)

    def _serve_in_thread(self) -> None:
        try:
            self._serve()
        except BaseException as error:  # noqa: BLE001 - raised by `__enter__`
            self._failure = error
        finally:
            self._socket.close()
            self._ready.set()

    def _serve(self) -> None:
        self._server.run(sockets=[self._socket])


class EmulatorServer(Server):
    """An emulator on a real socket.

    Raises:
        OSError: The address can't be listened on, or the CA file can't be read.
        StateFileError: The state file can't be used.
    """

    def __init__(
        self, settings: EmulatorSettings | None = None, *, host: str = "127.0.0.1", port: int = 0
    ) -> None:
        super().__init__(emulator_app(settings or EmulatorSettings()), host, port)


class GatewayServer(Server):
    """A gateway on a real socket, over HTTPS.

    Attributes:
        ca_file: The CA that its clients must trust.

    Raises:
        OSError: The address can't be listened on, or the certificate's directory can't be written.
        ValueError: The signing secret is not valid.
    """

    def __init__(self, settings: GatewaySettings, *, host: str = "127.0.0.1", port: int = 0) -> None:
        certificate = gateway_certificate(settings.certificate_dir)
        self.ca_file = certificate.ca_file
        super().__init__(Gateway(settings).app(), host, port, certificate.chain_file)


def _exit() -> None:
    # Everything is closed. A normal exit would wait for threads that are still resolving an endpoint's name.
    sys.stdout.flush()
    os._exit(0)


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio only sets TCP_NODELAY if the protocol is explicit; without it, an answer takes 40 ms longer.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise OSError(f"port {port} of {host}: {error.strerror or error}. Give another port") from error
    return listener


class _Uvicorn(uvicorn.Server):
    """uvicorn with callbacks for start and end, and for which SIGTERM is a normal end."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self.ready = ready
        self.ended: Callable[[], None] = lambda: None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to accept connections, then call `ready`."""
        await super().startup(sockets)
        self.ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the open requests and the application, then call `ended`."""
        await super().shutdown(sockets)
        self.ended()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle signals without raising them again at the end, as uvicorn does: that would set the exit code."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def stop(_: int, __: FrameType | None) -> None:
            self.should_exit = True

        before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
