"""The host's process: it serves the engine, and ends with it.

How it ends, and why so:

- The engine closes the connection and sends SIGINT, at the end of each command and on a second Ctrl-C. The
  first Ctrl-C is a `Cancel` instead: the engine starts plugins in process groups of their own, out of a
  terminal's reach. So on SIGINT the host tells the operations, and leaves as soon as nobody waits for an
  answer any more. It must leave: the engine waits five seconds for it.
- SIGTERM: the same, but within `GRACE`.
- The engine is gone without a word (SIGKILL): the host leaves at once, in the middle of whatever it does.
  Nothing could be recorded any more, and an operation that learned of it might still send a request. On Linux
  the kernel tells of the death; elsewhere the host looks ten times a second.
"""

from __future__ import annotations

import logging
import os
import select
import signal
import sys
import threading
from concurrent import futures

import grpc
from pulumi.runtime._grpc_settings import _GRPC_CHANNEL_OPTIONS
from pulumi.runtime.proto import provider_pb2_grpc

from genesys_provider.host.engine import Engine
from genesys_provider.host.servicer import Servicer

THREADS = 512
"""So many operations at a time at most, a thread each, started on demand; the limit is `--parallel`."""
GRACE = 2.0
"""In seconds: how long operations have to report when somebody ends the host."""
UNTIL_ANSWERED = 3600.0
"""In seconds: longer than any operation."""
WATCH_INTERVAL = 0.1
"""In seconds: how often to look whether the engine is still there."""


class Lifetime:
    """When the process has to end; made before anything slow, so that it knows its engine."""

    def __init__(self) -> None:
        self._engine_pid = os.getppid()
        self._signal: int | None = None
        if hasattr(os, "pidfd_open"):
            threading.Thread(target=self._leave_with_engine, name="lifetime", daemon=True).start()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._note)

    def _note(self, number: int, _frame: object) -> None:
        self._signal = number

    def wait(self) -> float:
        """Waits for a signal to end, and says how long operations may go on, in seconds."""
        pause = threading.Event()
        while self._signal is None:
            self.leave_without_engine()
            pause.wait(WATCH_INTERVAL)
        return GRACE if self._signal == signal.SIGTERM else UNTIL_ANSWERED

    def _leave_with_engine(self) -> None:
        """Waits for the engine's death, and ends the process with it."""
        try:
            engine = os.pidfd_open(self._engine_pid)
        except OSError:
            # It is gone already, or this kernel can't: `leave_without_engine` sees it.
            return
        select.select([engine], [], [])
        os._exit(1)

    def leave_without_engine(self) -> None:
        """Ends the process on the spot if the engine is gone."""
        if os.getppid() != self._engine_pid:
            os._exit(1)


def serve(lifetime: Lifetime) -> None:
    """Serves the engine whose address is the last argument, until it is time to end."""
    # What is written to standard error lands in the user's output.
    logging.getLogger("grpc").setLevel(logging.CRITICAL)
    cancelled = threading.Event()
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=THREADS), options=_GRPC_CHANNEL_OPTIONS)
    servicer = Servicer(Engine(sys.argv[-1]), cancelled)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    grace = lifetime.wait()
    cancelled.set()
    answered = server.stop(grace)
    while not answered.wait(WATCH_INTERVAL):
        lifetime.leave_without_engine()
    # Threads of operations that nobody waits for any more would hold an ordinary exit up.
    os._exit(0)
