"""The program of each stack, which declares the stack's rows of the file.

`fleet.py` runs it for all stacks. `pulumi up --stack eu-central-1.sales` runs it for one.
"""

import os
from pathlib import Path

import pulumi
from targets import InvalidFleet, read_targets

from genesys_provider import BasicAuth, EventBridgeTarget


def auth(reference: str) -> BasicAuth | None:
    """The credentials that a row refers to."""
    if not reference:
        return None
    place, _, name = reference.partition(":")
    if place == "config":
        secret = pulumi.Config().require_secret(name)
    elif name in os.environ:
        secret = pulumi.Output.secret(os.environ[name])
    else:
        raise pulumi.RunError(f"the environment variable {name} is not set: it must hold user:password")
    return BasicAuth(
        username=pulumi.Output.unsecret(secret.apply(lambda text: text.partition(":")[0])),
        password=secret.apply(lambda text: text.partition(":")[2]),
    )


try:
    targets = read_targets(Path(os.environ.get("FLEET_TARGETS", "targets.csv")))
except InvalidFleet as error:
    raise pulumi.RunError(str(error)) from None

for target in targets.get(pulumi.get_stack(), []):
    EventBridgeTarget(
        target.name,
        endpoint_url=target.endpoint_url,
        event_types=list(target.event_types),
        auth=auth(target.auth),
    )
