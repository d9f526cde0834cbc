"""Names in Genesys Cloud that move from one target to another, although they are unique at any time.

A chain succeeds in one `up`. Impossible changes are refused immediately, with the necessary steps.
"""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING

import pytest

from tests.support.declared import opts
from tests.support.engine import OWN_HOST, TARGET_TYPE, urn
from tests.support.process import succeeded

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.support.cloud import Cloud
    from tests.support.declared import Declared
    from tests.support.engine import Stack


def program(declared: Declared, names: Mapping[str, str], **options: str) -> str:
    """Targets with these names in Genesys, by resource name; `options` apply to the last one."""
    *others, (last, name) = names.items()
    return declared.program(
        *(declared.target(each, name=repr(other)) for each, other in others),
        declared.target(last, name=repr(name), **options),
    )


def named(cloud: Cloud) -> dict[str, str]:
    """The ids by name."""
    return cloud.living()


def up(declared: Declared, host: Path | None, names: Mapping[str, str]) -> Stack:
    stack = declared.stack(program(declared, names), host=host)
    succeeded(stack.up())
    return stack


CHAIN = {"x": "b", "y": "c", "z": "d"}
"""Renames each target to the name of the next."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "order" in metafunc.fixturenames:
        metafunc.parametrize("order", list(permutations(CHAIN)), ids="".join)


@pytest.mark.full_length
def test_a_chain(declared: Declared, cloud: Cloud, order: tuple[str, ...]) -> None:
    stack = up(declared, OWN_HOST, {"x": "a", "y": "b", "z": "c"})
    before = named(cloud)
    stack.program(program(declared, {each: CHAIN[each] for each in order}))
    succeeded(stack.up())
    assert named(cloud) == {"b": before["a"], "c": before["b"], "d": before["c"]}
    assert "4 unchanged" in succeeded(stack.up())


@pytest.mark.full_length
def test_a_chain_under_either_host(declared: Declared, cloud: Cloud, host: Path | None) -> None:
    stack = up(declared, host, {"x": "a", "y": "b"})
    before = named(cloud)
    stack.program(program(declared, {"x": "b", "y": "c"}))
    succeeded(stack.up())
    assert named(cloud) == {"b": before["a"], "c": before["b"]}


@pytest.mark.full_length
def test_a_new_target_takes_the_name_of_a_renamed_one(
    declared: Declared, cloud: Cloud, host: Path | None
) -> None:
    stack = up(declared, host, {"x": "a"})
    before = named(cloud)
    stack.program(program(declared, {"new": "a", "x": "b"}))
    succeeded(stack.up())
    after = named(cloud)
    assert after["b"] == before["a"]
    assert after.keys() == {"a", "b"}
    assert cloud.marks() == {"a": urn("new"), "b": urn("x")}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"x": "a", "y": "b"}, {"x": "b", "y": "a"}),
        pytest.param(
            {"x": "a", "y": "b", "z": "c"},
            {"x": "b", "y": "c", "z": "a"},
            marks=pytest.mark.full_length,
        ),
    ],
    ids=["two", "three"],
)
def test_an_exchange(
    declared: Declared,
    cloud: Cloud,
    host: Path | None,
    before: dict[str, str],
    after: dict[str, str],
) -> None:
    stack = up(declared, host, before)
    ids = named(cloud)
    stack.program(program(declared, after))
    result = stack.up()
    assert result.code != 0, result.output
    assert "interim name" in result.output, result.output
    assert "aliases" not in result.output, result.output
    assert set(named(cloud).values()) == set(ids.values())
    # The steps: one of them first gets a temporary name, which frees its own for the others.
    stack.program(program(declared, {**after, "x": "interim"}))
    succeeded(stack.up())
    stack.program(program(declared, after))
    succeeded(stack.up())
    of_resource = {resource: ids[name] for resource, name in before.items()}
    assert named(cloud) == {name: of_resource[resource] for resource, name in after.items()}


@pytest.mark.full_length
@pytest.mark.parametrize("who", ["one that is there", "a new one"])
def test_the_name_of_a_removed_target(declared: Declared, cloud: Cloud, host: Path | None, who: str) -> None:
    """The name only becomes free after all updates, so the old target must be deleted first."""
    there = who == "one that is there"
    stack = up(declared, host, {"x": "a", "gone": "b"} if there else {"kept": "a", "gone": "b"})
    ids = named(cloud)
    stack.program(program(declared, {"x": "b"} if there else {"kept": "a", "x": "b"}))
    result = stack.up()
    assert result.code != 0, result.output
    command = f"pulumi destroy --target '{urn('gone')}'"
    assert command in result.output, result.output
    # The new target may also be the old one, moved or renamed; for that case the error names the alias.
    assert ("aliases" in result.output) == (not there), result.output
    assert named(cloud) == ids
    # Literally.
    succeeded(stack.destroy("--target", urn("gone")))
    succeeded(stack.up())
    after = named(cloud)
    assert after.keys() == ({"b"} if there else {"a", "b"})
    assert after["b"] == (ids["a"] if there else stack.resources()["x"]["id"])


@pytest.mark.full_length
def test_the_name_of_a_dependent_target(declared: Declared, cloud: Cloud) -> None:
    """The update of the target with the name waits for this one, so the error is immediate."""
    stack = declared.stack(
        declared.program(
            declared.target("x", name="'a'"),
            declared.target("y", name="'b'", opts=opts(depends_on="[x]")),
        )
    )
    succeeded(stack.up())
    ids = named(cloud)
    stack.program(
        declared.program(
            declared.target("x", name="'b'"),
            declared.target("y", name="'c'", opts=opts(depends_on="[x]")),
        )
    )
    result = stack.up()
    assert result.code != 0, result.output
    assert urn("y") in result.output, result.output
    assert named(cloud) == ids
    # It works in two steps.
    stack.program(
        declared.program(
            declared.target("x", name="'a'"),
            declared.target("y", name="'c'", opts=opts(depends_on="[x]")),
        )
    )
    succeeded(stack.up())
    stack.program(
        declared.program(
            declared.target("x", name="'b'"),
            declared.target("y", name="'c'", opts=opts(depends_on="[x]")),
        )
    )
    succeeded(stack.up())
    assert named(cloud) == {"b": ids["a"], "c": ids["b"]}


@pytest.mark.full_length
def test_the_name_of_an_unchanged_target(declared: Declared, cloud: Cloud, host: Path | None) -> None:
    """Two targets want one name, and neither is renamed."""
    stack = up(declared, host, {"x": "a", "y": "b"})
    ids = named(cloud)
    stack.program(program(declared, {"x": "b", "y": "b"}))
    result = stack.up()
    assert result.code != 0, result.output
    assert urn("y") in result.output, result.output
    assert named(cloud) == ids


@pytest.mark.full_length
@pytest.mark.parametrize("how", ["imported", "stack renamed"])
def test_a_target_whose_mark_is_not_up_to_date(declared: Declared, cloud: Cloud, how: str) -> None:
    """It is in this program all the same, so the names are exchanged or handed over as usual."""
    stack = up(declared, OWN_HOST, {"x": "a", "y": "b"})
    ids = named(cloud)
    if how == "imported":
        cloud.change(ids["b"], headers={})
        stack.must("state", "delete", urn("y"))
        succeeded(stack.import_(TARGET_TYPE, "y", ids["b"], "--protect=false"))
    else:
        stack.rename("renamed")
    stack.program(program(declared, {"x": "b", "y": "a"}))
    result = stack.up()
    assert result.code != 0, result.output
    assert "interim name" in result.output, result.output
    assert "pulumi import" not in result.output, result.output
    assert "state move" not in result.output, result.output
    stack.program(program(declared, {"x": "b", "y": "c"}))
    succeeded(stack.up())
    assert named(cloud) == {"b": ids["a"], "c": ids["b"]}
    assert cloud.marks() == {"b": stack.urn("x"), "c": stack.urn("y")}
