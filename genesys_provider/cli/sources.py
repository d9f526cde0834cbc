"""`sources`: list and show the Amazon EventBridge integrations, like `targets`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from genesys_provider.cli import output
from genesys_provider.cli.connection import Connection, connected
from genesys_provider.cli.selection import Selection, called, selecting

if TYPE_CHECKING:
    from genesys_provider.sources.models import Source


@click.group()
def sources() -> None:
    """Inspect sources: list, show, watch."""


@sources.command("list")
@connected
@click.option("--state", "status", metavar="STATE", help="Only those in this state, such as ERROR.")
@selecting
@output.as_json_option
def list_sources(connection: Connection, selection: Selection, as_json: bool) -> None:
    """List sources: state, where their events go, owner, topics.

    Below one in error is the reason.
    """
    from rich.text import Text

    from genesys_provider.monitor.views import status_of
    from genesys_provider.sources.manager import SourceManager

    with connection.manager(SourceManager) as manager:
        with output.progress("reading sources"):
            found = list(manager.list())
        organization = manager.organization()
    shown = [
        source_as_json(each, organization.id)
        for each in sorted(found, key=lambda each: each.name)
        if selection.holds(each, status_of(each))
    ]
    if as_json:
        output.print_json(shown)
        return
    if shown:
        rows = []
        for each in shown:
            place = Text(
                output.plain(f"{each['awsAccountId']} {each['awsRegion']} {each['eventSourceSuffix']}")
            )
            if each["stateReason"]:
                place.append(f"\n{output.plain(each['stateReason'])}", style="yellow")
            rows.append(
                (
                    Text(output.plain(each["name"])),
                    output.status_text(each["state"]),
                    output.ago(each["since"]),
                    place,
                    output.short_owner(each["owner"]),
                    output.counted(len(each["topics"]), "topic"),
                )
            )
        output.print_table(("NAME", "STATE", "SINCE", "AWS ACCOUNT, REGION, SUFFIX", "OWNER", "TOPICS"), rows)
    click.echo(output.tally([each["state"] for each in shown], "source", [status_of(each) for each in found]))


@sources.command()
@connected
@click.argument("name_or_id", metavar="NAME|ID")
@output.as_json_option
def show(connection: Connection, name_or_id: str, as_json: bool) -> None:
    """Show everything about one source.

    That is its configuration, its state and the reason, and the name of its event bus.
    """
    from genesys_provider.sources.manager import SourceManager

    with connection.manager(SourceManager) as manager, output.progress("reading the source"):
        source = called(manager, "source", name_or_id)
        organization = manager.organization()
    shown = source_as_json(source, organization.id)
    if as_json:
        output.print_json({**shown, "organizationId": organization.id})
        return
    output.print_fields(
        [
            ("Name", output.plain(shown["name"])),
            ("Id", output.plain(shown["id"])),
            ("State", output.status_text(shown["state"])),
            ("Reason", output.plain(shown["stateReason"] or "")),
            (
                "Since",
                f"{output.plain(shown['since'])} ({output.ago(shown['since'])})" if shown["since"] else None,
            ),
            ("Enabled", "yes" if shown["enabled"] else "no"),
            ("AWS account", output.plain(shown["awsAccountId"])),
            ("AWS region", output.plain(shown["awsRegion"])),
            ("Event source", output.plain(shown["eventSourceName"] or shown["eventSourceSuffix"])),
            ("Topics", "\n".join(map(output.plain, shown["topics"]))),
            ("Notes", output.plain(shown["notes"] or "")),
            ("Version", str(shown["configVersion"] or "")),
            ("Owner", output.plain(shown["owner"] or "no stack")),
            ("Organization", output.plain(str(organization).removeprefix("organization "))),
        ]
    )


def source_as_json(source: Source, organization_id: str | None) -> dict[str, Any]:
    """A source by the property names in its resource's state."""
    from genesys_provider.monitor.views import facts_of, status_of
    from genesys_provider.sources.vocabulary import event_source_name

    return {
        **facts_of(source),
        "state": status_of(source),
        "stateReason": source.reason,
        "since": source.last_updated,
        "eventSourceName": event_source_name(organization_id, source.event_source_suffix),
    }
