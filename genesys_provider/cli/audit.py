"""`audit`: what an audit file proves."""

from __future__ import annotations

from pathlib import Path

import click


@click.group()
def audit() -> None:
    """Look after audit files."""


@audit.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def verify(file: Path) -> None:
    """Check that no entry of FILE was changed, removed or inserted; exits with 1 where one was."""
    from genesys_provider.targets.audit import problems_of

    found = list(problems_of(file))
    for problem in found:
        click.echo(problem)
    if found:
        raise SystemExit(1)
    click.echo(f"{file}: the chain is whole")
