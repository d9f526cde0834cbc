"""Everything that the stock host supports works under it; a failed verification leaves nothing behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.cloud import CANARIES

if TYPE_CHECKING:
    from tests.support.cloud import Cloud
    from tests.support.declared import Declared


def test_a_stack_on_the_stock_host(declared: Declared, cloud: Cloud) -> None:
    def program(**arguments: str) -> str:
        return declared.program(declared.target("orders", **arguments), declared.sync("orders"))

    stack = declared.stack(program(), host=None)
    created = stack.up()
    assert created.code == 0, created.output
    assert "3 unchanged" in stack.up().output
    stack.program(program(retry_policy="RetryPolicy(7)"))
    cloud.requests()
    assert stack.up().code == 0
    assert cloud.writes() == ["PUT 200"]
    assert "3 unchanged" in stack.refresh().output
    assert len(cloud.received()["syncs"]) == 2
    stored = stack.stored()
    assert [canary for canary in CANARIES if canary in stored] == []
    assert stack.destroy().code == 0
    cloud.requests()
    assert cloud.targets() == {}


@pytest.mark.full_length
def test_a_failed_verification_leaves_nothing_behind(declared: Declared, cloud: Cloud) -> None:
    stack = declared.stack(declared.targets(["orders"]), host=None)
    cloud.behave("/v1/genesys/events/orders", status=503)
    failed = stack.up()
    assert failed.code != 0
    assert "endpoint answered 503" in failed.output
    assert "The target was deleted again" in failed.output
    cloud.requests()
    assert cloud.targets() == {}
    cloud.behave_as_usual()
    assert stack.up().code == 0
    cloud.requests()
    assert list(cloud.targets()) == ["orders"]
