"""`targets health`: the current health of targets."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from genesys_provider.cli import output
from genesys_provider.cli.connection import Connection, connected
from genesys_provider.cli.selection import called
from genesys_provider.cli.threads import side_by_side
from genesys_provider.client.errors import PERMANENT, GenesysError
from genesys_provider.targets.vocabulary import HEALTHY, UNKNOWN_HEALTH

if TYPE_CHECKING:
    from genesys_provider.targets.manager import TargetManager
    from genesys_provider.targets.models import Target


@click.command()
@connected
@click.argument("names", metavar="[NAME|ID]...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Check all targets of the organization.")
@output.as_json_option
def health(connection: Connection, names: tuple[str, ...], everything: bool, as_json: bool) -> None:
    """Have Genesys Cloud check endpoints now.

    Several are checked at a time. Exits with 1 if one is not healthy, or its verification failed, so that it
    receives no events.
    """
    from genesys_provider.targets.manager import TargetManager

    if bool(names) == everything:
        raise click.UsageError("Name the targets to check, or give --all.")
    with connection.manager(TargetManager, audited=True) as manager:
        if everything:
            with output.progress("reading targets"):
                chosen = sorted(manager.list(), key=lambda each: each.name)
        else:
            chosen = side_by_side("looking up targets", names, lambda name: called(manager, "target", name))
        checked = side_by_side("checking endpoints", chosen, lambda each: _checked(manager, each))
    if as_json:
        output.print_json(checked)
    else:
        if checked:
            rows = [
                (
                    output.plain(each["name"]),
                    output.status_text(each["status"]),
                    output.status_text(each["health"]),
                    f"{each['seconds']:.2f} s",
                    output.plain(each["message"] or ""),
                )
                for each in checked
            ]
            output.print_table(("NAME", "STATUS", "HEALTH", "TOOK", "MESSAGE"), rows)
        found = [each["health"] for each in checked]
        click.echo(output.tally(found, "target", found))
    failed = any(each.final and not each.verified for each in chosen)
    if failed or any(each["health"] != HEALTHY for each in checked):
        raise SystemExit(1)


def _checked(manager: TargetManager, target: Target) -> dict[str, Any]:
    from genesys_provider.monitor.views import status_of
    from genesys_provider.targets.manager import Health

    started = time.monotonic()
    try:
        found = manager.examine(target.id)
    except PERMANENT:
        raise
    except GenesysError as failure:
        found = Health(UNKNOWN_HEALTH, failure.message)
    return {
        "id": target.id,
        "name": target.name,
        "status": status_of(target),
        "health": found.status,
        "message": found.message,
        "seconds": round(time.monotonic() - started, 3),
    }
