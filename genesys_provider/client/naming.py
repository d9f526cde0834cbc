"""The two spellings of a name: the API's and the state's `maxRetries`, and Python's `max_retries`.

Without pydantic, whose functions do the same, so that a program that only declares resources need not load it.
"""

from __future__ import annotations

import re


def snake(name: str) -> str:
    """`max_retries` for `maxRetries`."""
    return re.sub("[A-Z]", lambda capital: f"_{capital[0].lower()}", name)


def camel(name: str) -> str:
    """`maxRetries` for `max_retries`."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
