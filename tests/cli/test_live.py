"""`targets health` and `targets watch`, as an operator runs them."""

from __future__ import annotations

import json
import signal
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from genesys_provider import TargetConfig, TargetManager
from genesys_provider.client.api import TIMEOUT_SECONDS
from tests.cli.cli_commands import Started, body, make, run
from tests.support.shared_cloud import settings_of
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.cloud import Cloud

BAD = "/v1/genesys/events/bad"


@pytest.fixture
def fleet(cloud: Cloud) -> Cloud:
    """Two healthy targets, and one that is not."""
    cloud.behave(BAD, status=503)
    make(cloud, "orders")
    make(cloud, "queues")
    make(cloud, "presence", endpointUrl=cloud.endpoint("bad"))
    cloud.requests()
    return cloud


def test_health_of_all(fleet: Cloud) -> None:
    done = run("targets", "health", "--all", env=fleet.env)
    assert (done.code, done.err) == (1, "")
    rows = {line.split()[0]: line for line in done.out.splitlines()}
    assert rows["orders"].split()[1:3] == ["VERIFIED", "HEALTHY"]
    assert rows["presence"].split()[1:3] == ["VERIFIED", "UNHEALTHY"]
    assert "503" in rows["presence"]
    assert done.out.splitlines()[-1] == "3 targets: 2 HEALTHY, 1 UNHEALTHY"
    # The checks are recorded in the audit file.
    assert fleet.audit_log.read_text().count("HEALTH_CHECK_TRIGGERED") == 3


def test_health_of_some(fleet: Cloud) -> None:
    target_id = fleet.living()["queues"]
    done = run("targets", "health", "orders", target_id, "--json", env=fleet.env)
    assert done.code == 0
    assert [(each["name"], each["health"]) for each in done.json] == [
        ("orders", "HEALTHY"),
        ("queues", "HEALTHY"),
    ]
    assert set(done.json[0]) == {"id", "name", "status", "health", "message", "seconds"}
    assert run("targets", "health", "presence", "--json", env=fleet.env).code == 1

    # A good endpoint is not enough: a target whose verification failed receives no events.
    for status, code in (("FAILED", 1), ("TIMEOUT", 1), ("PENDING_VERIFICATION", 0)):
        fleet.control(f"targets/{target_id}/status", status=status, message="forced")
        done = run("targets", "health", "orders", "queues", "--json", env=fleet.env)
        assert done.code == code
        assert [(each["status"], each["health"]) for each in done.json] == [
            ("VERIFIED", "HEALTHY"),
            (status, "HEALTHY"),
        ]


@contextmanager
def three_held_checks(cloud: Cloud, *options: str) -> Iterator[Started]:
    """`targets health --all` of three targets, none of which gets an answer until it is released."""
    for name in ("a", "b", "c"):
        make(cloud, name)
    cloud.requests()
    fault = {"method": "POST", "path": "/api/v2/integrations/eventbridge/targets/*/health"}
    cloud.control("faults", match=fault, action="delay", when="before", seconds=3600, times=3)
    with Started("targets", "health", "--all", *options, env=cloud.env) as started:
        # This only becomes true if all three run at the same time.
        eventually(lambda: len(cloud.control("held", "GET")) == 3)
        yield started


def test_checks_run_in_parallel(cloud: Cloud) -> None:
    with three_held_checks(cloud, "--json") as started:
        cloud.control("held", "DELETE")
        done = started.wait()
    assert done.code == 0
    assert [each["health"] for each in json.loads(done.output)] == ["HEALTHY"] * 3


def test_ctrl_c_does_not_wait_for_the_answers(cloud: Cloud) -> None:
    with three_held_checks(cloud) as started:
        started.send(signal.SIGINT)
        done = started.wait(TIMEOUT_SECONDS)
    assert done.code == 1
    assert "Traceback" not in done.errors
    cloud.control("held", "DELETE")


def test_a_check_that_can_not_run(fleet: Cloud) -> None:
    fault = {"method": "POST", "path": "/api/v2/integrations/eventbridge/targets/*/health"}
    fleet.control("faults", match=fault, action="status", status=503, times=100)
    done = run("targets", "health", "orders", env={**fleet.env, "GENESYSCLOUD_MAX_RETRIES": "0"})
    assert done.code == 1
    assert "orders  VERIFIED  UNKNOWN" in done.out


def test_wrong_use_and_unknown_names(fleet: Cloud) -> None:
    assert run("targets", "health", env=fleet.env).code == 2
    assert run("targets", "health", "orders", "--all", env=fleet.env).code == 2
    done = run("targets", "health", "orders", "missing", env=fleet.env)
    assert (done.code, done.out) == (1, "")
    assert "no target with the name or id 'missing'" in done.err


def test_health_of_none(cloud: Cloud) -> None:
    assert run("targets", "health", "--all", env=cloud.env).out == "0 targets\n"


def test_watch(fleet: Cloud, tmp_path: Path) -> None:
    ids = fleet.living()
    with (
        TargetManager(settings_of(fleet, tmp_path)) as somebody,
        Started("targets", "watch", "--interval", "0.2", env=fleet.env) as started,
    ):
        assert "every 0.2 s; press Ctrl-C to stop" in started.watches()
        fleet.control(f"targets/{ids['orders']}/status", status="FAILED", message="endpoint answered 500")
        assert started.words() == ["orders", "VERIFIED", "→", "FAILED", "endpoint", "answered", "500"]
        somebody.delete(ids["queues"])
        assert started.words() == ["queues", "VERIFIED", "→", "deleted"]
        somebody.register(TargetConfig.model_validate(body(fleet, "new")))
        assert started.words()[:3] == ["new", "new", "→"]
        started.send(signal.SIGINT)
        done = started.wait()
    assert done.code == 0
    assert "Traceback" not in done.errors


def test_watch_as_json(fleet: Cloud) -> None:
    ids = fleet.living()
    with Started("targets", "watch", "--interval", "0.2", "--json", env=fleet.env) as started:
        started.watches()
        fleet.control(f"targets/{ids['orders']}/status", status="TIMEOUT", message="no answer")
        change = json.loads(started.line())
    assert (change["before"], change["after"]) == ("VERIFIED", "TIMEOUT")
    assert (change["name"], change["reason"]) == ("orders", "no answer")


def test_watch_continues_after_an_outage(fleet: Cloud) -> None:
    ids = fleet.living()
    env = {**fleet.env, "GENESYSCLOUD_MAX_RETRIES": "0"}
    with Started("targets", "watch", "--interval", "0.2", env=env) as started:
        started.watches()
        fleet.control("faults", match={"method": "GET", "path": "*"}, action="status", status=503, times=2)
        fleet.control(f"targets/{ids['orders']}/status", status="FAILED", message="x")
        assert "orders  VERIFIED → FAILED" in started.line()
        started.send(signal.SIGINT)
        done = started.wait()
    assert done.code == 0
    assert "the list can't be read now, retrying" in done.errors
    assert done.errors.splitlines()[-1] == "the list can be read again"
