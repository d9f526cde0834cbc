"""What the monitor reads, and how it publishes it: JSON, a stream, metrics."""

from __future__ import annotations

import ctypes
import json
import math
import os
import signal
import sys
import threading
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from genesys_provider import Settings, TargetConfig, TargetManager
from genesys_provider.monitor import fleet
from genesys_provider.monitor.fleet import Fleet, Row
from tests.monitor.watching import SECONDS, Watch, activate, force, register
from tests.support.cloud import INTEGRATIONS, TARGETS, Cloud
from tests.support.process import COMMAND, Running, free_port
from tests.support.shared_cloud import counted
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from tests.monitor.conftest import Watcher


def test_targets_are_listed_with_the_names_of_the_api(cloud: Cloud, watch: Watcher) -> None:
    ids = register(cloud, ["orders"], headers={"X-Key": "canary-header-b52", "X-Pulumi-Resource": "urn:x"})
    force(cloud, ids["orders"], "VERIFIED")
    (found,) = watch().json("/api/targets")
    assert {
        name: found[name]
        for name in ("id", "name", "status", "endpointUrl", "authType", "eventTypes", "owner")
    } == {
        "id": ids["orders"],
        "name": "orders",
        "status": "VERIFIED",
        "endpointUrl": cloud.endpoint("orders"),
        "authType": "BASIC",
        "eventTypes": ["CONVERSATION_STARTED"],
        "owner": "urn:x",
    }
    assert found["headerNames"] == ["X-Key"]
    assert "canary" not in str(found)


def test_a_source_is_listed_with_its_state(cloud: Cloud, watch: Watcher) -> None:
    id_ = activate(cloud)
    running = watch()
    (found,) = running.json("/api/sources")
    assert (found["id"], found["status"], found["awsRegion"]) == (id_, "ACTIVE", "us-east-1")
    assert found["since"] is not None, "the service returns it"
    assert running.metric("sources", status="ACTIVE") == 1


def test_a_reading_takes_a_request_per_hundred_targets_for_any_clients(cloud: Cloud, watch: Watcher) -> None:
    count = 201
    register(cloud, [f"t{number:03}" for number in range(count)])
    cloud.requests()
    running = watch("--health-interval", 0)
    streams = [running.stream() for _ in range(10)]
    for stream in streams:
        assert len(stream.until(lambda data: data["rows"])["rows"]) == count
        stream.until(lambda data: data["reading"]["succeeded"] >= 4)
    for _ in range(20):
        assert len(running.targets()) == count
    running.end()
    requests = cloud.requests()
    readings = counted(requests, f"GET {INTEGRATIONS} ")
    assert readings >= 4
    # The last reading may have been interrupted by the end.
    pages = math.ceil(count / 100)
    assert pages * (readings - 1) <= counted(requests, "GET / ") <= pages * (readings + 1)
    assert counted(requests, "GET /api/v2/organizations/me") == 1
    assert len(requests) == counted(requests, "GET / ") + readings + 2, "in addition to the login"


def test_a_change_reaches_a_browser(cloud: Cloud, watch: Watcher) -> None:
    ids = register(cloud, ["orders", "billing"])
    force(cloud, ids["orders"], "VERIFIED")
    running = watch()
    stream = running.stream()
    stream.until(lambda data: len(data["rows"]) == 2)
    force(cloud, ids["orders"], "FAILED", "the endpoint answered 503")
    row = stream.row(lambda row: row["id"] == ids["orders"] and row["status"] == "FAILED")
    assert row["since"] is not None
    eventually(lambda: running.targets()["orders"]["status"] == "FAILED")
    assert running.metric("targets", status="FAILED") == 1
    assert running.metric("changes_total", kind="target", status="FAILED") == 1
    with running.http.stream("GET", "/api/events") as answer:
        assert answer.headers["X-Accel-Buffering"] == "no", "nginx would keep changes back"


def test_a_deleted_target_is_gone(cloud: Cloud, watch: Watcher) -> None:
    ids = register(cloud, ["orders", "billing"])
    running = watch()
    stream = running.stream()
    # Prometheus' increase() needs the count before the event.
    assert running.metric("changes_total", kind="target", status="GONE") == 0
    with TargetManager(Settings.resolve({}, cloud.env)) as manager:
        manager.delete(ids["orders"])
    stream.row(lambda row: row["id"] == ids["orders"] and row["status"] == "GONE")
    assert running.metric("changes_total", kind="target", status="GONE") == 1
    assert list(running.targets()) == ["billing"]
    assert running.metric("gone", kind="target") == 1
    assert {dict(labels)["name"] for name, labels in running.metrics() if name.endswith("target_status")} == {
        "billing"
    }


