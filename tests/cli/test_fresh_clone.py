"""A project that was committed after `init` works in a fresh clone, with `pulumi install` and `preview`."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.support.engine import OWN_HOST, ROOT

if TYPE_CHECKING:
    from tests.support.cloud import Cloud
    from tests.support.declared import Declared

SCRIPT = "pulumi-resource-pulumi-python"
IGNORED = """\
# As GitHub proposes it for Python, and more
__pycache__/
*.so
.Python
build/
dist/
downloads/
lib/
lib64/
parts/
sdist/
var/
wheels/
share/python-wheels/
*.egg
site/
bin/
out/
target/
tmp/
.*
!.gitignore
env/
venv/
"""


def wheel(folder: Path) -> Path:
    """A wheel that stands for our package and its dependencies, which are in this environment, not in an index."""
    path = folder / "borrowed-1.0-py3-none-any.whl"
    about = "borrowed-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("borrowed.pth", f"{sysconfig.get_path('purelib')}\n{ROOT}\n")
        archive.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\nName: borrowed\nVersion: 1.0\n")
        archive.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{about}/RECORD", "")
    return path


def git(folder: Path, *arguments: str) -> None:
    settings = ("-c", "user.name=test", "-c", "user.email=test@example.com")
    subprocess.run(["git", *settings, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.mark.full_length
@pytest.mark.parametrize("virtualenv", [".venv", "venv"])
def test_a_fresh_clone(declared: Declared, cloud: Cloud, tmp_path: Path, virtualenv: str) -> None:
    stack = declared.stack(declared.targets(["orders"]))
    stack.write(
        "Pulumi.yaml",
        f"name: house\nruntime:\n  name: python\n  options:\n    toolchain: pip\n    virtualenv: {virtualenv}\n",
    )
    stack.write("requirements.txt", f"--no-index\n{wheel(tmp_path)}\n")
    stack.write(".gitignore", IGNORED)
    command = Path(sys.executable).with_name("genesys-eventbridge")
    subprocess.run([command, "init"], cwd=stack.directory, check=True, capture_output=True)
    git(stack.directory, "init", "--quiet")
    git(stack.directory, "add", "--all")
    git(stack.directory, "commit", "--quiet", "--message", "The project")
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", str(stack.directory), str(clone))
    stack.directory = clone

    stack.must("install")
    preview = stack.preview("--stack", "dev")
    assert preview.code == 0, preview.output
    assert "+ 2 to create" in preview.output
    # Our host is in use, since the stock one shows no status.
    up = stack.up("--stack", "dev")
    assert up.code == 0, up.output
    assert " verifying 0/" in up.output
    cloud.requests()
    assert list(cloud.targets()) == ["orders"]


@pytest.mark.parametrize(
    "project",
    [
        "Pulumi.yaml",
        "examples/aws-api-gateway/Pulumi.yaml",
        "examples/aws-event-bus/Pulumi.yaml",
        "examples/fleet/Pulumi.yaml",
    ],
)
def test_the_projects_of_this_repository(project: str) -> None:
    (provider,) = yaml.safe_load((ROOT / project).read_text())["plugins"]["providers"]
    script = (ROOT / project).parent / provider["path"] / SCRIPT
    assert ".venv" not in script.parts
    assert os.access(script, os.X_OK)
    assert script.read_bytes() == (OWN_HOST / SCRIPT).read_bytes()
