"""Whose is a target, or a source? Every rule about the owner mark.

The mark is the URN of a resource. It stands in the thing itself: in the header `X-Pulumi-Resource` of a target, in
the last line of the notes of a source. It is compared whole. A mark is *ours* if it is the resource's URN, or the
mark that the resource's state recorded last (its output `owner`): after an alias, `state rename`, `state move`,
`stack rename` or a renamed project the two differ, until the next update writes the URN. Any other mark is
another's.

| operation | no target | no mark | our URN | recorded, not the URN | another's mark |
|---|---|---|---|---|---|
| create | POST | refused: `pulumi import` | adopted; refused if known to this run | - | refused, with the way out |
| update | gone: `up --refresh` | written | written | written, with the URN | refused, left as it is |
| delete | done | deleted | deleted | deleted | left as it is, with a warning |
| refresh | gone | no owner recorded | recorded | recorded | shown as `claimedBy`, not recorded |
| import | - | no owner recorded | recorded | - | recorded, with a warning |
| a sync's DELETED | said | said | said | said | said in the same stack; else not, with a warning |

Of a target that no resource of its stack had when the gateway was told of it (`EventBridgeTarget.get`, an id that
is written out), a sync says DELETED unless it is marked as another stack's.

*Known to this run* is what the engine has shown as wanted, and what was deleted in this run (`Run`): no earlier run
left it behind. A create-before-delete replacement would adopt the very target that its delete then takes away. What
the run has deleted may still stand in a list that lags: it counts as absent.

The foreign mark that an import recorded lets an update take the target over, but no delete: until that update it is
the other's (`importedFrom`).

A delete also leaves alone, whatever the mark says, what another resource of the program has, and what was made or
adopted in this very run.

A mark can't tell a stack that was renamed from a new one of its old name, as long as the first had no `up` since.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import quote, unquote

from genesys_provider.common.errors import NameTaken, OwnedByAnother, ReplacementRefused
from genesys_provider.common.run import Run

_URN = "urn:pulumi:"
_PARTS = 4
_UNQUOTED = "".join(map(chr, range(0x21, 0x7F))).replace("%", "")
"""What stands in a written mark as it is: a resource's name may hold any character."""


class Owned(Protocol):
    """What carries an owner mark."""

    @property
    def kind(self) -> str:
        """What users call it: `target`, `source`."""

    @property
    def id(self) -> str:
        """What Genesys Cloud calls it."""

    @property
    def name(self) -> str:
        """Its name in Genesys Cloud."""

    @property
    def owner(self) -> str | None:
        """The mark."""


@dataclass(frozen=True)
class Owner:
    """A resource that asks for what is its own.

    Attributes:
        urn: The resource, as it is called now.
        recorded: The mark that its state recorded last.
    """

    urn: str
    recorded: str | None = None

    def may_write(self, mark: str | None) -> bool:
        """Whether an update or a delete may touch what carries this mark."""
        return mark is None or mark in (self.urn, self.recorded)

    def require(self, owned: Owned) -> None:
        """Does nothing if an update may write it.

        Raises:
            OwnedByAnother: The mark is another's.
        """
        if not self.may_write(owned.owner):
            raise OwnedByAnother(
                owned,
                hint=(
                    f"To leave it to that resource, remove this one from the program: the {owned.kind} stays as it "
                    f"is. To manage it here, run `pulumi state delete {quoted(self.urn)}` and "
                    f"`{import_command(self.urn, owned.id)}`"
                ),
            )

    def recorded_after_reading(self, mark: str | None) -> tuple[str | None, str | None]:
        """What a refresh records as the owner, and the foreign mark that it only shows."""
        if self.may_write(mark):
            return mark, None
        return self.recorded, mark


def may_delete(owned: Owned, owner: Owner, run: Run) -> bool:
    """Whether a delete may take it away; else it leaves it as it is.

    Args:
        owned: The target or source as it is now.
        owner: The resource that deletes it.
        run: What the engine has shown.
    """
    return (
        owner.may_write(owned.owner)
        and run.wanted_by(owned.id) in (None, owner.urn)
        and not run.is_made(owned.id)
    )


def is_left_behind(holder: Owned, urn: str | None, run: Run, *, creates_first: bool) -> bool:
    """Whether a create adopts the holder of its name: an earlier run made it, and died.

    Args:
        holder: The target or source that has the name.
        urn: The resource that is created; None is a script's.
        run: What the engine has shown.
        creates_first: Whether the resource is created before it is deleted where it is replaced. Of a replacement
            that the user asks for (`--replace`) the engine shows nothing: then nobody can tell one that was
            left behind from the one that is about to be deleted.

    Raises:
        ReplacementRefused: It is the one that the resource has, or may be: the create is half of a replacement.
    """
    if urn is None or holder.owner != urn:
        return False
    if creates_first or run.knows(holder.id):
        raise ReplacementRefused(holder, quoted(urn))
    return True


