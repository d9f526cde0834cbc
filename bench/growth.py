"""How the cost grows with the fleet: the engine's share, and ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.results import Line
from bench.setting import PARALLEL, in_turns

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.services import Organization
    from bench.setting import Fleet, Setting

WORK = ("create", "no-op", "refresh")
CHEAP = 200
"""The largest fleet that is created several times."""


def growth(setting: Setting) -> Iterator[Line]:
    """A create, a no-op and a refresh for fleets of all sizes; one line each, named for the work."""
    for count in setting.sizes.growth:
        setting.say(f"growth: {count}")
        with setting.organization() as organization:
            targets = setting.fleet("targets", count, organization.env)
            trivial = setting.fleet("trivial", count, organization.env)
            yield _created(setting, targets, trivial, organization)
            for work, command in (("no-op", "up"), ("refresh", "refresh")):
                yield _repeated(setting, work, command, targets, trivial, organization)


def _created(setting: Setting, targets: Fleet, trivial: Fleet, organization: Organization) -> Line:
    hold = {"BENCH_HOLD": str(organization.verification_seconds)}
    parallel = _enough(targets.count)
    pairs = []
    for turn in range(setting.sizes.repeats if targets.count <= CHEAP else 1):
        if turn:
            trivial.run("destroy")
            targets.run("destroy")
        organization.traffic()
        floor = trivial.run("up", parallel=parallel, env=hold)
        pairs.append((floor, targets.run("up", parallel=parallel)))
    return Line(
        name="create",
        work=f"create {targets.count}",
        measured=min(each for _, each in pairs),
        floor=min(each for each, _ in pairs),
        targets=targets.count,
        parallel=parallel,
        requests=organization.traffic().by_kind,
    )


def _enough(count: int) -> str:
    """All targets at once, so that the work grows with their number, and not the time spent in a queue."""
    return str(max(count, int(PARALLEL)))


def _repeated(
    setting: Setting, work: str, command: str, targets: Fleet, trivial: Fleet, organization: Organization
) -> Line:
    repeats = setting.sizes.repeats
    parallel = _enough(targets.count)
    floor, wall = in_turns(
        repeats,
        lambda: trivial.run(command, parallel=parallel),
        lambda: targets.run(command, parallel=parallel),
    )
    traffic = organization.traffic().by_kind
    return Line(
        name=work,
        work=f"{work} of {targets.count}",
        measured=wall,
        floor=floor,
        targets=targets.count,
        parallel=parallel,
        requests={kind: count // repeats for kind, count in traffic.items()},
    )
