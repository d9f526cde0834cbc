"""Messages from the host to the engine, shown next to a resource."""

from __future__ import annotations

import contextlib

import grpc
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc

TIME_LIMIT = 1.0
"""Seconds to wait until a message is accepted; it is not worth more."""


class Engine:
    """The engine's log, at the address that a plugin gets as its last argument.

    Nothing here raises: an operation must not fail because a message about it could not be shown.
    """

    def __init__(self, address: str) -> None:
        # Local, but gRPC would use the proxy of http_proxy or https_proxy anyway.
        channel = grpc.insecure_channel(address, options=[("grpc.enable_http_proxy", 0)])
        self._log = engine_pb2_grpc.EngineStub(channel).Log

    def show_status(self, urn: str, message: str) -> None:
        """Shows a transient message in the resource's line of the live display."""
        self._send(urn, message, severity=engine_pb2.INFO, ephemeral=True)

    def warn(self, urn: str, message: str) -> None:
        """Shows a lasting warning about the resource."""
        self._send(urn, message, severity=engine_pb2.WARNING, ephemeral=False)

    def inform(self, message: str, urn: str = "") -> None:
        """Shows a lasting message about a resource, or about the run as a whole."""
        self._send(urn, message, severity=engine_pb2.INFO, ephemeral=False)

    def _send(
        self, urn: str, message: str, *, severity: engine_pb2.LogSeverity.ValueType, ephemeral: bool
    ) -> None:
        request = engine_pb2.LogRequest(severity=severity, message=message, urn=urn, ephemeral=ephemeral)
        # ValueError: the channel is closed, since the process is about to exit.
        with contextlib.suppress(grpc.RpcError, ValueError):
            self._log(request, timeout=TIME_LIMIT)
