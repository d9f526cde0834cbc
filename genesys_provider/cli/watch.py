"""`targets watch` and `sources watch`: each change of a status as it happens."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

import click

from genesys_provider.cli import details, output
from genesys_provider.cli.connection import Connection, connected
from genesys_provider.cli.seconds import Seconds
from genesys_provider.cli.selection import Selection, selecting
from genesys_provider.cli.sources import source_as_json

if TYPE_CHECKING:
    from genesys_provider.common.manager import Manager, StatusChange
    from genesys_provider.sources.models import Source
    from genesys_provider.targets.models import Target

    Kind = TypeVar("Kind", Target, Source)

_interval_option = click.option(
    "--interval",
    type=Seconds(0.1),
    default=10,
    show_default=True,
    help="Seconds between two readings of the list.",
)


@click.command("watch")
@connected
@_interval_option
@selecting
@output.as_json_option
def watch_targets(connection: Connection, interval: float, selection: Selection, as_json: bool) -> None:
    """Print each change of a status, until Ctrl-C.

    With --json it prints one object per line.
    """
    from genesys_provider.targets.manager import TargetManager

    with connection.manager(TargetManager) as manager, suppress(KeyboardInterrupt):
        for change in _changes(manager, "targets", interval, selection):
            reason = None if change.after is None else details.reason_of(manager, change.thing)
            _print(change, details.as_json(change.thing, reason=reason), reason, as_json=as_json)


@click.command("watch")
@connected
@_interval_option
@selecting
@output.as_json_option
def watch_sources(connection: Connection, interval: float, selection: Selection, as_json: bool) -> None:
    """Print each change of a state, until Ctrl-C.

    With --json it prints one object per line.
    """
    from genesys_provider.sources.manager import SourceManager

    with connection.manager(SourceManager) as manager, suppress(KeyboardInterrupt):
        organization_id = manager.organization().id
        for change in _changes(manager, "sources", interval, selection):
            _print(
                change, source_as_json(change.thing, organization_id), change.thing.reason, as_json=as_json
            )


def _changes(
    manager: Manager[Kind, Any], what: str, interval: float, selection: Selection
) -> Iterator[StatusChange[Kind]]:
    organization = manager.organization()
    changes = manager.monitor(interval)
    click.echo(f"Watching the {what} of {organization} every {interval:g} s; press Ctrl-C to stop.", err=True)
    return (change for change in changes if selection.holds(change.thing))


def _print(change: StatusChange[Any], thing: Mapping[str, Any], reason: str | None, *, as_json: bool) -> None:
    now = datetime.now().astimezone()
    if as_json:
        at = now.isoformat(timespec="seconds")
        click.echo(json.dumps({"at": at, "before": change.before, "after": change.after, **thing}))
        return
    from rich.text import Text

    before, after = (
        output.status_text(status) if status else Text(word, style=style)
        for status, word, style in ((change.before, "new", ""), (change.after, "deleted", "red"))
    )
    line = Text.assemble(
        f"{now:%H:%M:%S}  ", (output.plain(thing["name"]), "bold"), "  ", before, " → ", after
    )
    if change.after and reason:
        line.append(f"  {output.plain(reason)}")
    output.console().print(line, soft_wrap=True)
