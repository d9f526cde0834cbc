"""The audit file: concurrent writers lose nothing, and later changes are detected."""

from __future__ import annotations

import json
import logging
import os
import stat
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from genesys_provider.client.errors import ConfigurationError
from genesys_provider.client.redaction import redacted
from genesys_provider.client.settings import Settings
from genesys_provider.common.audit import AuditEvent, AuditTrail
from genesys_provider.common.audit_chain import FIRST_HASH, chained
from genesys_provider.common.audit_check import problems_of, without_key
from genesys_provider.targets.manager import TargetManager
from tests.support.shared_cloud import at_once
from tests.support.waiting import LIMIT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

KEY = "canary-audit-key-5b1"
WRITER = """
import os
import sys
from pathlib import Path
from genesys_provider.common.audit import AuditEvent, AuditTrail
trail = AuditTrail(Path(sys.argv[1]), os.environ["GENESYSCLOUD_AUDIT_KEY"])
print("ready", flush=True)
sys.stdin.readline()
for number in range(int(sys.argv[3])):
    trail.record(AuditEvent.TARGET_CREATED, f"{sys.argv[2]}-{number}", latency_seconds=0.5)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "audit.jsonl"


def filled(path: Path, count: int = 5, key: str | None = None) -> list[bytes]:
    trail = AuditTrail(path, key)
    for number in range(count):
        trail.record(
            AuditEvent.TARGET_CREATED, f"id-{number}", latency_seconds=number, error="Zoë \u2028 東京"
        )
    return path.read_bytes().splitlines(keepends=True)


def rewrite(path: Path, lines: list[bytes], first: int, key: str | None, last: int = 4) -> None:
    """Changes the entries from `first` to `last`, and corrects their hashes and the head, like a forger could."""
    kept, changed = lines[:first], []
    previous = json.loads(kept[-1])["hash"] if kept else FIRST_HASH
    for line in lines[first : last + 1]:
        entry = {**json.loads(line), "targetId": "forged"}
        for name in ("hash", "previous", "keyed"):
            entry.pop(name, None)
        entry = chained(entry, previous, key)
        previous = entry["hash"]
        changed.append(json.dumps(entry, ensure_ascii=False).encode() + b"\n")
    path.write_bytes(b"".join([*kept, *changed, *lines[last + 1 :]]))
    if last + 1 == len(lines):
        path.with_name(f"{path.name}.head").write_text(previous + "\n")


def entries(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().split(b"\n") if line]


def test_an_entry_has_the_format_of_the_source_document(path: Path) -> None:
    trail = AuditTrail(path)
    trail.record(AuditEvent.TARGET_VERIFIED, "id-1", latency_seconds=1.23456)
    (entry,) = entries(path)
    assert entry["timestamp"].endswith("Z")
    assert {name: entry[name] for name in ("event", "targetId", "latencySeconds", "error")} == {
        "event": "TARGET_VERIFIED",
        "targetId": "id-1",
        "latencySeconds": 1.235,
        "error": None,
    }
    assert trail.latencies(AuditEvent.TARGET_VERIFIED) == [1.235]
    assert trail.latencies(AuditEvent.TARGET_CREATED) == []


def several_processes_write(path: Path, key: str = "") -> None:
    count, each = 4, 40
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), str(number), str(each)],
            env={**os.environ, "GENESYSCLOUD_AUDIT_KEY": key},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for number in range(count)
    ]
    for writer in writers:
        assert writer.stdout
        assert writer.stdout.readline() == b"ready\n"
    for writer in writers:
        writer.communicate(b"\n", timeout=LIMIT)
        assert writer.returncode == 0
    written = {entry["targetId"] for entry in entries(path)}
    assert written == {f"{number}-{entry}" for number in range(count) for entry in range(each)}
    assert len(entries(path)) == count * each


def test_several_processes_lose_nothing(path: Path) -> None:
    several_processes_write(path)
    assert list(problems_of(path)) == []


def test_threads_lose_nothing(path: Path) -> None:
    trail = AuditTrail(path)
    at_once(20, lambda number: trail.record(AuditEvent.TARGET_CREATED, str(number)))
    assert len(entries(path)) == len(trail.entries) == 20
    assert list(problems_of(path)) == []


def test_only_the_owner_can_read_its_files(path: Path) -> None:
    filled(path)
    for file in path.parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("torn", [b'{"timestamp": "2026', b"", b"\xff\xfe", b'{"hash"', b"[" * 100_000])
def test_a_torn_line_of_a_killed_writer_is_tolerated(path: Path, torn: bytes) -> None:
    filled(path)
    with path.open("ab") as file:
        file.write(torn)
    assert list(problems_of(path)) == []
    AuditTrail(path).record(AuditEvent.TARGET_DELETED, "after")
    last = path.read_bytes().splitlines()[-1]
    assert json.loads(last)["targetId"] == "after"
    assert list(problems_of(path)) == []


def test_an_entry_without_its_newline_counts_as_written(path: Path) -> None:
    lines = filled(path)
    path.write_bytes(b"".join(lines)[:-1])
    AuditTrail(path).record(AuditEvent.TARGET_DELETED, "after")
    assert [entry["targetId"] for entry in entries(path)][-2:] == ["id-4", "after"]
    assert list(problems_of(path)) == []


def test_an_entry_without_its_head_counts_as_written(path: Path) -> None:
    filled(path)
    head = path.with_name("audit.jsonl.head")
    before = head.read_text()
    AuditTrail(path).record(AuditEvent.TARGET_DELETED, "after")
    head.write_text(before)
    assert list(problems_of(path)) == []


CHANGES: dict[str, Callable[[list[bytes]], list[bytes]]] = {
    "changed": lambda lines: [lines[0].replace(b"id-0", b"id-9"), *lines[1:]],
    "changed last": lambda lines: [*lines[:-1], lines[-1].replace(b"id-4", b"id-9")],
    "changed to half a character": lambda lines: [lines[0].replace(b"id-0", b"\\ud800"), *lines[1:]],
    "garbled": lambda lines: [*lines[:2], b"garbled\n", *lines[3:]],
    "removed first": lambda lines: lines[1:],
    "removed": lambda lines: [*lines[:2], *lines[3:]],
    "truncated end": lambda lines: lines[:-1],
    "half of the last": lambda lines: [*lines[:-1], lines[-1][:20]],
    "all gone": lambda _: [],
    "inserted": lambda lines: [*lines[:2], lines[0], *lines[2:]],
    "inserted at the end": lambda lines: [*lines, lines[0]],
    "moved": lambda lines: [lines[1], lines[0], *lines[2:]],
}


@pytest.mark.parametrize("what", CHANGES)
def test_later_changes_to_the_file_are_detected(path: Path, what: str) -> None:
    lines = filled(path)
    assert list(problems_of(path)) == []
    path.write_bytes(b"".join(CHANGES[what](lines)))
    assert list(problems_of(path)) != []


@pytest.mark.parametrize("head", [None, b"\xff\xfe\n", b"", b"0" * 64])
def test_a_changed_head_is_detected(path: Path, head: bytes | None) -> None:
    filled(path)
    file = path.with_name("audit.jsonl.head")
    if head is None:
        file.unlink()
    else:
        file.write_bytes(head)
    assert list(problems_of(path)) != []


def test_half_a_character_is_tolerated(path: Path) -> None:
    AuditTrail(path).record(AuditEvent.TARGET_FAILED, None, error="half \ud800")
    assert entries(path)[0]["error"] == "half \ud800"
    assert list(problems_of(path)) == []


@pytest.mark.parametrize("kind", ["folder", "file as a folder"])
def test_an_unwritable_file_is_refused_immediately(tmp_path: Path, kind: str) -> None:
    (tmp_path / "file").touch()
    path = tmp_path if kind == "folder" else tmp_path / "file" / "audit.jsonl"
    with pytest.raises(ConfigurationError, match="genesys:auditLog") as refused:
        AuditTrail(path)
    assert str(path) in str(refused.value)


def test_a_file_that_fails_later_is_a_warning(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    trail = AuditTrail(path)
    path.unlink()
    path.mkdir()
    with caplog.at_level(logging.WARNING):
        trail.record(AuditEvent.TARGET_CREATED, "id-1")
    assert "TARGET_CREATED of id-1" in caplog.text
    assert [entry.target_id for entry in trail.entries] == ["id-1"]


ALIEN = {
    "garbage": b"garbage",
    "blank": b"",
    "no hash": b'{"timestamp": "2026-01-01T00:00:00.000Z", "event": "TARGET_DELETED", "targetId": "id-9"}',
    "a list": b"[1, 2]",
    "bytes": b"\xff\xfe",
    "looks torn": b'{"timestamp": "2026',
}


@pytest.mark.parametrize("key", [None, KEY])
@pytest.mark.parametrize("at", range(6))
@pytest.mark.parametrize("what", ALIEN)
def test_a_line_that_is_not_an_entry_is_detected(path: Path, what: str, at: int, key: str | None) -> None:
    lines = filled(path, key=key)
    path.write_bytes(b"".join([*lines[:at], ALIEN[what] + b"\n", *lines[at:]]))
    (problem,) = problems_of(path, key)
    assert problem.startswith(f"line {at + 1}: it is not an entry")
    # A later writer does not turn it into an entry.
    AuditTrail(path, key).record(AuditEvent.TARGET_DELETED, "after")
    assert list(problems_of(path, key)) == [problem]


@pytest.mark.parametrize(
    "change",
    [
        lambda line: line.replace(b'"targetId"', b'"targetId": "id-9", "targetId"'),
        lambda line: line.replace(b": ", b":"),
        lambda line: line.replace(b"\n", b"\r\n"),
        lambda line: line.replace(b'"hash": "', b'"hash": 0, "hash": "'),
    ],
)
def test_an_entry_with_equivalent_json_counts_as_changed(
    path: Path, change: Callable[[bytes], bytes]
) -> None:
    lines = filled(path)
    path.write_bytes(b"".join([*lines[:2], change(lines[2]), *lines[3:]]))
    assert list(problems_of(path)) == ["line 3: the entry was changed after it was written"]


@pytest.mark.parametrize("key", [None, KEY])
def test_two_joined_files(tmp_path: Path, key: str | None) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_bytes(b"".join(filled(one, key=key) + filled(other, key=key)))
    (problem, *_) = problems_of(one, key)
    assert problem.startswith("line 6: it does not follow the previous entry")


@pytest.mark.parametrize("key", [None, KEY])
def test_a_changed_torn_line_is_detected(path: Path, key: str | None) -> None:
    filled(path, key=key)
    with path.open("ab") as file:
        file.write(b'{"timestamp": "2026')
    AuditTrail(path, key).record(AuditEvent.TARGET_DELETED, "after")
    assert list(problems_of(path, key)) == []
    path.write_bytes(path.read_bytes().replace(b'{"timestamp": "2026 torn', b'{"timestamp": "2027 torn'))
    (problem,) = problems_of(path, key)
    assert problem.startswith("line 6: it is not an entry")


def test_a_torn_line_that_is_sealed_without_the_key_is_detected(path: Path) -> None:
    filled(path, key=KEY)
    with path.open("ab") as file:
        file.write(b'{"timestamp": "2026')
    AuditTrail(path).record(AuditEvent.TARGET_DELETED, "after")
    problem, *_ = problems_of(path, KEY)
    assert problem.startswith("line 6: it is not an entry")


class TestWithAKey:
    """Without the key nobody can forge the files, even with write access to both."""

    @pytest.mark.parametrize("what", CHANGES)
    def test_later_changes_to_the_file_are_detected(self, path: Path, what: str) -> None:
        lines = filled(path, key=KEY)
        assert list(problems_of(path, KEY)) == []
        path.write_bytes(b"".join(CHANGES[what](lines)))
        assert list(problems_of(path, KEY)) != []

    @pytest.mark.parametrize("key", [None, "guessed"])
    @pytest.mark.parametrize("first", [0, 2, 4])
    def test_a_rewritten_chain(self, path: Path, first: int, key: str | None) -> None:
        lines = filled(path, key=KEY)
        rewrite(path, lines, first, key)
        problems = list(problems_of(path, KEY))
        assert problems != []
        assert KEY not in "".join(problems)

    def test_a_truncated_end_with_a_matching_head(self, path: Path) -> None:
        lines = filled(path, key=KEY)
        path.write_bytes(b"".join(lines[:3]))
        path.with_name("audit.jsonl.head").write_text(json.loads(lines[2])["hash"] + "\n")
        assert list(problems_of(path, KEY)) == ["entries are missing at the end"]

    def test_a_file_that_was_begun_without_a_key(self, path: Path) -> None:
        filled(path, 3)
        lines = filled(path, 3, key=KEY)
        assert list(problems_of(path, KEY)) == []
        assert without_key(path) == 3
        rewrite(path, lines, 1, None, last=2)
        assert list(problems_of(path, KEY)) == [
            "line 4: it does not follow the previous entry: one was removed, inserted or moved"
        ]

    def test_a_writer_without_the_key(self, path: Path) -> None:
        filled(path, 2, key=KEY)
        filled(path, 1)
        filled(path, 2, key=KEY)
        assert list(problems_of(path, KEY)) == [
            "line 3: it was written without a key, after entries with one"
        ]

    def test_a_check_without_the_key(self, path: Path) -> None:
        filled(path, 2)
        filled(path, 2, key=KEY)
        assert list(problems_of(path)) == [
            "line 3: it was written with a key: set GENESYSCLOUD_AUDIT_KEY to it"
        ]

    def test_a_check_with_another_key(self, path: Path) -> None:
        filled(path, 2)
        filled(path, 2, key=KEY)
        (problem,) = problems_of(path, "another")
        assert problem.startswith("line 3: GENESYSCLOUD_AUDIT_KEY is not the key")

    def test_a_file_without_a_key(self, path: Path) -> None:
        filled(path)
        (problem,) = problems_of(path, KEY)
        assert problem.startswith("no entry was written with GENESYSCLOUD_AUDIT_KEY")

    def test_several_processes_write_one_chain(self, path: Path) -> None:
        several_processes_write(path, KEY)
        assert list(problems_of(path, KEY)) == []
        assert KEY not in path.read_text()

    def test_the_key_comes_from_the_environment(self, path: Path) -> None:
        environ = {"GENESYSCLOUD_AUDIT_LOG": str(path), "GENESYSCLOUD_AUDIT_KEY": KEY}
        settings = Settings.resolve({}, environ)
        assert KEY not in repr(settings)
        TargetManager(settings).audit.record(AuditEvent.TARGET_DELETED, "id-1")
        assert list(problems_of(path, KEY)) == []
        assert without_key(path) == 0
        assert redacted(f"the key {KEY}") == "the key [secret]"


def test_what_is_no_regular_file_is_refused_and_gets_no_files_beside_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "audit.jsonl")
    with pytest.raises(ConfigurationError, match="it is not a regular file"):
        AuditTrail(tmp_path / "audit.jsonl")
    assert [each.name for each in tmp_path.iterdir()] == ["audit.jsonl"]
