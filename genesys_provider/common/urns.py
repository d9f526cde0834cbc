"""URNs of resources, which are also owner marks: their parts, and how commands name them."""

from __future__ import annotations

import json
import shlex
from typing import NamedTuple

PREFIX = "urn:pulumi:"


class Urn(NamedTuple):
    """The parts of a URN."""

    stack: str
    project: str
    types: str
    """The type of the resource, after those of the components around it: `house:parts:A$house:parts:B`."""
    name: str
    """The name of the resource, which may contain `::` too."""

    def __str__(self) -> str:
        return PREFIX + "::".join(self)

    def in_stack_of(self, other: Urn) -> Urn:
        """The same resource in the stack of another one."""
        return self._replace(stack=other.stack, project=other.project)


def urn_in(mark: str | None) -> Urn | None:
    """The parts of an owner mark. None if it is not a URN, as in earlier versions, or if there is none."""
    if mark is None or not mark.startswith(PREFIX):
        return None
    parts = mark.removeprefix(PREFIX).split("::", 3)
    return Urn(*parts) if len(parts) == len(Urn._fields) else None


def same_stack(mark: str | None, other: str | None) -> bool:
    """Whether both are URNs of resources of the same stack."""
    one, two = urn_in(mark), urn_in(other)
    return one is not None and two is not None and (one.stack, one.project) == (two.stack, two.project)


def quoted(urn: str) -> str:
    """The URN quoted for a shell, since component types contain a `$`."""
    return "'" + urn.replace("'", "'\\''") + "'"


def alias(urn: str) -> str:
    """The argument of a resource that formerly had this URN."""
    return f"opts=pulumi.ResourceOptions(aliases=[{json.dumps(urn, ensure_ascii=False)}])"


def import_command(urn: str, id_: str) -> str:
    """The command that imports the object with this id into this resource.

    A URN contains the types of the surrounding components, not their names, so the user has to fill those in.
    """
    parts = urn_in(urn)
    types, name = ("<its type>", urn) if parts is None else (parts.types, parts.name)
    parent = " --parent 'parent=<URN of its component>'" if "$" in types else ""
    return f"pulumi import {types.rpartition('$')[2]} {shlex.quote(name)} {shlex.quote(id_)}{parent}"
