"""The command line, `genesys-eventbridge`: one module for each group of commands."""

import errno
import sys
from io import TextIOWrapper
from typing import Any

import click

from genesys_provider.cli.audit import audit
from genesys_provider.cli.completion import completion
from genesys_provider.cli.doctor import doctor
from genesys_provider.cli.export import export
from genesys_provider.cli.health import health
from genesys_provider.cli.init import init
from genesys_provider.cli.leftovers import leftovers
from genesys_provider.cli.local import emulator, gateway
from genesys_provider.cli.monitor import monitor
from genesys_provider.cli.probe import probe
from genesys_provider.cli.sources import sources
from genesys_provider.cli.targets import targets
from genesys_provider.cli.watch import watch_sources, watch_targets

__all__ = ["main"]


class _Commands(click.Group):
    """Reports errors of the operating system in one sentence, such as a full disk or a missing permission."""

    def invoke(self, ctx: click.Context) -> Any:
        for each in (sys.stdout, sys.stderr):
            # A name may have characters that the encoding of the terminal or pipe lacks.
            if isinstance(each, TextIOWrapper):
                each.reconfigure(errors="backslashreplace")
        try:
            return super().invoke(ctx)
        except OSError as error:
            if error.errno == errno.EPIPE:
                raise  # The reader, such as `head`, has seen enough.
            where = f"{error.filename}: " if error.filename else ""
            raise click.ClickException(f"{where}{error.strerror or error}.") from error


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="genesys-eventbridge", prog_name="genesys-eventbridge")
def main() -> None:
    """Genesys Cloud EventBridge: inspect and operate the targets and sources of an organization.

    The environment selects the organization: GENESYSCLOUD_REGION, GENESYSCLOUD_OAUTHCLIENT_ID and
    GENESYSCLOUD_OAUTHCLIENT_SECRET; or a stack does, with --stack NAME after the command.
    """


targets.add_command(health)
targets.add_command(watch_targets)
sources.add_command(watch_sources)
for command in (
    audit,
    completion,
    doctor,
    emulator,
    export,
    gateway,
    init,
    leftovers,
    monitor,
    probe,
    sources,
    targets,
):
    main.add_command(command)
