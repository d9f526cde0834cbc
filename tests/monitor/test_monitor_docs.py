"""The dashboard and the alert rules of the docs match the metrics."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.monitor.watching import activate, force, register
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from tests.monitor.conftest import Watcher
    from tests.monitor.watching import Watch
    from tests.support.cloud import Cloud

DOCS = Path(__file__).parents[2] / "docs"
PROMTOOL = shutil.which("promtool")
needs_promtool = pytest.mark.skipif(PROMTOOL is None, reason="no promtool on PATH")


def busy(cloud: Cloud, watch: Watcher) -> Watch:
    """A monitor whose metrics all have values."""
    (id_,) = register(cloud, ["orders"]).values()
    activate(cloud)
    running = watch()
    stream = running.stream()
    stream.row(lambda row: row["health"])
    force(cloud, id_, "FAILED", "refused")
    eventually(lambda: running.metric("changes_total", kind="target", status="FAILED"))
    return running


def expressions() -> list[str]:
    rules = yaml.safe_load((DOCS / "alerts.yaml").read_text())["groups"][0]["rules"]
    panels = json.loads((DOCS / "grafana.json").read_text())["panels"]
    return [each["expr"] for each in rules] + [each["expr"] for panel in panels for each in panel["targets"]]


def test_the_docs_only_name_existing_metrics(cloud: Cloud, watch: Watcher) -> None:
    there = {name for name, _ in busy(cloud, watch).metrics()}
    named = {name for each in expressions() for name in re.findall(r"genesys_eventbridge_\w+", each)}
    assert len(named) > 10
    assert named <= there


@needs_promtool
def test_promtool_finds_nothing_wrong_with_the_rules() -> None:
    done = subprocess.run(
        ["promtool", "check", "rules", DOCS / "alerts.yaml"], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


@needs_promtool
def test_promtool_finds_nothing_wrong_with_the_metrics(cloud: Cloud, watch: Watcher) -> None:
    text = busy(cloud, watch).http.get("/metrics").text
    done = subprocess.run(
        ["promtool", "check", "metrics"], input=text, check=False, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
