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
    from collections.abc import Iterator

Path = tuple[str, ...]
"""The position of a value: the keys of nested objects. A list counts as one value."""

_BAGS = ("olds", "news", "properties", "inputs", "old_inputs")
"""The properties in requests."""

_SOURCES = {"properties": ("news", "properties"), "inputs": ("news", "inputs")}
"""The properties in responses, and those in the request that determine their secrets."""


def without_marks(request: Any) -> Any:
    """The request, or where values are marked, a copy in which none is."""
    bags = _bags(request)
    if not bags:
        return request
    plain = type(request)()
    plain.CopyFrom(request)
    for name in bags:
        getattr(plain, name).CopyFrom(_plain(getattr(request, name)))
    return plain


def secret_texts(request: Any) -> frozenset[str]:
    """All texts in a request that are marked or inside a marked value."""
    return frozenset(
        text
        for name in _bags(request)
        for key, value in getattr(request, name).fields.items()
        if key != PROVIDER_KEY
        for text in _texts(value, secret=False)
    )


def newly_secret(request: Any) -> tuple[Path, ...]:
    """The paths at which the new inputs have a secret, and the old outputs the same property in plain text."""
    if not {"olds", "news"} <= set(_bags(request)):
        return ()
    return tuple(path for path in _newly(request.olds, request.news, ()) if path != (PROVIDER_KEY,))


def mark(answer: Any, request: Any) -> None:
    """Marks in a response what is secret in its request."""
    bags = _bags(request)
    for name, sources in _SOURCES.items():
        if name in answer.DESCRIPTOR.fields_by_name and answer.HasField(name):
            source = next((each for each in sources if each in bags), None)
            if source is not None:
                _mark(getattr(answer, name), getattr(request, source))


def _bags(request: Any) -> list[str]:
    """The names of the properties in a request; none where nothing in it is marked, which saves the walk."""
    known = request.DESCRIPTOR.fields_by_name
    if _special_secret_sig.encode() not in request.SerializeToString():
        return []
    return [name for name in _BAGS if name in known and request.HasField(name)]


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


def _newly(olds: Struct, news: Struct, path: Path) -> Iterator[Path]:
    for key, new in news.fields.items():
        if key not in olds.fields or _is_secret(old := olds.fields[key]):
            continue
        if new.HasField("struct_value") and old.HasField("struct_value") and not _is_secret(new):
            yield from _newly(old.struct_value, new.struct_value, (*path, key))
        elif _has_secrets(new):
            yield (*path, key)


def _mark(outs: Struct, ins: Struct) -> None:
    # Like `annotateSecrets` in the engine.
    for key, asked in ins.fields.items():
        if key not in outs.fields:
            continue
        out = outs.fields[key]
        if _is_secret(out):
            continue
        if out.HasField("struct_value") and asked.HasField("struct_value") and not _is_secret(asked):
            _mark(out.struct_value, asked.struct_value)
        elif _has_secrets(asked):
            marked = Value()
            marked.struct_value.fields[_special_sig_key].string_value = _special_secret_sig
            marked.struct_value.fields["value"].CopyFrom(out)
            out.CopyFrom(marked)
