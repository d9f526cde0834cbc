"""What a user installs: the wheel holds the types and the host; the versions that it asks for are consistent."""

from __future__ import annotations

import importlib.metadata
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).parent.parent


def test_the_wheel(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        entries = {entry.filename: entry for entry in archive.infolist()}
        contract = archive.read("genesys_provider/emulator/openapi.yaml")
    assert contract == (ROOT / "contract" / "openapi.yaml").read_bytes()
    assert "genesys_provider/py.typed" in entries
    assert "genesys_provider/monitor/static/index.html" in entries
    (host,) = (
        entry
        for name, entry in entries.items()
        if name.endswith("share/genesys-eventbridge/host/pulumi-resource-pulumi-python")
    )
    assert host.external_attr >> 16 & 0o111, "not executable"
    assert f"{host.filename}.cmd" in entries, "not for Windows"
    assert not [
        name for name in entries if name.startswith(("tests", "bench", "contract", "tools", "stacks"))
    ]


def lowest(project: str) -> dict[str, str]:
    """What `tools/lowest.py`, which tries the lowest versions, takes for these."""
    code = "import json, sys; from lowest import lowest; print(json.dumps(lowest(sys.stdin.read())))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT / "tools",
        input=project,
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise ValueError(done.stderr)
    found: dict[str, str] = json.loads(done.stdout)
    return found


def test_each_dependency_has_a_lowest_version_and_a_pin_that_is_not_below() -> None:
    bounds = lowest((ROOT / "pyproject.toml").read_text())
    pins = [
        Requirement(line)
        for line in (ROOT / "requirements.txt").read_text().splitlines()
        if not line.startswith("#")
    ]
    declared = {
        Requirement(line).name
        for line in importlib.metadata.requires("genesys-eventbridge") or ()
        if "extra ==" not in line
    }
    assert {each.name for each in pins} == declared
    assert declared <= set(bounds)
    for pin in pins:
        (only,) = pin.specifier
        assert Version(bounds[pin.name]) <= Version(only.version), pin.name


@pytest.mark.parametrize("requirement", ["click", "click==8.1", "click>=8.1,<9", "click>8"])
def test_a_dependency_without_a_lowest_version_is_told(requirement: str) -> None:
    text = (ROOT / "pyproject.toml").read_text()
    changed = re.sub(r'"click>=[0-9.]+"', f'"{requirement}"', text)
    assert changed != text
    with pytest.raises(ValueError, match=f"'{re.escape(requirement)}' has no lower bound"):
        lowest(changed)


def test_no_statement_numbers_its_placeholders() -> None:
    """Python 3.14 refuses `?1` with a sequence of values, and Python 3.12 warns of it."""
    numbered = re.compile(r"[ (]\?\d")
    sources = list((ROOT / "genesys_provider").rglob("*.py"))
    assert sources
    assert not [each.name for each in sources if numbered.search(each.read_text(encoding="utf-8"))]
