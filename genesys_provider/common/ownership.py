"""The rules of ownership: which resource owns a target or source.

The owner mark is the URN of a resource, stored in the object itself: in the header `X-Pulumi-Resource` of a target,
in the last line of the notes of a source. Marks are compared as a whole. A mark is *ours* if it is the resource's
URN, or the mark last recorded in its state (the output `owner`). These two differ after an alias, `state rename`,
`state move`, `stack rename` or a change of the project's name, until the next update writes the URN. Any other mark
is foreign.

| operation | no target | no mark | our URN | recorded, not the URN | foreign mark |
|---|---|---|---|---|---|
| create | POST | refused: `pulumi import` | adopted; refused if known to this run | - | refused, with the way out |
| update | gone: `up --refresh` | written | written | written, with the URN | refused, left unchanged |
| delete | done | deleted | deleted | deleted | left in place, with a warning |
| refresh | gone | no owner recorded | recorded | recorded | shown as `claimedBy`, not recorded |
| import | - | no owner recorded | recorded | - | recorded, with a warning |
| a sync's DELETED | sent | sent | sent | sent | sent if in the same stack; otherwise a warning |

If no resource of its stack had the target when the gateway was told of it (`EventBridgeTarget.get`, a literal id),
a sync sends DELETED unless the mark belongs to another stack.

An object is *known to this run* if the engine has shown that the program wants it, or if it was deleted in this run
(`Run`). Then it was not left behind by an earlier run: a create-before-delete replacement would adopt the very
target that its delete then removes. An object that this run has deleted counts as absent, even if a lagging list
still shows it.

A foreign mark recorded by an import allows an update, which takes over the target, but no delete: until that update
the target belongs to the other resource (`importedFrom`).

Whatever the mark says, a delete also leaves an object in place that another resource of the program has, or that
was created or adopted in this run. With `--continue-on-error` the engine deletes after a failure too: then a delete
is refused if a new resource that takes the same name was not created, since the two may be one that moved.

A mark can't distinguish a renamed stack from a new stack with its old name until the renamed one has had an `up`.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, unquote

from genesys_provider.common.errors import NameTaken, OwnedByAnother, ReplacementRefused
from genesys_provider.common.owned import Owned
from genesys_provider.common.run import Run
from genesys_provider.common.urns import Urn, alias, import_command, quoted, same_stack, urn_in

_UNQUOTED = "".join(map(chr, range(0x21, 0x7F))).replace("%", "")
"""Characters that are not escaped in a written mark. A resource's name may contain any character."""


