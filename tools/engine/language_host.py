"""Runs Pulumi programs written in Python, where the official `pulumi-language-python` is not to be had.

The engine starts this beside itself, reads the port from standard output and asks over gRPC. What matters
is `Run`: it starts the program with the SDK's own runner, `pulumi-language-python-exec`, which `tools/setup`
puts beside this file. The program inherits standard output and error; the engine shows what comes there.

Not here: poetry and uv as toolchains, debuggers, code generation, plugins and policies written in Python.
"""

# ruff: noqa: N802, ARG002 (the names and the signatures are gRPC's)
from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent import futures
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import grpc
from google.protobuf import empty_pb2, json_format

for package in ("pulumi", "pulumi.runtime"):
    # Import only the protocol: the SDK around it doubles the start, and each `up` starts this program twice.
    bare = ModuleType(package)
    bare.__path__ = list(find_spec(package).submodule_search_locations)  # type: ignore[union-attr,arg-type]
    sys.modules[package] = bare

from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator

RUNNER = Path(__file__).with_name("pulumi-language-python-exec")
ERROR_ALREADY_SHOWN = 32
"""The runner's exit code once the program's error has been logged: the engine then adds nothing."""
MESSAGE_LIMIT = 400 * 1024 * 1024
"""In bytes: what the engine and the SDK allow too."""

DEPENDENCIES = """
import importlib.metadata, json, re
required, found = set(), {}
for each in importlib.metadata.distributions():
    found[each.metadata["Name"]] = each.version
    for line in each.requires or ():
        required.add(re.split(r"[^A-Za-z0-9._-]", line, maxsplit=1)[0].lower().replace("_", "-"))
direct = {name: name.lower().replace("_", "-") not in required for name in found}
print(json.dumps([[name, version, direct[name]] for name, version in sorted(found.items())]))
"""


class ProgramError(Exception):
    """The program can't be started; the message is for the user."""


def virtualenv_of(info: Any) -> Path | None:
    """The virtual environment that `Pulumi.yaml` names, relative to it."""
    options = json_format.MessageToDict(info.options)
    named = options.get("virtualenv")
    return Path(info.root_directory, str(named)) if named else None


def python_of(info: Any) -> str:
    """The program's interpreter: the project's virtual environment, else $PULUMI_PYTHON_CMD, else python3."""
    venv = virtualenv_of(info)
    if venv is None:
        return os.environ.get("PULUMI_PYTHON_CMD") or "python3"
    python = venv / "bin" / "python"
    if not python.exists():
        raise ProgramError(
            f"The 'virtualenv' option in Pulumi.yaml is '{venv}', and there is no virtual environment there. "
            "Run `pulumi install`, or change the option."
        )
    return str(python)


def environment_of(info: Any) -> dict[str, str]:
    """The program's environment, with the virtual environment's commands first."""
    env = dict(os.environ)
    venv = virtualenv_of(info)
    if venv is not None:
        env["VIRTUAL_ENV"] = str(venv)
        env["PATH"] = f"{venv / 'bin'}{os.pathsep}{env.get('PATH', '')}"
        env.pop("PYTHONHOME", None)
    return env


