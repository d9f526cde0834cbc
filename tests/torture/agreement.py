"""Checks whether clouds, states and programs agree, which is the purpose of this suite.

The kinds of disagreements:

- `orphan`: a target in a cloud that no state knows.
- `duplicate`: two targets with one name or one owner, or two resources for one target, in any states.
- `lost`: a target was deleted although a program wanted it all the time.
- `mismatch`: any other difference between the three, or a target that is not verified.
- `pending`: an operation with an unknown result in a state, except a create. (A CLI that was killed leaves a
  pending create until `refresh --clear-pending-creates`: `pending_creates` counts these.)
- `untold`: the gateway has not heard of a target's last change.
- `lie`: the gateway's last information about a target is not true.
- `leak`: a secret in plain text, which `World.leaks` finds.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tests.support.cloud import TARGETS, mark
from tests.support.engine import SOURCE_TYPE, SYNC_TYPE, TARGET_TYPE
from tests.torture.wanted import Wanted, WantedSource

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from tests.support.cloud import Cloud
    from tests.support.engine import Stack
    from tests.torture.wanted import Declaration

UPDATED, DELETED = "TARGET_CONFIGURATION_UPDATED", "TARGET_CONFIGURATION_DELETED"


@dataclass(frozen=True)
class Disagreement:
    """One disagreement."""

    kind: str
    text: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.text}"


def deployment(stack: Stack) -> dict[str, Any]:
    """The state of a stack in a file backend, read without Pulumi."""
    file = stack.backend / ".pulumi" / "stacks" / stack.project / f"{stack.name}.json"
    latest: dict[str, Any] = json.loads(file.read_text())["checkpoint"]["latest"]
    return latest or {}


def resources(stack: Stack, type_: str) -> dict[str, dict[str, Any]]:
    """The resources of a type in the state of a stack, by their URNs."""
    return {each["urn"]: each for each in deployment(stack).get("resources", []) if each["type"] == type_}


def pending_creates(stack: Stack) -> int:
    """The creates with an unknown result, which the engine keeps until it is told to remove them."""
    pending = deployment(stack).get("pending_operations") or []
    return sum(each["type"] == "creating" for each in pending)


@dataclass(frozen=True)
class Heard:
    """What the gateway has heard."""

    earlier: Sequence[dict[str, Any]]
    """The syncs that it received before its list was cleared."""
    told_of: dict[tuple[str, str], dict[str, Any]]
    """Filled in by the check: the configuration of a target at a sync, by target id and time of the sync."""
    unsynced: set[str]
    """Filled in by the check: the ids of targets whose sync was removed alone, so nobody reports their deletion."""


def disagreements(
    cloud: Cloud, wanted: Mapping[Stack, Iterable[Declaration]], heard: Heard
) -> list[Disagreement]:
    """All disagreements between cloud, states and programs; clears the request log.

    `wanted` is what the program of each stack declares.
    """
    written = _last_writes(cloud)
    cloud.requests()
    entities = cloud.api("GET", "?pageSize=100").json()["entities"]
    by_id = {each["id"]: each for each in entities}
    taken = [*heard.earlier, *cloud.received()["syncs"]]
    states = [deployment(stack) for stack in wanted]
    every = [each for state in states for each in state.get("resources", [])]
    targets = {each["urn"]: each for each in every if each["type"] == TARGET_TYPE}
    syncs = {each["urn"]: each for each in every if each["type"] == SYNC_TYPE}
    sources = {each["urn"]: each for each in every if each["type"] == SOURCE_TYPE}
    targets_wanted = {
        stack: [each for each in wants if isinstance(each, Wanted)] for stack, wants in wanted.items()
    }
    found = [
        *_wrong_sources(cloud, sources, wanted),
        *_doubled(entities, targets.values()),
        *_orphans(entities, targets.values()),
        *_wrong_targets(cloud, by_id, targets, targets_wanted),
        *_wrong_syncs(taken, syncs, targets, targets_wanted),
        *_lies(taken, by_id, syncs, heard.unsynced),
        *_untold(taken, by_id, syncs, written, heard.told_of),
    ]
    found += [
        Disagreement("pending", f"{each['type']} {each['resource']['urn']}")
        for state in states
        for each in state.get("pending_operations") or []
        if each["type"] != "creating"
    ]
    found += [
        Disagreement("mismatch", f"{each['urn']} is still to be deleted")
        for each in every
        if each.get("delete")
    ]
    found += [
        Disagreement("mismatch", f"{each['urn']} is recorded as failed: {each['initErrors']}")
        for each in every
        if each.get("initErrors")
    ]
    return found


def _last_writes(cloud: Cloud) -> dict[str, str]:
    """When each target was last written, by its id."""
    log = cloud.control("requests", "GET")
    return {
        each["path"].removeprefix(TARGETS + "/"): each["at"]
        for each in log
        if each["method"] == "PUT" and each["status"] in {None, 200, 204}
    }


def _doubled(entities: list[dict[str, Any]], targets: Iterable[dict[str, Any]]) -> Iterable[Disagreement]:
    for what, values in (
        ("targets have the name", [each["name"] for each in entities]),
        ("targets have the owner", [mark(each) for each in entities if mark(each)]),
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
    wanted: Mapping[Stack, Iterable[Wanted]],
) -> Iterable[Disagreement]:
    by_urn = {each.urn(stack): (each, stack) for stack, wants in wanted.items() for each in wants}
    for urn in targets.keys() - by_urn.keys():
        yield Disagreement("mismatch", f"{_name(urn)} is in the state and not in the program: {urn}")
    for urn, (want, stack) in by_urn.items():
        if urn not in targets:
            yield Disagreement("mismatch", f"{_name(urn)} is in the program and not in the state: {urn}")
            continue
        recorded = targets[urn]["outputs"]
        entity = entities.get(targets[urn]["id"])
        if entity is None:
            yield Disagreement("mismatch", f"{_name(urn)} is in the state and not in the cloud: {urn}")
            continue
        in_cloud = {
            **entity,
            "eventTypes": sorted(entity["eventTypes"]),
            "maxRetries": entity["retryPolicy"]["maxRetries"],
            "owner": mark(entity),
        }
        in_state = {
            **recorded,
            "eventTypes": sorted(recorded.get("eventTypes", ())),
            "maxRetries": recorded.get("retryPolicy", {}).get("maxRetries"),
        }
        for field, value in want.configuration(cloud, stack).items():
            if not _same(field, value, in_cloud.get(field), in_state.get(field)):
                yield Disagreement(
                    "mismatch",
                    f"{_name(urn)}.{field}: program {value!r}, state {in_state.get(field)!r}, "
                    f"cloud {in_cloud.get(field)!r}",
                )


def _same(field: str, *values: Any) -> bool:
    """Whether two endpoints are the same; the host of a URL is not case-sensitive."""
    if field == "endpointUrl":
        values = tuple(
            urlsplit(str(each))._replace(netloc=urlsplit(str(each)).netloc.lower()) for each in values
        )
    return all(each == values[0] for each in values)


def _wrong_sources(
    cloud: Cloud, recorded: dict[str, dict[str, Any]], wanted: Mapping[Stack, Iterable[Declaration]]
) -> Iterable[Disagreement]:
    """The same for sources: no orphans, no duplicates, and no differences between the three."""
    there = {each["id"]: each for each in cloud.integrations().values()}
    ids = [each["id"] for each in recorded.values()]
    for id_, entity in there.items():
        if ids.count(id_) != 1:
            kind = "duplicate" if id_ in ids else "orphan"
            yield Disagreement(kind, f"source {entity['name']} ({id_}) is in {ids.count(id_)} states")
    by_urn = {
        each.urn(stack): each.configuration(stack)
        for stack, wants in wanted.items()
        for each in wants
        if isinstance(each, WantedSource)
    }
    for urn in recorded.keys() ^ by_urn.keys():
        where = "state" if urn in recorded else "program"
        yield Disagreement("mismatch", f"source {_name(urn)} is in the {where} alone: {urn}")
    for urn in recorded.keys() & by_urn.keys():
        outputs, found = recorded[urn]["outputs"], there.get(recorded[urn]["id"])
        if found is None:
            yield Disagreement("mismatch", f"source {_name(urn)} is in the state and not in the cloud: {urn}")
            continue
        entity, current = found, found["config"]["current"]
        in_cloud = {
            "name": entity["name"],
            "eventSourceSuffix": current["properties"].get("eventSourceSuffix"),
            "topics": sorted(current["properties"].get("eventFilter", ())),
            "owner": current["notes"].rpartition("Pulumi: ")[2],
            "state": entity["reportedState"]["code"],
        }
        in_state = {**outputs, "topics": sorted(outputs.get("topics", ()))}
        for field, value in by_urn[urn].items():
            if not value == in_cloud[field] == in_state.get(field):
                yield Disagreement(
                    "mismatch",
                    f"source {_name(urn)}.{field}: program {value!r}, state {in_state.get(field)!r}, "
                    f"cloud {in_cloud[field]!r}",
                )


def _name(urn: str) -> str:
    return urn.rsplit("::", 1)[1]


def _wrong_syncs(
    taken: list[dict[str, Any]],
    syncs: dict[str, dict[str, Any]],
    targets: dict[str, dict[str, Any]],
    wanted: Mapping[Stack, Iterable[Wanted]],
) -> Iterable[Disagreement]:
    delivered = {each["headers"].get("webhook-id") for each in taken}
    wanted_syncs = {
        each.sync_urn(stack): each.urn(stack)
        for stack, wants in wanted.items()
        for each in wants
        if each.synced
    }
    for urn in syncs.keys() ^ wanted_syncs.keys():
        yield Disagreement(
            "mismatch", f"{_name(urn)} is in the {'state' if urn in syncs else 'program'} alone"
        )
    for urn, target in wanted_syncs.items():
        if urn not in syncs or target not in targets:
            continue
        target_id, recorded = targets[target]["id"], syncs[urn]["outputs"]
        if (
            recorded["targetId"] != target_id
            or recorded["revision"] != targets[target]["outputs"]["revision"]
        ):
            yield Disagreement("mismatch", f"{_name(urn)} is not of the last revision of {_name(target)}")
        if recorded.get("deliveryId") not in delivered:
            yield Disagreement("mismatch", f"{_name(urn)} names a delivery that the gateway does not know")


def _lies(
    taken: list[dict[str, Any]],
    entities: Collection[str],
    syncs: dict[str, dict[str, Any]],
    unsynced: set[str],
) -> Iterable[Disagreement]:
    """The last sync must be `UPDATED` for an existing, synced target, and `DELETED` for a deleted one."""
    synced = {each["outputs"]["targetId"] for each in syncs.values()}
    last = {each["body"]["targetId"]: each["body"]["eventType"] for each in taken}
    unsynced -= synced
    unsynced |= (last.keys() & set(entities)) - synced
    for target_id in synced & set(entities):
        if last.get(target_id) != UPDATED:
            yield Disagreement(
                "lie", f"the last that the gateway heard of {target_id} is {last.get(target_id)}"
            )
    for target_id, word in last.items():
        if target_id in entities and word == DELETED and target_id not in synced:
            yield Disagreement("lie", f"the gateway thinks that {target_id} is gone")
        if target_id not in entities and word == UPDATED and target_id not in unsynced:
            yield Disagreement("lie", f"the gateway still thinks that there is a target {target_id}")


def _untold(
    taken: list[dict[str, Any]],
    entities: dict[str, dict[str, Any]],
    syncs: dict[str, dict[str, Any]],
    written: dict[str, str],
    told_of: dict[tuple[str, str], dict[str, Any]],
) -> Iterable[Disagreement]:
    """A write of the same configuration, which only requests a verification, needs no sync."""
    last = {each["body"]["targetId"]: each["at"] for each in taken}
    for target_id in {each["outputs"]["targetId"] for each in syncs.values()} & last.keys() & entities.keys():
        entity, told_at = entities[target_id], last[target_id]
        configuration = {field: value for field, value in entity.items() if field != "status"}
        if told_at >= written.get(target_id, ""):
            told_of.setdefault((target_id, told_at), configuration)
        elif told_of.get((target_id, told_at)) != configuration:
            yield Disagreement("untold", f"the gateway was not told of the last change of {entity['name']}")
