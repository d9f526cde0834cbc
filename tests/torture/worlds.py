"""A world: an organization with its gateway, and a deployed stack. Created once, and branched for each run.

Bringing up a stack takes seconds; copying its folder and the emulator's state file does not.
"""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

from genesys_provider.emulator import EmulatorServer, EmulatorSettings
from tests.support.cloud import BASIC, BEHAVIOUR, CANARIES, CLIENT_SECRET, TARGETS, Cloud
from tests.support.engine import OWN_HOST, TARGET_TYPE, Stack, backend_url
from tests.support.process import Result
from tests.torture.agreement import Disagreement, Heard, disagreements, pending_creates, resources
from tests.torture.wanted import Declaration, Wanted, program

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from pathlib import Path

    from typing_extensions import Self

    from tests.support.keys import Keys

UP = ("up", "--yes", "--skip-preview")
REFRESH = ("refresh", "--yes", "--skip-preview")
DESTROY = ("destroy", "--yes", "--skip-preview")
VERIFICATION_SECONDS = ACTIVATION_SECONDS = 0.2
ORGANIZATION_ID = "6f1d27a4-93a5-4c63-9a0c-5b0b8f3c2e71"
"""The organization id of all branches, even if an emulator starts without its state."""


class Branch(Cloud):
    """An organization that starts from another one's state file, and is already serving. The gateway is shared."""

    def __init__(self, directory: Path, root: Cloud, state: Path) -> None:
        super().__init__(directory)
        self._state = state
        self.gateway = root.gateway
        self._at_gateway = root._at_gateway
        self.gone: list[str] = []
        """The ids of the targets in DELETE requests, except manual ones."""
        self.open()

    def __enter__(self) -> Self:
        return self

    def open(self, *, port: int = 0) -> None:
        """Starts the emulator; after a close, at the same port."""
        settings = EmulatorSettings(
            ca_file=self.gateway.ca_file,
            client_secret=CLIENT_SECRET,
            state=self._state,
            verification_seconds=VERIFICATION_SECONDS,
            activation_seconds=ACTIVATION_SECONDS,
            rate_limit=0,
            organization_id=ORGANIZATION_ID,
            behaviour=BEHAVIOUR,
        )
        self.emulator = self._stack.enter_context(EmulatorServer(settings, port=port))
        self._at_emulator = self._stack.enter_context(httpx.Client(base_url=self.emulator.url))
        self._token = None

    def restart(self, *, with_state: bool) -> None:
        """Restarts the emulator at the same port."""
        port = int(self.emulator.url.rpartition(":")[2])
        self._stack.close()
        self._stack = ExitStack()
        if not with_state:
            for each in self._state.parent.glob(f"{self._state.name}*"):
                each.unlink()
        self.open(port=port)

    def requests(self) -> list[str]:
        """The requests since the last call."""
        self.gone += [
            each["path"].removeprefix(f"{TARGETS}/")
            for each in self.control("requests", "GET")
            if each["method"] == "DELETE" and each["path"].startswith(TARGETS)
        ]
        return super().requests()

    def held(self) -> list[dict[str, Any]]:
        """The held requests of the emulator and the gateway."""
        at_gateway: list[dict[str, Any]] = self._at_gateway.get("/held").json()
        return [*self.control("held", "GET"), *at_gateway]

    def release(self) -> None:
        """Releases the held requests."""
        self.control("held", "DELETE")
        self._at_gateway.delete("/held").raise_for_status()

    def calm(self) -> None:
        """Removes all faults, and releases all held requests."""
        self.control("faults", "DELETE")
        self.behave_as_usual()
        self.release()

    def audited(self) -> str:
        """The entries of the audit file."""
        return self.audit_log.read_text() if self.audit_log.exists() else ""


