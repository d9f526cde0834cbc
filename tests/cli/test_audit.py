"""`genesys-eventbridge audit verify` finds what was done to an audit file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from genesys_provider.cli import main
from genesys_provider.targets.audit import AuditEvent, AuditTrail


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "audit.jsonl"
    trail = AuditTrail(path)
    for number in range(5):
        trail.record(AuditEvent.TARGET_CREATED, f"target-{number}", latency_seconds=0.1)
    return path


def verify(file: Path) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["audit", "verify", str(file)])
    return result.exit_code, result.output


def test_a_whole_chain(file: Path) -> None:
    assert verify(file) == (0, f"{file}: the chain is whole\n")


@pytest.mark.parametrize("removed", range(5))
def test_a_removed_entry(file: Path, removed: int) -> None:
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join(lines[:removed] + lines[removed + 1 :]))
    code, output = verify(file)
    assert code == 1
    assert ("missing at the end" if removed == 4 else f"line {removed + 1}: it does not follow") in output


def test_a_changed_entry(file: Path) -> None:
    file.write_text(file.read_text().replace("target-2", "target-9"))
    assert verify(file) == (1, "line 3: the entry was changed after it was written\n")


def test_an_inserted_entry(file: Path) -> None:
    lines = file.read_text().splitlines(keepends=True)
    forged = {**json.loads(lines[1]), "targetId": "forged"}
    file.write_text("".join([*lines[:2], json.dumps(forged) + "\n", *lines[2:]]))
    code, output = verify(file)
    assert code == 1
    assert output.startswith("line 3:")
