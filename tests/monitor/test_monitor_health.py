"""Scheduled health checks, and the reporting of changes."""

from __future__ import annotations

import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from genesys_provider import Settings, TargetManager
from genesys_provider.client import retries
from genesys_provider.client.redaction import hide
from genesys_provider.monitor import fleet, news
from genesys_provider.monitor.fleet import Change, Fleet, Key, Row
from genesys_provider.monitor.health import MOST_REQUESTED, HealthChecks
from genesys_provider.monitor.metrics import Metrics
from genesys_provider.monitor.news import News, WebhookSettings
from genesys_provider.targets.webhook import TIMEOUT_SECONDS
from tests.monitor.watching import Watch, force, register
from tests.support.cloud import SIGNING_SECRET, Cloud
from tests.support.shared_cloud import counted
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from pathlib import Path

    from tests.monitor.conftest import Watcher


def test_each_target_is_checked_once_per_interval(cloud: Cloud, watch: Watcher) -> None:
    ids = register(cloud, ["a", "b", "c", "d"])
    cloud.requests()
    running = watch("--health-interval", 2)
    stream = running.stream()
    checked: dict[str, str] = {}
    while len(checked) < len(ids):
        rows = stream.until(lambda data: data["rows"])["rows"]
        checked.update({row["id"]: row["healthAt"] for row in rows if row["healthAt"]})
    running.end()
    assert set(checked) == set(ids.values())
    assert len(set(checked.values())) == len(ids), "one after the other"
    assert counted(cloud.requests(), "POST /") >= len(ids)


def test_checks_use_at_most_a_tenth_of_the_rate_limit(tmp_path: Path) -> None:
    with Cloud(tmp_path, rate_limit=600) as cloud:
        register(cloud, [f"t{number}" for number in range(40)])
        cloud.requests()
        with Watch("--health-interval", 1, "--interval", 60, env=cloud.env) as running:
            stream = running.stream()
            checked = 0
            while checked < 4:
                checked += sum(row["health"] is not None for row in stream.until(lambda _: True)["rows"])
            running.end()
        log = cloud.control("requests", "GET")
    times = [each["at"] for each in log if each["path"].endswith("/health")]
    assert len(times) >= 4
    # 600 per minute are 10 per second, and a tenth of that is one per second.
    gaps = [_seconds(later) - _seconds(earlier) for earlier, later in pairwise(times)]
    assert min(gaps) >= 0.95, gaps


def test_a_check_at_a_time_that_is_still_to_come_does_not_count() -> None:
    """The clock was ahead when the first was checked, and was set back."""
    now = time.time()
    seen = Fleet(15, "http://127.0.0.1:9")
    seen.restore(
        [
            Row("target", {"id": id_, "name": id_}, "VERIFIED", health_at=at)
            for id_, at in (("ahead", now + 86_400), ("recent", now), ("old", now - 60))
        ],
        now,
    )
    row = seen.least_checked()
    assert row is not None
    assert row.id == "ahead"
    seen.take_health(("target", "ahead"), "HEALTHY", None)
    row = seen.least_checked()
    assert row is not None
    assert row.id == "old"


