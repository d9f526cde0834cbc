"""Names that change hands within one run.

Names of targets are unique in the organization [C], and we keep those of sources so. Where the resources of a
program take over each other's names (x becomes b while y, which is b, becomes c), the engine starts the updates in
any order, or at once. So whoever finds its name with another resource of its own stack waits for that one to let go
of it, as long as that can still happen.

It can't when the wait is a circle: two that exchange their names. And it won't when nothing else of this process is
under way and nothing has come for a while: then the holder is removed by this program, depends on the one that
waits, keeps its name, or has no free slot (`--parallel`).
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from genesys_provider.client.errors import Cancelled
from genesys_provider.client.progress import report
from genesys_provider.common.errors import NameTaken
from genesys_provider.common.ownership import Owned, quoted, same_stack, taken
from genesys_provider.common.run import Run

LOOK_SECONDS = 0.2
"""How often whoever waits looks whether the wait has become useless, or the run was cancelled."""


@dataclass(eq=False)
class _Waiter:
    urn: str
    held_by: str
    circle: list[str] = field(default_factory=list)
    """The resources that wait for each other, once that is known."""


class Names:
    """Who waits for which name in this process. Safe for threads."""

    def __init__(self, run: Run, cancelled: threading.Event) -> None:
        self._run = run
        self._cancelled = cancelled
        self._changed = threading.Condition()
        self._waiters: list[_Waiter] = []
        self._written: dict[str, str] = {}

    def wrote(self, id_: str, name: str) -> None:
        """Notes that this process gave what has this id the name: its resource has had its turn."""
        with self._changed:
            self._written[id_] = name
            self._changed.notify_all()

    def deleted(self, id_: str) -> None:
        """Notes that it is gone, and its name free."""
        self.wrote(id_, "")

    def wait_for(self, name: str, holder: Owned, urn: str | None, *, creates: bool) -> None:
        """Waits until the holder of the name has let go of it.

        Args:
            name: The name that the resource is to have.
            holder: Who has it.
            urn: The resource; None for a script, which waits for nobody.
            creates: Whether the resource is new; else it is renamed.

        Raises:
            NameTaken: The holder will not let go of it; the hint says what to do.
            Cancelled: The run was cancelled.
        """
        if urn is None or not same_stack(holder.owner, urn):
            raise taken(holder, f"the name {name!r}", urn, self._run)
        if holder.owner == urn and not creates:
            raise NameTaken(f"the name {name!r}", holder, hint=_left_behind(holder))
        waiter = _Waiter(urn, self._run.wanted_by(holder.id) or holder.owner or "")
        report(f"waiting for the name {name!r}, held by {waiter.held_by}")
        with self._run.waiting(), self._changed:
            self._waiters.append(waiter)
            try:
                self._find_circle(waiter)
                while self._written.get(holder.id, name) == name:
                    if self._cancelled.is_set():
                        raise Cancelled(f"cancelled while waiting for the name {name!r}")
                    if waiter.circle:
                        raise NameTaken(f"the name {name!r}", holder, hint=_exchange(waiter.circle))
                    if holder.id in self._written or self._run.quiet:
                        raise self._in_vain(name, holder, urn, creates=creates)
                    self._changed.wait(LOOK_SECONDS)
            finally:
                self._waiters.remove(waiter)

    def _find_circle(self, waiter: _Waiter) -> None:
        by_urn = {each.urn: each for each in self._waiters}
        path = [waiter]
        while (following := by_urn.get(path[-1].held_by)) is not None and following not in path:
            path.append(following)
        if following is waiter:
            for each in path:
                each.circle = [member.urn for member in path]
            self._changed.notify_all()

    def _in_vain(self, name: str, holder: Owned, urn: str, *, creates: bool) -> NameTaken:
        wanted_by = self._run.wanted_by(holder.id)
        if holder.id in self._written:
            # Written in this run, so the program has it: an alias or a `destroy` would do harm.
            hint = "Both are to have that name: give one of the two another name (`name=`)"
        elif creates:
            return taken(holder, f"the name {name!r}", urn, self._run)
        elif wanted_by is None:
            # It may also be checked only later: it depends on this one, or on another provider's slow resource.
            mark = quoted(holder.owner or "")
            hint = (
                "If that resource was removed from the program, run "
                f"`pulumi destroy --target {mark} --target-dependents` first, then `pulumi up`: Pulumi deletes "
                "after it has updated. If it is still in the program and is to have another name, run `pulumi up` "
                "for it alone first, with `--target` and its URN. If the state does not have it any more "
                f"(`pulumi state delete`, `retain_on_delete`), delete that {holder.kind} in Genesys Cloud, or give "
                "this one another name (`name=`)"
            )
        else:
            hint = (
                "It did not let go of the name in this run. If it is to have another one, run "
                f"`pulumi up --target {quoted(wanted_by)}` first, or allow more operations at once (`--parallel`); "
                "otherwise give one of the two another name (`name=`)"
            )
        return NameTaken(f"the name {name!r}", holder, hint=hint)


def _left_behind(holder: Owned) -> str:
    return (
        f"An earlier run of this resource made that {holder.kind} and died before it could record it: delete it in "
        "Genesys Cloud, or give this one another name (`name=`)"
    )


def _exchange(circle: list[str]) -> str:
    return (
        f"These resources take each other's names: {', '.join(circle)}. Names are unique, so that can't be done "
        f"in one `pulumi up`: give {circle[0]} an interim name and run `pulumi up`, then give it its final name "
        "and run `pulumi up` again"
    )
