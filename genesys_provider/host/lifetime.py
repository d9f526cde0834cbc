"""When and why the host's process ends.

- At the end of each command, and on a second Ctrl-C, the engine closes the connection and sends SIGINT. The first
  Ctrl-C is a `Cancel` instead, since the engine starts plugins in their own process groups, which a terminal does
  not signal. So on SIGINT the host cancels the operations, and exits as soon as nobody waits for a response. It
  must exit soon, since the engine only waits five seconds for it.
- SIGTERM: the same, but within `GRACE`, even after a SIGINT.
- On Windows the engine sends Ctrl-Break (SIGBREAK) instead of SIGINT.
- The engine was killed (SIGKILL): the host exits at once, whatever it is doing. Nothing could be recorded any more,
  and an operation that learned of it might still send a request. On Linux the kernel reports the
  death; elsewhere the host checks ten times a second. The kernel could also kill the host itself
  (PR_SET_PDEATHSIG), but it would already do so when the engine's thread ends that started the host. On Windows
  nobody adopts an orphan, so there the host watches a connection to the engine.

The watch begins before anything slow is imported, so this module must not import anything slow.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
import threading
import time
from contextlib import suppress
from typing import NoReturn

ENGINE_PID = "DYNAMIC_HOST_ENGINE_PID"
"""The environment variable with the parent of the host's script, as its first line saw it."""
GRACE = 2.0
"""Seconds for operations to report when the host is told to end."""
UNTIL_ANSWERED = 3600.0
"""Seconds, longer than any operation."""
WATCH_INTERVAL = 0.1
"""Seconds between two checks, where the kernel reports nothing."""
ENDS = [signal.SIGINT, signal.SIGTERM]
"""The signals to end."""
if sys.platform == "win32":
    ENDS.append(signal.SIGBREAK)


class Lifetime:
    """Ends the process together with its engine, and receives the signals to end.

    Args:
        address: The engine's address.
    """

    def __init__(self, address: str) -> None:
        self._noted: set[int] = set()
        for number in ENDS:
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
    if sys.platform == "win32":
        until_unreachable(address)
        leave()
    death: list[int] = []
    if sys.platform == "linux":
        # The kernel may not support it, or the engine is already gone.
        with suppress(AttributeError, OSError):
            death = [os.pidfd_open(engine)]
    while os.getppid() == engine and not _is_orphan(address):
        select.select(death, [], [], None if death else WATCH_INTERVAL)
    leave()


def until_unreachable(address: str) -> None:
    """Waits until nobody listens at the address any more.

    The engine closes a connection on which nothing is sent, so one that ends is opened again.
    """
    while True:
        try:
            connection = _connected(address)
        except OSError:
            return
        connection.settimeout(None)
        with connection, suppress(OSError):
            while connection.recv(4096):
                pass
        time.sleep(WATCH_INTERVAL)


def _connected(address: str) -> socket.socket:
    host, _, port = address.rpartition(":")
    return socket.create_connection((host, int(port)), timeout=1)


def _is_orphan(address: str) -> bool:
    """Whether init has adopted the host: then the engine was gone before the script's first line.

    In a container the engine itself may be process 1, but then it is listening.
    """
    if os.getppid() != 1:
        return False
    try:
        _connected(address).close()
    except OSError:
        return True
    return False
