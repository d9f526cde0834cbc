"""What the host says to the engine on its own account: messages beside a resource."""

from __future__ import annotations

import contextlib

import grpc
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc

TIME_LIMIT = 1.0
"""In seconds: a message is worth no longer wait."""


class Engine:
    """The engine's log, at the address that it gives a plugin as the last argument.

    Nothing here raises: an operation must not fail because a message about it could not be shown.
    """

    def __init__(self, address: str) -> None:
        # It is on this machine: gRPC would go through the proxy of http_proxy or https_proxy all the same.
        channel = grpc.insecure_channel(address, options=[("grpc.enable_http_proxy", 0)])
        self._log = engine_pb2_grpc.EngineStub(channel).Log

    def show_status(self, urn: str, message: str) -> None:
        """Shows a passing message in the resource's line of the live display."""
        self._send(urn, message, severity=engine_pb2.INFO, ephemeral=True)

    def warn(self, urn: str, message: str) -> None:
        """Shows a warning about the resource, which stays."""
        self._send(urn, message, severity=engine_pb2.WARNING, ephemeral=False)

    def inform(self, message: str, urn: str = "") -> None:
        """Shows a lasting message about a resource, or about the run as a whole."""
        self._send(urn, message, severity=engine_pb2.INFO, ephemeral=False)

    def _send(
        self, urn: str, message: str, *, severity: engine_pb2.LogSeverity.ValueType, ephemeral: bool
    ) -> None:
        request = engine_pb2.LogRequest(severity=severity, message=message, urn=urn, ephemeral=ephemeral)
        # ValueError: the channel is closed, since the process is about to end.
        with contextlib.suppress(grpc.RpcError, ValueError):
            self._log(request, timeout=TIME_LIMIT)
