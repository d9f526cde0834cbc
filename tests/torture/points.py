"""The kill points: something dies before, after and past every request that an operation makes.

`CALLS` names each call of the product's own code that makes a request; `POINTS` says which operations make it.
`test_kill_points.py` fails when the code has a call, or an operation makes one, that is not here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING

from tests.support.cloud import INTEGRATIONS, ORGANIZATION, TARGETS, TOPICS
from tests.support.engine import urn
from tests.torture.wanted import Declaration, Wanted, WantedSource
from tests.torture.worlds import DESTROY, REFRESH, UP, Origin

if TYPE_CHECKING:
    from tests.torture.worlds import World

INTEGRATION = f"{INTEGRATIONS}/{'?' * 8}-{'-'.join(['?' * 4] * 3)}-{'?' * 12}"
WEBHOOK = "/webhooks/genesys/targets"


@dataclass(frozen=True)
class Call:
    """A request, as recognized on the wire; `audited` is the audit event that follows its answer."""

    method: str
    path: str
    audited: str = ""

    @property
    def at_gateway(self) -> bool:
        return self.path == WEBHOOK


CALLS = {
    "login": Call("POST", "/oauth/token"),
    "get_organization": Call("GET", ORGANIZATION),
    "list_targets": Call("GET", TARGETS),
    "create_target": Call("POST", TARGETS, "TARGET_CREATED"),
    # No id ends like `verify`.
    "get_target": Call("GET", f"{TARGETS}/*[!y]"),
    "update_target": Call("PUT", f"{TARGETS}/*", "TARGET_UPDATED"),
    "delete_target": Call("DELETE", f"{TARGETS}/*", "TARGET_DELETED"),
    "get_verification": Call("GET", f"{TARGETS}/*/verify", "TARGET_VERIFIED"),
    "check_health": Call("POST", f"{TARGETS}/*/health", "HEALTH_CHECK_TRIGGERED"),
    "notify": Call("POST", WEBHOOK, "WEBHOOK_SYNCED"),
    "list_integrations": Call("GET", INTEGRATIONS),
    "create_integration": Call("POST", INTEGRATIONS, "SOURCE_CREATED"),
    "get_integration": Call("GET", INTEGRATION, "SOURCE_SETTLED"),
    "set_intended_state": Call("PATCH", INTEGRATION, "SOURCE_ENABLED"),
    "delete_integration": Call("DELETE", INTEGRATION, "SOURCE_DELETED"),
    "get_configuration": Call("GET", f"{INTEGRATION}/config/current"),
    "configure_integration": Call("PUT", f"{INTEGRATION}/config/current", "SOURCE_CONFIGURED"),
    "list_topics": Call("GET", TOPICS),
}
"""By the name of the method that makes it."""


class Phase(Enum):
    """The phase of the request at the time of a death."""

    BEFORE = "before it leaves"
    AFTER = "acted, not answered"
    ANSWERED = "answered, not recorded"


class Strike(Enum):
    """Which process dies, and how."""

    HOST_KILL = "SIGKILL host"
    CLI_KILL = "SIGKILL CLI"
    CLI_TERM = "SIGTERM CLI"
    CTRL_C = "Ctrl-C"
    CTRL_C_TWICE = "Ctrl-C twice"
    DROP = "drop once"
    DROP_ALWAYS = "drop always"


@dataclass(frozen=True)
class Scenario:
    """A change of the program, the command that applies it, and the calls that it makes in order."""

    wanted: tuple[Declaration, ...]
    calls: tuple[str, ...]
    struck: tuple[str, ...] = ()
    """The calls that are struck in this scenario, if not all; other scenarios cover the rest."""
    sometimes: tuple[str, ...] = ()
    """Calls that it makes only where the waits of several targets do not coincide; other scenarios strike them."""
    command: tuple[str, ...] = UP
    recovery: tuple[str, ...] = UP
    """The single command that must recover."""
    fails: str = ""
    """A target whose status is forced to `FAILED` first."""
    forgets: str = ""
    """A target that is removed from the state first, which simulates the leftover of a killed create."""
    first: tuple[Declaration, ...] = ()
    """What is deployed before the change, in addition to the existing targets."""
    recovered: tuple[Declaration, ...] | None = None
    """The program for the recovery, if it differs."""
    refused: str = ""
    """The message of the command, which is refused."""
    renamed: str = ""
    """The new name of the stack."""
    asked_for: tuple[str, ...] = ()
    """The targets whose replacement is requested."""

    def prepare(self, world: World) -> None:
        """Applies the change to the program."""
        if self.first:
            world.want((*Origin.UP, *self.first))
            world.stack.must(*UP)
            world.settle()
        if self.renamed:
            world.stack.rename(self.renamed)
        world.want(self.wanted)
        if self.fails:
            target_id = world.targets()[self.fails]["id"]
            world.cloud.control(
                f"targets/{target_id}/status", status="FAILED", message="endpoint answered 502"
            )
        if self.forgets:
            urn = world.targets()[self.forgets]["urn"]
            world.stack.must("state", "delete", "--yes", "--target-dependents", urn)


_kept, _changed, _gone, _moved = Origin.UP
_FORMER = (urn("changed"),)
_renamed = replace(_changed, resource="later", key="changed", name="changed")

SCENARIOS = {
    "create": Scenario(
        (*Origin.UP, Wanted("new", health_check=True)),
        (
            "login",
            "get_organization",
            "list_targets",
            "create_target",
            "get_verification",
            "check_health",
            "notify",
        ),
    ),
    "adopt": Scenario(
        (_kept, _changed, replace(_gone, path="/new"), _moved),
        ("login", "get_organization", "list_targets", "update_target", "get_verification", "notify"),
        sometimes=("get_target",),
        struck=("list_targets", "update_target", "get_verification"),
        forgets="gone",
    ),
    "update": Scenario(
        (_kept, replace(_changed, path="/new"), _gone, _moved),
        ("login", "get_organization", "get_target", "update_target", "get_verification", "notify"),
        struck=("update_target", "get_verification", "notify"),
    ),
    "update in place": Scenario(
        (_kept, replace(_changed, max_retries=7), _gone, _moved),
        ("login", "get_organization", "get_target", "update_target", "notify"),
        struck=("update_target",),
    ),
    # The state does not know a killed update; if the program does not repeat it, only a refresh finds it.
    "reverted update": Scenario(
        (_kept, replace(_changed, path="/new"), _gone, _moved),
        ("login", "get_organization", "get_target", "update_target", "get_verification", "notify"),
        struck=("update_target", "get_verification"),
        recovery=(*UP, "--refresh"),
        recovered=Origin.UP,
    ),
    # A refresh reads what a killed update wrote: then only the sync to the gateway is left.
    "refreshed update": Scenario(
        (_kept, replace(_changed, max_retries=7), _gone, _moved),
        ("login", "get_organization", "get_target", "update_target", "notify"),
        struck=("update_target",),
        recovery=(*UP, "--refresh"),
    ),
    "delete": Scenario(
        (_kept, _changed, _moved),
        ("login", "get_organization", "get_target", "notify", "list_targets", "delete_target"),
        struck=("notify", "get_target", "delete_target"),
    ),
    "destroy": Scenario(
        (),
        ("login", "get_organization", "list_targets", "notify", "delete_target"),
        struck=("notify", "list_targets", "delete_target"),
        command=DESTROY,
        recovery=DESTROY,
    ),
    "sync": Scenario((_kept, _changed, _gone, replace(_moved, webhook="?of=moved")), ("notify",)),
    "refresh": Scenario(
        Origin.UP,
        ("login", "get_organization", "list_targets", "get_verification"),
        struck=("list_targets", "get_verification"),
        command=REFRESH,
        # Only a refresh can find changes of the target itself.
        recovery=(*UP, "--refresh"),
        fails="changed",
    ),
    "refresh one": Scenario(
        Origin.UP,
        ("login", "get_organization", "get_target"),
        struck=("get_target",),
        command=(*REFRESH, "--target", "**::kept"),
    ),
    # The mark is updated.
    "move": Scenario(
        (_kept, replace(_changed, parents=("A", "B"), aliases=_FORMER), _gone, _moved),
        ("login", "get_organization", "get_target", "update_target", "get_verification", "notify"),
        struck=("get_organization", "get_target", "update_target"),
    ),
    "rename": Scenario(
        (_kept, replace(_renamed, aliases=_FORMER), _gone, _moved),
        ("login", "get_organization", "get_target", "update_target", "get_verification", "notify"),
        struck=("update_target",),
    ),
    "stack rename": Scenario(
        Origin.UP,
        ("login", "get_organization", "list_targets", "update_target", "notify"),
        sometimes=("get_verification", "get_target"),
        struck=("update_target",),
        renamed="prod",
    ),
    "renamed sync": Scenario((_kept, _changed, _gone, replace(_moved, sync="later-sync")), ("notify",)),
    "replace": Scenario(
        Origin.UP,
        (
            "login",
            "get_organization",
            "get_target",
            "delete_target",
            "list_targets",
            "create_target",
            "get_verification",
            "notify",
        ),
        struck=("delete_target", "create_target", "notify"),
        command=(*UP, "--replace", urn("changed")),
        # The program has not changed, so only a refresh can find that the old target is gone.
        recovery=(*UP, "--refresh"),
        asked_for=("changed",),
    ),
    "refused create": Scenario(
        (_kept, _renamed, _gone, _moved),
        ("login", "get_organization", "list_targets"),
        struck=("get_organization", "list_targets"),
        refused=f'aliases=["{urn("changed")}"]',
        recovered=(_kept, replace(_renamed, aliases=_FORMER), _gone, _moved),
    ),
}
_source = WantedSource("events")
_LOOKED_UP = ("login", "get_organization", "get_integration", "get_configuration")

SCENARIOS |= {
    "create source": Scenario(
        (*Origin.UP, _source),
        (
            "login",
            "get_organization",
            "list_integrations",
            "create_integration",
            "configure_integration",
            "set_intended_state",
            "get_integration",
            "list_topics",
        ),
        struck=(
            "list_integrations",
            "create_integration",
            "configure_integration",
            "set_intended_state",
            "get_integration",
            "list_topics",
        ),
    ),
    "update source": Scenario(
        (*Origin.UP, replace(_source, topics=("v2.flows.{id}",))),
        (*_LOOKED_UP, "configure_integration", "list_topics"),
        struck=("get_configuration", "configure_integration"),
        first=(_source,),
    ),
    "disable source": Scenario(
        (*Origin.UP, replace(_source, enabled=False)),
        (*_LOOKED_UP, "set_intended_state", "list_topics"),
        struck=("set_intended_state",),
        first=(_source,),
    ),
    "delete source": Scenario(
        Origin.UP,
        (*_LOOKED_UP, "delete_integration", "list_integrations"),
        struck=("delete_integration",),
        first=(_source,),
    ),
}


@dataclass(frozen=True)
class Point:
    """One run: the scenario, the request, its phase, and the strike."""

    host: str
    scenario: str
    call: str
    phase: Phase
    strike: Strike

    def __str__(self) -> str:
        return f"{self.host}-{self.scenario}-{self.call}-{self.phase.name}-{self.strike.name}".replace(
            " ", "_"
        )


_OF_STOCK_HOST = (Strike.HOST_KILL, Strike.CLI_KILL, Strike.DROP)
"""Processes that don't receive a Ctrl-C."""
WRITES = {
    *("create_target", "update_target", "delete_target", "notify"),
    *("create_integration", "configure_integration", "set_intended_state", "delete_integration"),
}


