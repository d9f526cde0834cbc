"""`sources list`, `sources show` and `sources watch`, as an operator runs them."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from genesys_provider.sources.manager import SourceManager
from tests.cli.cli_commands import Started, run, source_config
from tests.support.cloud import INTEGRATIONS
from tests.support.shared_cloud import settings_of

if TYPE_CHECKING:
    from tests.support.cloud import Cloud

KEYS = {
    "id",
    "name",
    "state",
    "stateReason",
    "since",
    "enabled",
    "awsAccountId",
    "awsRegion",
    "eventSourceSuffix",
    "eventSourceName",
    "topics",
    "notes",
    "configVersion",
    "owner",
}
OWNER = "urn:pulumi:dev::shop::pulumi-python:dynamic/genesys:EventBridgeSource::orders"


@pytest.fixture
def fleet(cloud: Cloud, tmp_path: Path) -> dict[str, str]:
    """An active source, a disabled one and a failed one; returns their ids."""
    with SourceManager(settings_of(cloud, tmp_path)) as manager:
        ids = {
            name: manager.register(
                source_config(
                    name,
                    enabled=name != "presence",
                    notes="whose it is: [bold]ours",
                    owner=OWNER if name == "orders" else None,
                )
            ).source.id
            for name in ("orders", "presence", "queues")
        }
    cloud.control(f"integrations/{ids['queues']}/state", code="ERROR", message="AWS refuses [red]it")
    cloud.requests()
    return ids


def test_a_list(cloud: Cloud, fleet: dict[str, str]) -> None:
    done = run("sources", "list", env=cloud.env)
    assert (done.code, done.err) == (0, "")
    rows = {line.split()[0]: line for line in done.out.splitlines()}
    assert rows["orders"].split()[1] == "ACTIVE"
    assert "012345678901 us-east-1 orders" in rows["orders"]
    assert "dev::shop::orders" in rows["orders"]
    assert "2 topics" in rows["orders"]
    assert "AWS refuses [red]it" in done.out
    assert done.out.splitlines()[-1] == "3 sources: 1 ACTIVE, 1 ERROR, 1 INACTIVE"


def test_a_source_whose_state_the_service_does_not_tell(cloud: Cloud, fleet: dict[str, str]) -> None:
    entities = [{**each, "reportedState": {}} for each in cloud.integrations().values()]
    cloud.control(
        "faults",
        match={"method": "GET", "path": INTEGRATIONS},
        action="status",
        status=200,
        body={"entities": entities, "pageCount": 1},
    )
    done = run("sources", "list", env=cloud.env)
    assert done.out.splitlines()[-1] == "3 sources: 3 UNKNOWN", done


def test_json_and_filters(cloud: Cloud, fleet: dict[str, str]) -> None:
    shown = {each["name"]: each for each in run("sources", "list", "--json", env=cloud.env).json}
    assert all(set(each) == KEYS for each in shown.values())
    assert (shown["queues"]["state"], shown["queues"]["stateReason"]) == ("ERROR", "AWS refuses [red]it")
    assert (shown["presence"]["enabled"], shown["orders"]["owner"]) == (False, OWNER)
    assert shown["orders"]["eventSourceName"] == f"aws.partner/genesys.com/cloud/{cloud.organization}/orders"
    for filters, names in (
        (["--state", "error"], ["queues"]),
        (["--owner", "dev::"], ["orders"]),
        (["--name", "p*"], ["presence"]),
    ):
        done = run("sources", "list", "--json", *filters, env=cloud.env)
        assert [each["name"] for each in done.json] == names


def test_show(cloud: Cloud, fleet: dict[str, str]) -> None:
    for name in ("queues", fleet["queues"]):
        done = run("sources", "show", name, env=cloud.env)
        assert (done.code, done.err) == (0, "")
        for expected in (
            "ERROR",
            "AWS refuses [red]it",
            "v2.flows.{id}",
            "whose it is: [bold]ours",
            "no stack",
        ):
            assert expected in done.out
    shown = run("sources", "show", "queues", "--json", env=cloud.env).json
    assert set(shown) == {*KEYS, "organizationId"}
    done = run("sources", "show", "missing", env=cloud.env)
    assert done.code == 1
    assert "There is no source with the name or id 'missing'" in done.err


def test_a_missing_source(cloud: Cloud) -> None:
    assert run("sources", "list", env=cloud.env).out == "0 sources\n"


def test_watch(cloud: Cloud, fleet: dict[str, str], tmp_path: Path) -> None:
    with (
        SourceManager(settings_of(cloud, tmp_path)) as somebody,
        Started("sources", "watch", "--interval", "0.2", "--name", "[oq]*", env=cloud.env) as started,
    ):
        started.watches()
        cloud.control(f"integrations/{fleet['presence']}/state", code="ERROR", message="not selected")
        cloud.control(f"integrations/{fleet['orders']}/state", code="ERROR", message="AWS refuses it")
        assert started.words() == ["orders", "ACTIVE", "→", "ERROR", "AWS", "refuses", "it"]
        somebody.delete(fleet["queues"])
        assert started.words() == ["queues", "ERROR", "→", "deleted"]
        started.send(signal.SIGINT)
        assert started.wait().code == 0


def test_watch_as_json(cloud: Cloud, fleet: dict[str, str]) -> None:
    with Started("sources", "watch", "--interval", "0.2", "--json", env=cloud.env) as started:
        started.watches()
        cloud.control(f"integrations/{fleet['orders']}/state", code="ERROR", message="AWS refuses it")
        change = json.loads(started.line())
    assert set(change) == {"at", "before", "after", *KEYS}
    assert (change["before"], change["after"], change["stateReason"]) == ("ACTIVE", "ERROR", "AWS refuses it")
