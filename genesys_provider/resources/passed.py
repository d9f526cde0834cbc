"""Which inputs need no look at the rules: those that passed them before.

A check notes among the inputs, as `checkedBy`, the code that they passed: a hash of the sources of this package.
The state keeps it. So inputs that are the state's, to the letter, pass without a look if they passed this very
code; any other version may have another rule, looks at all inputs again, and notes itself. Inputs that were read,
by an import or by a refresh that found others, have no note. What is not known yet is never the state's.

A rule must depend on nothing but the inputs, and what it forgives on nothing that the state's inputs don't have.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pulumi.dynamic import CheckFailure, CheckResult

from genesys_provider.resources.properties import CHECKED_BY, own

if TYPE_CHECKING:
    from genesys_provider.common.faults import Fault


def checked(
    olds: Mapping[str, Any], inputs: Mapping[str, Any], faults: Callable[[], Sequence[Fault]]
) -> CheckResult:
    """The result of a check, which looks for faults only where the inputs have not passed before.

    Args:
        olds: The inputs of the state.
        inputs: Those of the program, with every default filled in.
        faults: Looks at the rules.
    """
    code, written = _code(), _written(inputs)
    # What is not known yet has the note too: an update plan holds `up` to the inputs that its preview had.
    noted = own(inputs) if code is None else {**own(inputs), CHECKED_BY: code}
    passed = code is not None and written is not None and olds.get(CHECKED_BY) == code
    if not passed or _written(olds) != written:
        failures = [CheckFailure(fault.path, fault.reason) for fault in faults()]
        if failures:
            return CheckResult(own(inputs), failures)
    return CheckResult(noted, [])


def _written(inputs: Mapping[str, Any]) -> str | None:
    """The inputs to the letter: to Python, True is 1. None where they hold what is no plain value."""
    try:
        return json.dumps(own(inputs), sort_keys=True)
    except TypeError:
        return None


@cache
def _code() -> str | None:
    """A hash of this package's sources, the same on each machine; None where they are not there to be read."""
    package = Path(__file__).parents[1]
    found = hashlib.blake2b(digest_size=4)
    sources = sorted(path for name in _WITH_RULES for path in (package / name).glob("*.py"))
    for path in sources:
        found.update(path.read_bytes().replace(b"\r\n", b"\n"))
    return found.hexdigest() if sources else None


_WITH_RULES = ("client", "common", "resources", "sources", "targets")
"""The packages that rules stand in, or what they are made of."""
