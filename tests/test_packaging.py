"""What a user installs: the wheel holds the types, and the host where `Pulumi.yaml` is told to find it."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

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
    assert "genesys_provider/py.typed" in entries
    (host,) = (
        entry
        for name, entry in entries.items()
        if name.endswith("share/genesys-eventbridge/host/pulumi-resource-pulumi-python")
    )
    assert host.external_attr >> 16 & 0o111, "not executable"
    assert not [name for name in entries if name.startswith(("tests", "bench", "tools", "stacks"))]