def taken(holder: Owned, what: str, urn: str | None, run: Run, another: str = "name (`name=`)") -> NameTaken:
    """The error of a create whose name, or what else must be unique, another one has: with the way out.

    Args:
        holder: The other one.
        what: What it has: «the name 'orders'».
        urn: The resource that is created; None is a script's.
        run: What the engine has shown.
        another: What to give instead, for the hint.
    """
    mark, kind = holder.owner, holder.kind
    if urn is None:
        hint = (
            f"Use another {another.partition(' ')[0]}, or change that {kind} where it is declared"
            if mark
            else f"Use another {another.partition(' ')[0]}, or take the {kind} over with `update({holder.id!r}, …)`"
        )
    elif mark is None:
        hint = (
            f"Give this {kind} another {another}, or, if it is to be managed here, take it over with "
            f"`{import_command(urn, holder.id)}`"
        )
    elif not mark.startswith(_URN):
        hint = (
            f"That mark is of an earlier version of this provider. If a stack still has the {kind}, run "
            "`pulumi up` there first, with the resource as it was: that brings the mark up to date. Otherwise take "
            f"it over with `{import_command(urn, holder.id)}`, or give this one another {another}"
        )
    elif stack_of(mark) != stack_of(urn):
        hint = _of_another_stack(mark, urn, holder, another)
    elif mark == urn:
        hint = (
            f"An earlier run of this resource left it behind, under the name {holder.name!r}: take it over with "
            f"`{import_command(urn, holder.id)}`, or give this {kind} another {another}"
        )
    elif run.wanted_by(holder.id):
        hint = f"Both are in this program: give one of the two another {another}"
    else:
        hint = (
            "If that resource was moved or renamed, and is this one now, tell Pulumi so with "
            f"`opts=pulumi.ResourceOptions(aliases=[{json.dumps(mark, ensure_ascii=False)}])`. If both are meant, "
            f"give this {kind} another {another}. If that one is to go first, run "
            f"`pulumi destroy --target {quoted(mark)} --target-dependents`. {_of_no_state(holder, urn)}"
        )
    return NameTaken(what, holder, hint=hint)


def _of_another_stack(mark: str, urn: str, holder: Owned, another: str) -> str:
    (stack, project), (our_stack, our_project) = stack_of(mark), stack_of(urn)
    source, destination, note = stack, our_stack, ""
    if project != our_project:
        source, destination = f"organization/{project}/{stack}", f"organization/{our_project}/{our_stack}"
        note = " (in Pulumi Cloud with the name of your organization in place of `organization`)"
    return (
        f"Stack {stack!r} of project {project!r} has it: give this {holder.kind} another {another}, or move "
        f"the resource here with `pulumi state move --source {source} --dest {destination} {quoted(mark)}`{note}. "
        "If Pulumi answers that the provider already exists there (the stacks' configurations differ), run "
        f"`{import_command(urn, holder.id)}` here instead, and remove the resource from the other stack's program"
    )


def _of_no_state(holder: Owned, urn: str) -> str:
    return (
        f"If no state has that {holder.kind} any more (`pulumi state delete`, `retain_on_delete`, a removed "
        f"stack), take it over with `{import_command(urn, holder.id)}`"
    )


def goes_with_stack(mark: str | None, urn: str | None, recorded: str | None) -> bool:
    """Whether a stack may say that a target with this mark goes.

    Args:
        mark: The target's mark now.
        urn: A resource of the stack, where the host tells it.
        recorded: The mark that the target had when the gateway was told of it. None for a target that is no
            resource of this stack, and in a state of an earlier version, whose marks name no URN.
    """
    if mark is None or mark == recorded:
        return True
    if recorded is None and not mark.startswith(_URN):
        return True
    ours = urn or recorded
    return ours is None or same_stack(mark, ours)


def mark_as_text(mark: str) -> str:
    """The mark as it is written: in one line of ASCII, without spaces."""
    return quote(mark, safe=_UNQUOTED)


def mark_from_text(text: str) -> str:
    """The mark that was written so."""
    return unquote(text)


def stack_of(urn: str) -> tuple[str, str]:
    """The stack and the project of a URN."""
    parts = urn.removeprefix(_URN).split("::", _PARTS - 1)
    return parts[0], parts[1] if len(parts) > 1 else ""


def same_stack(mark: str | None, urn: str | None) -> bool:
    """Whether both are resources of one stack."""
    return bool(mark and urn and mark.startswith(_URN) and stack_of(mark) == stack_of(urn))


def name_of(urn: str) -> str:
    """The name of the resource."""
    return urn.split("::", _PARTS - 1)[-1]


def quoted(urn: str) -> str:
    """The URN as a shell takes it: component types have a `$`."""
    return "'" + urn.replace("'", "'\\''") + "'"


def import_command(urn: str, id_: str) -> str:
    """The command that takes what has this id over into this resource.

    A URN has the types of the components around a resource, not their names: what the command needs of them is left
    to be filled in.
    """
    name = name_of(urn)
    shown = name if all(character.isalnum() or character in "-_." for character in name) else quoted(name)
    parent = " --parent 'parent=<URN of its component>'" if "$" in urn.removesuffix(name) else ""
    parts = urn.split("::", _PARTS - 1)
    type_token = parts[2].rpartition("$")[2] if len(parts) == _PARTS else "<its type>"
    return f"pulumi import {type_token} {shown} {id_}{parent}"
