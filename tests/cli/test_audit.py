"""`genesys-eventbridge audit verify` detects changes to an audit file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from genesys_provider.cli import main
from genesys_provider.common.audit import AuditEvent, AuditTrail


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "audit.jsonl"
    trail = AuditTrail(path)
    for number in range(5):
        trail.record(AuditEvent.TARGET_CREATED, f"target-{number}", latency_seconds=0.1)
    return path


def verify(file: Path, key: str | None = None) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["audit", "verify", str(file)], env={"GENESYSCLOUD_AUDIT_KEY": key})
    return result.exit_code, result.output


def test_an_intact_chain(file: Path) -> None:
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


def test_a_line_without_a_hash(file: Path) -> None:
    lines = file.read_text().splitlines(keepends=True)
    forged = {**json.loads(lines[1]), "targetId": "forged"}
    del forged["hash"]
    file.write_text("".join([*lines[:2], json.dumps(forged) + "\n", *lines[2:]]))
    code, output = verify(file)
    assert code == 1
    assert output.startswith("line 3: it is not an entry")


def test_a_key_that_was_set_later(file: Path) -> None:
    AuditTrail(file, "canary-audit-key").record(AuditEvent.TARGET_DELETED, "target-1")
    code, output = verify(file, "canary-audit-key")
    assert code == 0
    assert output.splitlines() == [
        f"{file}: the chain is whole",
        "Its first 5 entries were written without a key; the first keyed one secures them.",
    ]
    code, output = verify(file)
    assert (code, output) == (1, "line 6: it was written with a key: set GENESYSCLOUD_AUDIT_KEY to it\n")
    code, output = verify(file, "canary-wrong-key")
    assert code == 1
    assert "GENESYSCLOUD_AUDIT_KEY is not the key" in output
    assert "canary-wrong-key" not in output


def test_a_key_that_no_entry_uses(file: Path) -> None:
    code, output = verify(file, "canary-audit-key")
    assert code == 1
    assert output.startswith("no entry was written with GENESYSCLOUD_AUDIT_KEY")
