"""Functions for Pulumi's property bags: unknowns, secrets and changes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pulumi.output import Unknown

from genesys_provider.common.paths import property_path
from genesys_provider.host.operation import ChangeKind, current

PROVIDER = "__provider"
"""The property under which Pulumi keeps the serialized provider."""

_SECRET_SIGNATURE = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270"}
"""The signature by which Pulumi marks a secret value on the wire."""

Path = tuple[str | int, ...]


CHECKED_BY = "checkedBy"
"""The version of the rules that the inputs have passed: see `passed`."""

_ABOUT_THE_REST = (PROVIDER, CHECKED_BY)


def own(properties: Mapping[str, Any]) -> dict[str, Any]:
    """The properties without Pulumi's own, and without what a check adds to the inputs."""
    return {name: value for name, value in properties.items() if name not in _ABOUT_THE_REST}


def present(value: Any) -> Any:
    """An object without its nulls, which count as absent; any other value unchanged."""
    if not isinstance(value, Mapping):
        return value
    return {name: item for name, item in value.items() if item is not None}


def secret(value: Any) -> dict[str, Any]:
    """The value, marked so that it is encrypted wherever it stands in the state."""
    return {**_SECRET_SIGNATURE, "value": value}


def secret_texts(properties: Mapping[str, Any]) -> set[str]:
    """The texts that the program has given as secrets, according to the input `secrets`."""
    listed = properties.get("secrets")
    if not listed:
        return set()
    return {
        text
        for path, text in _texts(own(properties), ())
        if any(path == each or _inside(path, each) for each in listed)
    }


def _texts(value: Any, path: Path) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield property_path(path), value
    elif isinstance(value, Mapping):
        for name, item in value.items():
            yield from _texts(item, (*path, name))
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            yield from _texts(item, (*path, index))


def with_new_secrets(
    found: Mapping[str, ChangeKind], olds: Mapping[str, Any], news: Mapping[str, Any]
) -> dict[str, ChangeKind]:
    """The changes of an update, including those that turn plain text in the state into secrets.

    The latter are a change of `secrets`, the list of secret paths. Properties with a new value are then shown as
    added, since showing the old value next to it might reveal a secret.
    """
    told = current().newly_secret
    if told is not None:
        paths = [property_path(path) for path in told]
    else:
        # The states of earlier versions have no list, so nobody can tell.
        before = olds.get("secrets")
        paths = [] if before is None else [path for path in news.get("secrets") or () if path not in before]
    changes = dict(found)
    if paths:
        hidden = [path for path in found if any(related(path, each) for each in paths)]
        changes |= {path: "add" for path in hidden if found[path] == "update"}
        changes["secrets"] = "update" if "secrets" in olds else "add"
    return changes


def related(path: str, other: str) -> bool:
    """Whether the two property paths are the same, or one is inside the other."""
    return path == other or _inside(path, other) or _inside(other, path)


def _inside(path: str, parent: str) -> bool:
    return path.startswith((f"{parent}.", f"{parent}["))


def changed(compared: Iterable[tuple[str, Any, Any]]) -> dict[str, ChangeKind]:
    """The changes, by path, among pairs of old and new values; None is absent, an unknown is always a change."""
    found: dict[str, ChangeKind] = {}
    for path, old, new in compared:
        if isinstance(new, Unknown) or old != new:
            found[path] = "add" if old is None else "delete" if new is None else "update"
    return found
