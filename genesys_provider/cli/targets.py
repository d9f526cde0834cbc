"""`targets`: list and show targets with their status."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, TypeVar

import click

from genesys_provider.cli import facts, output
from genesys_provider.cli.audit import entry_line
from genesys_provider.cli.connection import Connection, connected
from genesys_provider.cli.selection import Selection, selecting

if TYPE_CHECKING:
    from rich.text import Text

    from genesys_provider.targets.manager import TargetManager
    from genesys_provider.targets.models import Target

AT_ONCE = 8
"""Concurrent requests of a command that makes one for each target."""

T = TypeVar("T")
R = TypeVar("R")


@click.group()
def targets() -> None:
    """Inspect targets: list, show, health, watch."""


@targets.command("list")
    from genesys_provider.targets.verdicts import Verdicts
@connected
@click.option("--status", metavar="STATUS", help="Only those of this status, such as FAILED.")
@selecting
@output.as_json_option
def list_targets(connection: Connection, selection: Selection, as_json: bool) -> None:
    """List targets: status, endpoint, owner, event types, and the reason below one that failed.

    The time of a status is taken from the audit file, if there is one (GENESYSCLOUD_AUDIT_LOG).
    """
    from genesys_provider.targets.manager import TargetManager

    with connection.manager(TargetManager) as manager:
        with output.progress("reading targets"):
            found = list(manager.list())
        chosen = sorted(
            (each for each in found if selection.holds(each, facts.status_of(each))),
            key=lambda each: each.name,
        )
        reasons = side_by_side("reading why they failed", chosen, lambda each: facts.reason_of(manager, each))
    verdicts = Verdicts(facts.audit_entries(connection.settings.audit_log))
    shown = [
        facts.as_json(each, reason=reason, since=verdicts.since(each.id, each.status))
        for each, reason in zip(chosen, reasons, strict=True)
    ]
    if as_json:
        output.print_json(shown)
        return
    if shown:
        columns = ("NAME", "STATUS", "SINCE", "ENDPOINT", "OWNER", "EVENT TYPES")
        output.print_table(columns, [_row(each) for each in shown])
    click.echo(
        output.tally([each["status"] for each in shown], "target", [facts.status_of(each) for each in found])
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
    from genesys_provider.targets.verdicts import Verdicts
    )


@targets.command()
@connected
@click.argument("name_or_id", metavar="NAME|ID")
@output.as_json_option
def show(connection: Connection, name_or_id: str, as_json: bool) -> None:
    """Show everything about one target: configuration without secrets, reason of a failure, audit entries."""
    from genesys_provider.targets.manager import TargetManager

    with connection.manager(TargetManager) as manager:
        target = target_called(manager, name_or_id)
        reason = facts.reason_of(manager, target)
        organization = manager.organization()
    entries = [
        each
        for each in facts.audit_entries(connection.settings.audit_log)
        if each.get("targetId") == target.id
    ]
    since = Verdicts(entries).since(target.id, target.status)
    shown = facts.as_json(target, reason=reason, since=since)
    if as_json:
        output.print_json({**shown, "organizationId": organization.id, "auditEntries": entries})
        return
    policy = shown["retryPolicy"]
    output.print_facts(
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


def target_called(manager: TargetManager, name_or_id: str) -> Target:
    """The target with this name, or else with this id.

    Raises:
        click.ClickException: There is none.
    """
    found = manager.find(name_or_id) or manager.get(name_or_id)
    if found is None:
        raise click.ClickException(
            f"There is no target with the name or id {output.plain(name_or_id)!r} in {manager.organization()}. "
            "`genesys-eventbridge targets list` shows all of them."
        )
    return found


def side_by_side(what: str, things: Sequence[T], work: Callable[[T], R]) -> list[R]:
    """The result of the work for each thing, done for several at a time."""
    with output.progress(what, len(things)) as step, ThreadPoolExecutor(AT_ONCE) as pool:

        def one(thing: T) -> R:
            try:
                return work(thing)
            finally:
                step()

        # Each in a copy of the context, which holds the receiver of status lines.
        futures = [pool.submit(copy_context().run, one, thing) for thing in things]
        try:
            return [each.result() for each in futures]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
