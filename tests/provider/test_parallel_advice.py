"""If targets had to queue, the run shows the advice once at its end."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.support.cloud import Cloud
from tests.support.declared import opts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.declared import Declared

TOLD = re.compile(
    r"(\d+) of (\d+) targets waited at a time; with `--parallel (\d+)`, or `PULUMI_PARALLEL=\3` without that "
    r"option, this `up` would have taken about \d+ s"
)


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    """A cloud with slow verifications."""
    with Cloud(tmp_path / "slow", verification_seconds=3) as cloud:
        yield cloud


def test_the_advice_is_shown_once_if_targets_had_to_queue(declared: Declared) -> None:
    stack = declared.stack(declared.targets(f"t{number}" for number in range(6)))
    result = stack.up("--parallel", "2")
    assert result.code == 0, result.output
    # A log contains it a second time, in a line of the stack.
    told = TOLD.findall(result.output.partition("Diagnostics:")[2])
    assert told == [("2", "6", "6")], result.output
    # Nothing has to queue now.
    assert not TOLD.search(stack.up("--parallel", "2").output)


@pytest.mark.full_length
def test_an_explicit_provider_speaks_of_its_own_targets(declared: Declared, cloud: Cloud) -> None:
    """It has a process of its own, which knows nothing of the other providers' targets."""
    lines = [
        declared.provider("eu", cloud),
        *(declared.target(f"t{number}", opts=opts(provider="eu")) for number in range(6)),
    ]
    result = declared.stack(declared.program(*lines)).up("--parallel", "2")
    assert result.code == 0, result.output
    told = result.output.partition("Diagnostics:")[2]
    assert TOLD.findall(told) == [("2", "6", "6")], result.output
    assert "These are the figures of provider 'eu' alone: add up those of all providers" in told


@pytest.mark.full_length
def test_no_advice_with_enough_parallelism(declared: Declared) -> None:
    stack = declared.stack(declared.targets(f"t{number}" for number in range(100)))
    result = stack.up("--parallel", "256")
    assert result.code == 0, result.output
    assert "waited at a time" not in result.output
