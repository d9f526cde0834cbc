"""Many threads that ask at the same time, answered together."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, TimeoutError  # noqa: A004  (Python 3.10's is another than the built-in)
from typing import Generic, TypeVar

from genesys_provider.client.errors import Cancelled

CANCEL_SECONDS = 1.0
"""How soon a cancel is seen by those who wait for an answer that does not come."""

K = TypeVar("K")
V = TypeVar("V")


class Batches(Generic[K, V]):
    """Gathers what is asked for, and has it answered by one piece of work at a time.

    An answer is never older than the question: what comes while work is under way belongs to the next batch.

    Args:
        answer: Answers a batch; a value that is an exception is raised to whoever asked. What it raises itself is
            raised to all.
        gather: Waits before each batch, for more to come.
        cancelled: When set, nobody waits any more.
        name: The thread's. It lives as long as there are questions.
    """

    def __init__(
        self,
        answer: Callable[[Sequence[K]], Mapping[K, V | Exception]],
        gather: Callable[[], object],
        cancelled: threading.Event,
        name: str,
    ) -> None:
        self._answer = answer
        self._gather = gather
        self._cancelled = cancelled
        self._name = name
        self._lock = threading.Lock()
        self._asked: dict[K, Future[V]] = {}
        self._works = False

    def ask(self, key: K) -> V:
        """The answer to this question, shared with all who ask the same by then.

        Raises:
            Cancelled: The run was cancelled.
            Exception: What answering it raised.
        """
        with self._lock:
            future = self._asked.setdefault(key, Future())
            if not self._works:
                try:
                    threading.Thread(target=self._work, name=self._name, daemon=True).start()
                except RuntimeError:
                    # No thread can be started: nobody would ever answer.
                    del self._asked[key]
                    raise
                self._works = True
        while True:
            try:
                error = future.exception(CANCEL_SECONDS)
                break
            except TimeoutError:
                # To give a read up loses nothing.
                if self._cancelled.is_set():
                    raise Cancelled("cancelled while waiting for an answer") from None
        if error is not None:
            raise error.with_traceback(None)
        return future.result()

    def _work(self) -> None:
        while True:
            self._gather()
            with self._lock:
                batch, self._asked = self._asked, {}
                if not batch:
                    self._works = False
                    return
            outcomes: list[V | Exception]
            try:
                answers = self._answer(list(batch))
                outcomes = [answers[key] for key in batch]
            except Exception as error:  # noqa: BLE001  (nobody may wait for a thread that has died)
                outcomes = [error for _ in batch]
            for future, answer in zip(batch.values(), outcomes, strict=True):
                if isinstance(answer, Exception):
                    future.set_exception(answer)
                else:
                    future.set_result(answer)