@dataclass(frozen=True)
class Owner:
    """A resource, as the possible owner of an object.

    Attributes:
        urn: The resource's current URN.
        recorded: The mark last recorded in its state.
    """

    urn: str
    recorded: str | None = None

    def may_write(self, mark: str | None) -> bool:
        """Whether an update or a delete may touch an object with this mark."""
        return mark is None or mark in (self.urn, self.recorded)

    def require(self, owned: Owned) -> None:
        """Raises an error unless an update may write the object.

        Raises:
            OwnedByAnother: The mark is foreign.
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
        """The owner that a refresh records, and the foreign mark that it only shows."""
        if self.may_write(mark):
            return mark, None
        return self.recorded, mark


def may_delete(owned: Owned, owner: Owner, run: Run) -> bool:
    """Whether a delete may remove the object; otherwise it is left in place.

    Args:
        owned: The current target or source.
        owner: The resource that deletes it.
        run: What the engine has shown.
    """
    return (
        owner.may_write(owned.owner)
        and run.wanted_by(owned.id) in (None, owner.urn)
        and not run.is_made(owned.id)
    )


def is_left_behind(holder: Owned, urn: str | None, run: Run, *, creates_first: bool) -> bool:
    """Whether a create adopts the holder of its name, since an earlier run created it and died.

    Args:
        holder: The target or source that has the name.
        urn: The resource that is created; None for a script.
        run: What the engine has shown.
        creates_first: Whether a replacement creates the new object before it deletes the old one. For a
            replacement requested by the user (`--replace`) the engine shows nothing, so an object left behind
            can't be told from the one about to be deleted.

    Raises:
        ReplacementRefused: The resource has, or may have, this object: the create is half of a replacement.
    """
    if urn is None or holder.owner != urn:
        return False
    if creates_first or run.knows(holder.id):
        raise ReplacementRefused(holder, quoted(urn))
    return True


def taken(holder: Owned, what: str, urn: str | None, run: Run, another: str = "name (`name=`)") -> NameTaken:
    """The error of a create whose name, or another unique value, belongs to another object, with the way out.

    Args:
        holder: The other object.
        what: What it has: "the name 'orders'".
        urn: The resource that is created; None for a script.
        run: What the engine has shown.
        another: What the user can change instead, for the hint.
    """
    mark, kind = holder.owner, holder.kind
    theirs, ours = urn_in(mark), urn_in(urn)
    if urn is None:
        hint = (
            f"Use another {another.partition(' ')[0]}, or change that {kind} where it is declared"
            if mark
            else f"Use another {another.partition(' ')[0]}, or take the {kind} over with `update({holder.id!r}, …)`"
        )
    elif run.wanted_by(holder.id) not in (None, urn):
        # Whatever the mark says: after an import there is none, after `stack rename` an old one.
        hint = f"Both are in this program: give one of the two another {another}"
    elif mark is None:
        hint = f"Take it over with `{import_command(urn, holder.id)}`, or give this {kind} another {another}"
    elif theirs is None:
        hint = (
            f"That mark is from an earlier version of this provider. If a stack still has the {kind}, update "
            "the mark first: run `pulumi up` there, with the resource unchanged. Otherwise take it over with "
            f"`{import_command(urn, holder.id)}`, or give this {kind} another {another}"
        )
    elif ours is not None and not same_stack(mark, urn):
        hint = _of_another_stack(theirs, ours, holder, another)
    elif mark == urn:
        hint = (
            f"An earlier run of this resource left it behind, under the name {holder.name!r}. Take it over with "
            f"`{import_command(urn, holder.id)}`, or give this {kind} another {another}"
        )
    else:
        hint = (
            f"If you moved or renamed that resource, add `{alias(mark)}`. If you removed it, "
            f"first run `pulumi destroy --target {quoted(mark)} --target-dependents` or, if no state has the "
            f"{kind} any more, `{import_command(urn, holder.id)}`. To have both, give this {kind} another {another}"
        )
    return NameTaken(what, holder, hint=hint)


def _of_another_stack(theirs: Urn, ours: Urn, holder: Owned, another: str) -> str:
    source, destination, note = theirs.stack, ours.stack, ""
    if theirs.project != ours.project:
        source, destination = (f"organization/{each.project}/{each.stack}" for each in (theirs, ours))
        note = " (in Pulumi Cloud, put your organization's name for `organization`)"
    here = theirs.in_stack_of(ours)
    renamed = (
        "" if here == ours else f". If that is a former name of this stack, just add `{alias(str(here))}`"
    )
    return (
        f"It belongs to stack {theirs.stack!r} of project {theirs.project!r}. Give this {holder.kind} "
        f"another {another}, or move the resource here with "
        f"`pulumi state move --source {source} --dest {destination} {quoted(str(theirs))}`{note}. "
        f"If Pulumi answers that the provider already exists, run `{import_command(str(ours), holder.id)}` and "
        f"`pulumi up` here instead, then remove the resource from the other stack's program{renamed}"
    )


def goes_with_stack(mark: str | None, urn: str | None, recorded: str | None) -> bool:
    """Whether a stack may tell a gateway that a target with this mark is deleted.

    Args:
        mark: The target's current mark.
        urn: A resource of the stack, if the host provides it.
        recorded: The target's mark when the gateway was told of it. None if the target is not a resource of this
            stack, and in states of earlier versions, whose marks were not URNs.
    """
    if mark is None or mark == recorded:
        return True
    if recorded is None and urn_in(mark) is None:
        return True
    ours = urn or recorded
    return ours is None or same_stack(mark, ours)


def mark_as_text(mark: str) -> str:
    """The written form of a mark: one line of ASCII, without spaces."""
    return quote(mark, safe=_UNQUOTED)


def mark_from_text(text: str) -> str:
    """The mark in a text from `mark_as_text`."""
    return unquote(text)