def every_point() -> list[Point]:
    """All kill points."""
    found = []
    for host in ("own", "stock"):
        for name, scenario in SCENARIOS.items():
            for call in scenario.struck or scenario.calls:
                if host == "stock" and call not in {*WRITES, "get_verification"}:
                    continue
                strikes = tuple(Strike) if host == "own" else _OF_STOCK_HOST
                found += [
                    Point(host, name, call, phase, strike)
                    for phase in Phase
                    for strike in strikes
                    if not _impossible(scenario, call, phase, strike)
                ]
    return found


def _impossible(scenario: Scenario, call: str, phase: Phase, strike: Strike) -> bool:
    """A request can't be dropped past its answer, and a read has nothing to record."""
    return phase is Phase.ANSWERED and (
        strike in {Strike.DROP, Strike.DROP_ALWAYS}
        or not CALLS[call].audited
        or (call == "get_verification" and scenario.command[0] == "refresh")
    )


QUICK = (
    Point("own", "create", "create_target", Phase.AFTER, Strike.CLI_KILL),
    Point("own", "create", "get_verification", Phase.BEFORE, Strike.CTRL_C),
    Point("own", "update", "notify", Phase.BEFORE, Strike.CTRL_C_TWICE),
    Point("own", "delete", "delete_target", Phase.AFTER, Strike.CLI_TERM),
    Point("own", "destroy", "notify", Phase.AFTER, Strike.DROP_ALWAYS),
    Point("own", "reverted update", "update_target", Phase.AFTER, Strike.HOST_KILL),
    Point("own", "create source", "configure_integration", Phase.AFTER, Strike.CLI_KILL),
)
"""The kill points of every test run: each kind of death once."""
