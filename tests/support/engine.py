"""The real Pulumi engine for tests: a project and a stack in a folder of their own, driven by the CLI."""

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

ROOT = Path(__file__).parents[2]
OWN_HOST = ROOT / "genesys_provider" / "host" / "bin"
PROJECT = "house"
TARGET_TYPE = "pulumi-python:dynamic/genesys:EventBridgeTarget"
SOURCE_TYPE = "pulumi-python:dynamic/genesys:EventBridgeSource"
SYNC_TYPE = "pulumi-python:dynamic/genesys:GatewaySync"


def urn(
    name: str, *parents: str, type_: str = TARGET_TYPE, stack: str = "dev", project: str = PROJECT
) -> str:
    """The URN of a resource; `parents` are the types of the components that it is in, the outermost first."""
    return f"urn:pulumi:{stack}::{project}::{'$'.join((*parents, type_))}::{name}"


def pulumi_path() -> str | None:
    """The `PATH` that has `pulumi` and its Python language host, or None where there is no Pulumi."""
    own = f"{ROOT / '.pulumi' / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"
    for path in (os.environ.get("PATH", ""), own):
        if shutil.which("pulumi", path=path) and shutil.which("pulumi-language-python", path=path):
            return path
    return None


def backend_url(directory: Path) -> str:
    """A backend in a folder.

    Without `metadata=skip` Pulumi keeps a file of attributes beside each of its own and writes it in place: a
    SIGKILL can cut it short, and then Pulumi can't load the state, which is whole.
    """
    return f"{directory.as_uri()}?metadata=skip"


def pulumi_env(home: Path, backend: Path) -> dict[str, str]:
    """The environment of a Pulumi with a home and a backend of its own."""
    path = pulumi_path()
    assert path is not None, "no Pulumi here: run tools/setup"
    # What the machine's own Pulumi is set to must not reach the test.
    env = {key: value for key, value in os.environ.items() if not key.startswith("PULUMI_")}
    # Each command starts three Pythons: none of them need compile the same again.
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    return env | {
        "PATH": path,
        "PULUMI_BACKEND_URL": backend_url(backend),
        "PULUMI_CONFIG_PASSPHRASE": "correct horse",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "PULUMI_HOME": str(home),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }


@dataclass(frozen=True)
class NewStack:
    """What `pulumi stack init` writes."""

    backend: dict[Path, str]
    """The files of the backend by their paths in it."""
    settings: str
    """`Pulumi.<stack>.yaml`: the salt of the secrets."""


@cache
def new_stack(project: str, name: str) -> NewStack:
    """Runs `pulumi stack init` in a folder that goes again; once in a process, for all stacks of these names."""
    with TemporaryDirectory() as directory:
        home, backend, there = (Path(directory, each) for each in ("home", "backend", "project"))
        backend.mkdir()
        there.mkdir()
        (there / "Pulumi.yaml").write_text(json.dumps({"name": project, "runtime": "python"}))
        command = ["pulumi", "--non-interactive", "stack", "init", name]
        result = Running(command, there, pulumi_env(home, backend)).wait()
        assert result.code == 0, result.output
        files = [each for each in backend.rglob("*") if each.is_file()]
        return NewStack(
            {each.relative_to(backend): each.read_text() for each in files},
            (there / f"Pulumi.{name}.yaml").read_text(),
        )


class Stack:
    """A project with one stack in `directory`: program, backend and PULUMI_HOME are below it.

    `program` is the text of `__main__.py`; `modules` are further files of the project. `host` is the folder
    of the dynamic-provider host that Pulumi.yaml names, None for the stock one. `env` comes on top of the
    environment. `name` is the project's, `stack` the stack's. With `backend`, it is one of several stacks there.
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
    ) -> None:
        self.directory = directory / "project"
        self.backend = backend or directory / "backend"
        self.directory.mkdir(parents=True)
        self.backend.mkdir(exist_ok=True)
        self.project, self.name, self.host = name, stack, host
        self.env = {**pulumi_env(directory / "home", self.backend), **(env or {})}
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
        """What `pulumi stack init` does; in a backend of its own without running it, at 0.3 s of CPU."""
        if self.env["PULUMI_BACKEND_URL"] != backend_url(self.backend):
            self.must("stack", "init", self.name)
            return
        assert not self._stored.exists(), f"{self.qualified} is already there"
        new = new_stack(self.project, self.name)
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
        """The state, of a backend in a folder."""
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
        """`pulumi stack rename`; a new name of the project goes into Pulumi.yaml too, as Pulumi wants it."""
        self.name, self.project = stack or self.name, project or self.project
        self.must("stack", "rename", self.qualified)
        self.write_project()
        if "PULUMI_STACK" in self.env:
            self.env["PULUMI_STACK"] = self.name
        else:
            self.must("stack", "select", self.name)

    @property
    def qualified(self) -> str:
        """The stack's full name, which several stacks of a backend tell apart."""
        return f"organization/{self.project}/{self.name}"

    def urn(self, name: str, *parents: str, type_: str = TARGET_TYPE) -> str:
        """The URN of a resource of this stack; see `urn`."""
        return urn(name, *parents, type_=type_, stack=self.name, project=self.project)

    def write(self, file: str, text: str) -> None:
        """Puts a file into the project."""
        (self.directory / file).write_text(text)

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
        """Runs `pulumi` with these arguments, and fails where it fails."""
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
        """The `deployment` of the state, secrets encrypted; of a backend in a folder without a command."""
        if self.env["PULUMI_BACKEND_URL"] != backend_url(self.backend):
            return dict(json.loads(self.must("stack", "export").output)["deployment"])
        deployment: dict[str, Any] = json.loads(self._stored.read_text())["checkpoint"]["latest"]
        return deployment

    def resources(self) -> dict[str, dict[str, Any]]:
        """The resources of the state by their names, but for the stack and the providers."""
        return {
            each["urn"].rsplit("::", 1)[1]: each
            for each in self.export().get("resources", [])
            if not each["type"].startswith("pulumi:")
        }

    def recorded(self) -> dict[str, Any]:
        """The outputs of each resource, secrets in plain text: encrypted, they are never the same twice."""
        exported = json.loads(self.must("stack", "export", "--show-secrets").output)
        return {each["urn"]: each.get("outputs") for each in exported["deployment"].get("resources", [])}

    def pending(self) -> list[dict[str, Any]]:
        """The operations that the engine does not know the end of."""
        return self.export().get("pending_operations") or []

    def outputs(self) -> dict[str, Any]:
        """The stack's outputs, secrets in plain text."""
        result: dict[str, Any] = json.loads(self.must("stack", "output", "--json", "--show-secrets").output)
        return result

    def stored(self) -> str:
        """Everything that the backend holds: the state, its backups and its history."""
        return "\n".join(
            each.read_text(errors="replace") for each in sorted(self.backend.rglob("*")) if each.is_file()
        )


class StackMaker(Protocol):
    """Makes a stack that runs this program; the arguments are those of `Stack`."""

    def __call__(self, program: str, **options: Any) -> Stack: ...


def alive(pid: int) -> bool:
    """Whether a process of this id runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
