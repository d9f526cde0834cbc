"""The host, started by its script like the engine does it, and called over gRPC without an engine."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import grpc
from google.protobuf import empty_pb2, struct_pb2
from pulumi.dynamic.dynamic import serialize_provider
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from tests.host.house import Things
from tests.host.house_project import THING
from tests.support.engine import OWN_HOST

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from typing_extensions import Self

SCRIPT = OWN_HOST / "pulumi-resource-pulumi-python"
NO_ENGINE = "127.0.0.1:1"
"""An address where nobody receives the messages of the host."""


def script_env(env: Mapping[str, str]) -> dict[str, str]:
    """The environment in which the script uses the Python of the tests."""
    return {**os.environ, "PULUMI_RUNTIME_VIRTUALENV": sys.prefix, **env}


class DirectHost:
    """A host, with the calls that an engine makes; it ends with the `with` block."""

    def __init__(self, directory: Path, env: Mapping[str, str]) -> None:
        self.process = subprocess.Popen(
            [SCRIPT, NO_ENGINE], cwd=directory, env=script_env(env), stdout=subprocess.PIPE
        )

    def __enter__(self) -> Self:
        assert self.process.stdout
        self._channel = grpc.insecure_channel(f"127.0.0.1:{int(self.process.stdout.readline())}")
        self._stub = provider_pb2_grpc.ResourceProviderStub(self._channel)
        self._stub.Configure(provider_pb2.ConfigureRequest())
        return self

    def __exit__(self, *_: object) -> None:
        self._channel.close()
        self.process.kill()
        self.process.communicate()

    def create(self, name: str, **props: Any) -> Any:
        """Starts a create of a `Thing`, and returns the call in progress."""
        properties = struct_pb2.Struct()
        properties.update({"__provider": serialize_provider(Things()), "name": name, **props})
        return self._stub.Create.future(
            provider_pb2.CreateRequest(
                urn=f"urn:pulumi:dev::house::{THING}::{name}", type=THING, properties=properties
            )
        )

    def cancel(self) -> Any:
        """Starts a `Cancel`, and returns the call in progress."""
        return self._stub.Cancel.future(empty_pb2.Empty())
