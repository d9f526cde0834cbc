"""The site builds from the pages without warnings."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.docs.pages import PAGES, ROOT


def test_the_site_builds_strictly(tmp_path: Path) -> None:
    mkdocs = Path(sys.executable).with_name("mkdocs")
    build: list[str | Path] = [mkdocs, "build", "--strict", "--site-dir", tmp_path]
    done = subprocess.run(build, cwd=ROOT, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    names = {Path(page).stem for page in PAGES} - {"README"}
    assert {each.parent.name for each in tmp_path.glob("*/index.html")} >= names
