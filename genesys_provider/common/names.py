"""Hands over names between resources within one run.

The names of targets are unique in the organization [C], and we keep those of sources unique too. When resources of
a program take over each other's names (x becomes b while y, now b, becomes c), the engine starts the updates in any
order, or all at once. So if a resource finds its name taken by another resource of its own stack, it waits for that
one to release the name, as long as that can still happen.

It can't happen if the resources wait for each other in a circle. It won't happen if nothing else is in progress in
this process and no operation has arrived for a while: then the program no longer has the holder, or the holder
depends on the waiting resource, keeps its name, or has no free slot (`--parallel`).
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from genesys_provider.client.errors import Cancelled
from genesys_provider.client.progress import report
from genesys_provider.common.errors import NameTaken
from genesys_provider.common.owned import Owned
from genesys_provider.common.ownership import taken
from genesys_provider.common.run import Run
from genesys_provider.common.urns import quoted, same_stack

LOOK_SECONDS = 0.2
"""Seconds between a waiting resource's checks whether the wait is futile, or the run is cancelled."""
SHOWN_WITHIN_SECONDS = 1.0
"""How long after the last operation the engine may still show the resource that has a name."""


@dataclass(eq=False)
class _Waiter:
    urn: str
    held_by: str
    circle: list[str] = field(default_factory=list)
    """The resources that wait for each other, once that is known."""


class Names:
    """Who waits for which name in this process. Thread-safe."""

    def __init__(self, run: Run, cancelled: threading.Event) -> None:
        self._run = run
        self._cancelled = cancelled
        self._changed = threading.Condition()
        self._waiters: list[_Waiter] = []
        self._written: dict[str, str] = {}

    def wrote(self, id_: str, name: str) -> None:
        """Records that this process gave the name to the object with this id: its resource has had its turn."""
        with self._changed:
            self._written[id_] = name
            self._changed.notify_all()

    def deleted(self, id_: str) -> None:
        """Records that the object is deleted and its name free."""
        self.wrote(id_, "")

    def wait_for(self, name: str, holder: Owned, urn: str | None, *, creates: bool) -> None:
        """Waits until the holder has released the name.

        Args:
            name: The name that the resource needs.
            holder: The object that has it.
            urn: The resource; None for a script, which waits for nobody.
            creates: Whether the resource is new; otherwise it is renamed.

        Raises:
            NameTaken: The holder will not release the name; the hint says what to do.
            Cancelled: The run was cancelled.
        """
        if urn is None or not self._is_in_this_program(holder, urn):
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
                        raise self._futile(name, holder, waiter, creates=creates)
                    self._changed.wait(LOOK_SECONDS)
            finally:
                self._waiters.remove(waiter)

    def _is_in_this_program(self, holder: Owned, urn: str) -> bool:
        """Whether a resource of the same stack has the holder, even without its mark.

        That mark is missing after an import, and is an old one after `stack rename` or `state move`, until the next
        `up` has updated it. The engine may show that resource a moment after this one.
        """
        if same_stack(holder.owner, urn):
            return True
        with self._run.waiting():
            while self._run.wanted_by(holder.id) is None and self._run.seconds_idle < SHOWN_WITHIN_SECONDS:
                if self._cancelled.wait(LOOK_SECONDS):
                    raise Cancelled(f"cancelled while looking for the owner of {holder.kind} {holder.id}")
        return self._run.wanted_by(holder.id) is not None

    def _find_circle(self, waiter: _Waiter) -> None:
        by_urn = {each.urn: each for each in self._waiters}
        path = [waiter]
        while (following := by_urn.get(path[-1].held_by)) is not None and following not in path:
            path.append(following)
        if following is waiter:
            for each in path:
                each.circle = [member.urn for member in path]
            self._changed.notify_all()

    def _futile(self, name: str, holder: Owned, waiter: _Waiter, *, creates: bool) -> NameTaken:
        wanted_by = self._run.wanted_by(holder.id)
        if holder.id in self._written:
            # Written in this run, so the program has it: an alias or a `destroy` would do harm.
            hint = "Both resources want that name: give one of the two another name (`name=`)"
        elif creates:
            return taken(holder, f"the name {name!r}", waiter.urn, self._run)
        elif wanted_by is None:
            # It may still be checked later, if it depends on this one or on another provider's slow resource.
            mark = quoted(waiter.held_by)
            hint = (
                "If that resource was removed from the program, first run "
                f"`pulumi destroy --target {mark} --target-dependents`, since Pulumi deletes last. If it is still "
                "in the program and gets another name, first run `pulumi up` for it alone, with `--target` and its "
                f"URN. If no state has it any more, delete that {holder.kind} in Genesys Cloud, or give this one "
                "another name (`name=`)"
            )
        else:
            hint = (
                "It did not release the name in this run. If it gets another one, first run "
                f"`pulumi up --target {quoted(wanted_by)}`, or allow more operations at once (`--parallel`). "
                "Otherwise give one of the two another name (`name=`)"
            )
        return NameTaken(f"the name {name!r}", holder, hint=hint)


def _left_behind(holder: Owned) -> str:
    return (
        f"An earlier run of this resource created that {holder.kind} and died before recording it. Delete it in "
        "Genesys Cloud, or give this one another name (`name=`)"
    )


def _exchange(circle: list[str]) -> str:
    return (
        f"These resources take each other's names, which needs two runs: {', '.join(circle)}. Give "
        f"{circle[0]} an interim name and run `pulumi up`, then give it its final name and run `pulumi up` again"
    )
