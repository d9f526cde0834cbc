"""`targets watch` and `sources watch`: each change of a status as it happens."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from genesys_provider.cli import facts, output
from genesys_provider.cli.connection import Connection, connected
from genesys_provider.cli.sources import source_as_json, sources
from genesys_provider.cli.targets import targets

if TYPE_CHECKING:
    from genesys_provider.common.manager import Manager
    from genesys_provider.sources.models import Source
    from genesys_provider.targets.models import Target

_interval_option = click.option(
    "--interval",
    type=click.FloatRange(0, min_open=True),
    default=10,
    show_default=True,
    help="Seconds between two readings of the list.",
)


@targets.command("watch")
@connected
@_interval_option
@output.owner_option
@output.name_option
@output.as_json_option
def watch_targets(
    connection: Connection, interval: float, owner: str | None, pattern: str | None, as_json: bool
) -> None:
    """Print each change of a status as it happens, until Ctrl-C; with --json one object per line."""
    from genesys_provider.targets.manager import TargetManager

    with connection.manager(TargetManager) as manager:

        def shown(target: Target, after: str | None) -> dict[str, Any]:
            reason = None if after is None else facts.reason_of(manager, target)
            return facts.as_json(target, reason=reason)

        _watch(manager, "targets", interval, owner, pattern, shown, "reason", as_json=as_json)


@sources.command("watch")
@connected
@_interval_option
@output.owner_option
@output.name_option
@output.as_json_option
def watch_sources(
    connection: Connection, interval: float, owner: str | None, pattern: str | None, as_json: bool
) -> None:
    """Print each change of a state as it happens, until Ctrl-C; with --json one object per line."""
    from genesys_provider.sources.manager import SourceManager

    with connection.manager(SourceManager) as manager:
        organization_id = manager.organization().id

        def shown(source: Source, after: str | None) -> dict[str, Any]:
            del after
            return source_as_json(source, organization_id)

        _watch(manager, "sources", interval, owner, pattern, shown, "stateReason", as_json=as_json)


def _watch(
    manager: Manager[Any, Any],
    what: str,
    interval: float,
    owner: str | None,
    pattern: str | None,
    shown: Callable[[Any, str | None], Mapping[str, Any]],
    reason: str,
    *,
    as_json: bool,
) -> None:
    """Prints the changes of those that the options select.

    Args:
        manager: Reads them.
        what: "targets" or "sources".
        interval: Seconds between two readings.
        owner: The value of `--owner`.
        pattern: The value of `--name`.
        shown: An object as JSON, given its new status; None if it was deleted.
        reason: The key in that JSON of why the status is as it is.
        as_json: Whether to print JSON.
    """
    organization = manager.organization()
    try:
        changes = manager.monitor(interval)
        click.echo(
            f"Watching the {what} of {organization} every {interval:g} s; press Ctrl-C to stop.", err=True
        )
        for change in changes:
            if not (
                output.selects(pattern, change.thing.name) and output.owned_by(owner, change.thing.owner)
            ):
                continue
            thing = shown(change.thing, change.after)
            now = datetime.now().astimezone()
            if as_json:
                at = now.isoformat(timespec="seconds")
                click.echo(json.dumps({"at": at, "before": change.before, "after": change.after, **thing}))
            else:
                _print_change(now, thing["name"], change.before, change.after, thing[reason])
    except KeyboardInterrupt:
        return


def _print_change(
    now: datetime, name: str, before: str | None, after: str | None, reason: str | None
) -> None:
    from rich.text import Text

    line = Text.assemble(f"{now:%H:%M:%S}  ", Text(output.plain(name), style="bold"), "  ")
    line.append_text(output.status_text(before) if before else Text("new"))
    line.append(" → ")
    line.append_text(output.status_text(after) if after else Text("deleted", style="red"))
    if after and reason:
        line.append(f"  {output.plain(reason)}")
    output.console().print(line, soft_wrap=True)
