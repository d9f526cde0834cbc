"""Tests what users install: builds the wheel, installs it into an empty environment, and uses it there.

The wheel must contain or require everything that it needs; only the emulator, the gateway and Pulumi come from the
checkout. This needs a package index, so it is a step of `.ci/run`, and not of `make test`.

    python -m tools.wheel
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

from tests.support.cloud import PASSWORD, USERNAME, Cloud
from tests.support.engine import ROOT, Stack

COMMANDS = """
import click
from genesys_provider.cli import main

def commands(command, *path):
    yield path
    for name, each in getattr(command, "commands", {}).items():
        yield from commands(each, *path, name)

print(*(" ".join(path) for path in commands(main)), sep="\\n")
"""
NAMES = """
import genesys_provider, genesys_provider.host

for module in genesys_provider, genesys_provider.host:
    for name in module.__all__:
        assert getattr(module, name) is not None, name
print(genesys_provider.__file__)
"""
PROGRAM = f"""
import pulumi
from genesys_provider import BasicAuth, EventBridgeTarget

orders = EventBridgeTarget(
    "orders",
    endpoint_url=pulumi.Config().require("endpoint"),
    auth=BasicAuth("{USERNAME}", pulumi.Config().require_secret("password")),
    event_types=["CONVERSATION_STARTED"],
)
pulumi.export("status", orders.status)
"""


class Installed:
    """An environment that only contains the wheel and its dependencies."""

    def __init__(self, folder: Path, wheel: Path) -> None:
        self.folder = folder
        self._wheel = wheel
        venv.create(folder, with_pip=True)
        self.add()

    def add(self, extras: str = "") -> None:
        """Installs the wheel with extras, such as `[monitor]`."""
        pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        self.run("python", *pip, f"{self._wheel}{extras}")

    def run(self, program: str, *arguments: str, cwd: Path | None = None, fails: bool = False) -> str:
        """Runs a program of the environment, and exits unless it succeeds, or fails if it should."""
        env = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        done = subprocess.run(
            [self.folder / "bin" / program, *arguments],
            cwd=cwd or self.folder,
            env=env,
            check=False,
            capture_output=True,
            text=True,
        )
        if (done.returncode != 0) != fails:
            sys.exit(
                f"{program} {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
            )
        return done.stdout + done.stderr


def use(installed: Installed, folder: Path) -> None:
    """Runs the smallest program, from `init` to `destroy`, in a folder with only Pulumi's own file."""
    with Cloud(folder) as cloud:
        stack = Stack(
            folder,
            PROGRAM,
            host=None,
            config={"endpoint": cloud.endpoint("orders")},
            secrets={"password": PASSWORD},
            env=cloud.env,
        )
        runtime = {"name": "python", "options": {"virtualenv": str(installed.folder)}}
        stack.write("Pulumi.yaml", json.dumps({"name": stack.project, "runtime": runtime}))
        installed.run("genesys-eventbridge", "init", cwd=stack.directory)
        up = stack.must("up", "--yes", "--skip-preview").output
        if stack.outputs() != {"status": "VERIFIED"} or "Traceback" in up:
            sys.exit(f"the target is not verified:\n{up}")
        # A status line of our host; Pulumi's own host shows none.
        if "verif" not in up:
            sys.exit(f"this is not our host:\n{up}")
        stack.must("destroy", "--yes", "--skip-preview")


def main() -> None:
    """Exits with an error at the first failure."""
    with tempfile.TemporaryDirectory(prefix="wheel-") as name:
        folder = Path(name)
        build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
        subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
        (wheel,) = folder.glob("*.whl")
        installed = Installed(folder / "venv", wheel)
        if str(folder) not in installed.run("python", "-c", NAMES):
            sys.exit("the imported package is not the one in the wheel")
        commands = installed.run("python", "-c", COMMANDS).splitlines()
        for command in commands:
            installed.run("genesys-eventbridge", *command.split(), "--help")
        use(installed, folder / "use")
        print(f"{wheel.name}: {len(commands)} commands, and a target from `up` to `destroy`", flush=True)
        for extra in ("emulator", "monitor"):
            said = installed.run("genesys-eventbridge", extra, "--port", "0", fails=True)
            if f"[{extra}]" not in said:
                sys.exit(f"without its extra, `{extra}` does not name it:\n{said}")
        installed.add("[emulator,monitor]")
        installed.run("python", "-c", "import genesys_provider.emulator, genesys_provider.monitor.server")
        print("with its extras: the emulator and the monitor", flush=True)


if __name__ == "__main__":
    main()
