"""`audit`: what an audit file proves."""

from __future__ import annotations

import os
from pathlib import Path

import click


@click.group()
def audit() -> None:
    """Look after audit files."""


@audit.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def verify(file: Path) -> None:
    """Check that no line of FILE was changed, removed or inserted; exits with 1 where one was.

    With GENESYSCLOUD_AUDIT_KEY also that nobody without the key has written FILE anew.
    """
    from genesys_provider.client.settings import AUDIT_KEY
    from genesys_provider.common.audit import problems_of, without_key

    key = os.environ.get(AUDIT_KEY)
    found = list(problems_of(file, key))
    for problem in found:
        click.echo(problem)
    if found:
        raise SystemExit(1)
    click.echo(f"{file}: the chain is whole")
    if key and (count := without_key(file)):
        click.echo(f"Its first {count} entries were written without a key; the next one vouches for them.")
