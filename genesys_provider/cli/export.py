"""`export`: write a Pulumi project that imports what an organization has."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from genesys_provider.cli import output
from genesys_provider.cli.connection import Connection, connected
from genesys_provider.cli.init import put_host
from genesys_provider.cli.selection import Selection, name_option

if TYPE_CHECKING:
    from genesys_provider.cli.programs import Exported
    from genesys_provider.common.reader import Listed

    T = TypeVar("T", bound=Listed)

STACK = "exported"
"""The name of the stack, unless --stack gives one."""


@click.command()
@connected
@click.argument("directory", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@name_option
def export(connection: Connection, directory: Path, pattern: str | None) -> None:
    """Write a Pulumi project that takes over what is there.

    DIR gets the program with the organization's targets and sources, and the file to import them.

    Files for the repository contain no secrets: those are in secrets.json, which .gitignore excludes. It has the
    values of headers, and blanks for what the API never returns.
    """
    from genesys_provider.cli import programs
    from genesys_provider.sources.manager import SourceManager
    from genesys_provider.targets.manager import TargetManager

    if directory.exists() and any(directory.iterdir()):
        raise click.ClickException(
            f"{directory} is not empty, and nothing is overwritten: name another directory."
        )
    selection = Selection(pattern)
    with connection.manager(TargetManager) as manager, output.progress("reading targets and sources"):
        targets = _selected(manager.list(), selection)
        sources = _selected(SourceManager(manager.settings, beside=manager).list(), selection)
        organization = manager.organization()
    made = programs.exported(targets, sources)
    stack = STACK if connection.stack is None else connection.stack.rpartition("/")[2]
    project = re.sub(r"[^A-Za-z0-9_.-]+", "-", directory.absolute().name) or "genesys"
    files = {
        "Pulumi.yaml": programs.project_file(project),
        f"Pulumi.{stack}.yaml": programs.stack_config(connection.settings),
        "__main__.py": made.program(output.plain(organization)),
        "import.json": made.import_file(),
        "requirements.txt": f"{requirement(distribution('genesys-eventbridge').read_text('direct_url.json'))}\n",
        ".gitignore": "secrets.json\n.venv/\n",
        **({"secrets.json": made.secrets_file()} if made.secrets else {}),
    }
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            path = directory / name
            path.touch(mode=0o600 if name == "secrets.json" else 0o644)
            path.write_text(text, encoding="utf-8")
        put_host(directory)
    except OSError as error:
        raise click.ClickException(f"{error.filename}: {error.strerror}.") from error
    what = f"{output.counted(len(targets), 'target')}, {output.counted(len(sources), 'source')}"
    click.echo(f"{what} written to {directory}. To take them over:\n")
    for line in _next_steps(directory, stack, made):
        click.echo(f"    {line}")
    marks = [each.owner for each in targets] + [each.owner for each in sources]
    owners = {output.short_owner(mark).rpartition("::")[0] for mark in marks if mark}
    if owners:
        click.echo(
            f"\nWarning: some belong to other stacks ({', '.join(sorted(owners))}): an `up` here takes them away "
            "from those. Leave out what they should keep.",
            err=True,
        )


def requirement(direct_url: str | None) -> str:
    """The line of requirements.txt that installs this package from where it was installed from here.

    Args:
        direct_url: The `direct_url.json` of the installation (PEP 610), or None if it came from a package index.
    """
    if direct_url is None:
        return "genesys-eventbridge"
    origin = json.loads(direct_url)
    vcs = origin.get("vcs_info")
    url = f"{vcs['vcs']}+{origin['url']}@{vcs['commit_id']}" if vcs else origin["url"]
    return f"genesys-eventbridge @ {url}"


def _selected(things: Iterator[T], selection: Selection) -> list[T]:
    return sorted(filter(selection.holds, things), key=lambda each: (each.name, each.id))


def _next_steps(directory: Path, stack: str, made: Exported) -> Iterator[str]:
    yield f"cd {shlex.quote(str(directory))}"
    yield f"pulumi stack init {stack}"
    yield "pulumi install"
    yield "pulumi config set --secret genesys:clientSecret"
    if made.blanks:
        yield f"# Fill in the blanks of secrets.json: {', '.join(made.blanks)}"
    if made.secrets:
        yield "pulumi config set --secret secrets < secrets.json && rm secrets.json"
    yield "pulumi import -f import.json --generate-code=false"
    yield "pulumi preview --diff"
