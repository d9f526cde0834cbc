"""Whether cloud, state and program agree: what the suite is about, in one function.

A disagreement is of one of these kinds:

- `orphan`: a target in the cloud that the state does not know.
- `duplicate`: two targets of one name or one owner, or two resources of one target.
- `mismatch`: anything else that is not the same in all three, or is not verified.
- `pending`: an operation of unknown end in the state, other than a create. (A CLI that was killed leaves a
  pending create until `refresh --clear-pending-creates`: `pending_creates` counts these.)
- `untold`: the gateway does not know of a target's last change.
- `leak`: a secret in plain text, which `World.leaks` finds.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cloud import TARGETS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from cloud import Cloud
    from wanted import Wanted

TARGET_TYPE = "pulumi-python:dynamic/genesys:EventBridgeTarget"
SYNC_TYPE = "pulumi-python:dynamic/genesys:GatewaySync"
OWNER_HEADER = "X-Pulumi-Resource"


@dataclass(frozen=True)
class Disagreement:
    """One thing that is not as it should be."""

    kind: str
    text: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.text}"


def deployment(backend: Path) -> dict[str, Any]:
    """The state in a file backend, read without Pulumi."""
    (file,) = (backend / ".pulumi" / "stacks").rglob("dev.json")
    latest: dict[str, Any] = json.loads(file.read_text())["checkpoint"]["latest"]
    return latest or {}


def pending_creates(backend: Path) -> int:
    """The creates whose end the engine does not know, which it keeps until it is told to forget them."""
    pending = deployment(backend).get("pending_operations") or []
    return sum(each["type"] == "creating" for each in pending)


def disagreements(
    cloud: Cloud,
    backend: Path,
    wanted: Iterable[Wanted],
    earlier_syncs: Iterable[dict[str, Any]],
    told_of: dict[tuple[str, str], dict[str, Any]],
) -> list[Disagreement]:
    """Everything that cloud, state and program do not agree about; the requests of the run are forgotten.

    `earlier_syncs` are those that the gateway took before its list was emptied. `told_of` is filled in: the
    configuration that a target had, by its id and the time of the sync, when the gateway had just heard of it.
    """
    wanted = {each.resource: each for each in wanted}
    written = _last_writes(cloud)
    cloud.requests()
    entities = cloud.api("GET", "?pageSize=100").json()["entities"]
    by_id = {each["id"]: each for each in entities}
    taken = [*earlier_syncs, *cloud.received()["syncs"]]
    state = deployment(backend)
    resources = state.get("resources", [])
    targets = {_name(each): each for each in resources if each["type"] == TARGET_TYPE}
    syncs = {_name(each): each for each in resources if each["type"] == SYNC_TYPE}
    found = [
        *_doubled(entities, targets.values()),
        *_orphans(entities, targets.values()),
        *_wrong_targets(cloud, by_id, targets, wanted),
        *_wrong_syncs(taken, syncs, targets, wanted),
        *_untold(taken, by_id, syncs, written, told_of),
    ]
    found += [
        Disagreement("pending", f"{each['type']} {each['resource']['urn']}")
        for each in state.get("pending_operations") or []
        if each["type"] != "creating"
    ]
    found += [
        Disagreement("mismatch", f"{each['urn']} is still to be deleted")
        for each in resources
        if each.get("delete")
    ]
    found += [
        Disagreement("mismatch", f"{each['urn']} is recorded as failed: {each['initErrors']}")
        for each in resources
        if each.get("initErrors")
    ]
    return found


def _name(resource: dict[str, Any]) -> str:
    return str(resource["urn"]).rsplit("::", 1)[1]


def _last_writes(cloud: Cloud) -> dict[str, str]:
    """When each target was last written, by its id."""
    log = cloud.control("requests", "GET")
    return {
        each["path"].removeprefix(TARGETS + "/"): each["at"]
        for each in log
        if each["method"] == "PUT" and each["status"] in {None, 200}
    }


def _owner(entity: dict[str, Any]) -> str | None:
    owner: str | None = entity["headers"].get(OWNER_HEADER)
    return owner


def _doubled(entities: list[dict[str, Any]], targets: Iterable[dict[str, Any]]) -> Iterable[Disagreement]:
    for what, values in (
        ("targets have the name", [each["name"] for each in entities]),
        ("targets have the owner", [_owner(each) for each in entities if _owner(each)]),
        ("resources have the id", [each["id"] for each in targets]),
    ):
        for value, count in Counter(values).items():
            if count > 1:
                yield Disagreement("duplicate", f"{count} {what} {value}")


def _orphans(entities: list[dict[str, Any]], targets: Iterable[dict[str, Any]]) -> Iterable[Disagreement]:
    known = {each["id"] for each in targets}
    for each in entities:
        if each["id"] not in known:
            yield Disagreement("orphan", f"{each['name']} ({each['id']}), {each['status']}")


def _wrong_targets(
    cloud: Cloud,
    entities: dict[str, dict[str, Any]],
    targets: dict[str, dict[str, Any]],
    wanted: dict[str, Wanted],
) -> Iterable[Disagreement]:
    for name in targets.keys() - wanted.keys():
        yield Disagreement("mismatch", f"{name} is in the state and not in the program")
    for name, want in wanted.items():
        if name not in targets:
            yield Disagreement("mismatch", f"{name} is in the program and not in the state")
            continue
        recorded = targets[name]["outputs"]
        entity = entities.get(targets[name]["id"])
        if entity is None:
            yield Disagreement("mismatch", f"{name} is in the state and not in the cloud")
            continue
        in_cloud = {
            **entity,
            "eventTypes": sorted(entity["eventTypes"]),
            "maxRetries": entity["retryPolicy"]["maxRetries"],
            "owner": _owner(entity),
        }
        in_state = {
            **recorded,
            "eventTypes": sorted(recorded.get("eventTypes", ())),
            "maxRetries": recorded.get("retryPolicy", {}).get("maxRetries"),
        }
        for field, value in want.configuration(cloud).items():
            if not value == in_cloud.get(field) == in_state.get(field):
                yield Disagreement(
                    "mismatch",
                    f"{name}.{field}: program {value!r}, state {in_state.get(field)!r}, "
                    f"cloud {in_cloud.get(field)!r}",
                )


def _wrong_syncs(
    taken: list[dict[str, Any]],
    syncs: dict[str, dict[str, Any]],
    targets: dict[str, dict[str, Any]],
    wanted: dict[str, Wanted],
) -> Iterable[Disagreement]:
    last = {each["body"]["targetId"]: each for each in taken}
    delivered = {each["headers"].get("webhook-id") for each in taken}
    wanted_syncs = {f"{name}-sync": name for name, want in wanted.items() if want.synced}
    for name in syncs.keys() ^ wanted_syncs.keys():
        yield Disagreement("mismatch", f"{name} is in the {'state' if name in syncs else 'program'} alone")
    for sync, name in wanted_syncs.items():
        if sync not in syncs or name not in targets:
            continue
        target_id, recorded = targets[name]["id"], syncs[sync]["outputs"]
        told = last.get(target_id)
        if recorded["targetId"] != target_id or recorded["revision"] != targets[name]["outputs"]["revision"]:
            yield Disagreement("mismatch", f"{sync} is not of the last revision of {name}")
        if told is None or told["body"]["eventType"] != "TARGET_CONFIGURATION_UPDATED":
            yield Disagreement("mismatch", f"the last that the gateway heard of {name} is {told}")
        if recorded.get("deliveryId") not in delivered:
            yield Disagreement("mismatch", f"{sync} names a delivery that the gateway does not know")
    living = {each["id"] for each in targets.values()}
    for target_id, told in last.items():
        if target_id not in living and told["body"]["eventType"] != "TARGET_CONFIGURATION_DELETED":
            yield Disagreement("mismatch", f"the gateway still thinks that there is a target {target_id}")


def _untold(
    taken: list[dict[str, Any]],
    entities: dict[str, dict[str, Any]],
    syncs: dict[str, dict[str, Any]],
    written: dict[str, str],
    told_of: dict[tuple[str, str], dict[str, Any]],
) -> Iterable[Disagreement]:
    """A write of the same configuration, which only asks for a verification, is none that it has to hear of."""
    last = {each["body"]["targetId"]: each["at"] for each in taken}
    for target_id in {each["outputs"]["targetId"] for each in syncs.values()} & last.keys() & entities.keys():
        entity, told_at = entities[target_id], last[target_id]
        configuration = {field: value for field, value in entity.items() if field != "status"}
        if told_at >= written.get(target_id, ""):
            told_of.setdefault((target_id, told_at), configuration)
        elif told_of.get((target_id, told_at)) != configuration:
            yield Disagreement("untold", f"the gateway was not told of the last change of {entity['name']}")
