"""Finds the provider host among the processes below a command, and measures it."""

from __future__ import annotations

import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.support.process import Result, Running

HOST = "-m genesys_provider.host"
INTERVAL = 0.1


@dataclass(frozen=True)
class Peak:
    """The peak memory and thread count of a process."""

    megabytes: float
    threads: int


@dataclass(frozen=True)
class _Process:
    pid: int
    parent: int
    kilobytes: int
    threads: int
    command: str


def _processes() -> dict[int, _Process]:
    listed = subprocess.run(
        ["ps", "-e", "-o", "pid=,ppid=,rss=,nlwp=,args="],  # noqa: S607
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    found = {}
    for line in listed.splitlines():
        pid, parent, kilobytes, threads, *command = line.split(None, 4)
        found[int(pid)] = _Process(int(pid), int(parent), int(kilobytes), int(threads), "".join(command))
    return found


def _host_below(ancestor: int) -> _Process | None:
    processes = _processes()
    for each in processes.values():
        if HOST not in each.command:
            continue
        above: _Process | None = each
        while above is not None and above.pid != ancestor:
            above = processes.get(above.parent)
        if above is not None:
            return each
    return None


def watched(running: Running, limit: float) -> tuple[Result, Peak]:
    """Waits for the end of a command, and returns its result with the peak of its provider host."""
    megabytes, threads = 0.0, 0
    deadline = time.monotonic() + limit
    while (host := _host_below(running.pid)) or threads == 0:
        if host is not None:
            megabytes, threads = max(megabytes, host.kilobytes / 1024), max(threads, host.threads)
        if time.monotonic() > deadline:
            break
        time.sleep(INTERVAL)
    return running.wait(limit), Peak(megabytes, threads)
