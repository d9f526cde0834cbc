"""Programs that declare targets, on the real engine against the emulator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.support.cloud import CLIENT_SECRET, PASSWORD, SECRET_HEADER, SIGNING_SECRET, USERNAME, Cloud

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.support.engine import Stack, StackMaker

COMPONENT = "house:parts:A"
OTHER_COMPONENT = "house:parts:B"
NAMES = (
    "BasicAuth",
    "EventBridgeSource",
    "EventBridgeTarget",
    "GatewaySync",
    "GenesysProvider",
    "JwtAuth",
    "OAuth2Auth",
    "RetryPolicy",
)
"""The public names that programs use."""


class Declared:
    """Writes programs for one cloud, and creates stacks from them with `make_stack`, if it is given."""

    def __init__(self, cloud: Cloud, make_stack: StackMaker | None) -> None:
        self.cloud = cloud
        self._make_stack = make_stack

    def component(self, variable: str, kind: str = "A", **options: str) -> str:
        """A line that declares a component of the type `house:parts:<kind>`."""
        opts = ", ".join(f"{key}={value}" for key, value in options.items())
        return (
            f"{variable} = pulumi.ComponentResource("
            f"'house:parts:{kind}', {variable!r}, None, pulumi.ResourceOptions({opts}))"
        )

    def target(
        self, name: str, /, *, called: str | None = None, kind: str = "EventBridgeTarget", **arguments: str
    ) -> str:
        """A line that declares a target; `arguments` are Python expressions that replace the defaults.

        `name` is the name of the variable and, without `called`, of the resource; `kind` is its class.
        """
        usual = {
            "endpoint_url": repr(self.cloud.endpoint(name)),
            "event_types": "['CONVERSATION_STARTED', 'QUEUE_MEMBER_ADDED']",
            "auth": f"BasicAuth({USERNAME!r}, {PASSWORD!r})",
            "headers": (
                f"{{'X-Source-System': 'GenesysCloud', 'X-Key': pulumi.Output.secret({SECRET_HEADER!r})}}"
            ),
        }
        given = ", ".join(f"{key}={value}" for key, value in {**usual, **arguments}.items())
        return f"{name} = {kind}({called or name!r}, {given})"

    def sync(self, target: str, /, *, called: str | None = None, **arguments: str) -> str:
        """A line that declares the sync of a target."""
        usual = {
            "target_id": f"{target}.id",
            "revision": f"{target}.revision",
            "webhook_url": repr(self.cloud.webhook),
            "signing_secret": repr(SIGNING_SECRET),
        }
        given = ", ".join(f"{key}={value}" for key, value in {**usual, **arguments}.items())
        return f"GatewaySync({called or target + '-sync'!r}, {given})"

    def source(self, name: str, /, *, called: str | None = None, **arguments: str) -> str:
        """A line that declares a source; see `target`."""
        usual = {
            "aws_account_id": "'012345678901'",
            "aws_region": "'us-east-1'",
            "event_source_suffix": repr(name),
            "topics": "['v2.users.{id}.presence', 'v2.flows.{id}']",
        }
        given = ", ".join(f"{key}={value}" for key, value in {**usual, **arguments}.items())
        return f"{name} = EventBridgeSource({called or name!r}, {given})"

    def provider(self, name: str, cloud: Cloud, **arguments: str) -> str:
        """A line that declares an explicit provider for an organization."""
        usual = {
            "api_url": repr(cloud.emulator.url),
            "login_url": repr(cloud.emulator.url),
            "client_id": "'dev-client'",
            "client_secret": repr(CLIENT_SECRET),
            "ca_file": repr(str(cloud.gateway.ca_file)),
        }
        given = ", ".join(f"{key}={value}" for key, value in {**usual, **arguments}.items())
        return f"{name} = GenesysProvider({name!r}, {given})"

    def program(self, *lines: str) -> str:
        """A program with these lines. It imports only what they use: `import *` takes 0.5 s of CPU in each run."""
        text = "\n".join(lines)
        used = [name for name in NAMES if name in text]
        imports = f"from genesys_provider import {', '.join(used)}" if used else ""
        return f"import pulumi\n{imports}\n{text}\n"

    def targets(self, names: Iterable[str], **arguments: str) -> str:
        return self.program(*(self.target(name, **arguments) for name in names))

    def stack(self, program: str, **options: Any) -> Stack:
        env = {**self.cloud.env, **options.pop("env", {})}
        assert self._make_stack is not None, "no make_stack was given"
        return self._make_stack(program, env=env, **options)


def opts(**options: str) -> str:
    """An expression for resource options; the values are Python expressions."""
    return f"pulumi.ResourceOptions({', '.join(f'{key}={value}' for key, value in options.items())})"
