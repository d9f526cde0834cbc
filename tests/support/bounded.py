"""How many examples Hypothesis draws: few and always the same, or with --torture many."""

from __future__ import annotations

import os
import sys
from collections import Counter, defaultdict
from typing import Any

from hypothesis import HealthCheck, settings

# From the command line itself: Hypothesis wants to know before pytest has read its options.
THOROUGH = "--torture" in sys.argv or os.environ.get("HYPOTHESIS_PROFILE") == "torture"

LIMIT = 3600 if THOROUGH else 120
"""Seconds for a test."""

COUNTED: defaultdict[str, Counter[Any]] = defaultdict(Counter)
"""What was counted for the tables at the end, of all processes of a session."""

COUNTS: Counter[str] = COUNTED["bad input"]
"""What was drawn."""


def examples(quick: int, thorough: int | None = None) -> settings:
    """Settings for a test: `quick` examples, or `thorough` (else ten times as many)."""
    return settings(
        max_examples=(thorough or 10 * quick) if THOROUGH else quick,
        derandomize=not THOROUGH,
        database=None,
        deadline=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )
