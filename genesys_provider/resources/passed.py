"""Skips the check of inputs that have passed the rules before.

A check stores the version of the rules among the inputs, as `checkedBy`: a hash of this package's sources. The
state keeps it. Inputs that are identical to those in the state pass without a check if they have passed this very
version. Any other version may have other rules, so it checks all inputs again, and stores its own hash. Inputs that
were read, by an import or by a refresh that found changes, have no hash. Unknown inputs are never identical to the
state's.

So a rule must only depend on the inputs, and any exception from it only on what the state's inputs contain.
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
    """The result of a check, which only looks for faults if the inputs have not passed before.

    Args:
        olds: The inputs of the state.
        inputs: Those of the program, with all defaults filled in.
        faults: Checks the rules.
    """
    code, written = _code(), _written(inputs)
    # Unknown inputs have it too, since an update plan holds `up` to the inputs of its preview.
    noted = own(inputs) if code is None else {**own(inputs), CHECKED_BY: code}
    passed = code is not None and written is not None and olds.get(CHECKED_BY) == code
    if not passed or _written(olds) != written:
        failures = [CheckFailure(fault.path, fault.reason) for fault in faults()]
        if failures:
            return CheckResult(own(inputs), failures)
    return CheckResult(noted, [])


def _written(inputs: Mapping[str, Any]) -> str | None:
    """The inputs as text, since True equals 1 in Python. None if they contain anything but plain values."""
    try:
        return json.dumps(own(inputs), sort_keys=True)
    except TypeError:
        return None


@cache
def _code() -> str | None:
    """A hash of this package's sources, the same on each machine; None if they can't be read."""
    package = Path(__file__).parents[1]
    found = hashlib.blake2b(digest_size=4)
    sources = sorted(path for name in _WITH_RULES for path in (package / name).glob("*.py"))
    for path in sources:
        found.update(path.read_bytes().replace(b"\r\n", b"\n"))
    return found.hexdigest() if sources else None


_WITH_RULES = ("client", "common", "resources", "sources", "targets")
"""The packages that contain the rules, and what they use."""
