"""Third-party providers behave the same under our host as under the stock one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.host.house_project import program
from tests.support.engine import OWN_HOST

if TYPE_CHECKING:
    from pathlib import Path

    from tests.host.house_project import House
    from tests.support.engine import Stack

FIRST = (
    "secret = pulumi.Output.secret('hunter2')",
    "first = Other('a', {'name': 'a', 'size': 1, 'secret': secret, 'list': [1, {'x': None, 'y': True}]})",
    # Not known in a preview.
    "Other('b', {'name': first.id, 'size': first.size})",
    "pulumi.export('greeting', first.greeting)",
)
BIGGER = tuple(line.replace("'size': 1", "'size': 2") for line in FIRST)
RENAMED = tuple(line.replace("'name': 'a'", "'name': 'z'") for line in BIGGER)
VOLATILE = ("created", "modified", "sourcePosition", "stackTrace", "provider")


def comparable(stack: Stack) -> dict[str, dict[str, Any]]:
    """The state without values that differ between runs."""
    result = {}
    for name, resource in stack.resources().items():
        kept = {key: value for key, value in resource.items() if key not in VOLATILE}
        for bag in ("inputs", "outputs"):
            kept[bag] = {
                key: sorted(value) if isinstance(value, dict) and "ciphertext" in value else value
                for key, value in kept[bag].items()
            }
        result[name] = kept
    return result


def story(house: House, host: Path | None) -> list[Any]:
    """The results of the whole life cycle of a stack."""
    stack = house.stack(*FIRST, host=host, config={"house:region": "earth"})
    seen: list[Any] = []
    for lines in (FIRST, BIGGER, RENAMED, RENAMED):
        stack.program(program(*lines))
        preview = stack.preview()
        assert preview.code == 0, preview.output
        up = stack.up()
        assert up.code == 0, up.output
        seen += [changes(preview.output), changes(up.output), comparable(stack), stack.outputs()]
    refreshed = stack.refresh()
    assert refreshed.code == 0, refreshed.output
    seen += [changes(refreshed.output), comparable(stack)]
    stack.program(program(*RENAMED, "Other('c', {'name': 'bad', 'size': 0})"))
    failed = stack.up()
    assert failed.code != 0
    assert "Traceback" in failed.output
    assert "ValueError: no such name" in failed.output
    assert "hunter2" not in stack.stored()
    assert stack.destroy().code == 0
    return [*seen, comparable(stack)]


def changes(output: str) -> list[str]:
    """The summary of a command: the number of resources by kind of change."""
    _, _, summary = output.partition("Resources:\n")
    return [line.strip() for line in summary.split("\n\n")[0].splitlines()]


@pytest.mark.full_length
@pytest.mark.timeout(240)
def test_both_hosts_give_the_same_results(house: House) -> None:
    assert story(house, OWN_HOST) == story(house, None)


def test_a_stack_moves_from_one_host_to_the_other(house: House) -> None:
    stack = house.stack(*FIRST, host=None, config={"house:region": "earth"})
    stack.must("up", "--yes", "--skip-preview")
    settings = stack.directory / "Pulumi.yaml"
    stock = settings.read_text()
    settings.write_text(
        stock.replace(
            "{", f'{{"plugins": {{"providers": [{{"name": "pulumi-python", "path": "{OWN_HOST}"}}]}}, ', 1
        )
    )
    assert "3 unchanged" in stack.up().output
    settings.write_text(stock)
    assert "3 unchanged" in stack.up().output
