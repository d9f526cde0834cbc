"""Answers the questions of many threads in batches."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent import futures
from copy import copy
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from genesys_provider.client.errors import Cancelled
from genesys_provider.client.progress import Say, receiver, reporting_to

CANCEL_SECONDS = 1.0
"""How often waiting threads check for a cancel."""

K = TypeVar("K")
V = TypeVar("V")


@dataclass
class _Asked(Generic[V]):
    future: futures.Future[V] = field(default_factory=futures.Future)
    askers: list[Say] = field(default_factory=list)
    """Where the threads that asked the question report."""

    def say(self, message: str) -> None:
        """Reports to all of them."""
        for each in self.askers:
            each(message)


class Batches(Generic[K, V]):
    """Collects questions and answers them in batches, one batch at a time.

    An answer is never older than its question: a question that arrives during a batch belongs to the next one.
    What the worker reports, such as a wait for the rate limit, goes to the threads that asked.

    Args:
        answer: Answers a batch, which has for each question where the threads that asked it report. A value that
            is an exception is raised to the threads that asked that question; an exception that `answer` itself
            raises goes to all of them.
        gather: Waits for more questions before each batch.
        cancelled: Ends all waits when set.
        name: The name of the worker thread, which runs while there are questions.
    """

    def __init__(
        self,
        answer: Callable[[Mapping[K, Say]], Mapping[K, V | Exception]],
        gather: Callable[[], object],
        cancelled: threading.Event,
        name: str,
    ) -> None:
        self._answer = answer
        self._gather = gather
        self._cancelled = cancelled
        self._name = name
        self._lock = threading.Lock()
        self._asked: dict[K, _Asked[V]] = {}
        self._works = False

    def ask(self, key: K) -> V:
        """Returns the answer, shared by all threads that have asked the same question by then.

        Raises:
            Cancelled: The run was cancelled.
            Exception: Whatever answering the question raised.
        """
        with self._lock:
            asked = self._asked.setdefault(key, _Asked())
            asked.askers.append(receiver())
            if not self._works:
                try:
                    threading.Thread(target=self._work, name=self._name, daemon=True).start()
                except RuntimeError:
                    # The thread could not be started, so nobody would ever answer.
                    del self._asked[key]
                    raise
                self._works = True
        while True:
            try:
                error = asked.future.exception(CANCEL_SECONDS)
                break
            except futures.TimeoutError:
                # In Python 3.10 not the built-in one. Abandoning a read loses nothing.
                if self._cancelled.is_set():
                    raise Cancelled("cancelled while waiting for an answer") from None
        if error is not None:
            # Each thread gets a copy, since raising an error modifies it.
            raise copy(error)
        return asked.future.result()

    def _work(self) -> None:
        while True:
            self._gather()
            with self._lock:
                batch, self._asked = self._asked, {}
                if not batch:
                    self._works = False
                    return
            outcomes = self._outcomes(batch)
            for asked, answer in zip(batch.values(), outcomes, strict=True):
                if isinstance(answer, Exception):
                    asked.future.set_exception(answer)
                else:
                    asked.future.set_result(answer)

    def _outcomes(self, batch: Mapping[K, _Asked[V]]) -> list[V | Exception]:
        def say_to_all(message: str) -> None:
            for asked in batch.values():
                asked.say(message)

        try:
            with reporting_to(say_to_all):
                answers = self._answer({key: asked.say for key, asked in batch.items()})
            return [answers[key] for key in batch]
        except Exception as error:  # noqa: BLE001  (the waiting threads must not hang)
            return [error for _ in batch]
