"""How many examples Hypothesis draws: a few that are always the same, or many with --torture."""

from __future__ import annotations

import os
import sys
from collections import Counter, defaultdict
from typing import Any

from hypothesis import HealthCheck, settings

# From the command line itself, since Hypothesis needs it before pytest has parsed its options.
THOROUGH = "--torture" in sys.argv or os.environ.get("HYPOTHESIS_PROFILE") == "torture"

LIMIT = 3600 if THOROUGH else 120
"""The time limit of a test, in seconds."""

COUNTED: defaultdict[str, Counter[Any]] = defaultdict(Counter)
"""The counts for the tables at the end, of all processes of a session."""

COUNTS: Counter[str] = COUNTED["bad input"]
"""The counts of drawn inputs."""


def examples(quick: int, thorough: int | None = None) -> settings:
    """Settings for a test with `quick` examples, or in a long run `thorough` (by default ten times as many)."""
    return settings(
        max_examples=(thorough or 10 * quick) if THOROUGH else quick,
        derandomize=not THOROUGH,
        database=None,
        deadline=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )
