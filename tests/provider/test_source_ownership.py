"""Ownership of sources: the mark is in the notes, and the rules are the same as for targets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.cloud import Cloud
from tests.support.declared import Declared
from tests.support.engine import OWN_HOST, id_of
from tests.support.process import refused, succeeded
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.engine import Stack, StackMaker

TYPE = "pulumi-python:dynamic/genesys:EventBridgeSource"
FOREIGN = f"urn:pulumi:prod::elsewhere::{TYPE}::orders"


def up(declared: Declared, host: Path | None, *lines: str) -> Stack:
    stack = declared.stack(declared.program(*(lines or (declared.source("orders"),))), host=host)
    succeeded(stack.up())
    declared.cloud.requests()
    return stack


def living(cloud: Cloud) -> dict[str, str]:
    cloud.requests()
    return {name: each["id"] for name, each in cloud.integrations().items()}


def notes(cloud: Cloud, name: str = "orders") -> str:
    cloud.requests()
    text: str = cloud.integrations()[name]["config"]["current"]["notes"]
    return text


def given_away(cloud: Cloud, source_id: str) -> None:
    """Lets another stack take over the source."""
    cloud.requests()
    cloud.configure(source_id, notes=f"Pulumi: {FOREIGN}")


@pytest.mark.full_length
def test_a_delete_checks_the_owner(declared: Declared, cloud: Cloud, host: Path | None) -> None:
    stack = up(declared, host)
    given_away(cloud, id_of(stack))
    result = stack.destroy()
    assert list(living(cloud)) == ["orders"]
    assert host is None or f"is now owned by {FOREIGN}, so it was left unchanged" in result.output


@pytest.mark.full_length
def test_an_update_checks_the_owner(declared: Declared, cloud: Cloud, host: Path | None) -> None:
    stack = up(declared, host)
    given_away(cloud, id_of(stack))
    stack.program(declared.program(declared.source("orders", topics="['v2.flows.{id}']")))
    refused(stack.up(), FOREIGN, f"pulumi import {TYPE}")
    assert notes(cloud) == f"Pulumi: {FOREIGN}"


@pytest.mark.full_length
def test_a_refresh_shows_the_owner(declared: Declared, cloud: Cloud, host: Path | None) -> None:
    stack = up(declared, host)
    given_away(cloud, id_of(stack))
    stack.refresh()
    outs = stack.resources()["orders"]["outputs"]
    assert (outs["claimedBy"], outs["owner"]) == (FOREIGN, stack.urn("orders", type_=TYPE))
    assert "notes" not in outs


@pytest.mark.full_length
def test_manually_replaced_notes(declared: Declared, cloud: Cloud) -> None:
    """Somebody removed the line unknowingly, so the source still belongs to its resource."""
    stack = up(declared, OWN_HOST, declared.source("orders", notes="'ours'"))
    cloud.configure(id_of(stack), notes="by hand")
    assert "~ notes" in stack.refresh("--diff").output
    succeeded(stack.up())
    assert notes(cloud) == f"ours\nPulumi: {stack.urn('orders', type_=TYPE)}"
    cloud.configure(id_of(stack), notes="")
    succeeded(stack.destroy())
    assert living(cloud) == {}


@pytest.mark.full_length
def test_a_leftover_of_a_run_is_adopted(declared: Declared, cloud: Cloud, host: Path | None) -> None:
    stack = up(declared, host)
    source_id = id_of(stack)
    stack.must("state", "delete", "--yes", stack.urn("orders", type_=TYPE))
    stack.program(declared.program(declared.source("orders", topics="['v2.flows.{id}']")))
    succeeded(stack.up())
    assert living(cloud) == {"orders": source_id}
    assert id_of(stack) == source_id


@pytest.mark.full_length
def test_a_rename_without_the_alias_that_continues_after_errors(
    declared: Declared, cloud: Cloud, host: Path | None
) -> None:
    """The name is another one too, but the suffix of the event source is not."""
    stack = up(declared, host)
    source_id, former = id_of(stack), stack.urn("orders", type_=TYPE)
    stack.program(declared.program(declared.source("orders", called="later")))
    output = refused(stack.up("--continue-on-error"), "stays, since")
    assert output.count(f'aliases=["{former}"]') >= 2
    assert living(cloud) == {"orders": source_id}


@pytest.mark.full_length
def test_an_unmarked_source_must_be_imported(declared: Declared, cloud: Cloud) -> None:
    stack = up(declared, OWN_HOST)
    source_id = id_of(stack)
    cloud.configure(source_id, notes="by hand")
    stack.must("state", "delete", "--yes", stack.urn("orders", type_=TYPE))
    command = f"pulumi import {TYPE} orders {source_id}"
    refused(stack.up(), f"the name 'orders' is taken by source {source_id}", "owned by no stack", command)
    succeeded(stack.import_(TYPE, "orders", source_id, "--protect=false"))
    succeeded(stack.up())
    assert notes(cloud) == f"Pulumi: {stack.urn('orders', type_=TYPE)}"


@pytest.mark.full_length
def test_an_import_from_another_stack_warns(declared: Declared, cloud: Cloud) -> None:
    stack = up(declared, OWN_HOST)
    source_id = id_of(stack)
    rival = declared.stack(declared.program(declared.source("orders")), name="rival")
    imported = succeeded(rival.import_(TYPE, "orders", source_id, "--protect=false"))
    assert f"source 'orders' ({source_id}) is owned by {stack.urn('orders', type_=TYPE)}" in imported
    # An import alone does not change the owner.
    assert "was left unchanged" in succeeded(rival.destroy())
    succeeded(rival.import_(TYPE, "orders", source_id, "--protect=false"))
    succeeded(rival.up())
    assert notes(cloud) == f"Pulumi: {rival.urn('orders', type_=TYPE)}"
    succeeded(rival.destroy())
    assert living(cloud) == {}


@pytest.mark.full_length
def test_one_source_can_not_be_two_resources(declared: Declared, cloud: Cloud) -> None:
    stack = up(declared, OWN_HOST)
    source_id = id_of(stack)
    stack.import_(TYPE, "twice", source_id, "--protect=false")
    twice = declared.source("twice", name="'orders'", event_source_suffix="'orders'")
    stack.program(declared.program(declared.source("orders"), twice))
    refused(stack.up(), f"source 'orders' ({source_id}) is in the state twice")
    assert living(cloud) == {"orders": source_id}


@pytest.mark.full_length
def test_a_renamed_resource_with_its_alias_gets_a_new_mark(declared: Declared, cloud: Cloud) -> None:
    stack = up(declared, OWN_HOST)
    source_id = id_of(stack)
    renamed = declared.source(
        "later",
        name="'orders'",
        event_source_suffix="'orders'",
        opts="pulumi.ResourceOptions(aliases=[pulumi.Alias(name='orders')])",
    )
    stack.program(declared.program(renamed))
    succeeded(stack.up())
    assert id_of(stack, "later") == source_id
    assert notes(cloud) == f"Pulumi: {stack.urn('later', type_=TYPE)}"


@pytest.mark.full_length
def test_two_sources_can_not_share_a_suffix(declared: Declared, cloud: Cloud) -> None:
    stack = up(declared, OWN_HOST)
    other = declared.source("other", event_source_suffix="'orders'")
    stack.program(declared.program(declared.source("orders"), other))
    refused(stack.up(), "the event source suffix 'orders' in 012345678901", stack.urn("orders", type_=TYPE))
    assert list(living(cloud)) == ["orders"]


@pytest.mark.full_length
def test_ctrl_c_keeps_created_resources(tmp_path: Path, make_stack: StackMaker) -> None:
    with Cloud(tmp_path / "slow", activation_seconds=3) as cloud:
        declared = Declared(cloud, make_stack)
        names = [f"s{number}" for number in range(4)]
        stack = declared.stack(declared.program(*map(declared.source, names)))
        running = stack.start("up", "--yes", "--skip-preview", "--parallel", "64")
        eventually(lambda: [each["method"] for each in cloud.control("requests", "GET")].count("PATCH") >= 4)
        running.interrupt()
        result = running.wait()
        assert result.code != 0
        assert "Traceback" not in result.output
        assert stack.pending() == []
        cloud.requests()
        there = living(cloud)
        assert {name: id_of(stack, name) for name in names} == there
        succeeded(stack.up())
        assert living(cloud) == there
        cloud.requests()
        assert {each["reportedState"]["code"] for each in cloud.integrations().values()} == {"ACTIVE"}


@pytest.mark.full_length
@pytest.mark.parametrize("option", ["delete_before_replace=False", ""], ids=["first", "after"])
def test_a_replacement_with_the_same_name(declared: Declared, cloud: Cloud, option: str) -> None:
    stack = up(declared, OWN_HOST, declared.source("orders", opts=f"pulumi.ResourceOptions({option})"))
    source_id = id_of(stack)
    stack.program(
        declared.program(
            declared.source(
                "orders", opts=f"pulumi.ResourceOptions({option})", event_source_suffix="'second'"
            )
        )
    )
    result = stack.up()
    if option:
        refused(result, "can't be replaced by one of the same name while it is there")
        assert living(cloud) == {"orders": source_id}
    else:
        succeeded(result)
        assert living(cloud) == {"orders": id_of(stack)} != {"orders": source_id}


@pytest.mark.full_length
def test_a_leftover_with_another_name_must_be_imported(declared: Declared, cloud: Cloud) -> None:
    stack = up(declared, OWN_HOST)
    source_id = id_of(stack)
    stack.must("state", "delete", "--yes", stack.urn("orders", type_=TYPE))
    stack.program(declared.program(declared.source("orders", name="'renamed'")))
    result = stack.up()
    refused(result, "left it behind, under the name 'orders'")
    assert "aliases" not in result.output
    succeeded(stack.import_(TYPE, "orders", source_id, "--protect=false"))
    succeeded(stack.up())
    assert living(cloud) == {"renamed": source_id}


@pytest.mark.full_length
def test_a_replacement_with_the_same_suffix_that_creates_first_is_refused(
    declared: Declared, cloud: Cloud
) -> None:
    options = "pulumi.ResourceOptions(delete_before_replace=False, replace_on_changes=['name'])"
    stack = up(declared, OWN_HOST, declared.source("orders", opts=options))
    source_id = id_of(stack)
    stack.program(declared.program(declared.source("orders", name="'renamed'", opts=options)))
    result = stack.up()
    refused(result, "can't be replaced by one of the same suffix", "another suffix (`event_source_suffix=`)")
    assert "import" not in result.output
    assert living(cloud) == {"orders": source_id}
