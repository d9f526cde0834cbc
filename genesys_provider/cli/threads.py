"""The same work for many things, several at a time."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from contextvars import copy_context
from typing import TypeVar

from genesys_provider.cli import output

AT_ONCE = 8
"""Threads of a command that makes a request for each target."""

T = TypeVar("T")
R = TypeVar("R")


def side_by_side(what: str, things: Sequence[T], work: Callable[[T], R]) -> list[R]:
    """The result of the work for each thing, done for several at a time."""
    results: list[Future[R]] = [Future() for _ in things]
    left = deque(zip(things, results, strict=True))

    def work_through() -> None:
        with suppress(IndexError):  # nothing is left
            while True:
                thing, result = left.popleft()
                try:
                    found = work(thing)
                except BaseException as error:  # noqa: BLE001 - whoever waits for the result gets it
                    result.set_exception(error)
                else:
                    result.set_result(found)
                step()

    with output.progress(what, len(things)) as step:
        for _ in range(min(AT_ONCE, len(things))):
            # In a copy of the context, which holds the receiver of status lines. And daemon threads, since one that
            # waits for an answer must not delay the end after Ctrl-C, or after the failure of another.
            threading.Thread(target=copy_context().run, args=(work_through,), daemon=True).start()
        try:
            return [each.result() for each in results]
        finally:
            left.clear()