class BranchedStack(Stack):
    """An independent copy of a stack."""

    def __init__(self, origin: Stack, directory: Path, cloud: Cloud, host: Path | None) -> None:
        shutil.copytree(origin.directory.parent, directory)
        self.directory = directory / "project"
        self.backend = directory / "backend"
        self.project, self.name, self.host, self.keys = origin.project, origin.name, host, origin.keys
        self.env = {
            **origin.env,
            **cloud.env,
            "PULUMI_BACKEND_URL": backend_url(self.backend),
            "PULUMI_HOME": str(directory / "home"),
            "PULUMI_STACK": self.name,
        }
        self.write_project()
        # The branch's emulator is the same organization at another address, which the state records.
        state = self.backend / ".pulumi" / "stacks" / self.project / f"{self.name}.json"
        address, new = (each.env["GENESYSCLOUD_API_URL"] for each in (origin, self))
        state.write_text(state.read_text().replace(address, new))
        self.said: list[str] = []
        """The output of its commands, except those that are watched while they run."""

    def run(self, *arguments: str, env: Mapping[str, str] | None = None) -> Result:
        """Runs `pulumi` with these arguments to its end."""
        result = super().run(*arguments, env=env)
        self.said.append(result.output)
        return result


@dataclass(frozen=True)
class Recovery:
    """The result of a user's recovery."""

    result: Result
    cancelled: bool
    """Whether Pulumi asked for a `pulumi cancel`."""
    disagreements: list[Disagreement]
    searched: int
    """The number of texts that were searched for secrets."""
    pending_creates: int
    """The number of pending creates that Pulumi keeps."""

    @property
    def failures(self) -> list[Disagreement]:
        """The violations of the reliability promise."""
        failed = [Disagreement("mismatch", f"the next `up` fails:\n{self.result.output}")]
        return [*(failed if self.result.code != 0 else []), *self.disagreements]


class World:
    """One branch: its organization, its stacks, and what their programs declare.

    `stack` and `wanted` belong to the first stack, which always exists; `second` is a second one, or None.
    """

    def __init__(self, cloud: Branch, stack: BranchedStack, earlier_syncs: list[dict[str, Any]]) -> None:
        self.cloud = cloud
        self.stack = stack
        self.second: Stack | None = None
        self._wanted: dict[Stack, list[Declaration]] = {stack: []}
        self._heard = Heard(earlier_syncs, {}, set())
        self.settled: dict[str, str] = {}
        """The ids of all targets at the end of the last step."""
        self.leftovers = ExitStack()
        """Processes that a run leaves alive, to be ended after the recovery."""

    @property
    def wanted(self) -> list[Declaration]:
        """What the program of the first stack declares."""
        return self._wanted[self.stack]

    def want(self, wanted: Iterable[Declaration], stack: Stack | None = None) -> None:
        """Rewrites the program of a stack, by default of the first."""
        stack = stack or self.stack
        self._wanted[stack] = list(wanted)
        stack.program(program(self.cloud, self._wanted[stack]))

    def wanted_of(self, stack: Stack) -> list[Declaration]:
        """What the program of a stack declares."""
        return self._wanted[stack]

    def comes(self, project: str, name: str) -> Stack:
        """Creates the second stack, with an empty program; in the same project its name differs from the first."""
        directory = self.cloud.directory / f"{project}-{name}"
        backend, keys = self.stack.backend, self.stack.keys
        stack = Stack(directory, "", env=self.cloud.env, name=project, stack=name, backend=backend, keys=keys)
        self.second = stack
        self.want([], stack)
        return stack

    def goes(self) -> None:
        """Removes the empty second stack."""
        assert self.second is not None
        self.second.must("stack", "rm", "--yes", self.second.name)
        del self._wanted[self.second]
        self.second = None

    def targets(self, stack: Stack | None = None) -> dict[str, dict[str, Any]]:
        """The targets in the state of a stack, by default of the first, by resource name."""
        found = resources(stack or self.stack, TARGET_TYPE)
        return {urn.rsplit("::", 1)[1]: each for urn, each in found.items()}

    def ids(self) -> dict[str, str]:
        """The ids of the targets in all states, by their identity through moves and renames."""
        return {
            each.identity: found[each.urn(stack)]["id"]
            for stack, wanted in self._wanted.items()
            for found in [resources(stack, TARGET_TYPE)]
            for each in wanted
            if each.urn(stack) in found
        }

    def disagreements(self) -> list[Disagreement]:
        """The current disagreements between cloud, states and programs."""
        return disagreements(self.cloud, self._wanted, self._heard)

    def lost(self, asked_for: Collection[str] = ()) -> list[Disagreement]:
        """The targets deleted since the last completed step although a program wanted them before and after.

        `asked_for` are targets whose replacement was requested.
        """
        self.cloud.requests()
        wanted = {each.identity for wanted in self._wanted.values() for each in wanted}
        return [
            Disagreement("lost", f"{identity} ({target_id}) was deleted, and is wanted")
            for identity, target_id in self.settled.items()
            if target_id in self.cloud.gone and identity in wanted and identity not in asked_for
        ]

    def settle(self) -> None:
        """Completes the step."""
        self.cloud.requests()
        self.cloud.gone.clear()
        self.settled = self.ids()

    def leaks(self) -> tuple[list[Disagreement], int]:
        """The secrets that appear in plain text anywhere, and the number of searched texts."""
        texts = dict(self._texts())
        found = [
            Disagreement("leak", f"{canary} in {where}")
            for where, text in texts.items()
            for canary in (*CANARIES, BASIC)
            if canary in text
        ]
        return found, len(texts)

    def _texts(self) -> Iterator[tuple[str, str]]:
        """State, backups, history, audit, all output, and everything else that Pulumi wrote."""
        for file in (*self.stack.directory.parent.rglob("*"), *self.cloud.audit_log.parent.rglob("*")):
            # Except the program itself, which is their source.
            if file.is_file() and file.suffix not in {".py", ".pyc"}:
                yield str(file), file.read_text(errors="replace")
        for number, said in enumerate(self.stack.said):
            yield f"what command {number} said", said

    def run(self, *command: str) -> tuple[Result, bool]:
        """Runs an ordinary command, after a `cancel` if Pulumi asks for it.

        Returns:
            The result of the command, and whether there was a `cancel`.
        """
        result = self.stack.run(*command)
        locked = result.code != 0 and "pulumi cancel" in result.output
        if locked:
            self.stack.must("cancel", "--yes")
            result = self.stack.run(*command)
        return result, locked

    def recover(self, *command: str, asked_for: Collection[str] = ()) -> Recovery:
        """Recovers like a user, with one ordinary `up` or another `command`, and checks the result; see `lost`."""
        self.cloud.calm()
        result, cancelled = self.run(*(command or UP))
        leaks, searched = self.leaks()
        found = [*self.lost(asked_for), *self.disagreements(), *leaks]
        self.settle()
        return Recovery(result, cancelled, found, searched, pending_creates(self.stack))


