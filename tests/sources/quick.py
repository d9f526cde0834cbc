"""Helpers for the tests of the source manager: fast time, and changes to sources by somebody else."""

from __future__ import annotations

import re
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from genesys_provider import SourceConfig
from tests.support.cloud import INTEGRATIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from genesys_provider import SourceManager
    from tests.support.cloud import Cloud

HASTE = 20
"""How many of the manager's seconds pass in a real one: for waits, time limits, and the lag that it sees."""
TYPE = "amazon-eventbridge-source"
URN = "urn:pulumi:dev::house::pulumi-python:dynamic/genesys:EventBridgeSource::"
OWNER = URN + "orders"
PRESENCE = "v2.users.{id}.presence"
ROUTING = "v2.users.{id}.routingStatus"
POST = {"method": "POST", "path": INTEGRATIONS}
LIST = {"method": "GET", "path": INTEGRATIONS}
PUT = {"method": "PUT", "path": f"{INTEGRATIONS}/*/config/current"}
PATCH = {"method": "PATCH", "path": f"{INTEGRATIONS}/*"}
DELETE = {"method": "DELETE", "path": f"{INTEGRATIONS}/*"}


class QuickTime(threading.Event):
    """A `cancelled` and a clock with short seconds."""

    def wait(self, timeout: float | None = None) -> bool:
        return super().wait(None if timeout is None else timeout / HASTE)

    def clock(self) -> float:
        return time.monotonic() * HASTE


def config(name: str = "orders", **fields: Any) -> SourceConfig:
    return SourceConfig.model_validate(
        {
            "name": name,
            "awsAccountId": "012345678901",
            "awsRegion": "eu-central-1",
            "eventSourceSuffix": name,
            "topics": [PRESENCE],
            "owner": URN + name,
            **fields,
        }
    )


def requests(cloud: Cloud) -> list[str]:
    """The requests for integrations since the last call, such as `PUT /{id}/config/current 200`."""
    return [
        each.replace(INTEGRATIONS, "", 1).replace("  ", " / ")
        for each in cloud.requests()
        if f" {INTEGRATIONS}" in each
    ]


def writes(cloud: Cloud) -> list[str]:
    """The writing requests: method and status."""
    return [
        f"{each.partition(' ')[0]} {each.rpartition(' ')[2]}"
        for each in requests(cloud)
        if not each.startswith("GET ")
    ]


def call(cloud: Cloud, method: str, path: str = "", **request: Any) -> Any:
    """Makes a call as somebody else, also while the manager is working, and clears the request log."""
    headers = {"Authorization": f"Bearer {cloud.token}", "Emulator-As-Usual": "true"}
    found = re.fullmatch(r"/(.+?)(/config/current|)", path)
    escaped = path if found is None else f"/{quote(found[1], safe='')}{found[2]}"
    answer = cloud._at_emulator.request(method, INTEGRATIONS + escaped, headers=headers, **request)
    answer.raise_for_status()
    cloud._at_emulator.delete("/emulator/requests")
    return answer.json()


def there(cloud: Cloud) -> list[dict[str, Any]]:
    """All integrations of the type, with their configurations."""
    query = f"?integrationType={TYPE}&expand=config.current&pageSize=100"
    entities: list[dict[str, Any]] = call(cloud, "GET", query)["entities"]
    return entities


def the_one(cloud: Cloud) -> dict[str, Any]:
    """The only integration."""
    (only,) = there(cloud)
    return only


def enabled(cloud: Cloud) -> str | None:
    """The id of the only integration, once it is enabled."""
    return next((each["id"] for each in there(cloud) if each["intendedState"] == "ENABLED"), None)


def current(cloud: Cloud) -> dict[str, Any]:
    """The configuration of the only integration."""
    configuration: dict[str, Any] = the_one(cloud)["config"]["current"]
    return configuration


def bare(cloud: Cloud, name: str = "orders") -> str:
    """Creates what a process leaves behind that is killed between POST and PUT."""
    made: str = call(cloud, "POST", json={"name": name, "integrationType": {"id": TYPE}})["id"]
    return made


def made(cloud: Cloud, wanted: SourceConfig | None = None, *, enabled: bool = False) -> str:
    """Creates a configured source directly."""
    wanted = wanted or config()
    source_id = bare(cloud, wanted.name)
    call(cloud, "PUT", f"/{source_id}/config/current", json=wanted.payload())
    if enabled:
        call(cloud, "PATCH", f"/{source_id}", json={"intendedState": "ENABLED"})
    return source_id


def reconfigure(cloud: Cloud, source_id: str, wanted: SourceConfig) -> None:
    """Changes the configuration directly."""
    version = call(cloud, "GET", f"/{source_id}/config/current")["version"]
    call(cloud, "PUT", f"/{source_id}/config/current", json=wanted.payload(version))


def force(cloud: Cloud, source_id: str, code: str, message: str | None = None) -> None:
    """Forces the state of the source."""
    cloud.control(f"integrations/{quote(source_id, safe='')}/state", code=code, message=message)


@contextmanager
def meanwhile(work: Callable[[], Any]) -> Iterator[list[Any]]:
    """Runs work in the background during the block, and holds its result or exception afterwards."""
    outcomes: list[Any] = []

    def run() -> None:
        try:
            outcomes.append(work())
        except Exception as error:  # noqa: BLE001 - the test checks it
            outcomes.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    yield outcomes
    thread.join()


def audited(manager: SourceManager) -> list[str]:
    return [entry.event.value for entry in manager.audit.entries]
