"""The engine's calls: each operation of a dynamic resource, passed to its provider.

Any provider written for `pulumi.dynamic` gets the same values as under the stock host, and its results are returned
in the same way. In addition there is the current `Operation`, errors without a traceback, init failures recorded in
the state, detailed diffs and imports.

`Handshake` is not implemented, as in the stock host: a plugin that answers it promises to preview creates and
updates, and no dynamic provider expects to be called for that.
"""

# ruff: noqa: ARG002, N802 (the signatures and the names are gRPC's)
from __future__ import annotations

import asyncio
import functools
import json
import traceback
from concurrent import futures
from typing import TYPE_CHECKING, Any, TypeVar, cast

import grpc
from google.protobuf import any_pb2, empty_pb2
from google.rpc import status_pb2  # type: ignore[import-untyped]
from grpc_status import rpc_status
from pulumi.dynamic.dynamic import PROVIDER_KEY
from pulumi.runtime import rpc
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from genesys_provider.host.operation import (
    DetailedDiffResult,
    InitFailed,
    Operation,
    OperationError,
    carrying_out,
)
from genesys_provider.host.providers import Providers, config_failures, schema
from genesys_provider.host.secrets import Marks

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Mapping, Sequence

    from google.protobuf.struct_pb2 import Struct
    from pulumi.dynamic import CheckFailure, DiffResult

    from genesys_provider.host.engine import Engine

_Method = TypeVar("_Method", bound="Callable[[Servicer, Any, Any], Any]")

VERSION = "0.1.0"
"""The version of the stock host, so that the state is the same."""

# The engine reads the details of an init failure from this status; most others mean "nothing happened".
_UNKNOWN: int = grpc.StatusCode.UNKNOWN.value[0]

_KINDS = {
    "add": provider_pb2.PropertyDiff.ADD,
    "delete": provider_pb2.PropertyDiff.DELETE,
    "update": provider_pb2.PropertyDiff.UPDATE,
}
_REPLACING_KINDS = {
    "add": provider_pb2.PropertyDiff.ADD_REPLACE,
    "delete": provider_pb2.PropertyDiff.DELETE_REPLACE,
    "update": provider_pb2.PropertyDiff.UPDATE_REPLACE,
}


def _operation(method: _Method) -> _Method:
    """Runs a method as the current operation, and turns its errors into the status that the engine expects."""

    @functools.wraps(method)
    def run(self: Servicer, request: Any, context: grpc.ServicerContext) -> Any:
        marks = Marks(request)
        try:
            with carrying_out(self.operation(request, marks)):
                answer = method(self, marks.taken_off(), context)
                marks.put_back(answer)
                return answer
        except InitFailed as error:
            status = self.init_failed(error, marks)
        except OperationError as error:
            status = status_pb2.Status(code=_UNKNOWN, message=str(error))
        except Exception:  # noqa: BLE001 (whatever a provider raises)
            status = status_pb2.Status(code=_UNKNOWN, message=traceback.format_exc())
        return context.abort_with_status(rpc_status.to_status(status))

    return cast("_Method", run)


def _started_thread() -> futures.ThreadPoolExecutor:
    thread = futures.ThreadPoolExecutor(max_workers=1)
    thread.submit(bool)
    return thread


