"""The real Pulumi engine for tests: a project with a stack in its own folder, controlled through the CLI."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Protocol

import yaml

from tests.support.process import Result, Running

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.support.keys import Keys

ROOT = Path(__file__).parents[2]
OWN_HOST = ROOT / "genesys_provider" / "host" / "bin"
PROJECT = "house"
TARGET_TYPE = "pulumi-python:dynamic/genesys:EventBridgeTarget"
SOURCE_TYPE = "pulumi-python:dynamic/genesys:EventBridgeSource"
SYNC_TYPE = "pulumi-python:dynamic/genesys:GatewaySync"


def urn(
    name: str, *parents: str, type_: str = TARGET_TYPE, stack: str = "dev", project: str = PROJECT
) -> str:
    """The URN of a resource; `parents` are the types of its components, the outermost first."""
    return f"urn:pulumi:{stack}::{project}::{'$'.join((*parents, type_))}::{name}"


def pulumi_path() -> str | None:
    """A `PATH` with `pulumi` and its Python language host, or None without Pulumi."""
    own = f"{ROOT / '.pulumi' / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"
    for path in (os.environ.get("PATH", ""), own):
        if shutil.which("pulumi", path=path) and shutil.which("pulumi-language-python", path=path):
            return path
    return None


def backend_url(directory: Path) -> str:
    """The URL of a backend in a folder.

    Without `metadata=skip` Pulumi writes a file of attributes for each of its files, in place. A SIGKILL can cut
    that file short, and then Pulumi can't load the state although it is intact.
    """
    return f"{directory.as_uri()}?metadata=skip"


def pulumi_env(home: Path, backend: Path, keys: Keys | None = None) -> dict[str, str]:
    """The environment of a Pulumi with its own home and backend, and with this service for the keys of stacks."""
    path = pulumi_path()
    assert path is not None, "no Pulumi here: run tools/setup"
    # The settings of the machine's own Pulumi must not affect the test.
    env = {key: value for key, value in os.environ.items() if not key.startswith("PULUMI_")}
    # Each command starts three Pythons, which should not compile the same modules again.
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    return env | {
        "PATH": path,
        "PULUMI_BACKEND_URL": backend_url(backend),
        "PULUMI_CONFIG_PASSPHRASE": "correct horse",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "PULUMI_HOME": str(home),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        **({} if keys is None else keys.env),
    }


@dataclass(frozen=True)
class NewStack:
    """The files that `pulumi stack init` writes."""

    backend: dict[Path, str]
    """The files of the backend, by their relative paths."""
    settings: str
    """`Pulumi.<stack>.yaml`, with the salt or the encrypted key of the secrets."""


@cache
def new_stack(project: str, name: str, keys: Keys | None) -> NewStack:
    """Runs `pulumi stack init` in a temporary folder, only once in a process for all stacks with these names."""
    with TemporaryDirectory() as directory:
        home, backend, there = (Path(directory, each) for each in ("home", "backend", "project"))
        backend.mkdir()
        there.mkdir()
        (there / "Pulumi.yaml").write_text(json.dumps({"name": project, "runtime": "python"}))
        env = pulumi_env(home, backend, keys)
        command = ["pulumi", "--non-interactive", "stack", "init", name]
        result = Running(command, there, env).wait()
        assert result.code == 0, result.output
        files = [each for each in backend.rglob("*") if each.is_file()]
        return NewStack(
            {each.relative_to(backend): each.read_text() for each in files},
            (there / f"Pulumi.{name}.yaml").read_text(),
        )


class Stack:
    """A project with one stack in `directory`, which also contains its backend and PULUMI_HOME.

    `program` is the text of `__main__.py`, and `modules` are other files of the project. `host` is the folder of
    the dynamic-provider host in Pulumi.yaml, None for the stock one. `env` is added to the environment. `name` is
    the name of the project, and `stack` that of the stack. A `backend` can be shared with other stacks. `keys`
    keeps the key of the stack; without that, it is made from a passphrase.
    """

    def __init__(
        self,
        directory: Path,
        program: str,
        *,
        modules: Mapping[str, str] | None = None,
        config: Mapping[str, str] | None = None,
        secrets: Mapping[str, str] | None = None,
        env: Mapping[str, str] | None = None,
        host: Path | None = OWN_HOST,
        name: str = PROJECT,
        stack: str = "dev",
        backend: Path | None = None,
        keys: Keys | None = None,
    ) -> None:
        self.directory = directory / "project"
        self.backend = backend or directory / "backend"
        self.directory.mkdir(parents=True)
        self.backend.mkdir(exist_ok=True)
        self.project, self.name, self.host, self.keys = name, stack, host, keys
        self.env = {**pulumi_env(directory / "home", self.backend, keys), **(env or {})}
        self.write_project()
        for file, text in (modules or {}).items():
            self.write(file, text)
        self.program(program)
        self._init()
        if config:
            values = {key if ":" in key else f"{name}:{key}": value for key, value in config.items()}
            self._settings.write_text(self._settings.read_text() + yaml.safe_dump({"config": values}))
        for key, value in (secrets or {}).items():
            self.must("config", "set", "--secret", key, "--", value)

    def _init(self) -> None:
        """Initializes the stack; in its own backend without `pulumi stack init`, which takes 0.3 s of CPU."""
        if self.env["PULUMI_BACKEND_URL"] != backend_url(self.backend):
            self.must("stack", "init", self.name)
            return
        assert not self._stored.exists(), f"{self.qualified} already exists"
        new = new_stack(self.project, self.name, self.keys)
        for path, text in new.backend.items():
            (self.backend / path).parent.mkdir(parents=True, exist_ok=True)
            (self.backend / path).write_text(text)
        self._settings.write_text(new.settings)
        project = str(self.directory.resolve() / "Pulumi.yaml")
        selected = f"{self.project}-{hashlib.sha1(project.encode()).hexdigest()}-workspace.json"  # noqa: S324
        workspaces = Path(self.env["PULUMI_HOME"], "workspaces")
        workspaces.mkdir(parents=True, exist_ok=True)
        (workspaces / selected).write_text(
            json.dumps({"stacks": {self.env["PULUMI_BACKEND_URL"]: self.qualified}})
        )

    @property
    def _stored(self) -> Path:
        """The state file, if the backend is a folder."""
        return self.backend / ".pulumi" / "stacks" / self.project / f"{self.name}.json"

    @property
    def _settings(self) -> Path:
        return self.directory / f"Pulumi.{self.name}.yaml"

    def write_project(self) -> None:
        """Writes Pulumi.yaml."""
        project = {
            "name": self.project,
            "runtime": {"name": "python", "options": {"virtualenv": sys.prefix}},
        }
        if self.host is not None:
            project["plugins"] = {"providers": [{"name": "pulumi-python", "path": str(self.host)}]}
        self.write("Pulumi.yaml", json.dumps(project))  # JSON is YAML

    def rename(self, stack: str | None = None, *, project: str | None = None) -> None:
        """`pulumi stack rename`; Pulumi.yaml gets the new name of the project too, as Pulumi requires."""
        self.name, self.project = stack or self.name, project or self.project
        self.must("stack", "rename", self.qualified)
        self.write_project()
        if "PULUMI_STACK" in self.env:
            self.env["PULUMI_STACK"] = self.name
        else:
            self.must("stack", "select", self.name)

    @property
    def qualified(self) -> str:
        """The stack's full name, which is unique in a backend."""
        return f"organization/{self.project}/{self.name}"

    def urn(self, name: str, *parents: str, type_: str = TARGET_TYPE) -> str:
        """The URN of a resource of this stack; see `urn`."""
        return urn(name, *parents, type_=type_, stack=self.name, project=self.project)

    def write(self, file: str, text: str) -> None:
        """Writes a file of the project.

        Python would run the bytecode of a file that has been replaced within a second by one of the same size.
        """
        (self.directory / file).write_text(text)
        shutil.rmtree(self.directory / "__pycache__", ignore_errors=True)

    def program(self, text: str) -> None:
        """Replaces the program."""
        self.write("__main__.py", text)

    def start(self, *arguments: str, env: Mapping[str, str] | None = None) -> Running:
        """Starts `pulumi` with these arguments."""
        command = ["pulumi", "--non-interactive", "--color", "never", *arguments]
        return Running(command, self.directory, {**self.env, **(env or {})})

    def run(self, *arguments: str, env: Mapping[str, str] | None = None) -> Result:
        """Runs `pulumi` with these arguments to its end."""
        return self.start(*arguments, env=env).wait()

    def must(self, *arguments: str, env: Mapping[str, str] | None = None) -> Result:
        """Runs `pulumi` with these arguments, and fails if it fails."""
        result = self.run(*arguments, env=env)
        assert result.code == 0, result.output
        return result

    def up(self, *arguments: str, env: Mapping[str, str] | None = None) -> Result:
        return self.run("up", "--yes", "--skip-preview", *arguments, env=env)

    def preview(self, *arguments: str, env: Mapping[str, str] | None = None) -> Result:
        return self.run("preview", *arguments, env=env)

    def refresh(self, *arguments: str, env: Mapping[str, str] | None = None) -> Result:
        return self.run("refresh", "--yes", "--skip-preview", *arguments, env=env)

    def destroy(self, *arguments: str, env: Mapping[str, str] | None = None) -> Result:
        return self.run("destroy", "--yes", "--skip-preview", *arguments, env=env)

    def import_(self, type_: str, name: str, id_: str, *arguments: str) -> Result:
        return self.run("import", type_, name, id_, "--yes", "--skip-preview", *arguments)

    def export(self) -> dict[str, Any]:
        """The `deployment` of the state, with secrets encrypted; read from the file if the backend is a folder."""
        if self.env["PULUMI_BACKEND_URL"] != backend_url(self.backend):
            return dict(json.loads(self.must("stack", "export").output)["deployment"])
        deployment: dict[str, Any] = json.loads(self._stored.read_text())["checkpoint"]["latest"]
        return deployment

    def resources(self) -> dict[str, dict[str, Any]]:
        """The resources in the state by name, without the stack and the providers."""
        return {
            each["urn"].rsplit("::", 1)[1]: each
            for each in self.export().get("resources", [])
            if not each["type"].startswith("pulumi:")
        }

    def recorded(self) -> dict[str, Any]:
        """The outputs of each resource, with secrets in plain text, since encrypted ones change each time."""
        exported = json.loads(self.must("stack", "export", "--show-secrets").output)
        return {each["urn"]: each.get("outputs") for each in exported["deployment"].get("resources", [])}

    def pending(self) -> list[dict[str, Any]]:
        """The operations whose result the engine does not know."""
        return self.export().get("pending_operations") or []

    def outputs(self) -> dict[str, Any]:
        """The stack's outputs, with secrets in plain text."""
        result: dict[str, Any] = json.loads(self.must("stack", "output", "--json", "--show-secrets").output)
        return result

    def stored(self) -> str:
        """Everything in the backend: the state, its backups and its history."""
        return "\n".join(
            each.read_text(errors="replace") for each in sorted(self.backend.rglob("*")) if each.is_file()
        )


def id_of(stack: Stack, name: str = "orders") -> str:
    """The id of a resource in the state."""
    found: str = stack.resources()[name]["id"]
    return found


class StackMaker(Protocol):
    """Creates a stack with this program; the options are those of `Stack`."""

    def __call__(self, program: str, **options: Any) -> Stack: ...


def alive(pid: int) -> bool:
    """Whether a process with this id is running; a zombie is not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
