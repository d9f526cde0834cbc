"""When and why the host's process ends.

- At the end of each command, and on a second Ctrl-C, the engine closes the connection and sends SIGINT. The first
  Ctrl-C is a `Cancel` instead, since the engine starts plugins in their own process groups, which a terminal does
  not signal. So on SIGINT the host cancels the operations, and exits as soon as nobody waits for a response. It
  must exit, since the engine waits five seconds for it.
- SIGTERM: the same, but within `GRACE`, even after a SIGINT.
- The engine is gone without a word (SIGKILL): the host exits at once, whatever it is doing. Nothing could be
  recorded any more, and an operation that learned of it might still send a request. On Linux the kernel reports the
  death; elsewhere the host checks ten times a second. The kernel could also kill the host itself
  (PR_SET_PDEATHSIG), but it would already do so when the engine's thread ends that started the host.

The watch begins before anything slow is imported, so this module must not import anything slow.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import threading
import time
from typing import NoReturn

ENGINE_PID = "DYNAMIC_HOST_ENGINE_PID"
"""The environment variable with the parent of the host's script, as its first line saw it."""
GRACE = 2.0
"""Seconds for operations to report when the host is told to end."""
UNTIL_ANSWERED = 3600.0
"""Seconds, longer than any operation."""
WATCH_INTERVAL = 0.1
"""Seconds between two checks, where the kernel reports nothing."""


class Lifetime:
    """Ends the process together with its engine, and receives the signals to end.

    Args:
        address: The engine's address.
    """

    def __init__(self, address: str) -> None:
        self._noted: set[int] = set()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._note)
        engine = int(os.environ.pop(ENGINE_PID, os.getppid()))
        threading.Thread(target=_leave_with, args=(engine, address), name="lifetime", daemon=True).start()

    def _note(self, number: int, _frame: object) -> None:
        self._noted.add(number)

    def wait(self) -> None:
        """Waits for a signal to end."""
        while not self._noted:
            time.sleep(WATCH_INTERVAL)

    @property
    def grace(self) -> float:
        """How long operations may go on, in seconds; less if a SIGTERM follows a SIGINT."""
        return GRACE if signal.SIGTERM in self._noted else UNTIL_ANSWERED


def leave() -> NoReturn:
    """Exits at once, since the engine is gone."""
    os._exit(1)


def _leave_with(engine: int, address: str) -> None:
    """Waits for the death of the engine, which may have happened already, and ends the process."""
    try:
        death = [os.pidfd_open(engine)]
    except (AttributeError, OSError):
        # This system does not support it, or the engine is already gone.
        death = []
    while os.getppid() == engine and not _is_orphan(address):
        select.select(death, [], [], None if death else WATCH_INTERVAL)
    leave()


def _is_orphan(address: str) -> bool:
    """Whether init has adopted the host: then the engine was gone before the script's first line.

    In a container the engine itself may be process 1, but then it is listening.
    """
    if os.getppid() != 1:
        return False
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=1).close()
    except OSError:
        return True
    return False
