"""What `ps` tells about processes, and the peak of a provider host below a command."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from bench.processes import HOST, processes, watched
from bench.setting import LIMIT_SECONDS
from tests.support.process import Running

if TYPE_CHECKING:
    from pathlib import Path


def test_a_process_is_measured() -> None:
    own = processes()[os.getpid()]
    assert own.parent == os.getppid()
    assert own.megabytes > 1
    assert own.threads >= 1
    assert "python" in own.command


def test_the_peak_of_a_host_that_writes_more_than_a_pipe_holds(tmp_path: Path) -> None:
    """It lives long enough to be seen."""
    script = tmp_path / "host.py"
    script.write_text("import time\nheld = b'x' * 100_000_000\nprint('x' * 1_000_000)\ntime.sleep(2)\n")
    with Running([sys.executable, script, *HOST.split()]) as running:
        result, peak = watched(running, LIMIT_SECONDS)
    assert len(result.output) > 1_000_000
    assert peak.threads == 1
    assert peak.megabytes > 90


def test_a_command_that_ends_without_a_host(tmp_path: Path) -> None:
    with Running([sys.executable, "-c", "raise SystemExit('no engine')"], tmp_path) as running:
        result, peak = watched(running, LIMIT_SECONDS)
    assert result.code == 1
    assert result.output == "no engine\n"
    assert peak.threads == 0
