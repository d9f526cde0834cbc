"""Checks the types of a program's arguments before Pulumi processes them.

Python does not check types when a program runs, and Pulumi reports a wrong one with a traceback from deep inside.
The provider checks the values themselves, once outputs are known.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from types import UnionType
from typing import Any

import pulumi

TEXT = "text, or an output that is text"
NUMBER = "a number, or an output that is one"
FLAG = "True or False, or an output that is one of them"


class Arguments:
    """The arguments of one resource, and the faults in their types.

    Args:
        resource: The class that the program calls.
        resource_name: Its first argument.
        opts: Its last argument.
    """

    def __init__(self, resource: type[pulumi.Resource], resource_name: object, opts: object) -> None:
        self.resource = f"{resource.__name__} {resource_name!r}"
        """What errors call the resource."""
        self._faults: list[str] = []
        if not isinstance(resource_name, str) or not resource_name:
            self.resource = resource.__name__
            self._fault("resource_name", resource_name, "text, and not empty")
        if not isinstance(opts, pulumi.ResourceOptions | None):
            self._fault("opts", opts, "pulumi.ResourceOptions(…)")

    def text(self, argument: str, value: object, *, optional: bool = False, wanted: str = TEXT) -> None:
        """Requires text."""
        right = isinstance(value, str) or (optional and value is None)
        if not right:
            self._unless_eventual(argument, value, wanted)

    def number(self, argument: str, value: object, *, optional: bool = False, wanted: str = NUMBER) -> None:
        """Requires a number. A bool does not count as one."""
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        right = is_number or (optional and value is None)
        if not right:
            self._unless_eventual(argument, value, wanted)

    def flag(self, argument: str, value: object) -> None:
        """Requires a bool."""
        if not isinstance(value, bool):
            self._unless_eventual(argument, value, FLAG)

    def texts(self, argument: str, value: object, wanted: str) -> None:
        """Requires a list of texts."""
        if isinstance(value, str | bytes | bytearray | memoryview | range) or not isinstance(value, Sequence):
            self._unless_eventual(argument, value, wanted)
            return
        for index, item in enumerate(value):
            self.text(f"{argument}[{index}]", item)

    def texts_by_name(self, argument: str, value: object, wanted: str) -> None:
        """Requires a dict of texts, or None; any of the texts may be None too."""
        if value is None:
            return
        if not isinstance(value, Mapping):
            self._unless_eventual(argument, value, wanted)
            return
        for name, item in value.items():
            if isinstance(name, str):
                self.text(f"{argument}[{name!r}]", item, optional=True)
            else:
                self._faults.append(f"a key of {argument} is {_kind(name)}; it must be text")

    def instance(self, argument: str, value: object, types: UnionType | type, wanted: str) -> bool:
        """Requires an instance of one of our classes, or None; returns whether it is an instance."""
        if value is None or isinstance(value, types):
            return value is not None
        self._fault(argument, value, wanted)
        return False

    def check(self) -> None:
        """Ends the program if there are faults.

        Raises:
            pulumi.RunError: Lists all faults, without any values, which may be secret.
        """
        if self._faults:
            raise pulumi.RunError("\n".join(f"{self.resource}: {fault}." for fault in self._faults))

    def _unless_eventual(self, argument: str, value: object, wanted: str) -> None:
        if not isinstance(value, pulumi.Output) and not inspect.isawaitable(value):
            self._fault(argument, value, wanted)

    def _fault(self, argument: str, value: object, wanted: str) -> None:
        self._faults.append(f"{argument} is {_kind(value)}; it must be {wanted}")


def _kind(value: Any) -> str:
    if value is None:
        return "None"
    if isinstance(value, type):
        return f"the class {value.__name__}"
    name = type(value).__name__
    return f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"
