"""A subclass behaves like its parent, with a company's defaults."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.cloud import Cloud
    from tests.support.declared import Declared

COMPANY = """
class CompanyTarget(EventBridgeTarget{target}):
    def __init__(self, resource_name, *, headers=None, opts=None, **arguments):
        headers = {{"X-Source-System": "GenesysCloud", **(headers or {{}})}}
        super().__init__(resource_name, headers=headers, opts=opts, **arguments)

class Deeper(CompanyTarget):
    pass

class CompanySync(GatewaySync):
    pass
"""


@pytest.mark.full_length
def test_a_subclass_changes_nothing(declared: Declared, cloud: Cloud) -> None:
    lines = (declared.target("orders"), declared.sync("orders"))
    stack = declared.stack(declared.program(*lines))
    assert stack.up().code == 0
    before = stack.resources()
    cloud.requests()
    company = COMPANY.format(target="")
    for target in ("CompanyTarget", "Deeper"):
        taken_over = (
            line.replace("= EventBridgeTarget(", f"= {target}(").replace("GatewaySync(", "CompanySync(")
            for line in lines
        )
        stack.program(declared.program(company, *taken_over))
        result = stack.up()
        assert result.code == 0, result.output
        assert "3 unchanged" in result.output
    assert cloud.writes() == []
    assert {name: each["urn"] for name, each in stack.resources().items()} == {
        name: each["urn"] for name, each in before.items()
    }
    assert stack.destroy().code == 0
    cloud.requests()
    assert cloud.targets() == {}


@pytest.mark.full_length
def test_a_subclass_may_have_a_type_of_its_own(declared: Declared, cloud: Cloud) -> None:
    company = COMPANY.format(target=", module='acme', name='Target'")
    program = declared.program(
        company, declared.target("orders").replace("= EventBridgeTarget(", "= Deeper(")
    )
    stack = declared.stack(program)
    result = stack.up()
    assert result.code == 0, result.output
    assert stack.resources()["orders"]["type"] == "pulumi-python:dynamic/acme:Target"
    stack.program(program.replace("'GenesysCloud'", "'Other'", 1))
    assert "1 updated" in stack.up().output
    assert stack.refresh().code == 0
    assert stack.destroy().code == 0
    cloud.requests()
    assert cloud.targets() == {}
