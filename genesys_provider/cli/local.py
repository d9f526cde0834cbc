"""The local services: `emulator` and `gateway`.

Both print one line with their URL when they accept connections, and exit cleanly on SIGTERM or SIGINT. Secrets can
be given in the environment, since arguments are visible in the list of processes.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from genesys_provider.cli.extras import needing
from genesys_provider.cli.seconds import Seconds

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from genesys_provider.emulator.server import Server


class _WrongUse(click.ClickException):
    """An error in one sentence, without the usage."""

    exit_code = 2


_PACKAGES = ("starlette", "uvicorn", "trustme", "cryptography")
_FILE = click.Path(dir_okay=False, path_type=Path)
_host = click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
_port = click.option(
    "--port", type=click.IntRange(0, 65535), required=True, help="The port to listen on; 0 is any free one."
)


@click.command()
@_port
@_host
@click.option(
    "--state", type=_FILE, help="A file that keeps everything over restarts. It will contain secrets."
)
@click.option(
    "--verification-seconds",
    type=Seconds(0),
    default=3,
    show_default=True,
    help="How long a verification stays pending, at least.",
)
@click.option(
    "--activation-seconds",
    type=Seconds(0),
    default=3,
    show_default=True,
    help="How long an integration takes to become ACTIVE or INACTIVE.",
)
@click.option(
    "--max-instances",
    type=click.IntRange(0),
    default=100,
    show_default=True,
    help="The maximum number of integrations of the type amazon-eventbridge-source.",
)
@click.option(
    "--rate-limit",
    type=click.IntRange(0),
    default=300,
    show_default=True,
    help="Requests per minute for one token; 0 is no limit.",
)
@click.option(
    "--client-id",
    default="dev-client",
    show_default=True,
    envvar="GENESYS_EMULATOR_CLIENT_ID",
    show_envvar=True,
    help="The OAuth client that may log in.",
)
@click.option(
    "--client-secret",
    default="dev-secret",
    show_default=True,
    envvar="GENESYS_EMULATOR_CLIENT_SECRET",
    show_envvar=True,
    help="Its secret.",
)
@click.option("--ca-file", type=_FILE, help="An additional CA (PEM) for endpoints.")
@click.option(
    "--organization-id",
    metavar="UUID",
    type=click.UUID,
    help="The organization's id; by default one is created, and kept with --state.",
)
@click.option(
    "--behaviour",
    type=_FILE,
    help="A JSON file with unusual behaviour, as for POST /emulator/behaviour.",
)
def emulator(
    port: int,
    host: str,
    state: Path | None,
    verification_seconds: float,
    activation_seconds: float,
    max_instances: int,
    rate_limit: int,
    client_id: str,
    client_secret: str,
    ca_file: Path | None,
    organization_id: UUID | None,
    behaviour: Path | None,
) -> None:
    """Serve an emulated Genesys Cloud, for development and tests.

    Login and API are on one port, and a control plane is under /emulator.
    """
    with needing("emulator", *_PACKAGES):
        from genesys_provider.emulator import BehaviourError, EmulatorServer, EmulatorSettings
        from genesys_provider.emulator.behaviour import USUAL, read_behaviour

        try:
            wanted = USUAL if behaviour is None else read_behaviour(behaviour)
        except BehaviourError as error:
            raise _WrongUse(str(error)) from error
        settings = EmulatorSettings(
            client_id=client_id,
            client_secret=client_secret,
            verification_seconds=verification_seconds,
            activation_seconds=activation_seconds,
            max_instances=max_instances,
            rate_limit=rate_limit,
            state=state,
            ca_file=ca_file,
            organization_id=None if organization_id is None else str(organization_id),
            behaviour=wanted,
        )
        _run("emulator", lambda: EmulatorServer(settings, host=host, port=port))


@click.command()
@_port
@_host
@click.option(
    "--certificate-dir",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="The directory of the certificate, created if necessary. Its ca.pem is the CA to trust.",
)
@click.option(
    "--username",
    envvar="GENESYS_GATEWAY_USERNAME",
    show_envvar=True,
    help="Who may send events (HTTP Basic).",
)
@click.option("--password", envvar="GENESYS_GATEWAY_PASSWORD", show_envvar=True, help="The user's password.")
@click.option(
    "--signing-secret",
    envvar="GENESYS_GATEWAY_SIGNING_SECRET",
    show_envvar=True,
    help="The signing secret of syncs: whsec_ and base64, or any other text.",
)
def gateway(
    port: int,
    host: str,
    certificate_dir: Path,
    username: str | None,
    password: str | None,
    signing_secret: str | None,
) -> None:
    """Serve an HTTPS gateway that stands in for your endpoint.

    It accepts the events of targets and the syncs about them.
    """
    if (username is None) != (password is None):
        raise click.UsageError("--username and --password go together.")
    with needing("emulator", *_PACKAGES):
        from genesys_provider.emulator import GatewayServer, GatewaySettings

        settings = GatewaySettings(certificate_dir, username, password, signing_secret)
        _run("gateway", lambda: GatewayServer(settings, host=host, port=port))


def _run(name: str, make: Callable[[], Server]) -> None:
    from genesys_provider.emulator import StateFileError

    try:
        server = make()
    except (OSError, ValueError, StateFileError) as error:
        raise click.ClickException(f"The {name} can't start: {error}") from error
    server.run(lambda: click.echo(f"{name} ready at {server.url}"))
