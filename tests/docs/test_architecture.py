"""The drawings of the packages match the import contracts and the code."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from genesys_provider.resources.passed import _WITH_RULES
from tests.docs.pages import ROOT, blocks

PAGE = (ROOT / "docs" / "architecture.md").read_text()
CONTRACTS = (ROOT / "pyproject.toml").read_text()
PACKAGE = ROOT / "genesys_provider"
PACKAGES = sorted(each.parent.name for each in PACKAGE.glob("*/__init__.py"))


@cache
def modules() -> dict[Path, ast.Module]:
    """The modules of the package, parsed."""
    return {each: ast.parse(each.read_text()) for each in sorted(PACKAGE.rglob("*.py"))}


def drawing(title: str) -> str:
    (found,) = [block.text for block in blocks("docs/architecture.md") if block.title == title]
    return found


def drawn() -> tuple[list[set[str]], set[str]]:
    """The layers of the drawing from top to bottom, and the packages that stand alone."""
    layers, alone = (part.splitlines() for part in drawing("packages").strip().split("\n\n"))
    beside = [re.match(r"(\w+)(?:\s*\|\s*(\w+))?", line) for line in layers]
    return [set(filter(None, found.groups())) for found in beside if found], {
        line.split()[0] for line in alone
    }


def enforced(contract: str) -> list[set[str]]:
    """The layers of the contract that starts with this text, from top to bottom."""
    found = re.search(contract + r"\s*layers = \[(.*?)\]", CONTRACTS, re.DOTALL)
    assert found is not None
    return [set(re.findall(r"\w+(?=[ \"])", line)) for line in re.findall(r'"[^"]+"', found[1])]


def test_the_drawn_layers_are_enforced() -> None:
    assert drawn()[0] == enforced('type = "layers"')


def test_each_package_is_drawn() -> None:
    layers, alone = drawn()
    assert sorted(set().union(*layers) | alone) == PACKAGES


@pytest.mark.parametrize("package", PACKAGES)
def test_the_drawn_layers_inside_a_package_are_enforced(package: str) -> None:
    layers: list[set[str]] = []
    for line in drawing(package).splitlines():
        what, modules = re.split(r" {2,}", line, maxsplit=1)
        layers += [set()] if what else []
        layers[-1] |= set(re.findall(r"\w+", modules))
    assert layers == enforced(rf'exhaustive = true\s*containers = \["genesys_provider\.{package}"\]')


def test_a_package_that_stands_alone_may_not_import_the_others() -> None:
    for package in drawn()[1]:
        source = rf'source_modules = \["genesys_provider\.{package}"\]\s*forbidden_modules = \[(.*?)\]'
        contract = re.search(source, CONTRACTS, re.DOTALL)
        assert contract is not None, package
        for layer in drawn()[0]:
            for other in layer:
                assert f'"genesys_provider.{other}"' in contract[1], f"{package} may import {other}"


def in_a_stack() -> set[str]:
    """The packages that a program or its provider imports, without the host."""
    return set().union(*drawn()[0]) - {"cli", "monitor"}


@pytest.mark.parametrize(
    ("contract", "packages"),
    [
        ("the domain knows nothing of Pulumi", in_a_stack() - {"resources"}),
        ("what runs in a stack", in_a_stack() | {"host"}),
    ],
)
def test_each_package_is_in_the_contracts_that_it_must_keep(contract: str, packages: set[str]) -> None:
    (sources,) = re.findall(rf'name = "{contract}.*?source_modules = \[(.*?)\]', CONTRACTS, re.DOTALL)
    assert set(re.findall(r'"genesys_provider\.(\w+)"', sources)) == packages


def test_changed_rules_of_any_package_repeat_the_check_of_inputs() -> None:
    assert set(_WITH_RULES) == in_a_stack()


def test_each_folder_of_tests_is_listed() -> None:
    listed = re.findall(r"`tests/(\w+)/`", PAGE.partition("## Where the tests are")[2])
    assert sorted(listed) == sorted(
        each.name for each in (ROOT / "tests").iterdir() if any(each.glob("*.py"))
    )


def test_no_two_classes_have_the_same_name() -> None:
    names = Counter(
        node.name
        for module in modules().values()
        for node in ast.walk(module)
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )
    assert [name for name, count in names.items() if count > 1] == []


def test_process_wide_state_is_listed() -> None:
    (table,) = re.findall(r"A process shares.*?\n\n(\|.*?)\n\n", PAGE, re.DOTALL)
    listed = re.findall(r"^\| `(.+?)` \|", table, re.MULTILINE)
    shared = {path.relative_to(PACKAGE) for path, module in modules().items() for _ in variables_of(module)}
    assert sorted(listed) == sorted(map(str, shared))


def variables_of(module: ast.Module) -> Iterator[str]:
    """The process-wide state of a module: its lower-case names, except loggers and options of commands."""
    for statement in module.body:
        if isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value is not None:
            target = statement.targets[0] if isinstance(statement, ast.Assign) else statement.target
            name, value = ast.unparse(target), ast.unparse(statement.value)
            if (
                name.islower()
                and not name.startswith("__")
                and not value.startswith(("logging.getLogger(", "click.option("))
            ):
                yield name
    yield from (ast.unparse(node) for node in ast.walk(module) if isinstance(node, ast.Global))