def test_the_last_reading_stays_during_an_outage_of_the_api(cloud: Cloud, watch: Watcher) -> None:
    ids = register(cloud, ["orders"])
    running = watch()
    stream = running.stream()
    cloud.control(
        "faults", match={"method": "GET", "path": TARGETS}, action="status", status=503, times=10_000
    )
    said = stream.until(lambda data: data["reading"]["error"])["reading"]
    assert said["old"] is True
    assert "503" in said["error"]
    assert running.targets()["orders"]["id"] == ids["orders"]
    assert running.metric("up") == 0
    assert (running.metric("read_errors_total") or 0) >= 1
    assert running.http.get("/healthz").status_code == 200
    cloud.control("faults", "DELETE")
    assert stream.until(lambda data: not data["reading"]["error"])["reading"]["old"] is False
    assert running.metric("up") == 1


def test_an_api_that_does_not_answer_holds_up_nobody(cloud: Cloud) -> None:
    silent = {"method": "GET", "path": TARGETS}
    cloud.control("faults", match=silent, action="delay", when="before", seconds=3600, times=100)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [str(COMMAND), "monitor", "--port", str(port)]
    with (
        Running(command, env={**os.environ, **cloud.env}) as running,
        httpx.Client(base_url=url, timeout=SECONDS) as http,
        ThreadPoolExecutor(61) as pool,
    ):
        eventually(lambda: _alive(url))
        scrapes = [pool.submit(http.get, "/metrics") for _ in range(60)]
        listed = pool.submit(http.get, "/api/targets")
        assert http.get("/").status_code == 200
        for each in scrapes:
            assert "genesys_eventbridge_up 0.0" in each.result().text
        assert listed.result().status_code == 503
        running.send(signal.SIGTERM)
        result = running.wait(SECONDS)
    assert result.code == 0
    assert "Traceback" not in result.output


def test_an_organization_that_was_never_read_is_not_shown_as_empty(tmp_path: Path, watch: Watcher) -> None:
    nobody = "http://127.0.0.1:9"
    running = watch(env={"GENESYSCLOUD_API_URL": nobody, "GENESYSCLOUD_LOGIN_URL": nobody})
    answer = running.http.get("/api/targets")
    assert answer.status_code == 503
    assert "connect" in answer.json()["error"].lower()
    assert running.stream().until(lambda data: data["reading"]["error"])["reading"]["readAt"] is None
    assert running.metric("up") == 0
    assert running.metric("targets", status="VERIFIED") is None


def test_a_lasting_failure_is_logged_once(cloud: Cloud, watch: Watcher) -> None:
    running = watch(env={"GENESYSCLOUD_OAUTHCLIENT_SECRET": "wrong"})
    eventually(lambda: (running.metric("read_errors_total") or 0) >= 3)
    _, said = running.end()
    assert said.count("login refused") == 1, "although each answer has a correlation id of its own"


def test_no_name_or_status_ends_the_monitor(cloud: Cloud, watch: Watcher, tmp_path: Path) -> None:
    names = [
        "half \ud800",
        "line\nbreak",
        '"quoted\\',
        "\x1b[31mred",
        "\u202eleft",
        "x" * 10_000,
        "",
        *("twice",) * 2,
    ]
    listed = [
        {
            "id": f"id-{index}",
            "name": name,
            "status": f"ODD {name}",
            "endpointUrl": "https://events.example/",
            "authType": "NONE",
            "eventTypes": [],
        }
        for index, name in enumerate(names)
    ]
    cloud.control(
        "faults",
        match={"method": "GET", "path": TARGETS},
        action="status",
        status=200,
        body=json.dumps({"entities": listed, "pageCount": 1}),
        times=10_000,
    )
    running = watch("--history", tmp_path / "history.sqlite", "--health-interval", 0.5)
    stream = running.stream()
    assert len(stream.until(lambda data: data["rows"])["rows"]) == len(names)
    stream.until(lambda data: data["reading"]["succeeded"] >= 3)
    assert len(running.json("/api/targets")) == len(names)
    assert sum(name.endswith("target_status") for name, _ in running.metrics()) == len(names)
    code, said = running.end()
    assert code == 0
    assert "\x1b" not in said


def test_metrics_are_in_the_prometheus_format(cloud: Cloud, watch: Watcher, tmp_path: Path) -> None:
    audit = tmp_path / "audit.jsonl"
    settings = Settings.resolve({"auditLog": audit}, cloud.env)
    with TargetManager(settings) as manager:
        made = manager.register(_config(cloud, "orders")).target
    ids = register(cloud, ["billing"])
    force(cloud, ids["billing"], "FAILED", "refused")
    running = watch("--audit-log", audit)
    assert running.metric("targets", status="VERIFIED") == 1
    assert running.metric("targets", status="FAILED") == 1
    assert running.metric("targets", status="TIMEOUT") == 0
    assert running.metric("targets", status="PENDING_VERIFICATION") == 0
    assert running.metric("target_status", id=made.id, name="orders", status="VERIFIED") == 1
    assert running.metric("verification_seconds_count") == 1
    assert 0 < (running.metric("verification_seconds_sum") or 0) < 60
    assert (running.metric("reads_total") or 0) >= 1
    assert running.metric("read_errors_total") == 0
    found = running.targets()["orders"]
    assert found["since"] is not None, "from the audit file"
    assert found["verificationSeconds"] is not None
    with TargetManager(settings) as manager:
        manager.update(made.id, _config(cloud, "orders", endpoint_url=cloud.endpoint("other")))
    eventually(lambda: running.metric("verification_seconds_count") == 2)
    openmetrics = running.http.get("/metrics", headers={"Accept": "application/openmetrics-text"})
    assert openmetrics.text.endswith("# EOF\n")


