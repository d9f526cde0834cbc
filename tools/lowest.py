"""Tests the lowest versions that `pyproject.toml` allows: installs them, and runs a part of the tests with them.

It needs a package index, so it is `make lowest`, and not a part of `make test`. It fails if a bound names a
version that does not work. The versions are tested with the lowest Python, or with the one that runs this script if
that is not installed.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
EXTRAS = ("emulator", "monitor")
"""The extras that users install."""
TEST_TOOLS = ("hypothesis", "pytest", "pytest-timeout", "pytest-xdist")
TESTS = (
    "tests/cli/test_audit.py",
    "tests/cli/test_init.py",
    "tests/cli/test_cli_targets.py",
    "tests/client",
    "tests/emulator/test_emulator_targets.py",
    "tests/host/test_host_imports.py",
    "tests/host/test_host_operations.py",
    "tests/monitor/test_monitor_reading.py",
    "tests/provider/test_changes.py",
    "tests/provider/test_stock_host.py",
    "tests/targets",
)
"""Together they use every dependency, and the SDK in each kind of operation on the real engine."""


def lowest(project: str) -> dict[str, str]:
    """The lowest version of each run-time dependency, including those of `EXTRAS`, from a pyproject.toml's text."""
    lists = [_list(project, "dependencies"), *(_list(project, extra) for extra in EXTRAS)]
    requirements = [each for found in lists for each in re.findall(r'"([^"]+)"', found)]
    bounds = {}
    for each in requirements:
        name, separator, version = each.partition(">=")
        if not separator or not re.fullmatch(r"[0-9.]+", version):
            sys.exit(f"pyproject.toml: '{each}' has no lower bound of the form 'name>=version'")
        bounds[name] = version
    return bounds


def _list(project: str, key: str) -> str:
    found = re.search(rf"^{key} = \[(.*?)\]", project, re.MULTILINE | re.DOTALL)
    if found is None:
        sys.exit(f"pyproject.toml has no list '{key}'")
    return found[1]


def python_of(project: str) -> str:
    """The lowest Python that the text of a pyproject.toml allows, if this machine has it; else this one."""
    found = re.search(r'^requires-python = ">=([0-9.]+)"$', project, re.MULTILINE)
    name = f"python{found[1]}" if found else sys.executable
    try:
        subprocess.run([name, "--version"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return sys.executable
    return name


def main() -> None:
    """Exits with the code of the first failed command."""
    bounds = lowest((ROOT / "pyproject.toml").read_text())
    with tempfile.TemporaryDirectory(prefix="lowest-") as folder:
        constraints = Path(folder, "constraints.txt")
        constraints.write_text("".join(f"{name}=={version}\n" for name, version in bounds.items()))
        base = python_of((ROOT / "pyproject.toml").read_text())
        print("lowest versions:", base, *constraints.read_text().split(), flush=True)
        subprocess.run([base, "-m", "venv", Path(folder, "venv")], check=True)
        python = str(Path(folder, "venv", "bin", "python"))
        install = [
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--constraint",
            str(constraints),
        ]
        for command in (
            [*install, "--editable", f".[{','.join(EXTRAS)}]", *TEST_TOOLS],
            # Old versions may warn about newer ones, which is not an error.
            ["-m", "pytest", "-W", "default", "-p", "no:cacheprovider", "-n", "2", *TESTS],
        ):
            done = subprocess.run([python, *command], cwd=ROOT, check=False)
            if done.returncode:
                sys.exit(done.returncode)


if __name__ == "__main__":
    main()
