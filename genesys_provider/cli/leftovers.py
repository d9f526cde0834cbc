"""`leftovers`: find objects that carry a project's mark but are in no state.

The danger is to mistake objects in another backend's state for leftovers. So states that could not be read are
reported, and then nothing is deleted. For a project that this backend does not know, the user has to type its name.
And the states are read again after the question, since the user may take an hour to answer.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from genesys_provider.cli import output
from genesys_provider.cli.connection import Connection, cwd_option
from genesys_provider.client.settings import ENVIRONMENT
from genesys_provider.common.urns import urn_in

if TYPE_CHECKING:
    from genesys_provider.cli.states import States
    from genesys_provider.common.manager import Manager
    from genesys_provider.sources.models import Source
    from genesys_provider.targets.models import Target


@dataclass(frozen=True)
class _Leftover:
    thing: Target | Source
    mark: str
    manager: Manager[Any, Any]

    def is_left_behind(self, states: States) -> bool:
        """Whether the object is in no state, and no state is about to get it."""
        return self.thing.id not in states.ids and self.mark not in states.under_way

    def as_json(self) -> dict[str, Any]:
        from genesys_provider.monitor.views import status_of

        kind, thing = self.thing.kind, self.thing
        return {
            "kind": kind,
            "id": thing.id,
            "name": thing.name,
            "status": status_of(thing),
            "owner": self.mark,
        }


@click.command()
@click.option(
    "--project", metavar="PROJECT", help="The project in the marks; by default that of Pulumi.yaml."
)
@click.option(
    "--stack",
    metavar="NAME",
    help="Only marks of this stack. If the environment names no OAuth client, its config is used to connect.",
)
@cwd_option
@click.option("--delete", is_flag=True, help="Delete them, after a question.")
@output.as_json_option
def leftovers(project: str | None, stack: str | None, cwd: Path | None, delete: bool, as_json: bool) -> None:
    """Find what killed runs and deleted stacks left behind.

    These are targets and sources that carry the mark of PROJECT, or of one of its stacks, but are in no state.
    Reads every state that the Pulumi CLI can read here, and tells which. Objects that are in a state, or are being
    created, are never deleted; and nothing is deleted if a state can't be read. With PULUMI_SKIP_CHECKPOINTS the
    objects of a run are in no state until it ends: let a `pulumi up` end first.
    """
    from genesys_provider.cli.pulumi import project_name
    from genesys_provider.cli.states import look
    from genesys_provider.sources.manager import SourceManager
    from genesys_provider.targets.manager import TargetManager

    if delete and as_json:
        raise click.UsageError("--delete asks a question, so it can't be combined with --json.")
    folder = cwd or Path()
    project = project or project_name(folder)
    if project is None:
        raise click.UsageError(
            f"There is no Pulumi.yaml that names a project in {folder.absolute()} or above it. Name the project "
            "with --project, or its directory with --cwd DIR."
        )
    by_environment = os.environ.get(ENVIRONMENT["clientId"]) or stack is None
    connection = Connection(None if by_environment else stack, folder)
    with connection.manager(TargetManager, audited=delete) as targets:
        sources = SourceManager(targets.settings, beside=targets)

        # Objects first, then states: an object created in between is in a state by then.
        with output.progress("reading targets, sources and states"):
            marked = [
                _Leftover(thing, thing.owner, manager)
                for manager in (targets, sources)
                for thing in manager.list()
                if thing.owner and _is_of(thing.owner, project, stack)
            ]
            states = look(folder)
        found = [each for each in marked if each.is_left_behind(states)]
        if as_json:
            _say_what_was_read(states, err=True)
            output.print_json([each.as_json() for each in found])
            return
        _print(found, project, stack)
        _say_what_was_read(states, err=False)
        for each in marked:
            if each.mark in states.under_way and each.thing.id not in states.ids:
                click.echo(
                    f"Left out: {output.plain(each.thing.name)} is being created by a run, or was when one died; "
                    "then the next `pulumi up` takes it over."
                )
        if delete and found:
            _ask(found, states, project)
            _delete(found, look(folder))


def _is_of(mark: str, project: str, stack: str | None) -> bool:
    owner = urn_in(mark)
    return owner is not None and owner.project == project and stack in (None, owner.stack)


def _print(found: list[_Leftover], project: str, stack: str | None) -> None:
    from genesys_provider.monitor.views import status_of

    rows = [
        (
            each.thing.kind,
            output.plain(each.thing.name),
            output.status_text(status_of(each.thing)),
            output.plain(each.thing.id),
            output.short_owner(each.mark),
        )
        for each in found
    ]
    if rows:
        output.print_table(("KIND", "NAME", "STATUS", "ID", "OWNER"), rows)
    whose = f"project {project}" + (f", stack {stack}" if stack else "")
    click.echo(f"{output.counted(len(found), 'leftover')} of {output.plain(whose)}")


def _say_what_was_read(states: States, *, err: bool) -> None:
    if states.read:
        names = ", ".join(each.removeprefix("organization/") for each in states.read)
        click.echo(f"Read in {states.where}: {names}.", err=err)
    elif states.where:
        click.echo(f"There is no stack in {states.where}.", err=err)
    for why in states.unread:
        click.echo(f"Not read: {why}", err=err)


def _ask(found: list[_Leftover], states: States, project: str) -> None:
    """Asks whether to delete them.

    Raises:
        click.ClickException: A state could not be read, so they may be in it, or the answer is no.
    """
    if states.unread:
        raise click.ClickException(
            "Nothing was deleted: a state that was not read may have them. Log in to its backend (`pulumi login`), "
            "and run this again."
        )
    what = output.counted(len(found), "leftover")
    if states.has_project(project):
        if not click.confirm(f"Delete {what}?"):
            raise click.ClickException("Nothing was deleted.")
        return
    click.echo(
        f"No stack of {project} is in {states.where}. If its states are in another backend, these are in use, and "
        "events stop when they are deleted."
    )
    question = f"To delete {what} all the same, type the project's name"
    if click.prompt(question, default="", show_default=False) != project:
        raise click.ClickException("Nothing was deleted.")


def _delete(found: list[_Leftover], states: States) -> None:
    from genesys_provider.common.ownership import Owner

    with output.progress("deleting", len(found)) as step:
        for each in found:
            name = f"{each.thing.kind} {output.plain(each.thing.name)} ({output.plain(each.thing.id)})"
            known = bool(states.unread) or not each.is_left_behind(states)
            if known or each.manager.delete(each.thing.id, owner=Owner(each.mark)) is not None:
                click.echo(f"Left: {name} is now in a state, or has another mark.")
            else:
                click.echo(f"Deleted: {name}")
            step()