def test_the_rate_limit_is_reported(tmp_path: Path) -> None:
    with Cloud(tmp_path, rate_limit=300) as cloud, Watch("--interval", 60, env=cloud.env) as running:
        assert running.metric("rate_limit") == 300
        left = running.metric("rate_limit_left")
        assert left is not None
        assert 290 <= left < 300
        picture: dict[str, Any] = running.json("/api/fleet")
        assert picture["reading"]["rateLimit"] == {"allowed": 300, "left": left}
        assert picture["reading"]["apiUrl"] == cloud.emulator.url


def test_sigterm_ends_the_monitor_with_open_streams(watch: Watcher) -> None:
    running = watch()
    stream = running.stream()
    stream.until(lambda data: data["reading"])
    assert running.end() == (0, "")
    assert stream.ends()


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's own call chooses the thread")
def test_a_signal_that_no_wait_notices_ends_the_monitor(watch: Watcher) -> None:
    """As one does that arrives just before the main thread waits: it interrupts nothing there."""
    monitor = watch()
    *_, another = sorted(int(each.name) for each in Path(f"/proc/{monitor.pid}/task").iterdir())
    assert another != monitor.pid
    assert ctypes.CDLL(None).tgkill(monitor.pid, another, signal.SIGTERM) == 0
    assert monitor.wait(SECONDS).code == 0


def test_an_unknown_id_is_a_404(watch: Watcher) -> None:
    running = watch()
    assert running.http.get("/api/targets/none").status_code == 404
    assert running.http.post("/api/targets/none/health").status_code == 404
    assert running.http.get("/else").status_code == 404


def test_health_is_checked_on_request(cloud: Cloud, watch: Watcher) -> None:
    ids = register(cloud, ["orders"])
    running = watch("--health-interval", 0)
    stream = running.stream()
    answer = running.http.post(f"/api/targets/{ids['orders']}/health")
    assert answer.json() == {"id": ids["orders"], "health": "HEALTHY", "reason": None}
    assert stream.row(lambda row: row["health"] == "HEALTHY")["healthAt"] is not None
    assert running.metric("target_healthy", id=ids["orders"], name="orders", health="HEALTHY") == 1


def test_a_status_is_as_old_as_the_audit_file_says(cloud: Cloud, watch: Watcher, tmp_path: Path) -> None:
    (id_,) = register(cloud, ["orders"]).values()
    force(cloud, id_, "VERIFIED")
    audit = tmp_path / "audit.jsonl"
    verified, failed = "TARGET_VERIFIED", "TARGET_VERIFICATION_FAILED"
    with audit.open("w") as file:
        for day, event in enumerate((verified, failed, verified, verified), start=1):
            entry = {"timestamp": f"2026-01-0{day}T00:00:00Z", "event": event, "targetId": id_, "hash": ""}
            file.write(json.dumps(entry) + "\n")
    running = watch("--audit-log", audit)
    since = eventually(lambda: running.targets()["orders"]["since"])
    assert since == "2026-01-03T00:00:00.000Z"


def test_the_picture_of_a_fleet_that_grows_old(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = Fleet(15, "http://127.0.0.1:9")
    seen.restore([Row("target", {"id": "1", "name": "orders"}, "VERIFIED")], time.time())
    version, picture = seen.picture()
    assert (len(picture["rows"]), picture["reading"]["old"]) == (1, False)
    assert seen.picture(after=version)[1]["rows"] == [], "nothing has changed"
    monkeypatch.setattr(fleet, "LONGEST_READING", -16.0)
    assert seen.picture(after=version)[1]["reading"]["old"] is True


def test_rows_can_be_shown_during_a_reading() -> None:
    """Each reading adds a bar."""
    row = Row("target", {"id": "1", "name": "orders"}, "VERIFIED", bars=deque(["FAILED"] * 40, maxlen=40))
    ended = threading.Event()

    def read() -> None:
        while not ended.is_set():
            row.bars.append("VERIFIED")

    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    reading = threading.Thread(target=read)
    reading.start()
    try:
        for _ in range(20_000):
            assert sum(count for _, count in row.for_page()["bars"]) == 40
    finally:
        ended.set()
        reading.join()
        sys.setswitchinterval(usual)


def _alive(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz").is_success
    except httpx.ConnectError:
        return False


def _config(cloud: Cloud, name: str, **fields: Any) -> TargetConfig:
    return TargetConfig.model_validate(
        {
            "name": name,
            "endpoint_url": cloud.endpoint(name),
            "auth_type": "BASIC",
            "auth_config": {"username": "genesys-relay", "password": "canary-password-7c1"},
            "event_types": ["CONVERSATION_STARTED"],
            **fields,
        }
    )
