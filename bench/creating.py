"""The rows for creates: all at once, under the rate limit, over a slow network, and in two other ways."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from bench.results import Bound, Line
from bench.setting import PARALLEL, PARALLELS
from bench.source_way import create_one_after_another

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.setting import Setting

LATENCY_SECONDS = 0.1
REQUESTS_IN_A_ROW = 2
"""The sequence that no provider can avoid over a slow network: a login, then a request."""
POLLS_AT_THE_LIMIT = (
    "each poll for a verdict takes one of the five requests a second that the limit allows: 32 requests besides "
    "the creates took 6.4 s of the 10.7 s over the floor. The rest was not traced; runs on one day took 77 to 83 s"
)
"""Why `limit` misses its bound."""
MORE_POLLS = (
    "in requests, at the default only a few targets are created at a time, and each group needs its own polls, "
    "which all targets share with a larger `--parallel`"
)
REASON = (
    "in time, by the emulator's log of three creates of 100 that took 1.4 s longer than the floor: 0.7 s "
    "until a poll notices the last verdict (polls are at least 0.5 s apart, and further apart the longer "
    "a target waits), and 0.6 s until the engine has recorded the targets of the last polls, which all "
    f"come at once; {MORE_POLLS}"
)


def create(setting: Setting) -> Iterator[Line]:
    """Creates with their requests, the destroys, and two other ways to create."""
    ours = {}
    for parallel in PARALLELS:
        created, destroyed = _create(setting, parallel)
        yield created
        yield destroyed
        ours[parallel] = created.measured
    yield from _other_ways(setting, ours)


def _create(setting: Setting, parallel: str) -> tuple[Line, Line]:
    count = setting.sizes.few
    # At the default one run takes minutes, most of them waiting, so a single run is accurate enough.
    turns = setting.sizes.repeats if parallel == PARALLEL else 1
    with setting.organization() as organization:
        targets = setting.fleet("targets", count, organization.env)
        trivial = setting.fleet("trivial", count, organization.env)
        hold = {"BENCH_HOLD": str(organization.verification_seconds)}
        floors, walls, destroy_floors, destroys = [], [], [], []
        for turn in range(turns):
            setting.say(f"creating and destroying {count}, --parallel {parallel}, run {turn + 1} of {turns}")
            floors.append(trivial.run("up", parallel=parallel, env=hold))
            organization.traffic()
            walls.append(targets.run("up", parallel=parallel))
            creating = organization.traffic()
            destroy_floors.append(trivial.run("destroy", parallel=parallel))
            destroys.append(targets.run("destroy", parallel=parallel))
            destroying = organization.traffic()
    wall, floor = min(walls), min(floors)
    created = Line(
        name="create",
        work=f"create {count} targets, {organization.verification_seconds:g} s of verification each, no rate limit",
        measured=wall,
        floor=floor,
        targets=count,
        parallel=parallel,
        requests=creating.by_kind,
        bounds=(
            Bound(what="ratio", figure=wall / floor, limit=1.10),
            Bound(what="requests per target", figure=creating.total / count, limit=1.25),
        ),
        reason=REASON,
    )
    destroyed = Line(
        name="destroy",
        work=f"destroy {count}",
        measured=min(destroys),
        floor=min(destroy_floors),
        targets=count,
        parallel=parallel,
        requests=destroying.by_kind,
        bounds=(Bound(what="requests per target", figure=destroying.total / count, limit=1.1),),
    )
    return created, destroyed


def _other_ways(setting: Setting, ours: dict[str, float]) -> Iterator[Line]:
    count, few = setting.sizes.few, setting.sizes.one_after_another
    setting.say(f"creating {count} on the stock host, and {few} one after another")
    with setting.organization() as organization, setting.organization() as other:
        plain = setting.fleet("plain", count, organization.env, host=None)
        # Both sleep most of the time, so they don't slow each other down.
        with ThreadPoolExecutor(1) as aside:
            script = aside.submit(create_one_after_another, other.settings, other.gateway_url, few)
            plain_wall = plain.run("up")
            script_seconds = script.result()
        plain_traffic, script_traffic = organization.traffic(), other.traffic()
    for parallel, wall in ours.items():
        bound = Bound(what="ratio", figure=plain_wall / wall, limit=10, at_least=True)
        yield Line(
            name="stock host",
            work=f"create {count} with a plain provider on the stock host; floor: with ours",
            measured=plain_wall,
            floor=wall,
            targets=count,
            parallel=parallel,
            requests=plain_traffic.by_kind,
            bounds=(bound,) if parallel == PARALLEL else (),
            note="measured once, since that host handles four at a time whatever `--parallel` is",
        )
    yield Line(
        name="one by one",
        work=f"create {count} like the guide, one after another; floor: with ours",
        measured=script_seconds / few * count,
        floor=ours[PARALLEL],
        targets=count,
        requests={kind: round(each / few * count) for kind, each in script_traffic.by_kind.items()},
        note=f"measured with {few} targets, {script_seconds:.2f} s, and scaled, since it creates one after another",
    )


def limited(setting: Setting) -> Iterator[Line]:
    """Creates under the rate limit. The floor's creates respect it too, as if each took one request."""
    count, limit = setting.sizes.limited, setting.sizes.rate_limit
    for parallel in PARALLELS:
        setting.say(f"creating {count} with {limit} requests per minute, --parallel {parallel}")
        with setting.organization(rate_limit=limit) as organization:
            hold = {"BENCH_HOLD": str(organization.verification_seconds), "BENCH_PER_WINDOW": str(limit)}
            trivial = setting.fleet("trivial", count, organization.env)
            floor = trivial.run("up", parallel=parallel, env=hold)
            wall = setting.fleet("targets", count, organization.env).run("up", parallel=parallel)
            traffic = organization.traffic()
        yield Line(
            name="limit",
            work=f"create {count} targets, {organization.verification_seconds:g} s of verification each, "
            f"{limit} requests per minute",
            measured=wall,
            floor=floor,
            targets=count,
            parallel=parallel,
            requests=traffic.by_kind,
            bounds=(
                Bound(what="ratio", figure=wall / floor, limit=1.10),
                Bound(what="answers 429", figure=traffic.throttled, limit=0),
            ),
            reason=POLLS_AT_THE_LIMIT,
            note="the floor's creates wait until the limit allows each of them one request",
        )


