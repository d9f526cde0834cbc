"""`targets`: list and show targets with their status."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from genesys_provider.cli import details, output
from genesys_provider.cli.audit import entry_line
from genesys_provider.cli.connection import Connection, connected
from genesys_provider.cli.selection import Selection, called, selecting
from genesys_provider.cli.threads import side_by_side

if TYPE_CHECKING:
    from rich.text import Text


@click.group()
def targets() -> None:
    """Inspect targets: list, show, health, watch."""


@targets.command("list")
@connected
@click.option("--status", metavar="STATUS", help="Only those of this status, such as FAILED.")
@selecting
@output.as_json_option
def list_targets(connection: Connection, selection: Selection, as_json: bool) -> None:
    """List targets: status, endpoint, owner, event types.

    Below one that failed is the reason. The time of a status is taken from the audit file, if there is one
    (GENESYSCLOUD_AUDIT_LOG).
    """
    from genesys_provider.monitor.views import status_of
    from genesys_provider.targets.manager import TargetManager
    from genesys_provider.targets.verdicts import Verdicts

    with connection.manager(TargetManager) as manager:
        with output.progress("reading targets"):
            found = list(manager.list())
        chosen = sorted(
            (each for each in found if selection.holds(each, status_of(each))),
            key=lambda each: each.name,
        )
        reasons = side_by_side(
            "reading why they failed", chosen, lambda each: details.reason_of(manager, each)
        )
    verdicts = Verdicts(details.audit_entries(connection.settings.audit_log))
    shown = [
        details.as_json(each, reason=reason, since=verdicts.since(each.id, each.status))
        for each, reason in zip(chosen, reasons, strict=True)
    ]
    if as_json:
        output.print_json(shown)
        return
    if shown:
        columns = ("NAME", "STATUS", "SINCE", "ENDPOINT", "OWNER", "EVENT TYPES")
        output.print_table(columns, [_row(each) for each in shown])
    click.echo(
        output.tally([each["status"] for each in shown], "target", [status_of(each) for each in found])
    )


def _row(target: dict[str, Any]) -> Sequence[Text | str]:
    from rich.text import Text

    endpoint = Text(output.plain(target["endpointUrl"]))
    if target["reason"]:
        endpoint.append(f"\n{output.plain(target['reason'])}", style="red")
    return (
        Text(output.plain(target["name"])),
        output.status_text(target["status"]),
        output.ago(target["since"]),
        endpoint,
        output.short_owner(target["owner"]),
        Text(output.plain(", ".join(target["eventTypes"]))),
    )


@targets.command()
@connected
@click.argument("name_or_id", metavar="NAME|ID")
@output.as_json_option
def show(connection: Connection, name_or_id: str, as_json: bool) -> None:
    """Show everything about one target.

    That is its configuration without secrets, the reason of a failure, and its audit entries.
    """
    from genesys_provider.targets.manager import TargetManager
    from genesys_provider.targets.verdicts import Verdicts

    with connection.manager(TargetManager) as manager, output.progress("reading the target"):
        target = called(manager, "target", name_or_id)
        reason = details.reason_of(manager, target)
        organization = manager.organization()
    entries = [
        each
        for each in details.audit_entries(connection.settings.audit_log)
        if each.get("targetId") == target.id
    ]
    since = Verdicts(entries).since(target.id, target.status)
    shown = details.as_json(target, reason=reason, since=since)
    if as_json:
        output.print_json({**shown, "organizationId": organization.id, "auditEntries": entries})
        return
    policy = shown["retryPolicy"]
    output.print_fields(
        [
            ("Name", output.plain(shown["name"])),
            ("Id", output.plain(shown["id"])),
            ("Status", output.status_text(shown["status"])),
            ("Reason", output.plain(reason) if reason else None),
            ("Since", f"{shown['since']} ({output.ago(shown['since'])})" if shown["since"] else None),
            ("Endpoint", output.plain(shown["endpointUrl"])),
            ("Authentication", output.plain(_authentication(shown))),
            ("Event types", output.plain(", ".join(shown["eventTypes"]))),
            ("Retries", output.plain(", ".join(f"{name} {value}" for name, value in policy.items()))),
            ("Headers", output.plain(", ".join(shown["headerNames"]))),
            ("Owner", output.plain(shown["owner"] or "no stack")),
            ("Organization", output.plain(str(organization).removeprefix("organization "))),
        ]
    )
    if entries:
        click.echo(f"\nAudit entries in {connection.settings.audit_log}:")
        for each in entries:
            click.echo(entry_line(each))


def _authentication(target: dict[str, Any]) -> str:
    fields = ", ".join(f"{name} {value}" for name, value in target["authConfig"].items())
    return f"{target['authType']}: {fields}" if fields else str(target["authType"])
