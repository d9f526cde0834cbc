"""Keeps secret in a response what is secret in its request.

The engine marks secrets, since our host declares that it accepts marks. Providers work with unmarked values. Where
a request had a secret, the response is marked again here, by the same rules that the engine applies for the stock
host, which accepts no marks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from google.protobuf.struct_pb2 import ListValue, Struct, Value
from pulumi.dynamic.dynamic import PROVIDER_KEY
from pulumi.runtime.rpc import UNKNOWN, _special_secret_sig, _special_sig_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from google.protobuf.message import Message

Path = tuple[str, ...]
"""The position of a value: the keys of nested objects. A list counts as one value."""

_BAGS = ("olds", "news", "properties", "inputs", "old_inputs")
"""The properties in requests."""

_SIGNATURE: bytes = _special_secret_sig.encode()

_SOURCES = {"properties": ("news", "properties"), "inputs": ("news", "inputs")}
"""The properties in responses, and those in the request that determine their secrets."""


class Marks:
    """The secrets of one request.

    Most properties have none, and searching each would cost more than the operation itself. So the serialized form
    tells which ones to search.
    """

    def __init__(self, request: Any) -> None:
        known = request.DESCRIPTOR.fields_by_name
        bags = [each for each in _BAGS if each in known and request.HasField(each)] if _marks(request) else []
        self._request = request
        self._marked = {each: _marked(getattr(request, each)) for each in bags}

    def taken_off(self) -> Any:
        """The request, or a copy without marks if it has any."""
        if not self._marked:
            return self._request
        plain = type(self._request)()
        plain.CopyFrom(self._request)
        for name, marked in self._marked.items():
            fields = getattr(plain, name).fields
            for key, value in marked.items():
                fields[key].CopyFrom(_plain_value(value))
        return plain

    def texts(self) -> frozenset[str]:
        """All texts in the request that are marked or inside a marked value."""
        return frozenset(
            text
            for marked in self._marked.values()
            for key, value in marked.items()
            if key != PROVIDER_KEY
            for text in _texts(value, secret=False)
        )

    def new(self) -> tuple[Path, ...]:
        """The paths at which the new inputs have a secret, and the old outputs the same property in plain text."""
        if not {"olds", "news"} <= self._marked.keys():
            return ()
        found = _newly(self._request.olds, self._marked["news"], ())
        return tuple(path for path in found if path != (PROVIDER_KEY,))

    def put_back(self, answer: Any) -> None:
        """Marks in a response what is secret in the request."""
        for name, sources in _SOURCES.items():
            if name in answer.DESCRIPTOR.fields_by_name and answer.HasField(name):
                source = next((each for each in sources if each in self._marked), None)
                if source is not None:
                    _mark(getattr(answer, name), self._marked[source])


def _marks(message: Message) -> bool:
    """Whether there may be a mark in it."""
    return _SIGNATURE in message.SerializeToString()


def _marked(properties: Struct) -> dict[str, Value]:
    """The properties with a mark somewhere."""
    return {key: value for key, value in properties.fields.items() if _marks(value)}


def _is_secret(value: Value) -> bool:
    fields = value.struct_value.fields
    return _special_sig_key in fields and fields[_special_sig_key].string_value == _special_secret_sig


def _has_secrets(value: Value) -> bool:
    inside = [*value.struct_value.fields.values(), *value.list_value.values]
    return _is_secret(value) or any(map(_has_secrets, inside))


def _plain(properties: Struct) -> Struct:
    return Struct(fields={key: _plain_value(value) for key, value in properties.fields.items()})


def _plain_value(value: Value) -> Value:
    while _is_secret(value):
        value = value.struct_value.fields["value"]
    if value.HasField("struct_value"):
        return Value(struct_value=_plain(value.struct_value))
    if value.HasField("list_value"):
        return Value(list_value=ListValue(values=map(_plain_value, value.list_value.values)))
    return value


def _texts(value: Value, *, secret: bool) -> Iterator[str]:
    if _is_secret(value):
        yield from _texts(value.struct_value.fields["value"], secret=True)
        return
    if secret and value.string_value not in ("", UNKNOWN):
        yield value.string_value
    for each in (*value.struct_value.fields.values(), *value.list_value.values):
        yield from _texts(each, secret=secret)


def _newly(olds: Struct, news: Mapping[str, Value], path: Path) -> Iterator[Path]:
    for key, new in news.items():
        if key not in olds.fields or _is_secret(old := olds.fields[key]):
            continue
        if new.HasField("struct_value") and old.HasField("struct_value") and not _is_secret(new):
            yield from _newly(old.struct_value, new.struct_value.fields, (*path, key))
        elif _has_secrets(new):
            yield (*path, key)


def _mark(outs: Struct, ins: Mapping[str, Value]) -> None:
    # Like `annotateSecrets` in the engine.
    for key, asked in ins.items():
        if key not in outs.fields:
            continue
        out = outs.fields[key]
        if _is_secret(out):
            continue
        if out.HasField("struct_value") and asked.HasField("struct_value") and not _is_secret(asked):
            _mark(out.struct_value, asked.struct_value.fields)
        elif _has_secrets(asked):
            marked = Value()
            marked.struct_value.fields[_special_sig_key].string_value = _special_secret_sig
            marked.struct_value.fields["value"].CopyFrom(out)
            out.CopyFrom(marked)
