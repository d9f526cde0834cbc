"""`monitor`: a page, JSON and metrics with the status of every target and source."""

from __future__ import annotations

import logging
from pathlib import Path

import click

from genesys_provider.cli.connection import Connection, connected
from genesys_provider.cli.extras import needing
from genesys_provider.cli.seconds import Seconds

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.option(
    "--port", type=click.IntRange(0, 65535), required=True, help="The port to listen on; 0 is any free one."
)
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="The address to listen on; one that others can reach needs --token-file.",
)
@click.option(
    "--interval",
    type=Seconds(0.1),
    default=15,
    show_default=True,
    help="Seconds between two readings of the lists: one request per 100 targets.",
)
@click.option(
    "--health-interval",
    type=Seconds(0),
    default=300,
    show_default=True,
    help="Seconds in which each target's health is checked once, within a tenth of the rate limit; 0 is never.",
)
@click.option(
    "--history", type=_FILE, help="A file that keeps the history over restarts; without it, it is forgotten."
)
@click.option("--audit-log", type=_FILE, help="The audit file; by default GENESYSCLOUD_AUDIT_LOG.")
@click.option(
    "--token-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file with the token that browsers and scrapers must present.",
)
@click.option("--webhook", metavar="URL", help="Receives each change: an https:// URL.")
@click.option(
    "--signing-secret",
    envvar="GENESYS_MONITOR_SIGNING_SECRET",
    show_envvar=True,
    help="The signing secret of webhooks: whsec_ and base64, or any other text.",
)
@connected
def monitor(
    connection: Connection,
    port: int,
    host: str,
    interval: float,
    health_interval: float,
    history: Path | None,
    audit_log: Path | None,
    token_file: Path | None,
    webhook: str | None,
    signing_secret: str | None,
) -> None:
    """Serve a page that shows all targets and sources.

    It also serves metrics for Prometheus, and JSON.
    """
    from genesys_provider.client.urls import checked_url, is_loopback
    from genesys_provider.targets.signature import signing_key

    host = host.strip("[]")  # as in a URL
    token = None if token_file is None else token_file.read_bytes().decode(errors="replace").strip()
    if token == "":
        raise click.UsageError(f"{token_file} contains no token.")
    if token is not None and not (token.isascii() and len(token.split()) == 1):
        raise click.UsageError(f"{token_file} must contain one word of ASCII characters, and nothing else.")
    if token is None and not is_loopback(host):
        raise click.UsageError(
            f"Anybody who reaches {host} would see the targets: give --token-file FILE, or listen on 127.0.0.1."
        )
    if webhook is not None:
        try:
            checked_url(webhook)
            signing_key(signing_secret or "")
        except ValueError as error:
            raise click.UsageError(f"--webhook and --signing-secret go together: {error}.") from error
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    with needing("monitor", "prometheus_client", "starlette", "uvicorn"):
        from genesys_provider.monitor.history import HistoryError
        from genesys_provider.monitor.news import WebhookSettings
        from genesys_provider.monitor.server import Monitor, MonitorSettings

        with connection.reporting_errors():
            to = connection.settings
            to.require_client()
            settings = MonitorSettings(
                interval,
                health_interval,
                history,
                audit_log or to.audit_log,
                token,
                WebhookSettings(webhook, signing_secret or "", to.ca_file) if webhook else None,
            )
            try:
                running = Monitor(to, settings, host, port)
            except HistoryError as error:
                raise click.ClickException(f"The monitor can't start: {error}") from error
            except OSError as error:
                raise click.ClickException(
                    f"The monitor can't listen on port {port} of {host}: {error.strerror or error}. "
                    "Give another --port or --host"
                ) from error
        running.run(lambda: click.echo(f"monitor ready at {running.url}"))
