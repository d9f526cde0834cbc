"""Measures processes: one of which the id is known, or the provider host below a command."""

from __future__ import annotations

import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
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
class Process:
    """A running process, at one moment."""

    pid: int
    parent: int
    megabytes: float
    """Its resident memory, in units of 1024 KiB, as `top` shows it."""
    processor_seconds: int
    threads: int
    command: str


def processes() -> dict[int, Process]:
    """All processes of the machine by their ids, from `ps`; `-ww`, since it would cut commands to `COLUMNS`."""
    listed = subprocess.run(
        ["ps", "-e", "-ww", "-o", "pid=,ppid=,rss=,cputimes=,nlwp=,args="],  # noqa: S607
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    found = {}
    for line in listed.splitlines():
        pid, parent, kilobytes, seconds, threads, *command = line.split(None, 5)
        found[int(pid)] = Process(
            int(pid), int(parent), int(kilobytes) / 1024, int(seconds), int(threads), "".join(command)
        )
    return found


def _host_below(ancestor: int) -> Process | None:
    running = processes()
    for each in running.values():
        if HOST not in each.command:
            continue
        above: Process | None = each
        while above is not None and above.pid != ancestor:
            above = running.get(above.parent)
        if above is not None:
            return each
    return None


def watched(running: Running, limit: float) -> tuple[Result, Peak]:
    """Waits for the end of a command, and returns its result with the peak of its provider host."""
    megabytes, threads = 0.0, 0
    with ThreadPoolExecutor(1) as aside:
        # It also reads the output, so that a command never waits for room in the pipe.
        ended = aside.submit(running.wait, limit)
        while not ended.done():
            if host := _host_below(running.pid):
                megabytes, threads = max(megabytes, host.megabytes), max(threads, host.threads)
            time.sleep(INTERVAL)
    return ended.result(), Peak(megabytes, threads)
