"""The rows: what is run for each, and what it must reach."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from bench import declaring
from bench.processes import watched
from bench.setting import LIMIT_SECONDS, Fleet, Setting, in_turns
from bench.source_way import create_one_after_another
from bench.table import Bound, Row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bench.processes import Peak
    from bench.services import Traffic

IN_FLIGHT_SECONDS = 25.0
"""How long a create stays in flight for the memory row: long enough for the last to begin before the first ends."""
DECLARING_REPEATS = 7


def seconds(value: float) -> str:
    """A time as the table shows it."""
    return f"{value:.2f} s"


def create(setting: Setting) -> Iterator[Row]:
    """Creates, what they cost in requests, their destroys, and the two other ways to create."""
    count = setting.sizes.few
    with setting.organisation() as organisation:
        targets = setting.fleet("targets", count, organisation.env)
        trivial = setting.fleet("trivial", count, organisation.env)
        floors, walls, destroy_floors, destroys = [], [], [], []
        for turn in range(setting.sizes.repeats):
            setting.say(f"creates and destroys {count}, turn {turn + 1} of {setting.sizes.repeats}")
            floors.append(trivial.run("up") + organisation.verification_seconds)
            organisation.traffic()
            walls.append(targets.run("up"))
            creating = organisation.traffic()
            destroy_floors.append(trivial.run("destroy"))
            destroys.append(targets.run("destroy"))
            destroying = organisation.traffic()
    wall, floor = min(walls), min(floors)
    yield Row(
        "create",
        f"create {count} targets, 5 s of verification each, no rate limit",
        seconds(wall),
        seconds(floor),
        wall / floor,
        str(creating),
        [Bound("ratio", wall / floor, 1.10), Bound("requests a target", creating.total / count, 1.25)],
    )
    destroy, destroy_floor = min(destroys), min(destroy_floors)
    yield Row(
        "destroy",
        f"destroy {count}",
        seconds(destroy),
        seconds(destroy_floor),
        destroy / destroy_floor,
        str(destroying),
        [Bound("requests a target", destroying.total / count, 1.1)],
    )
    yield from _other_ways(setting, wall)


def _other_ways(setting: Setting, wall: float) -> Iterator[Row]:
    count, few = setting.sizes.few, setting.sizes.one_after_another
    setting.say(f"creates {count} on the stock host, and {few} one after another")
    with setting.organisation() as organisation, setting.organisation() as other:
        plain = setting.fleet("plain", count, organisation.env, host=None)
        # Both sleep nearly all the time, so they do not disturb each other.
        with ThreadPoolExecutor(1) as aside:
            script = aside.submit(create_one_after_another, other.settings, other.gateway_url, few)
            plain_wall = plain.run("up")
            script_seconds = script.result()
        plain_traffic, script_traffic = organisation.traffic(), other.traffic()
    faster = plain_wall / wall
    yield Row(
        "stock host",
        f"create {count} with a plain provider on the stock host; ratio: its time to ours",
        seconds(plain_wall),
        seconds(wall),
        faster,
        str(plain_traffic),
        [Bound("ratio", faster, 10, at_least=True)],
    )
    script_wall = script_seconds / few * count
    yield Row(
        "one by one",
        f"create {count} as the source document does; ratio: its time to ours",
        seconds(script_wall),
        seconds(wall),
        script_wall / wall,
        f"{script_traffic.total / few * count:.0f}",
        note=f"measured with {few} targets, {seconds(script_seconds)}, and scaled: they come one after another",
    )


def limited(setting: Setting) -> Iterator[Row]:
    """Creates under the rate limit. The floor's creates keep to it too, as if each needed one request."""
    count, limit = setting.sizes.limited, setting.sizes.rate_limit
    setting.say(f"creates {count} with {limit} requests a minute")
    with setting.organisation(rate_limit=limit) as organisation:
        hold = {"BENCH_HOLD": str(organisation.verification_seconds), "BENCH_PER_WINDOW": str(limit)}
        floor = setting.fleet("trivial", count, organisation.env).run("up", env=hold)
        wall = setting.fleet("targets", count, organisation.env).run("up")
        traffic = organisation.traffic()
    yield Row(
        "limit",
        f"create {count} targets, 5 s of verification each, {limit} requests a minute",
        seconds(wall),
        seconds(floor),
        wall / floor,
        str(traffic),
        [Bound("ratio", wall / floor, 1.10), Bound("answers 429", traffic.throttled, 0)],
        note="its floor are trivial creates that wait for the minute in which the limit lets them send one request",
    )


def refresh(setting: Setting) -> Iterator[Row]:
    """A refresh of a fleet in which nothing has drifted."""
    yield _on_the_fleet(
        setting, "refresh", "refresh {fleet} targets", ("refresh",), ratio_limit=1.15, request_limit=10
    )