def latency(setting: Setting) -> Iterator[Line]:
    """Creates and a refresh with an additional latency of a tenth of a second for each request."""
    count = setting.sizes.few
    late = f"{LATENCY_SECONDS:g} s of latency for each request"
    for parallel in PARALLELS:
        setting.say(f"creating {count}, {late}, --parallel {parallel}")
        with setting.organization() as organization, organization.latency(LATENCY_SECONDS):
            hold = {"BENCH_HOLD": str(organization.verification_seconds + LATENCY_SECONDS)}
            floor = setting.fleet("trivial", count, organization.env).run("up", parallel=parallel, env=hold)
            wall = setting.fleet("targets", count, organization.env).run("up", parallel=parallel)
            traffic = organization.traffic()
        yield Line(
            name="latency create",
            work=f"create {count} targets, {organization.verification_seconds:g} s of verification each, {late}",
            measured=wall,
            floor=floor + LATENCY_SECONDS,
            targets=count,
            parallel=parallel,
            requests=traffic.by_kind,
            bounds=(Bound(what="requests per target", figure=traffic.total / count, limit=1.25),),
            note="the floor includes the latency of the login and of each target's POST",
            reason=MORE_POLLS,
        )
    for parallel in PARALLELS:
        yield _late_refresh(setting, parallel, late)


def _late_refresh(setting: Setting, parallel: str, late: str) -> Line:
    targets, trivial, organization = setting.large
    setting.say(f"refreshing {targets.count}, {late}, --parallel {parallel}")
    floor = trivial.run("refresh", parallel=parallel) + REQUESTS_IN_A_ROW * LATENCY_SECONDS
    organization.traffic()
    with organization.latency(LATENCY_SECONDS):
        wall = targets.run("refresh", parallel=parallel)
    traffic = organization.traffic()
    return Line(
        name="latency refresh",
        work=f"refresh {targets.count} targets, {late}",
        measured=wall,
        floor=floor,
        targets=targets.count,
        parallel=parallel,
        requests=traffic.by_kind,
        bounds=(Bound(what="requests", figure=traffic.total, limit=10),),
        note="the floor includes the latency of the login and of one request",
    )