class Origin:
    """The world from which all branches start: four targets with their syncs."""

    UP = (Wanted("kept"), Wanted("changed"), Wanted("gone"), Wanted("moved"))

    def __init__(self, directory: Path, keys: Keys) -> None:
        self._directory = directory
        self._keys = keys
        self._state = directory / "emulator.sqlite"
        self._branches = 0

    def __enter__(self) -> Self:
        self._root = Cloud(
            self._directory,
            verification_seconds=VERIFICATION_SECONDS,
            state=self._state,
            organization_id=ORGANIZATION_ID,
        )
        self._root.__enter__()
        text = program(self._root, self.UP)
        self._stack = Stack(self._directory / "origin", text, env=self._root.env, keys=self._keys)
        result = self._stack.up()
        assert result.code == 0, result.output
        self._syncs = self._root.received()["syncs"]
        # The file is in use until its emulator ends; the gateway keeps running.
        self._root.emulator.__exit__()
        return self

    def __exit__(self, *_: object) -> None:
        self._root.__exit__()

    def branch(self, host: Path | None = OWN_HOST) -> World:
        """A new, independent world; the caller must close its cloud, using `with`."""
        self._branches += 1
        directory = self._directory / f"branch{self._branches}"
        directory.mkdir()
        state = directory / "emulator.sqlite"
        for each in self._directory.glob("emulator.sqlite*"):
            shutil.copy(each, directory / each.name)
        self._root._at_gateway.delete("/received").raise_for_status()
        cloud = Branch(directory, self._root, state)
        stack = BranchedStack(self._stack, directory / "stack", cloud, host)
        world = World(cloud, stack, self._syncs)
        world.want(self.UP)
        world.settle()
        return world
