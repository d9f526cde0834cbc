"""A call that many threads need at the same time, made once for all of them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from copy import copy
from typing import Generic, TypeVar

from genesys_provider.client.errors import GenesysError

T = TypeVar("T")


class SharedCall(Generic[T]):
    """Makes one call at a time. Threads that waited for a call that failed share its error and don't retry it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failures = 0
        self._failure: GenesysError | None = None

    def result(self, known: Callable[[], T | None], call: Callable[[], T]) -> T:
        """Returns the known result, or else makes the call.

        Args:
            known: Returns the result of an earlier call while it is valid, else None.
            call: Makes the call.

        Raises:
            GenesysError: The call failed.
        """
        failures = self._failures
        with self._lock:
            if (result := known()) is not None:
                return result
            if self._failure is not None and self._failures != failures:
                # Each thread gets a copy, since raising an error modifies it.
                raise copy(self._failure)
            try:
                return call()
            except GenesysError as error:
                self._failures, self._failure = self._failures + 1, copy(error)
                raise