def test_without_targets_there_is_nothing_to_wake_up_for(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[float] = []
    monkeypatch.setattr(Fleet, "least_checked", lambda _: looks.append(0))
    seen, ended = Fleet(15, cloud.emulator.url), threading.Event()
    seen.take([], [], rate_limit=None, organization=None)
    with TargetManager(Settings.resolve({}, cloud.env)) as manager:
        checks = HealthChecks(manager, seen, Metrics(seen), lambda _: None, 300, ended)
        running = threading.Thread(target=checks.run)
        running.start()
        eventually(lambda: looks)
        with pytest.raises(AssertionError):
            eventually(lambda: len(looks) > 10, limit=1)
        ended.set()
        checks.stop()
        running.join()


def test_a_reason_is_requested_once(cloud: Cloud, watch: Watcher) -> None:
    (id_,) = register(cloud, ["orders"]).values()
    force(cloud, id_, "FAILED", "the endpoint answered 503 Service Unavailable")
    cloud.requests()
    running = watch("--health-interval", 0)
    stream = running.stream()
    row = stream.row(lambda row: row["reason"])
    assert "503 Service Unavailable" in row["reason"]
    stream.until(lambda data: data["reading"]["succeeded"] >= 4)
    assert counted(cloud.requests(), f"GET /{id_}/verify") == 1
    assert running.targets()["orders"]["reason"] == row["reason"]


def test_a_reason_that_could_not_be_read_is_requested_again(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    (id_,) = register(cloud, ["orders"]).values()
    force(cloud, id_, "FAILED")
    seen = Fleet(15, cloud.emulator.url)
    with TargetManager(Settings.resolve({}, cloud.env)) as manager:
        (target,) = manager.list()
    seen.take([target], [], rate_limit=None, organization=None)
    key: Key = ("target", id_)
    assert seen.unexplained() is seen.row(key)
    seen.explain(key, "FAILED", "the reason can't be read", read=False)
    assert seen.unexplained() is None, "not at once"
    monkeypatch.setattr(fleet, "ASK_AGAIN_SECONDS", 0.0)
    seen.explain(key, "FAILED", "the reason can't be read", read=False)
    assert seen.unexplained() is seen.row(key)
    seen.explain(key, "FAILED", "it answered 503", read=True)
    assert seen.unexplained() is None
    seen.explain(key, "FAILED", "the reason can't be read", read=False)
    row = seen.row(key)
    assert row is not None
    assert row.reason == "it answered 503"


def test_the_reason_of_a_failed_target_is_requested_again_after_its_configuration_changed(
    cloud: Cloud,
) -> None:
    (id_,) = register(cloud, ["orders"]).values()
    force(cloud, id_, "FAILED", "it answered 503")
    seen = Fleet(15, cloud.emulator.url)
    with TargetManager(Settings.resolve({}, cloud.env)) as manager:
        (target,) = manager.list()
    seen.take([target], [], rate_limit=None, organization=None)
    seen.explain(("target", id_), "FAILED", "it answered 503", read=True)
    seen.take([target], [], rate_limit=None, organization=None)
    assert seen.unexplained() is None
    changed = target.model_copy(update={"endpoint_url": cloud.endpoint("other")})
    seen.take([changed], [], rate_limit=None, organization=None)
    assert seen.unexplained() is seen.row(("target", id_))


def test_a_service_that_does_not_answer_holds_up_nothing_else(cloud: Cloud, watch: Watcher) -> None:
    (id_,) = register(cloud, ["orders"]).values()
    cloud.control(
        "faults",
        match={"method": "POST", "path": "*/health"},
        action="delay",
        when="before",
        seconds=600,
        times=9999,
    )
    running = watch("--health-interval", 0)
    with ThreadPoolExecutor(60) as pool:
        asked = [pool.submit(running.http.post, f"/api/targets/{id_}/health") for _ in range(60)]
        eventually(lambda: sum(each.done() for each in asked) == 60 - MOST_REQUESTED)
        refused = [each.result() for each in asked if each.done()]
        assert {each.status_code for each in refused} == {429}
        assert "Try again" in refused[0].json()["error"]
        assert running.http.get("/").status_code == 200
        assert running.metric("up") == 1
        code, said = running.end()
        assert (code, said) == (0, "")
        ended = [each.result() for each in asked if each.result() not in refused]
    assert {each.status_code for each in ended} == {503}


@pytest.mark.parametrize("times", [0, 1])
def test_a_change_is_logged_and_sent_as_a_signed_webhook(cloud: Cloud, watch: Watcher, times: int) -> None:
    (id_,) = register(cloud, ["orders"]).values()
    force(cloud, id_, "VERIFIED")
    if times:
        cloud.behave("/webhooks/genesys/targets", status=503, times=times)
    running = watch(
        *("--webhook", cloud.webhook, "--health-interval", 0),
        env={"GENESYS_MONITOR_SIGNING_SECRET": SIGNING_SECRET},
    )
    stream = running.stream()
    stream.until(lambda data: data["rows"])
    force(cloud, id_, "FAILED", "it answered 500")
    stream.row(lambda row: row["reason"])
    (sync,) = eventually(lambda: cloud.received()["syncs"])
    said: dict[str, Any] = sync["body"]
    assert {**said, "timestamp": None} == {
        "eventType": "TARGET_STATUS_CHANGED",
        "targetId": id_,
        "name": "orders",
        "before": "VERIFIED",
        "after": "FAILED",
        "reason": None,
        "timestamp": None,
        "source": "genesys-eventbridge-monitor",
    }
    assert sync["headers"]["webhook-signature"].startswith("v1,")
    _, log = running.end()
    assert f"target orders ({id_}): status VERIFIED -> FAILED" in log
    assert f"target orders ({id_}) is FAILED: it answered 500" in log
    assert "new" not in log, "the first reading reports no changes"
    assert SIGNING_SECRET not in log


def test_a_change_of_health_is_reported_too(cloud: Cloud, watch: Watcher) -> None:
    (id_,) = register(cloud, ["orders"]).values()
    running = watch(
        "--webhook",
        cloud.webhook,
        "--health-interval",
        "0.2",
        env={"GENESYS_MONITOR_SIGNING_SECRET": SIGNING_SECRET},
    )
    stream = running.stream()
    stream.row(lambda row: row["health"] == "HEALTHY")
    cloud.behave("/v1/genesys/events/orders", status=503)
    health = stream.row(lambda row: row["health"] not in (None, "HEALTHY"))["health"]
    (sync,) = eventually(lambda: cloud.received()["syncs"])
    assert (sync["body"]["eventType"], sync["body"]["before"], sync["body"]["after"]) == (
        "TARGET_HEALTH_CHANGED",
        "HEALTHY",
        health,
    )
    assert f"target orders ({id_}): health HEALTHY -> {health}" in running.end()[1]


def test_a_refused_webhook_points_to_its_receiver(cloud: Cloud, watch: Watcher) -> None:
    (id_,) = register(cloud, ["orders"]).values()
    force(cloud, id_, "VERIFIED")
    cloud.behave("/webhooks/genesys/targets", status=410, times=1)
    url = f"{cloud.webhook}?key=canary-77"
    running = watch("--webhook", url, "--signing-secret", SIGNING_SECRET, "--health-interval", 0)
    force(cloud, id_, "FAILED")
    eventually(lambda: running.metric("changes_total", kind="target", status="FAILED") == 1)
    force(cloud, id_, "VERIFIED")
    # They are sent one after the other, so the first is logged when the second arrives.
    eventually(lambda: any(each["body"]["after"] == "VERIFIED" for each in cloud.received()["syncs"]))
    _, said = running.end()
    assert "HTTP 410" in said
    assert "Check the receiver of --webhook" in said
    assert "GENESYSCLOUD" not in said
    assert "canary" not in said


def test_changes_that_the_webhook_never_got_are_told_at_the_end(cloud: Cloud, watch: Watcher) -> None:
    (id_,) = register(cloud, ["orders"]).values()
    force(cloud, id_, "VERIFIED")
    running = watch(
        *("--webhook", "https://127.0.0.1:9/", "--signing-secret", SIGNING_SECRET, "--health-interval", 0)
    )
    force(cloud, id_, "FAILED")
    eventually(lambda: running.metric("changes_total", kind="target", status="FAILED") == 1)
    code, said = running.end()
    assert code == 0
    assert "before the webhook could have the last changes: 1" in said


def _changes(*statuses: str) -> list[Change]:
    return [
        Change(time.time(), "target", "1", "orders", "status", before, after)
        for before, after in pairwise(statuses)
    ]


def _news(cloud: Cloud) -> News:
    metrics = Metrics(Fleet(15, cloud.emulator.url))
    return News(
        metrics, WebhookSettings(cloud.webhook, SIGNING_SECRET, cloud.gateway.ca_file), threading.Event()
    )


def test_a_receiver_that_was_down_gets_all_changes_in_order(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retries, "back_off", lambda _: 0.0)
    cloud.behave("/webhooks/genesys/targets", status=503, times=10)
    reporting = _news(cloud)
    reporting.tell(_changes("VERIFIED", "FAILED", "VERIFIED"))
    eventually(lambda: len(cloud.received()["syncs"]) == 2)
    assert [each["body"]["after"] for each in cloud.received()["syncs"]] == ["FAILED", "VERIFIED"]
    reporting.close()


def test_a_dead_receiver_holds_up_no_change_for_longer_than_one_attempt(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(news, "PATIENCE_SECONDS", 0.0)
    monkeypatch.setattr(retries, "back_off", lambda _: TIMEOUT_SECONDS)
    cloud.behave("/webhooks/genesys/targets", status=503, times=2)
    reporting = _news(cloud)
    reporting.tell(_changes("VERIFIED", "FAILED", "TIMEOUT", "VERIFIED"))
    (sync,) = eventually(lambda: cloud.received()["syncs"])
    assert sync["body"]["after"] == "VERIFIED"
    assert caplog.text.count("is not sent again") == 2
    reporting.close()


def test_a_change_that_can_not_be_sent_does_not_hold_up_the_next_one(
    cloud: Cloud, caplog: pytest.LogCaptureFixture
) -> None:
    # Formatting the time of this change fails, and the text of that error has its year.
    hide("33658")
    reporting = _news(cloud)
    reporting.tell([Change(1e12, "target", "1", "orders", "status", "VERIFIED", "FAILED")])
    reporting.tell(_changes("FAILED", "VERIFIED"))
    (sync,) = eventually(lambda: cloud.received()["syncs"])
    assert sync["body"]["after"] == "VERIFIED"
    reporting.close()
    (said,) = [each for each in caplog.messages if "webhook for target 1" in each]
    assert "is not sent again" in said
    assert "ValueError: year [secret] is out of range" in said


def test_what_the_api_says_can_not_forge_a_line_of_the_log(
    cloud: Cloud, caplog: pytest.LogCaptureFixture
) -> None:
    reporting = News(Metrics(Fleet(15, cloud.emulator.url)), None, threading.Event())
    with caplog.at_level(logging.INFO):
        reporting.tell([Change(0.0, "target", "1\n2", "a\nb", "status", "ODD\n", "ODD \x1b[31m\nRED")])
    assert len(caplog.messages) == 1
    assert caplog.messages[0].isprintable()


def test_a_webhook_requires_https_and_a_secret(cloud: Cloud, watch: Watcher) -> None:
    for options, said in (
        (("--webhook", "http://gateway.example/x", "--signing-secret", "s"), "must be an https:// URL"),
        (("--webhook", cloud.webhook), "the signing secret is empty"),
        (("--webhook", cloud.webhook, "--signing-secret", "whsec_="), "the signing secret"),
    ):
        refused = watch(*options)
        assert refused.ready_line == ""
        code, output = refused.end()
        assert code == 2
        assert said in output


def _seconds(time: str) -> float:
    return datetime.fromisoformat(time.replace("Z", "+00:00")).timestamp()
