"""The host's server, which accepts the engine's calls while the process runs."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading
from concurrent import futures
from typing import TYPE_CHECKING

import grpc
from pulumi.runtime._grpc_settings import _GRPC_CHANNEL_OPTIONS
from pulumi.runtime.proto import provider_pb2_grpc

from genesys_provider.host.engine import Engine
from genesys_provider.host.lifetime import WATCH_INTERVAL, leave
from genesys_provider.host.servicer import Servicer

if TYPE_CHECKING:
    from genesys_provider.host.lifetime import Lifetime

NO_LIMIT = 2**31 - 1
"""The number of concurrent operations is limited by `--parallel`, not by us."""
OPTIONS = [
    *_GRPC_CHANNEL_OPTIONS,
    # Otherwise gRPC refuses calls, even a `Cancel`, if more than 1,000 are pending.
    ("grpc.server.max_pending_requests", NO_LIMIT),
    ("grpc.server.max_pending_requests_hard_limit", NO_LIMIT),
]


class _Threads(futures.ThreadPoolExecutor):
    """One thread per operation in progress; if no more can be started, an operation waits for another's thread."""

    def __init__(self) -> None:
        super().__init__(max_workers=NO_LIMIT)

    def _adjust_thread_count(self) -> None:
        # The operation is already queued. The error would end gRPC's own thread.
        with contextlib.suppress(RuntimeError):
            super()._adjust_thread_count()


def serve(address: str, lifetime: Lifetime) -> None:
    """Serves the engine at this address until it is time to exit."""
    # Whatever is written to standard error appears in the user's output.
    logging.getLogger("grpc").setLevel(logging.CRITICAL)
    cancelled = threading.Event()
    server = grpc.server(_Threads(), options=OPTIONS)
    servicer = Servicer(Engine(address), cancelled)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        sys.stdout.write(f"{port}\n")
        sys.stdout.flush()
    except BrokenPipeError:
        leave()
    lifetime.wait()
    cancelled.set()
    grace = lifetime.grace
    stopped = server.stop(grace)
    while not stopped.wait(WATCH_INTERVAL):
        if lifetime.grace < grace:
            grace = lifetime.grace
            server.stop(grace)
    servicer.show_final_messages()
    # An ordinary exit would wait for the threads of operations that nobody needs any more.
    os._exit(0)
