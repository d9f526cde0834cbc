"""Property names in resource options, checked and translated to the names in the state.

The engine compares these names literally with those in the state and silently ignores unknown ones: a secret stays
in plain text, a change is not ignored. So unknown names are refused here. Names that a transformation or a
component's transform adds come later and must be those of the state.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

import pulumi

from genesys_provider.client.naming import snake

KEYS: Final = "keys"
"""Texts under arbitrary keys, which are used as they are written."""
ITEMS: Final = "items"
"""A list of texts whose order does not matter."""

Inside = frozenset[str] | Literal["keys", "items"]
"""The content of a property: named fields, or one of the above."""

_STEP = re.compile(
    r"""
    \.?\["(?P<quoted>(?:\\"|[^"])+)"\]      # ["X-Key"]
    | \.?\[(?P<index>\*|\d+)\]              # [0], [*]
    | (?:^|\.)(?P<name>[^.\[\]"]+)          # name, .name, .*
    """,
    re.VERBOSE,
)
"""One step of a property path, as Pulumi's SDK parses it in `ParsePropertyPath`."""


@dataclass(frozen=True)
class PropertyNames:
    """The properties of a type of resource, by their names in the state.

    Attributes:
        inputs: The inputs, which are also outputs.
        outputs: The outputs that the provider adds.
        inside: The content of those properties that have more than one value.
        shorthands: Names that only exist in programs, each with the properties that it stands for. A path into
            it is a path into the first of them.
        namespace: What stands before each name in the state. Programs leave it out.
    """

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    inside: Mapping[str, Inside] = field(default_factory=dict)
    shorthands: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    namespace: str = ""


def with_the_states_names(
    opts: pulumi.ResourceOptions, resource: str, names: PropertyNames
) -> pulumi.ResourceOptions:
    """A copy of the options, with each property named as in the state.

    Args:
        opts: The options as the program gave them.
        resource: The resource, for errors: `EventBridgeTarget 'orders'`.
        names: The properties of the resource.

    Raises:
        pulumi.RunError: An option names an unknown property, or one that the engine would ignore.
    """
    translated = pulumi.ResourceOptions.merge(opts, None)
    for option in ("ignore_changes", "replace_on_changes", "additional_secret_outputs", "hide_diffs"):
        given = getattr(opts, option, None)
        if given is not None:
            setattr(translated, option, _Option(option, resource, names).translated(given))
    return translated


@dataclass(frozen=True)
class _Option:
    name: str
    resource: str
    names: PropertyNames

    def translated(self, given: object) -> list[str]:
        if not isinstance(given, Sequence) or isinstance(given, str):
            raise self._error(f"is a {type(given).__name__}; it must be a list of property names")
        # Without duplicates, since two names in the program may stand for the same property.
        return list(dict.fromkeys(path for each in given for path in self._paths(each)))

    def _paths(self, given: object) -> Iterator[str]:
        if not isinstance(given, str):
            raise self._error(f"holds a {type(given).__name__}; it must be a list of property names")
        steps = self._steps(given)
        if self.name == "additional_secret_outputs" and len(steps) > 1:
            raise self._error(
                f"names {given!r}, but a property can only be a secret as a whole: name {steps[0][0]!r}, or "
                "pass pulumi.Output.secret(…) as the value"
            )
        (first, _), rest = steps[0], steps[1:]
        if first == "*" and self.name != "additional_secret_outputs":
            if rest:
                raise self._error(f"holds {given!r}, but '*' is everything: name a property to go into it")
            # All properties that can be ignored; the engine would include other inputs, such as the owner mark.
            everything = (self.names.namespace + name for name in self.names.inputs)
            yield from everything if self.name == "ignore_changes" else ("*",)
            return
        properties = self._properties(given, first)
        for state_name in properties[:1] if rest else properties:
            yield state_name + self._inner(given, first, state_name, rest)

    def _steps(self, given: str) -> list[tuple[str, str]]:
        """The key of each step, and its notation."""
        steps, at = [], 0
        while at < len(given) and (match := _STEP.match(given, at)):
            key = match["quoted"] or match["index"] or match["name"]
            steps.append((key, match[0]))
            at = match.end()
        if not steps or at < len(given) or given.startswith("."):
            raise self._error(
                f"holds {given!r}, which is not a property path. One looks like retry_policy.max_retries, "
                'headers["X-Key"] or event_types[0]'
            )
        return steps

    def _properties(self, given: str, first: str) -> tuple[str, ...]:
        in_state = {name: (self.names.namespace + name,) for name in self._known()}
        in_python = {snake(name): found for name, found in in_state.items()} | dict(self.names.shorthands)
        if found := {**in_state, **in_python}.get(first.removeprefix(self.names.namespace)):
            return found
        if first in {*self.names.outputs, *map(snake, self.names.outputs)}:
            raise self._error(f"names {given!r}, which is an output: only inputs can be ignored")
        raise self._error(
            f"names {given!r}, which is not a property of it. Its properties are {_listed(in_python)}"
        )

    def _known(self) -> tuple[str, ...]:
        return self.names.inputs + (() if self.name == "ignore_changes" else self.names.outputs)

    def _inner(self, given: str, first: str, state_name: str, rest: list[tuple[str, str]]) -> str:
        """What follows the property's name."""
        if not rest:
            return ""
        inside = self.names.inside.get(state_name)
        key, written = rest[0]
        if inside is None or len(rest) > 1:
            beyond = rest if inside is None else rest[1:]
            holder = given[: -sum(len(written) for _, written in beyond)]
            hint = "" if inside != KEYS else '. A key with a dot in it is written headers["a.b"]'
            raise self._error(f"names {given!r}, but there is nothing inside of {holder!r}{hint}")
        if inside == KEYS:
            if re.fullmatch(r"\.?\[\d+\]", written):
                raise self._error(f'names {given!r}, but {first!r} has keys: write {first}["…"]')
            return written
        if inside == ITEMS:
            return self._item(given, first, key, written)
        fields = {**{snake(name): name for name in inside}, **{name: name for name in inside}}
        if key == "*":
            return written
        if key not in fields:
            listed = _listed(map(snake, inside))
            raise self._error(f"names {given!r}, but {first!r} has no {key!r}. It has {listed}")
        return f".{fields[key]}"

    def _item(self, given: str, first: str, key: str, written: str) -> str:
        if key != "*" and not key.isdecimal():
            raise self._error(f"names {given!r}, but {first!r} is a list: write {first}[0], or {first} alone")
        if self.name != "replace_on_changes":
            return written
        if key != "*":
            raise self._error(
                f"names {given!r}, but the order of {first!r} does not matter: write {first!r} alone"
            )
        # It is compared as a set, so only the whole of it can change.
        return ""

    def _error(self, what: str) -> pulumi.RunError:
        return pulumi.RunError(f"{self.resource}: the option {self.name} {what}.")


def _listed(names: Mapping[str, object] | Iterator[str]) -> str:
    return ", ".join(sorted(names))
