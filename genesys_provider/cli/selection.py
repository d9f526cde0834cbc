"""Which targets or sources a command is about: `--name`, `--owner` and the status; or the one with a name or id."""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatchcase
from functools import wraps
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

from genesys_provider.cli import output
from genesys_provider.common.urns import PREFIX

if TYPE_CHECKING:
    from genesys_provider.common.manager import Manager
    from genesys_provider.common.owned import Owned
    from genesys_provider.common.reader import Listed

    T = TypeVar("T", bound=Listed)


class Selection(NamedTuple):
    """What the options select; an option that is not given selects everything."""

    pattern: str | None = None
    owner: str | None = None
    status: str | None = None

    def holds(self, thing: Owned, status: str | None = None) -> bool:
        """Whether it selects something, given its status."""
        return (
            (self.pattern is None or fnmatchcase(thing.name, self.pattern))
            and (self.owner is None or self._is_of(thing.owner or ""))
            and (self.status is None or self.status.casefold() == (status or "").casefold())
        )

    def _is_of(self, mark: str) -> bool:
        """Whether an owner mark begins as wanted: as it is, or as lists show it."""
        prefix = (self.owner or "").removeprefix(PREFIX)
        return any(each.startswith(prefix) for each in (mark.removeprefix(PREFIX), output.short_owner(mark)))


name_option = click.option(
    "--name", "pattern", metavar="GLOB", help="Only those whose name matches, such as 'prod-*'."
)
_owner_option = click.option(
    "--owner",
    metavar="PREFIX",
    help="Only those whose owner starts with this, such as STACK::PROJECT; urn:pulumi: may be omitted.",
)


def selecting(command: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a command `--owner` and `--name`, and the `selection` that results from them and its `status`."""

    @wraps(command)
    def options(*, pattern: str | None, owner: str | None, status: str | None = None, **rest: Any) -> Any:
        return command(selection=Selection(pattern, owner, status), **rest)

    return _owner_option(name_option(options))


def called(manager: Manager[T, Any], kind: str, name_or_id: str) -> T:
    """The target or source (`kind`) with this name, or else with this id.

    Raises:
        click.ClickException: There is none.
    """
    found = manager.find(name_or_id) or manager.get(name_or_id)
    if found is None:
        raise click.ClickException(
            f"There is no {kind} with the name or id {output.plain(name_or_id)!r} in {manager.organization()}. "
            f"`genesys-eventbridge {kind}s list` shows all of them."
        )
    return found