class LanguageHost(language_pb2_grpc.LanguageRuntimeServicer):
    """What the engine asks of a language."""

    def __init__(self, engine: str) -> None:
        self.engine = engine
        self.children: set[subprocess.Popen[bytes]] = set()

    def Handshake(self, request: Any, context: Any) -> Any:
        """Notes the engine's address, where the command line has none."""
        self.engine = request.engine_address
        return language_pb2.LanguageHandshakeResponse()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        """Says which SDK this speaks for."""
        return plugin_pb2.PluginInfo(version=metadata.version("pulumi"))

    def GetRequiredPackages(self, request: Any, context: Any) -> Any:
        """Names none: the engine fetches the plugin of another package when the program first uses it."""
        return language_pb2.GetRequiredPackagesResponse()

    def GetRequiredPlugins(self, request: Any, context: Any) -> Any:
        """The same, as older engines ask."""
        return language_pb2.GetRequiredPluginsResponse()

    def Run(self, request: Any, context: Any) -> Any:
        """Runs the program to its end."""
        info = request.info
        try:
            command = [python_of(info), "-u", str(RUNNER)]
        except ProgramError as error:
            return language_pb2.RunResponse(error=str(error))
        command += [
            *("--monitor", request.monitor_address),
            *("--engine", self.engine),
            *("--project", request.project),
            *("--stack", request.stack),
            *("--organization", request.organization),
            *("--root_directory", info.root_directory),
            *("--pwd", request.pwd),
            *("--dry_run", "true" if request.dryRun else "false"),
            *("--parallel", str(request.parallel)),
            *(info.entry_point or request.program, *request.args),
        ]
        env = environment_of(info)
        # The engine is on this machine, but the SDK's gRPC would go through the proxy of http_proxy to it.
        env.setdefault("no_grpc_proxy", "127.0.0.1")
        env["PULUMI_CONFIG"] = json.dumps(dict(request.config))
        env["PULUMI_CONFIG_SECRET_KEYS"] = json.dumps(list(request.configSecretKeys))
        try:
            # A group of its own: the engine ends this process with SIGINT to the group, and a program that is
            # about to end anyway would die of it with a KeyboardInterrupt's traceback.
            code = self._wait(subprocess.Popen(command, cwd=request.pwd, env=env, start_new_session=True))
        except OSError as error:
            return language_pb2.RunResponse(error=f"could not start {command[0]}: {error.strerror}")
        if code == 0:
            return language_pb2.RunResponse()
        if code == ERROR_ALREADY_SHOWN:
            return language_pb2.RunResponse(bail=True)
        how = f"with exit code {code}" if code > 0 else f"by {signal.Signals(-code).name}"
        return language_pb2.RunResponse(error=f"the program ended {how}")

    def InstallDependencies(self, request: Any, context: Any) -> Iterator[Any]:
        """Makes the virtual environment that `Pulumi.yaml` names, and installs `requirements.txt` into it."""
        info = request.info
        venv = virtualenv_of(info)
        commands: list[list[str]] = []
        if venv is not None and not (venv / "bin" / "python").exists():
            commands.append([os.environ.get("PULUMI_PYTHON_CMD") or "python3", "-m", "venv", str(venv)])
        if Path(info.program_directory, "requirements.txt").exists():
            python = str(venv / "bin" / "python") if venv else python_of(info)
            commands.append([python, "-m", "pip", "install", "--quiet", "-r", "requirements.txt"])
        for command in commands:
            child = subprocess.Popen(
                command, cwd=info.program_directory, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
            )
            self.children.add(child)
            for line in child.stdout or ():
                yield language_pb2.InstallDependenciesResponse(stdout=line)
            if self._wait(child):
                context.abort(grpc.StatusCode.UNKNOWN, f"`{' '.join(command)}` failed")

    def GetProgramDependencies(self, request: Any, context: Any) -> Any:
        """The packages of the program's Python, for `pulumi about`."""
        answer = subprocess.run(
            [python_of(request.info), "-c", DEPENDENCIES], capture_output=True, check=True
        )
        found = json.loads(answer.stdout)
        return language_pb2.GetProgramDependenciesResponse(
            dependencies=[
                language_pb2.DependencyInfo(name=name, version=version)
                for name, version, direct in found
                if direct or request.transitiveDependencies
            ]
        )

    def About(self, request: Any, context: Any) -> Any:
        """The Python of the program, for `pulumi about`."""
        ask = "import platform, sys; print(sys.executable); print(platform.python_version())"
        answer = subprocess.run(
            [python_of(request.info), "-c", ask], capture_output=True, check=True, text=True
        )
        executable, version = answer.stdout.split("\n")[:2]
        return language_pb2.AboutResponse(executable=executable, version=version)

    def RuntimeOptionsPrompts(self, request: Any, context: Any) -> Any:
        """Asks nothing in `pulumi new`."""
        return language_pb2.RuntimeOptionsResponse()

    def GenerateProgram(self, request: Any, context: Any) -> Any:  # noqa: D102
        hint = (
            "# Code is generated by the official pulumi-language-python only: write the resource by hand.\n"
        )
        return language_pb2.GenerateProgramResponse(source={"__main__.py": hint.encode()})

    def Cancel(self, request: Any, context: Any) -> Any:
        """Lets the program go on: the engine refuses its next registration, and it ends by itself."""
        return empty_pb2.Empty()

    def _wait(self, child: subprocess.Popen[bytes]) -> int:
        self.children.add(child)
        try:
            return child.wait()
        finally:
            self.children.discard(child)

    def leave(self) -> None:
        """Ends the process and what it started, without a word: it would land in the user's output."""
        for child in list(self.children):
            child.kill()
        os._exit(0)


def main() -> None:
    """Serves until the engine says that it is enough, or is gone."""
    parent = os.getppid()
    host = LanguageHost(sys.argv[-1])
    server = grpc.server(
        futures.ThreadPoolExecutor(max_workers=16),
        options=[
            ("grpc.max_receive_message_length", MESSAGE_LIMIT),
            ("grpc.max_send_message_length", MESSAGE_LIMIT),
        ],
    )
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(host, server)
    over = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: over.set())
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    while not over.is_set() and os.getppid() == parent:
        time.sleep(0.1)
    host.leave()


if __name__ == "__main__":
    main()
