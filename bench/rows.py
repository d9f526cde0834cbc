"""The rows: what each one runs, and the bounds that it must reach."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench import declaring
from bench.creating import create, latency, limited
from bench.fleet import fleet
from bench.growth import growth
from bench.processes import watched
from bench.results import Bound, Line
from bench.setting import LIMIT_SECONDS, PARALLEL, PARALLELS, Fleet, Setting, check, in_turns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bench.processes import Peak
    from bench.services import Traffic

REFRESH_REASON = (
    "a profile shows about 0.5 s more of processor time for 500 targets. Half of it is to load httpx, pydantic "
    "and our own modules once; about a tenth each is to load the system's CAs and to make seven requests; the "
    "reading and comparing takes 0.2 ms a target; the rest is that 256 threads wait for the same list, and all "
    "wake at once"
)
NO_OP_REASON = (
    "each target has six outputs that a trivial resource does not have, which costs the program time"
)
PREVIEW_REASON = f"our host loads pydantic once for the targets that change; {NO_OP_REASON}"
MEMORY_REASON = (
    "a profile shows two parts. Our host loads pydantic, httpx and the TLS library, which takes 16 MB. And a "
    "create in flight takes 113 kB, a trivial one 65 kB: of the difference 43 kB are Python's objects and "
    "frames and what gRPC and other C libraries keep, and 5 kB the stack of its thread"
)


def refresh(setting: Setting) -> Iterator[Line]:
    """A refresh of a fleet in which nothing has drifted."""
    for parallel in PARALLELS:
        yield _on_the_fleet(
            setting,
            "refresh",
            "refresh {fleet} targets",
            ("refresh",),
            parallel,
            ratio=1.15,
            requests=10,
            reason=REFRESH_REASON,
        )


def no_op(setting: Setting) -> Iterator[Line]:
    """An `up` that changes nothing."""
    for parallel in PARALLELS:
        yield _on_the_fleet(
            setting,
            "no-op",
            "no-op up of {fleet} targets",
            ("up",),
            parallel,
            ratio=1.10,
            requests=0,
            reason=NO_OP_REASON,
        )


def preview(setting: Setting) -> Iterator[Line]:
    """A preview of changes to a part of the fleet."""
    for parallel in PARALLELS:
        yield _on_the_fleet(
            setting,
            "preview",
            "preview --diff of {fleet} targets, {changed} changed",
            ("preview", "--diff"),
            parallel,
            changed=setting.sizes.changed,
            ratio=1.10,
            requests=0,
            reason=PREVIEW_REASON,
        )


def _on_the_fleet(
    setting: Setting,
    name: str,
    work: str,
    command: tuple[str, ...],
    parallel: str,
    *,
    ratio: float,
    requests: int,
    reason: str,
    changed: int = 0,
) -> Line:
    targets, trivial, organization = setting.large
    work = work.format(fleet=targets.count, changed=changed)
    setting.say(f"{work}, --parallel {parallel}")
    traffic: list[Traffic] = []

    def measured() -> float:
        organization.traffic()
        wall = targets.run(*command, parallel=parallel, changed=changed)
        traffic.append(organization.traffic())
        return wall

    floor, wall = in_turns(
        setting.sizes.repeats, lambda: trivial.run(*command, parallel=parallel, changed=changed), measured
    )
    worst = max(traffic, key=lambda each: each.total)
    return Line(
        name=name,
        work=work,
        measured=wall,
        floor=floor,
        targets=targets.count,
        parallel=parallel,
        requests=worst.by_kind,
        bounds=(
            Bound(what="ratio", figure=wall / floor, limit=ratio),
            Bound(what="requests", figure=worst.total, limit=requests),
        ),
        reason=reason,
    )


def update(setting: Setting) -> Iterator[Line]:
    """New retry policies for a part of the fleet; afterwards the old ones are restored for the other rows."""
    targets, trivial, organization = setting.large
    count = setting.sizes.updated
    for parallel in PARALLELS:
        setting.say(f"updating {count} of {targets.count}, --parallel {parallel}")
        organization.traffic()
        walls, floors = [], []
        for changed in (count, 0):
            floors.append(trivial.run("up", parallel=parallel, changed=changed))
            walls.append(targets.run("up", parallel=parallel, changed=changed))
            if changed:
                traffic = organization.traffic()
        puts = traffic.kinds["PUT"]
        yield Line(
            name="update",
            work=f"update {count} retry policies of {targets.count} targets",
            measured=min(walls),
            floor=min(floors),
            targets=targets.count,
            parallel=parallel,
            requests=traffic.by_kind,
            bounds=(
                Bound(what="PUTs", figure=puts, limit=count),
                Bound(what="other requests", figure=traffic.total - puts, limit=10),
            ),
        )


def memory(setting: Setting) -> Iterator[Line]:
    """The host with as many creates in flight as `--parallel` allows."""
    count = setting.sizes.in_flight
    for parallel in PARALLELS:
        everything = parallel == PARALLEL
        # Long enough for the last create to begin before the first one ends; with few in flight, 1 s is enough.
        hold = setting.sizes.in_flight_seconds if everything else 1.0
        flags = str(2 * count) if everything else parallel
        setting.say(f"memory with {count} creates, --parallel {flags}")
        with setting.organization(verification_seconds=hold) as organization:
            trivial = setting.fleet("trivial", count, organization.env)
            floor = _peak(trivial, flags, {"BENCH_HOLD": str(hold)})
            peak = _peak(setting.fleet("targets", count, organization.env), flags)
        yield Line(
            name="memory",
            work=f"memory of the host, {count} creates, {'all' if everything else 'some'} in flight",
            measured=peak.megabytes,
            floor=floor.megabytes,
            unit="MB",
            targets=count,
            parallel=flags,
            bounds=(Bound(what="ratio", figure=peak.megabytes / floor.megabytes, limit=1.30),),
            note=f"at most {peak.threads} threads in the host of the targets, and {floor.threads} in the trivial "
            f"one, at `--parallel` {flags}",
            reason=MEMORY_REASON,
        )


def _peak(fleet: Fleet, parallel: str, env: dict[str, str] | None = None) -> Peak:
    result, peak = watched(fleet.start("up", parallel=parallel, env=env), LIMIT_SECONDS)
    check(result)
    return peak


def declare(setting: Setting) -> Iterator[Line]:
    """A program that declares a fleet, without an engine, imports included."""
    count = setting.sizes.fleet
    setting.say(f"declaring {count} targets without an engine")
    floor, wall = in_turns(
        setting.sizes.declaring_repeats,
        lambda: declaring.seconds("trivial", count),
        lambda: declaring.seconds("targets", count),
    )
    yield Line(
        name="declare",
        work=f"declare {count} targets without an engine, imports included",
        measured=wall,
        floor=floor,
        targets=count,
        bounds=(Bound(what="ratio", figure=wall / floor, limit=1.20),),
        reason="a target has more outputs than a trivial resource, and its arguments are checked",
    )


def state(setting: Setting) -> Iterator[Line]:
    """The size of a target in the state."""
    targets, trivial, _ = setting.large
    size, floor = targets.bytes_each(), trivial.bytes_each()
    yield Line(
        name="state",
        work="bytes of state per target",
        measured=size,
        floor=floor,
        unit="bytes",
        targets=targets.count,
        bounds=(Bound(what="ratio", figure=size / floor, limit=1.25),),
        reason="the outputs that a trivial resource does not have",
    )


ROWS: dict[str, Callable[[Setting], Iterator[Line]]] = {
    "create": create,
    "limit": limited,
    "latency": latency,
    "refresh": refresh,
    "no-op": no_op,
    "preview": preview,
    "update": update,
    "memory": memory,
    "declare": declare,
    "state": state,
    "growth": growth,
    "fleet": fleet,
}
"""The rows by their names in `--row`; `create` also measures `destroy`, `stock host` and `one by one`."""
BY_ITSELF = "fleet"
"""The row that is only measured on request: `make bench-fleet`."""
