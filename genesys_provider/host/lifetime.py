"""When the host's process ends, and why so.

- The engine closes the connection and sends SIGINT, at the end of each command and on a second Ctrl-C. The
  first Ctrl-C is a `Cancel` instead: the engine starts plugins in process groups of their own, out of a
  terminal's reach. So on SIGINT the host tells the operations, and leaves as soon as nobody waits for an
  answer any more. It must leave: the engine waits five seconds for it.
- SIGTERM: the same, but within `GRACE`, also where a SIGINT came before.
- The engine is gone without a word (SIGKILL): the host leaves at once, in the middle of whatever it does.
  Nothing could be recorded any more, and an operation that learned of it might still send a request. On Linux
  the kernel tells of the death; elsewhere the host looks ten times a second. The kernel could also kill the host
  itself (PR_SET_PDEATHSIG), but it does so when the engine's thread ends that started the host.

The watch begins before anything slow is imported, so this module must import nothing of the kind.
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
"""In the environment: who started the host's script, as its first line saw it."""
GRACE = 2.0
"""In seconds: how long operations have to report when somebody ends the host."""
UNTIL_ANSWERED = 3600.0
"""In seconds: longer than any operation."""
WATCH_INTERVAL = 0.1
"""In seconds: how often to look for what nobody tells."""


class Lifetime:
    """Ends the process with its engine from now on, and notes signals to end.

    Args:
        address: Where the engine listens.
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
        """How long operations may go on, in seconds; less once a SIGTERM has followed a SIGINT."""
        return GRACE if signal.SIGTERM in self._noted else UNTIL_ANSWERED


def leave() -> NoReturn:
    """Ends the process on the spot: the engine is gone."""
    os._exit(1)


def _leave_with(engine: int, address: str) -> None:
    """Waits for the engine's death, which may have been before, and ends the process with it."""
    try:
        death = [os.pidfd_open(engine)]
    except (AttributeError, OSError):
        # This system can't, or the engine is gone already.
        death = []
    while os.getppid() == engine and not _is_orphan(address):
        select.select(death, [], [], None if death else WATCH_INTERVAL)
    leave()


def _is_orphan(address: str) -> bool:
    """Whether init has taken the host over: then the engine was gone before the script's first line.

    In a container the engine may be process 1 itself, but then it listens.
    """
    if os.getppid() != 1:
        return False
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=1).close()
    except OSError:
        return True
    return False
