"""Imports: the state has no provider yet, so an installed package must declare it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.host.house_project import THING as TYPE
from tests.host.house_project import program

if TYPE_CHECKING:
    from tests.host.house_project import House


def test_an_import_finds_the_provider_by_its_type(house: House, installed: dict[str, str]) -> None:
    stack = house.stack(env=installed)
    result = stack.import_(TYPE, "a", "id-a", "--protect=false")
    assert result.code == 0, result.output
    imported = stack.resources()["a"]
    assert imported["inputs"]["size"] == 3
    assert imported["outputs"]["status"] == "VERIFIED"

    stack.program(program("Thing('a', size=3)"))
    unchanged = stack.preview()
    assert "2 unchanged" in unchanged.output, unchanged.output
    stack.program(program("Thing('a', size=4)"))
    assert "[diff: ~size]" in stack.preview().output
    # It is the same string that the program serializes.
    stack.must("up", "--yes", "--skip-preview")
    assert stack.resources()["a"]["inputs"]["__provider"] == imported["inputs"]["__provider"]


def test_a_program_can_adopt(house: House, installed: dict[str, str]) -> None:
    stack = house.stack("Thing('a', size=3, opts=pulumi.ResourceOptions(import_='id-a'))", env=installed)
    result = stack.up()
    assert result.code == 0, result.output
    assert "imported" in result.output
    assert house.calls("create starts") == []
    stack.program(program("Thing('a', size=3)"))
    assert "2 unchanged" in stack.preview().output


def test_an_import_of_a_missing_object(house: House, installed: dict[str, str]) -> None:
    result = house.stack(env={**installed, "HOUSE_GONE": "1"}).import_(TYPE, "a", "id-a")
    assert result.code != 0
    assert "does not exist" in result.output
    assert "Traceback" not in result.output


def test_an_import_without_a_package_for_the_type(house: House) -> None:
    result = house.stack().import_(TYPE, "a", "id-a")
    assert result.code != 0
    assert f"no installed package says which provider serves '{TYPE}'" in result.output
    # The likeliest reason is a typing error.
    assert "These types can be: pulumi-python:dynamic/genesys:EventBridgeSource, " in result.output
    assert "Traceback" not in result.output


def test_a_provider_whose_module_is_missing(house: House) -> None:
    stack = house.stack("Thing('a')")
    stack.must("up", "--yes", "--skip-preview")
    (stack.directory / "house.py").unlink()
    result = stack.destroy()
    assert result.code != 0
    assert "the provider of this resource can't be loaded: No module named 'house'" in result.output
    assert "Traceback" not in result.output
