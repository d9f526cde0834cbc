"""`targets health` and `targets watch`: the current health of targets, and changes of their status."""

from __future__ import annotations

import time
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from genesys_provider.cli import facts, output
from genesys_provider.cli.connection import Connection, connected
from genesys_provider.cli.targets import side_by_side, target_called, targets
from genesys_provider.client.errors import HOPELESS, GenesysError

if TYPE_CHECKING:
    from genesys_provider.targets.manager import TargetManager
    from genesys_provider.targets.models import Target

HEALTHY = "HEALTHY"


@targets.command()
@connected
@click.argument("names", metavar="[NAME|ID]...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Check all targets of the organization.")
@output.as_json_option
def health(connection: Connection, names: tuple[str, ...], everything: bool, as_json: bool) -> None:
    """Have Genesys Cloud check endpoints now, several at a time; exits with 1 if one is not healthy."""
    from genesys_provider.targets.manager import TargetManager

    if bool(names) == everything:
        raise click.UsageError("Name the targets to check, or give --all.")
    with connection.manager(TargetManager, audited=True) as manager:
        if everything:
            chosen = sorted(manager.list(), key=lambda each: each.name)
        else:
            chosen = side_by_side("looking up targets", names, lambda name: target_called(manager, name))
        checked = side_by_side("checking endpoints", chosen, lambda each: _checked(manager, each))
    if as_json:
        output.print_json(checked)
    else:
        if checked:
            rows = [
                (
                    output.plain(each["name"]),
                    output.status_text(each["health"]),
                    f"{each['seconds']:.2f} s",
                    output.plain(each["message"] or ""),
                )
                for each in checked
            ]
            output.print_table(("NAME", "HEALTH", "TOOK", "MESSAGE"), rows)
        click.echo(output.tally([each["health"] for each in checked], "target", len(checked)))
    if any(each["health"] != HEALTHY for each in checked):
        raise SystemExit(1)


def _checked(manager: TargetManager, target: Target) -> dict[str, Any]:
    from genesys_provider.targets.manager import UNKNOWN_HEALTH, Health

    started = time.monotonic()
    try:
        found = manager.examine(target.id)
    except HOPELESS:
        raise
    except GenesysError as failure:
        found = Health(UNKNOWN_HEALTH, failure.message)
    return {
        "id": target.id,
        "name": target.name,
        "health": found.status,
        "message": found.message,
        "seconds": round(time.monotonic() - started, 3),
    }


@targets.command()
@connected
@click.option(
    "--interval",
    type=click.FloatRange(0, min_open=True),
    default=10,
    show_default=True,
    help="Seconds between two readings of the list.",
)
@output.as_json_option
def watch(connection: Connection, interval: float, as_json: bool) -> None:
    """Print each change of a status as it happens, until Ctrl-C; with --json one object per line."""
    from genesys_provider.targets.manager import TargetManager

    with connection.manager(TargetManager) as manager:
        organization = manager.organization()
        try:
            changes = manager.monitor(interval)
            click.echo(
                f"Watching the targets of {organization} every {interval:g} s; press Ctrl-C to stop.",
                err=True,
            )
            for change in changes:
                _print_change(manager, change.thing, change.before, change.after, as_json=as_json)
        except KeyboardInterrupt:
            return


def _print_change(
    manager: TargetManager, target: Target, before: str | None, after: str | None, *, as_json: bool
) -> None:
    import json

    from rich.text import Text

    reason = facts.reason_of(manager, target) if after is not None else None
    now = datetime.now().astimezone()
    if as_json:
        shown = facts.as_json(target, reason=reason)
        click.echo(
            json.dumps({"at": now.isoformat(timespec="seconds"), "before": before, "after": after, **shown})
        )
        return
    line = Text.assemble(f"{now:%H:%M:%S}  ", Text(output.plain(target.name), style="bold"), "  ")
    line.append_text(output.status_text(before) if before else Text("new"))
    line.append(" → ")
    line.append_text(output.status_text(after) if after else Text("deleted", style="red"))
    if reason:
        line.append(f"  {output.plain(reason)}")
    output.console().print(line, soft_wrap=True)