class Servicer(provider_pb2_grpc.ResourceProviderServicer):
    """The dynamic provider's side of the engine's protocol."""

    def __init__(self, engine: Engine, cancelled: threading.Event) -> None:
        self._engine = engine
        self._cancelled = cancelled
        self._providers = Providers()
        self._final_messages: dict[Callable[[], str | None], None] = {}
        """A set that keeps its order. `setdefault` is atomic, so that operations may add to it at any time."""
        self._stables: dict[str, Sequence[str]] = {}
        """The outputs that a planned update does not change, by URN."""
        self._notes: dict[str, str] = {}
        """What a preview shows for a planned update, by URN."""

    def operation(self, request: Any, marks: Marks) -> Operation:
        """What the provider may know about this call."""
        urn: str = request.urn
        return Operation(
            urn=urn,
            timeout=getattr(request, "timeout", 0) or None,
            cancelled=self._cancelled,
            records_init_failures=True,
            secrets=marks.texts(),
            newly_secret=marks.new(),
            show_status=functools.partial(self._engine.show_status, urn),
            warn=functools.partial(self._engine.warn, urn),
            at_end=self._final_messages.setdefault,
        )

    def show_final_messages(self) -> None:
        """Shows the messages that operations left for the end of the run. Never raises: the process must end."""
        for each in list(self._final_messages):
            try:
                message = each()
            except Exception:  # noqa: BLE001 (whatever a provider raises)
                message = traceback.format_exc()
            if message is not None:
                self._engine.inform(message)

    def init_failed(self, error: InitFailed, marks: Marks) -> status_pb2.Status:
        """The status with which the engine records the object, its properties and the reasons in the state."""
        provider = self._provider_for(marks.taken_off())
        detail = provider_pb2.ErrorResourceInitFailed(
            id=error.id,
            properties=_serialize(error.outs, provider),
            reasons=error.reasons,
            inputs=None if error.inputs is None else _serialize(error.inputs, provider),
        )
        marks.put_back(detail)
        packed = any_pb2.Any()
        packed.Pack(detail)
        return status_pb2.Status(code=_UNKNOWN, message=str(error), details=[packed])

    def _provider_for(self, request: Any) -> Any:
        """The `__provider` for the response to this request: the given one or, in an import, one for the type."""
        for bag in ("news", "properties", "inputs"):
            if PROVIDER_KEY in getattr(request, bag, ()):
                return getattr(request, bag)[PROVIDER_KEY]
        return self._providers.of_type(request.type)

    @_operation
    def CheckConfig(self, request: Any, context: Any) -> Any:
        """Validates the config of an explicit provider; the default provider's config passes through here too."""
        found = config_failures(rpc.deserialize_properties(request.news, keep_unknowns=True))
        return provider_pb2.CheckResponse(inputs=request.news, failures=_failures(found))

    def Configure(self, request: Any, context: Any) -> Any:
        """Stores the configuration for the `configure` of each provider."""
        config = rpc.deserialize_properties(request.args)
        self._providers.config = {key: rpc.unwrap_rpc_secret(value) for key, value in config.items()}
        return provider_pb2.ConfigureResponse(acceptSecrets=True, supportsPreview=True)

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        """Returns the version."""
        return plugin_pb2.PluginInfo(version=VERSION)

    def GetSchema(self, request: Any, context: Any) -> Any:
        """Describes the types that can be imported; without them, `pulumi import` fails after doing its work."""
        described = {"name": "pulumi-python", "version": VERSION, **schema()}
        return provider_pb2.GetSchemaResponse(schema=json.dumps(described))

    def Cancel(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Wakes all waits; each provider decides what to do then."""
        # Respond first: thousands of operations that wake up would delay the response.
        if not context.add_callback(self._cancelled.set):
            self._cancelled.set()
        return empty_pb2.Empty()

    # Its own thread, started in advance, since operations may use up all that the machine can provide.
    Cancel.experimental_thread_pool = _started_thread()  # type: ignore[attr-defined]

    @_operation
    def Check(self, request: Any, context: Any) -> Any:
        """Validates inputs and fills in defaults."""
        olds = rpc.deserialize_properties(request.olds, keep_unknowns=True)
        news = rpc.deserialize_properties(request.news, keep_unknowns=True)
        result = self._providers.of(request.type, news, olds).check(olds, news)
        return provider_pb2.CheckResponse(
            inputs=_serialize(result.inputs, news[PROVIDER_KEY]),
            failures=_failures(result.failures),
        )

    @_operation
    def Diff(self, request: Any, context: Any) -> Any:
        """Returns whether an update would change anything; our own result also tells what."""
        olds = rpc.deserialize_properties(request.olds, keep_unknowns=True)
        news = rpc.deserialize_properties(request.news, keep_unknowns=True)
        result = self._providers.of(request.type, news, olds).diff(request.id, olds, news)
        self._stables[request.urn] = result.stables or ()
        if isinstance(result, DetailedDiffResult) and result.note:
            self._notes[request.urn] = result.note
        return _diff_response(result)

    def Create(self, request: Any, context: Any) -> Any:
        """Creates the object; a preview returns the inputs."""
        if request.preview:
            return provider_pb2.CreateResponse(properties=request.properties)
        return self._create(request, context)

    @_operation
    def _create(self, request: Any, context: Any) -> Any:
        props = rpc.deserialize_properties(request.properties)
        result = self._providers.of(request.type, props).create(props)
        return provider_pb2.CreateResponse(
            id=result.id, properties=_serialize(result.outs, props[PROVIDER_KEY])
        )

    def Update(self, request: Any, context: Any) -> Any:
        """Updates the object in place; a preview returns the inputs and the outputs that do not change."""
        if not request.preview:
            return self._update(request, context)
        if note := self._notes.pop(request.urn, None):
            self._engine.inform(note, request.urn)
        response = provider_pb2.UpdateResponse(properties=request.news)
        for name in self._stables.get(request.urn, ()):
            if name in request.olds.fields:
                response.properties.fields[name].CopyFrom(request.olds.fields[name])
        return response

    @_operation
    def _update(self, request: Any, context: Any) -> Any:
        olds = rpc.deserialize_properties(request.olds)
        news = rpc.deserialize_properties(request.news)
        result = self._providers.of(request.type, news).update(request.id, olds, news)
        return provider_pb2.UpdateResponse(properties=_serialize(result.outs, news[PROVIDER_KEY]))

    @_operation
    def Delete(self, request: Any, context: Any) -> Any:
        """Deletes the object."""
        props = rpc.deserialize_properties(request.properties)
        self._providers.of(request.type, props).delete(request.id, props)
        return empty_pb2.Empty()

    @_operation
    def Read(self, request: Any, context: Any) -> Any:
        """Reads the actual object; in an import only its type and id are known."""
        # An import has neither; a `get` only has inputs.
        props = rpc.deserialize_properties(request.properties) or rpc.deserialize_properties(request.inputs)
        importing = not props
        provider = self._provider_for(request)
        props = props or {PROVIDER_KEY: rpc.unwrap_rpc_secret(provider)}
        result = self._providers.of(request.type, props).read(request.id, props)
        if not result.id:
            return provider_pb2.ReadResponse()
        # The engine refuses an import without inputs.
        inputs = result.outs if importing and result.inputs is None else result.inputs
        return provider_pb2.ReadResponse(
            id=result.id,
            properties=_serialize(result.outs, provider),
            inputs=None if inputs is None else _serialize(inputs, provider),
        )


def _serialize(properties: Mapping[str, Any] | None, provider: Any) -> Struct:
    """The properties in the engine's format, with the provider that serves the resource."""
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(
            rpc.serialize_properties({**(properties or {}), PROVIDER_KEY: provider}, {})
        )
    finally:
        loop.close()


def _failures(found: Sequence[CheckFailure] | None) -> list[provider_pb2.CheckFailure]:
    return [provider_pb2.CheckFailure(property=each.property, reason=each.reason) for each in found or ()]


def _diff_response(result: DiffResult) -> Any:
    if result.changes is None:
        changes = provider_pb2.DiffResponse.DIFF_UNKNOWN
    elif result.changes:
        changes = provider_pb2.DiffResponse.DIFF_SOME
    else:
        changes = provider_pb2.DiffResponse.DIFF_NONE
    response = provider_pb2.DiffResponse(
        changes=changes,
        replaces=result.replaces or (),
        deleteBeforeReplace=bool(result.delete_before_replace),
    )
    if isinstance(result, DetailedDiffResult):
        for path, kind in result.detailed.items():
            kinds = _REPLACING_KINDS if _top(path) in response.replaces else _KINDS
            response.detailedDiff[path].kind = kinds[kind]
        response.hasDetailedDiff = True
        response.diffs.extend(sorted({_top(path) for path in result.detailed}))
        response.stables.extend(result.stables or ())
    return response


def _top(path: str) -> str:
    """The top-level property of a path such as `retryPolicy.maxRetries` or `eventTypes[2]`."""
    return path.partition(".")[0].partition("[")[0]
