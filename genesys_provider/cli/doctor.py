"""`doctor`: find out what is wrong, and what to do about it."""

from __future__ import annotations

import click

from genesys_provider.cli import output
from genesys_provider.cli.connection import Connection, connected

_STYLES = {"ok": "green", "note": "yellow", "wrong": "red"}


@click.command()
@connected
@output.as_json_option
def doctor(connection: Connection, as_json: bool) -> None:
    """Look for what stands in the way of a `pulumi up`.

    Checks Python, Pulumi, host, network, login, permissions, clock, rate limit and failing endpoints. Exits with 1
    if something is wrong. It changes nothing, so it can't tell whether writes are allowed.
    """
    from rich.text import Text

    from genesys_provider.cli.checks import WRONG, all_of

    found = []
    for each in all_of(connection):
        found.append(each)
        if as_json:
            continue
        mark = Text(f"{each.state:<5}", style=_STYLES[each.state])
        line = Text.assemble(mark, f"  {each.subject:<16}  ", output.plain(each.said))
        output.console().print(line, soft_wrap=True)
        if each.hint:
            click.echo(f"         → {output.plain(each.hint).rstrip('.')}.")
    wrong = sum(each.state == WRONG for each in found)
    if as_json:
        output.print_json([each._asdict() for each in found])
    else:
        click.echo(f"{output.counted(wrong, 'thing')} to fix" if wrong else "Nothing is wrong.")
    if wrong:
        raise SystemExit(1)
