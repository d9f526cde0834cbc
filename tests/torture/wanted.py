"""What a program declares, as data, from which the program is written and with which the cloud is compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from tests.support.cloud import PASSWORD, USERNAME
from tests.support.declared import Declared, opts
from tests.support.engine import SOURCE_TYPE, SYNC_TYPE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.support.cloud import Cloud
    from tests.support.engine import Stack

ACTIVATION_TIMEOUT = 10
"""The activation timeout in seconds, for runs in which no poll succeeds."""

BY_HAND = ["MADE_BY_HAND"]
"""Event types that no program uses."""

Parents = tuple[str, ...]
"""The types of the components that contain a resource, the outermost first."""
PLACES: tuple[Parents, ...] = ((), ("A",), ("B",), ("A", "B"))
"""The possible parents of targets and syncs."""


@dataclass(frozen=True)
class Wanted:
    """A target, with its sync if it is `synced`."""

    resource: str
    key: str = ""
    """The identity through moves and renames; by default `resource`."""
    name: str = ""
    """The name in Genesys Cloud; by default `resource`."""
    parents: Parents = ()
    aliases: tuple[str, ...] = ()
    path: str = ""
    """The path of the endpoint; a change causes a verification."""
    max_retries: int = 5
    """A change is an update without a verification."""
    event_types: tuple[str, ...] = ("CONVERSATION_STARTED",)
    health_check: bool = False
    synced: bool = True
    sync: str = ""
    """The name of the sync's resource; by default `{key}-sync`."""
    sync_parents: Parents = ()
    sync_aliases: tuple[str, ...] = ()
    webhook: str = ""
    """A query in the webhook's URL; a change is an update of only the sync."""
    protected: bool = False
    """The resource option that `pulumi import` sets."""

    def lines(self, cloud: Cloud, variable: str) -> Iterable[str]:
        """The program's lines for it; the target's variable has this name."""
        declared = Declared(cloud, None)
        yield declared.target(
            variable,
            called=self.resource,
            name=repr(self.called),
            endpoint_url=repr(self.endpoint(cloud)),
            event_types=repr(list(self.event_types)),
            retry_policy=f"RetryPolicy(max_retries={self.max_retries})",
            health_check=repr(self.health_check),
            opts=_options(self.parents, self.aliases, protect=repr(self.protected)),
        )
        if self.synced:
            yield declared.sync(
                variable,
                called=self.sync_resource,
                webhook_url=repr(cloud.webhook + self.webhook),
                opts=_options(self.sync_parents, self.sync_aliases),
            )

    @property
    def identity(self) -> str:
        """The identity through moves and renames."""
        return self.key or self.resource

    @property
    def called(self) -> str:
        """The name in Genesys Cloud."""
        return self.name or self.resource

    @property
    def sync_resource(self) -> str:
        """The name of the sync's resource."""
        return self.sync or f"{self.identity}-sync"

    def endpoint(self, cloud: Cloud) -> str:
        """The URL of the endpoint."""
        return cloud.endpoint(f"{self.identity}{self.path}")

    def urn(self, stack: Stack) -> str:
        """The URN of the target in this stack, which is also its owner mark."""
        return stack.urn(self.resource, *map(_type, self.parents))

    def sync_urn(self, stack: Stack) -> str:
        """The URN of its sync in this stack."""
        return stack.urn(self.sync_resource, *map(_type, self.sync_parents), type_=SYNC_TYPE)

    def configuration(self, cloud: Cloud, stack: Stack) -> dict[str, Any]:
        """The fields in the API that the program decides."""
        return {
            "name": self.called,
            "endpointUrl": self.endpoint(cloud),
            "authType": "BASIC",
            "eventTypes": sorted(self.event_types),
            "maxRetries": self.max_retries,
            "owner": self.urn(stack),
            "status": "VERIFIED",
        }


@dataclass(frozen=True)
class WantedSource:
    """A source, like `Wanted` is a target."""

    resource: str
    parents: Parents = ()
    aliases: tuple[str, ...] = ()
    topics: tuple[str, ...] = ("v2.users.{id}.presence",)
    enabled: bool = True
    synced: ClassVar[bool] = False
    sync_parents: ClassVar[Parents] = ()

    def lines(self, cloud: Cloud, variable: str) -> Iterable[str]:
        """The program's lines for it."""
        yield Declared(cloud, None).source(
            variable,
            called=self.resource,
            event_source_suffix=repr(self.resource),
            topics=repr(list(self.topics)),
            enabled=repr(self.enabled),
            notes="'by whom'",
            activation_timeout=repr(ACTIVATION_TIMEOUT),
            opts=_options(self.parents, self.aliases),
        )

    @property
    def identity(self) -> str:
        """The identity."""
        return self.resource

    def urn(self, stack: Stack) -> str:
        """The URN of the source in this stack, which is also its owner mark."""
        return stack.urn(self.resource, *map(_type, self.parents), type_=SOURCE_TYPE)

    def configuration(self, stack: Stack) -> dict[str, Any]:
        """The fields in state and API that the program decides."""
        return {
            "name": self.resource,
            "eventSourceSuffix": self.resource,
            "topics": sorted(self.topics),
            "owner": self.urn(stack),
            "state": "ACTIVE" if self.enabled else "INACTIVE",
        }


Declaration = Wanted | WantedSource
"""What a program may declare."""


def program(cloud: Cloud, wanted: Iterable[Declaration]) -> str:
    """The text of a program that declares them."""
    wanted = list(wanted)
    declared = Declared(cloud, None)
    used = {
        parents[: depth + 1]
        for each in wanted
        for parents in (each.parents, each.sync_parents)
        for depth in range(len(parents))
    }
    components = [
        declared.component(
            _variable(parents), parents[-1], **({"parent": _variable(parents[:-1])} if parents[1:] else {})
        )
        for parents in sorted(used, key=len)
    ]
    lines = [line for number, each in enumerate(wanted) for line in each.lines(cloud, f"target{number}")]
    return declared.program(*components, *lines)


def _type(kind: str) -> str:
    return f"house:parts:{kind}"


def _variable(parents: Parents) -> str:
    return f"in_{'_'.join(parents).lower()}"


def _options(parents: Parents, aliases: Iterable[str], **options: str) -> str:
    if parents:
        options["parent"] = _variable(parents)
    if aliases := list(aliases):
        options["aliases"] = repr(aliases)
    return opts(**options)


def by_hand(cloud: Cloud, wanted: Wanted) -> dict[str, Any]:
    """The body of a request that creates such a target directly."""
    return {
        "name": wanted.called,
        "endpointUrl": wanted.endpoint(cloud),
        "authType": "BASIC",
        "authConfig": {"username": USERNAME, "password": PASSWORD},
        "retryPolicy": {"maxRetries": 5, "backoffStrategy": "EXPONENTIAL", "initialDelaySeconds": 2},
        "eventTypes": BY_HAND,
    }
