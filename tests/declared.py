"""Programs that declare targets, on the real engine against the emulator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cloud import PASSWORD, SECRET_HEADER, SIGNING_SECRET, USERNAME, Cloud

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine import Stack

HEAD = "import pulumi\nfrom genesys_provider import *\n"


class Declared:
    """Writes programs for one cloud, and makes stacks of them."""

    def __init__(self, cloud: Cloud, make_stack: Any) -> None:
        self.cloud = cloud
        self._make_stack = make_stack

    def target(self, name: str, /, **arguments: str) -> str:
        """A line that declares a target; `arguments` are Python expressions and replace the usual ones."""
        usual = {
            "endpoint_url": repr(self.cloud.endpoint(name)),
            "event_types": "['CONVERSATION_STARTED', 'QUEUE_MEMBER_ADDED']",
            "auth": f"BasicAuth({USERNAME!r}, {PASSWORD!r})",
            "headers": (
                f"{{'X-Source-System': 'GenesysCloud', 'X-Key': pulumi.Output.secret({SECRET_HEADER!r})}}"
            ),
        }
        given = ", ".join(f"{key}={value}" for key, value in {**usual, **arguments}.items())
        return f"{name} = EventBridgeTarget({name!r}, {given})"

    def sync(self, target: str, /, **arguments: str) -> str:
        """A line that declares the sync of a target."""
        usual = {
            "target_id": f"{target}.id",
            "revision": f"{target}.revision",
            "webhook_url": repr(self.cloud.webhook),
            "signing_secret": repr(SIGNING_SECRET),
        }
        given = ", ".join(f"{key}={value}" for key, value in {**usual, **arguments}.items())
        return f"GatewaySync('{target}-sync', {given})"

    def program(self, *lines: str) -> str:
        return HEAD + "\n".join(lines) + "\n"

    def targets(self, names: Iterable[str], **arguments: str) -> str:
        return self.program(*(self.target(name, **arguments) for name in names))

    def stack(self, program: str, **options: Any) -> Stack:
        env = {**self.cloud.env, **options.pop("env", {})}
        return self._make_stack(program, env=env, **options)