def no_op(setting: Setting) -> Iterator[Row]:
    """An `up` that changes nothing."""
    yield _on_the_fleet(
        setting, "no-op", "no-op up of {fleet} targets", ("up",), ratio_limit=1.10, request_limit=0
    )


def preview(setting: Setting) -> Iterator[Row]:
    """A preview of changes to some of the fleet."""
    yield _on_the_fleet(
        setting,
        "preview",
        "preview --diff of {fleet} targets, {changed} changed",
        ("preview", "--diff"),
        changed=setting.sizes.changed,
        ratio_limit=1.15,
        request_limit=0,
    )


def _on_the_fleet(
    setting: Setting,
    name: str,
    work: str,
    command: tuple[str, ...],
    *,
    ratio_limit: float,
    request_limit: int,
    changed: int = 0,
) -> Row:
    targets, trivial, organisation = setting.large
    work = work.format(fleet=targets.count, changed=changed)
    setting.say(work)
    traffic: list[Traffic] = []

    def measured() -> float:
        organisation.traffic()
        wall = targets.run(*command, changed=changed)
        traffic.append(organisation.traffic())
        return wall

    floor, wall = in_turns(setting.sizes.repeats, lambda: trivial.run(*command, changed=changed), measured)
    worst = max(traffic, key=lambda each: each.total)
    return Row(
        name,
        work,
        seconds(wall),
        seconds(floor),
        wall / floor,
        str(worst),
        [Bound("ratio", wall / floor, ratio_limit), Bound("requests", worst.total, request_limit)],
    )


def update(setting: Setting) -> Iterator[Row]:
    """New retry policies for some of the fleet; then the old ones again, for the other rows."""
    targets, trivial, organisation = setting.large
    count = setting.sizes.updated
    setting.say(f"updates {count} of {targets.count}")
    organisation.traffic()
    walls, floors = [], []
    for changed in (count, 0):
        floors.append(trivial.run("up", changed=changed))
        walls.append(targets.run("up", changed=changed))
        if changed:
            traffic = organisation.traffic()
    puts = traffic.kinds["PUT"]
    wall, floor = min(walls), min(floors)
    yield Row(
        "update",
        f"update {count} retry policies of {targets.count} targets",
        seconds(wall),
        seconds(floor),
        wall / floor,
        str(traffic),
        [Bound("PUTs", puts, count), Bound("other requests", traffic.total - puts, 10)],
    )


def memory(setting: Setting) -> Iterator[Row]:
    """The host with many creates in flight."""
    count = setting.sizes.in_flight
    setting.say(f"memory with {count} creates in flight")
    with setting.organisation(verification_seconds=IN_FLIGHT_SECONDS) as organisation:
        hold = {"BENCH_HOLD": str(IN_FLIGHT_SECONDS)}
        floor = _peak(setting.fleet("trivial", count, organisation.env), hold)
        peak = _peak(setting.fleet("targets", count, organisation.env), {})
    ratio = peak.megabytes / floor.megabytes
    yield Row(
        "memory",
        f"memory of the host, {count} creates in flight",
        f"{peak.megabytes:.0f} MB",
        f"{floor.megabytes:.0f} MB",
        ratio,
        bounds=[Bound("ratio", ratio, 1.25)],
        note=f"at most {peak.threads} threads in the host of the targets, {floor.threads} in the trivial one's",
    )


def _peak(fleet: Fleet, env: dict[str, str]) -> Peak:
    result, peak = watched(fleet.start("up", parallel=2 * fleet.count, env=env), LIMIT_SECONDS)
    if result.code != 0:
        raise RuntimeError(f"the up failed:\n{result.output}")
    return peak


def declare(setting: Setting) -> Iterator[Row]:
    """A program that declares a fleet, without an engine, imports included."""
    count = setting.sizes.fleet
    setting.say(f"declares {count} targets without an engine")
    floor, wall = in_turns(
        DECLARING_REPEATS,
        lambda: declaring.seconds("trivial", count),
        lambda: declaring.seconds("targets", count),
    )
    yield Row(
        "declare",
        f"declare {count} targets without an engine, imports included",
        seconds(wall),
        seconds(floor),
        wall / floor,
        bounds=[Bound("ratio", wall / floor, 1.3)],
    )


def state(setting: Setting) -> Iterator[Row]:
    """How much of the state a target takes."""
    targets, trivial, _ = setting.large
    size, floor = targets.bytes_each(), trivial.bytes_each()
    yield Row("state", "bytes of state a target", f"{size:.0f} bytes", f"{floor:.0f} bytes", size / floor)


ROWS: dict[str, Callable[[Setting], Iterator[Row]]] = {
    "create": create,
    "limit": limited,
    "refresh": refresh,
    "no-op": no_op,
    "preview": preview,
    "update": update,
    "memory": memory,
    "declare": declare,
    "state": state,
}
"""By the name that `--row` takes; `create` gives also the rows `destroy`, `stock host` and `one by one`."""
