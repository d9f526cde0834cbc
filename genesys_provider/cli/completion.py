"""`completion`: the script that makes a shell complete the commands and options."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

PROGRAM = "genesys-eventbridge"
_VARIABLE = "_GENESYS_EVENTBRIDGE_COMPLETE"
"""The variable that click looks for."""


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the completion script for SHELL.

    Bash loads it with `eval "$(genesys-eventbridge completion bash)"`.
    """
    kind = get_completion_class(shell)
    assert kind is not None  # noqa: S101  (for the type checker: these three are click's own)
    click.echo(kind(context.find_root().command, {}, PROGRAM, _VARIABLE).source())
