"""How many examples Hypothesis draws: few and always the same, or with HYPOTHESIS_PROFILE=torture many."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

THOROUGH = os.environ.get("HYPOTHESIS_PROFILE") == "torture"


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
