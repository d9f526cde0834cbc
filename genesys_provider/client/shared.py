"""A call that many threads need at the same moment, made once for all of them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from copy import copy
from typing import Generic, TypeVar

from genesys_provider.client.errors import GenesysError

T = TypeVar("T")


class SharedCall(Generic[T]):
    """Makes one call at a time. Whoever waited for one that failed shares its failure, and makes none again."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failures = 0
        self._failure: GenesysError | None = None

    def result(self, known: Callable[[], T | None], call: Callable[[], T]) -> T:
        """What is known by then, else what the call returns.

        Args:
            known: The result of an earlier call, as long as it is good.
            call: Makes a new one.

        Raises:
            GenesysError: The call failed.
        """
        failures = self._failures
        with self._lock:
            if (result := known()) is not None:
                return result
            if self._failure is not None and self._failures != failures:
                # Each thread gets its own: raising an error writes to it.
                raise copy(self._failure)
            try:
                return call()
            except GenesysError as error:
                self._failures, self._failure = self._failures + 1, copy(error)
                raise
