"""Two processes append to one audit file, and one dies in the middle of an entry: no other entry is lost."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from genesys_provider.cli import main
from genesys_provider.common import audit_chain

# Writes until it is killed or its input ends, and acknowledges each entry once it is in the file.
WRITER = """
import os, sys
from pathlib import Path
from genesys_provider.common.audit import AuditEvent, AuditTrail

trail = AuditTrail(Path(sys.argv[1]))
for line in sys.stdin:
    trail.record(AuditEvent.TARGET_CREATED, line.strip(), error="é" * 2000)
    print(line.strip(), flush=True)
"""

# Dies after writing this many bytes of its first entry; -1 means all of them.
DYING = """
import os, signal, sys
from pathlib import Path
from genesys_provider.common import audit

write, cut = os.write, int(sys.argv[2])

def write_some(descriptor, data):
    write(descriptor, data if cut < 0 else data[:cut])
    os.kill(os.getpid(), signal.SIGKILL)

trail = audit.AuditTrail(Path(sys.argv[1]))
os.write = write_some
trail.record(audit.AuditEvent.TARGET_DELETED, "dying")
"""


class Writer:
    def __init__(self, path: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", WRITER, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.acknowledged: list[str] = []

    def ask(self, *names: str) -> None:
        """Asks it to write these, without waiting."""
        assert self._process.stdin is not None
        self._process.stdin.write("".join(f"{name}\n" for name in names))
        self._process.stdin.flush()

    def take(self, count: int) -> None:
        """Waits until this many more are acknowledged."""
        assert self._process.stdout is not None
        for _ in range(count):
            self.acknowledged.append(self._process.stdout.readline().strip())

    def kill(self) -> None:
        self._process.kill()
        assert self._process.stdout is not None
        self.acknowledged += self._process.stdout.read().split()
        self._end()

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self.acknowledged += self._process.stdout.read().split()
        self._end()

    def _end(self) -> None:
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "audit.jsonl"


def entries(file: Path) -> list[str]:
    """The targets of the entries, skipping lines that are not JSON."""
    lines = [audit_chain.parsed(line) for line in file.read_bytes().splitlines()]
    return [entry["targetId"] for entry in lines if entry is not None]


def assert_whole(file: Path) -> None:
    result = CliRunner().invoke(main, ["audit", "verify", str(file)])
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("killed_after", [0, 3, 40])
def test_one_of_two_writers_is_killed(file: Path, killed_after: int) -> None:
    writers = [Writer(file), Writer(file)]
    for number, writer in enumerate(writers):
        writer.ask(*(f"{number}-{entry}" for entry in range(200)))
    doomed, survivor = writers
    doomed.take(killed_after)
    survivor.take(1)
    doomed.kill()
    survivor.close()
    found = entries(file)
    assert len(found) == len(set(found))
    assert {*doomed.acknowledged, *survivor.acknowledged} <= set(found)
    assert len(survivor.acknowledged) == 200
    # At most one more: an entry that was written but not acknowledged.
    assert len(found) <= len(doomed.acknowledged) + 200 + 1
    assert_whole(file)


@pytest.mark.parametrize("cut", [0, 1, 50, 150, -2, -1])
def test_one_dies_in_the_middle_of_its_entry(file: Path, cut: int) -> None:
    writer = Writer(file)
    writer.ask("first")
    writer.take(1)
    whole = cut < 0
    # -2: everything except the newline.
    program = DYING.replace("data if cut < 0", "data[:-1] if cut < 0") if cut == -2 else DYING
    for _ in range(2):
        died = subprocess.run([sys.executable, "-c", program, file, str(cut)], check=False)
        assert died.returncode == -9
    assert_whole(file)
    writer.ask("second", "third")
    writer.close()
    dying = ["dying"] * 2 if whole else []
    assert entries(file) == ["first", *dying, "second", "third"]
    assert_whole(file)
