"""`audit show` and `audit latency`: the contents of an audit file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from genesys_provider.common.audit_chain import chained
from tests.cli.cli_commands import run

ENTRIES = [
    ("2026-01-31T12:00:00.000Z", "TARGET_CREATED", "orders", 0.2, None),
    ("2026-01-31T12:00:03.000Z", "TARGET_VERIFIED", "orders", 3.0, None),
    ("2026-01-31T13:00:00.000Z", "TARGET_CREATED", "queues", 0.3, None),
    ("2026-01-31T13:00:09.000Z", "TARGET_VERIFICATION_FAILED", "queues", 9.0, "endpoint answered 503"),
    ("2026-02-01T00:00:00.000Z", "TARGET_DELETED", "orders", None, None),
]


def written(path: Path, entries: list[tuple[str, str, str, float | None, str | None]]) -> Path:
    """An audit file with these entries."""
    previous, lines = "0" * 64, []
    names = ("timestamp", "event", "targetId", "latencySeconds", "error")
    for each in entries:
        linked = chained(dict(zip(names, each, strict=True)), previous)
        previous = linked["hash"]
        lines.append(json.dumps(linked))
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return written(tmp_path / "audit.jsonl", ENTRIES)


def test_show(file: Path) -> None:
    done = run("audit", "show", file, env={})
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[0] == "2026-01-31T12:00:00.000Z  TARGET_CREATED  orders  0.200 s"
    assert lines[3].endswith("TARGET_VERIFICATION_FAILED  queues  9.000 s  endpoint answered 503")
    assert lines[-1].startswith("5 entries: 2 TARGET_CREATED")


@pytest.mark.parametrize(
    ("filters", "numbers"),
    [
        (["--target", "queues"], [2, 3]),
        (["--event", "TARGET_CREATED"], [0, 2]),
        (["--since", "2026-01-31T12:00:03Z", "--until", "2026-02-01"], [1, 2, 3]),
        (["--since", "2026-01-31T13:00:00+01:00", "--target", "orders"], [0, 1, 4]),
        (["--until", "2026-01-01"], []),
    ],
)
def test_filters(file: Path, filters: list[str], numbers: list[int]) -> None:
    shown = run("audit", "show", file, "--json", *filters, env={}).json
    assert [each["timestamp"] for each in shown] == [ENTRIES[number][0] for number in numbers]


def test_usage_errors(file: Path, tmp_path: Path) -> None:
    done = run("audit", "show", file, "--since", "yesterday", env={})
    assert done.code == 2
    assert "'yesterday' is not a time" in done.err
    assert run("audit", "show", tmp_path / "missing", env={}).code == 2


def test_a_file_that_is_not_an_audit_file(tmp_path: Path) -> None:
    other, empty = tmp_path / "other", tmp_path / "empty"
    other.write_bytes(b"\x7fELF\n{}\n" * 1000)
    empty.touch()
    for command in ("show", "latency", "verify"):
        done = run("audit", command, other, env={})
        assert (done.code, done.out) == (1, "")
        assert done.err == f"Error: {other} is not an audit file: no line of it is an entry.\n"
        assert run("audit", command, empty, env={}).code == 0
    assert run("audit", "verify", empty, env={}).out == f"{empty} has no entries\n"


def test_latency(tmp_path: Path) -> None:
    at = "2026-01-31T12:00:00.000Z"
    seconds = [float(each) for each in range(1, 101)]
    file = written(
        tmp_path / "audit.jsonl",
        [
            *((at, "TARGET_VERIFIED", "x", each, None) for each in reversed(seconds)),
            (at, "TARGET_CREATED", "x", 0.2, None),
            (at, "TARGET_CREATED", "x", None, None),
            (at, "WEBHOOK_SYNCED", "x", 500.0, None),
        ],
    )
    figures = run("audit", "latency", file, "--json", env={}).json
    assert figures == [
        {"event": "TARGET_CREATED", "count": 1, "p50": 0.2, "p95": 0.2, "p99": 0.2, "longest": 0.2},
        {"event": "TARGET_VERIFIED", "count": 100, "p50": 50, "p95": 95, "p99": 99, "longest": 100},
    ]
    done = run("audit", "latency", file, env={})
    assert done.code == 0
    title = "Verification of targets: 100, p50 50.00 s, p95 95.00 s, p99 99.00 s, longest 100.00 s"
    assert title in done.out
    bars = done.out.partition(title)[2].splitlines()[1:]
    assert [int(each.split()[-1]) for each in bars] == [1, 1, 3, 5, 5, 15, 15, 15, 15, 25]
    assert max(bars, key=lambda each: each.count("█")) == bars[-1]


def test_latency_without_entries(tmp_path: Path) -> None:
    done = run("audit", "latency", written(tmp_path / "audit.jsonl", ENTRIES[4:]), env={})
    assert (done.code, done.out.count("\n")) == (0, 1)
    assert "no entry that says how long" in done.out
