"""The command line, `genesys-eventbridge`: one module a group of commands."""

import click

from genesys_provider.cli.audit import audit
from genesys_provider.cli.init import init
from genesys_provider.cli.local import emulator, gateway
from genesys_provider.cli.monitor import monitor

__all__ = ["main"]


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="genesys-eventbridge", prog_name="genesys-eventbridge")
def main() -> None:
    """Genesys Cloud EventBridge targets: the host in a project, local services to test against, the audit trail."""


main.add_command(audit)
main.add_command(emulator)
main.add_command(gateway)
main.add_command(init)
main.add_command(monitor)
