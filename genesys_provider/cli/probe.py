"""`probe`: check whether an endpoint would pass a verification, before there is a target for it."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from genesys_provider.cli import output


@click.command()
@click.argument("url")
@click.option("--username", help="Authenticate with HTTP Basic (BASIC); asks for the password.")
@click.option("--password", envvar="GENESYS_PROBE_PASSWORD", show_envvar=True, help="The user's password.")
@click.option("--client-id", help="Authenticate as this client (OAUTH2 with --token-url, else JWT).")
@click.option(
    "--client-secret", envvar="GENESYS_PROBE_CLIENT_SECRET", show_envvar=True, help="The client's secret."
)
@click.option("--token-url", help="Where the client gets its token (OAUTH2).")
@click.option(
    "--header", "headers", metavar="'NAME: VALUE'", multiple=True, help="Send this header; repeatable."
)
@click.option(
    "--ca-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    envvar="GENESYSCLOUD_CA_FILE",
    show_envvar=True,
    help="An additional trusted CA (PEM).",
)
def probe(
    url: str,
    username: str | None,
    password: str | None,
    client_id: str | None,
    client_secret: str | None,
    token_url: str | None,
    headers: tuple[str, ...],
    ca_file: Path | None,
) -> None:
    """Send URL the POST of a verification, from here.

    Each step is reported: DNS, connection, TLS chain, token, status, time. Exits with 1 if the endpoint would not
    pass. Needs no access to Genesys Cloud.
    """
    from rich.text import Text

    from genesys_provider.cli.probing import Credentials, steps

    if username is not None and client_id is not None:
        raise click.UsageError("A target has one authentication: --username, or --client-id.")
    if client_id is None and token_url is not None:
        raise click.UsageError("--token-url goes with --client-id.")
    if username is not None and password is None:
        password = _asked("Password", "GENESYS_PROBE_PASSWORD")
    if client_id is not None and client_secret is None:
        client_secret = _asked("Client secret", "GENESYS_PROBE_CLIENT_SECRET")
    credentials = (
        Credentials(username=username, password=password)
        if client_id is None
        else Credentials(client_id=client_id, client_secret=client_secret, token_url=token_url)
    )
    if username is None and client_id is None:
        credentials = Credentials()
    passed = True
    for step in steps(url, credentials, _pairs(headers), ca_file):
        passed = passed and step.passed
        mark = Text("ok    ", style="green") if step.passed else Text("failed", style="red")
        line = Text.assemble(mark, f"  {step.name:<10}  ", output.plain(step.said))
        output.console().print(line, soft_wrap=True)
        if step.hint:
            click.echo(f"        → {output.plain(step.hint)}.")
    click.echo(
        "The endpoint would pass, as far as can be told from here."
        if passed
        else "The endpoint would not pass a verification."
    )
    if not passed:
        raise SystemExit(1)


def _asked(what: str, variable: str) -> str:
    """A secret that the user types, or that another program writes to standard input.

    Raises:
        UsageError: Standard input is not a terminal and has nothing.
    """
    if sys.stdin is None:  # `<&-`, as some schedulers start programs
        raise _missing(what, variable)
    terminal = sys.stdin.isatty()
    try:
        # `getpass` prints warnings where there is no terminal.
        return str(click.prompt(what, hide_input=terminal, err=True))
    except click.Abort:
        if terminal:
            raise
        raise _missing(what, variable) from None


def _missing(what: str, variable: str) -> click.UsageError:
    return click.UsageError(f"There is no {what.lower()}: set {variable}.")


def _pairs(headers: tuple[str, ...]) -> dict[str, str]:
    pairs = {}
    for each in headers:
        name, separator, value = each.partition(":")
        if not separator:
            raise click.UsageError("Write --header as 'NAME: VALUE'.")
        pairs[name.strip()] = value.strip()
    return pairs
