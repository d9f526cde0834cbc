"""What a program declares, as data: the program is written from it, and the cloud is compared with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cloud import PASSWORD, USERNAME
from declared import Declared

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cloud import Cloud

PROJECT = "house"
BY_HAND = ["MADE_BY_HAND"]
"""Event types that no program asks for."""


@dataclass(frozen=True)
class Wanted:
    """A target, and its sync where it is `synced`."""

    resource: str
    path: str = ""
    """Of the endpoint: another one makes a new verification."""
    max_retries: int = 5
    """Another number is an update without a verification."""
    event_types: tuple[str, ...] = ("CONVERSATION_STARTED",)
    health_check: bool = False
    synced: bool = True
    webhook: str = ""
    """A query of the webhook's URL: another one is an update of the sync alone."""
    protected: bool = False
    """As `pulumi import` leaves a resource."""

    def lines(self, cloud: Cloud) -> Iterable[str]:
        """The program's lines for it."""
        declared = Declared(cloud, None)
        more = {"opts": "pulumi.ResourceOptions(protect=True)"} if self.protected else {}
        yield declared.target(
            self.resource,
            endpoint_url=repr(self.endpoint(cloud)),
            event_types=repr(list(self.event_types)),
            retry_policy=f"RetryPolicy(max_retries={self.max_retries})",
            health_check=repr(self.health_check),
            **more,
        )
        if self.synced:
            yield declared.sync(self.resource, webhook_url=repr(cloud.webhook + self.webhook))

    def endpoint(self, cloud: Cloud) -> str:
        """Where its events go."""
        return cloud.endpoint(f"{self.resource}{self.path}")

    @property
    def owner(self) -> str:
        """The mark that its target carries."""
        return f"{PROJECT}/dev/{self.resource}"

    def configuration(self, cloud: Cloud) -> dict[str, Any]:
        """What the API has to say of it, as far as the program decides it."""
        return {
            "name": self.resource,
            "endpointUrl": self.endpoint(cloud),
            "authType": "BASIC",
            "eventTypes": sorted(self.event_types),
            "maxRetries": self.max_retries,
            "owner": self.owner,
            "status": "VERIFIED",
        }


def program(cloud: Cloud, wanted: Iterable[Wanted]) -> str:
    """The text of the program that declares them."""
    lines = [line for each in wanted for line in each.lines(cloud)]
    return Declared(cloud, None).program(*lines)


def by_hand(cloud: Cloud, wanted: Wanted) -> dict[str, Any]:
    """The body of a request with which somebody makes such a target by hand."""
    return {
        "name": wanted.resource,
        "endpointUrl": wanted.endpoint(cloud),
        "authType": "BASIC",
        "authConfig": {"username": USERNAME, "password": PASSWORD},
        "eventTypes": BY_HAND,
    }
