"""What the history keeps, for how long, and what the monitor derives from it."""

from __future__ import annotations

import resource
import sqlite3
from typing import TYPE_CHECKING, Any

import pytest

from genesys_provider.emulator import EmulatorServer, EmulatorSettings
from genesys_provider.monitor.fleet import GONE, Change, Key, Row
from genesys_provider.monitor.history import (
    DAY,
    KEPT_A_THING,
    KEPT_HEALTH_SECONDS,
    KEPT_SECONDS,
    History,
    HistoryError,
)
from tests.monitor.watching import force, register
from tests.support.cloud import CLIENT_SECRET, Cloud
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from genesys_provider.monitor.fleet import Key
    from tests.monitor.conftest import Watcher
    from tests.monitor.watching import Watch

KEY: Key = ("target", "1")
GAP = 60.0


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    history = History(tmp_path / "history.sqlite")
    yield history
    history.close()


def status(at: float, before: str | None, after: str) -> Change:
    return Change(at, "target", "1", "orders", "status", before, after)


def health(at: float, before: str | None, after: str) -> Change:
    return Change(at, "target", "1", "orders", "health", before, after)


def look(
    history: History, at: float, *changes: Change, now: str = "VERIFIED", since: float | None = None
) -> None:
    history.reading(at, changes, [row(now, since)], GAP)


def watched(history: History, begin: float, end: float, now: str, since: float | None = None) -> None:
    """Reads all the time from `begin` to `end`."""
    for at in (begin, end):
        history.reading(at, [], [row(now, since)], end - begin)


def row(status: str, since: float | None) -> Row:
    return Row("target", {"id": "1", "name": "orders"}, status, since)


def test_the_history_survives_a_restart(cloud: Cloud, watch: Watcher, tmp_path: Path) -> None:
    file = tmp_path / "history.sqlite"
    ids = register(cloud, ["orders", "billing", "old"])
    force(cloud, ids["orders"], "VERIFIED")
    first = watch("--history", file)
    stream = first.stream()
    stream.until(lambda data: len(data["rows"]) == 3)
    force(cloud, ids["orders"], "FAILED", "the endpoint answered 503")
    stream.row(lambda row: row["id"] == ids["orders"] and row["reason"])
    before = first.targets()["orders"]
    assert "503" in before["reason"]
    first.end()
    cloud.requests()
    cloud.api("DELETE", f"/{ids['old']}").raise_for_status()

    again = watch("--history", file, "--health-interval", 0)
    after = again.targets()["orders"]
    assert after["since"] == before["since"]
    assert after["reason"] == before["reason"]
    assert not [each for each in cloud.requests() if "verify" in each], "the reason is known"
    bars = again.json(f"/api/targets/{ids['orders']}")["bars"]
    assert {"VERIFIED", "FAILED"} <= {status for status, _ in bars}
    eventually(lambda: "old" not in again.targets())
    timeline = again.json(f"/api/targets/{ids['old']}")["timeline"]
    assert next(each["after"] for each in timeline if each["what"] == "status") == "GONE"


def test_the_last_reading_is_served_before_the_api_answers(
    cloud: Cloud, watch: Watcher, tmp_path: Path
) -> None:
    file = tmp_path / "history.sqlite"
    register(cloud, ["orders"])
    watch("--history", file).end()
    nobody = "http://127.0.0.1:9"
    again = watch("--history", file, env={"GENESYSCLOUD_API_URL": nobody, "GENESYSCLOUD_LOGIN_URL": nobody})
    assert list(again.targets()) == ["orders"]
    reading = again.json("/api/fleet")["reading"]
    assert reading["old"] is True
    assert reading["readAt"] is not None
    assert reading["error"]


def test_a_time_line_has_all_changes_with_time_and_reason(cloud: Cloud, watch: Watcher) -> None:
    (id_,) = register(cloud, ["orders"]).values()
    force(cloud, id_, "VERIFIED")
    running = watch()
    stream = running.stream()
    stream.row(lambda row: row["health"] == "HEALTHY")
    force(cloud, id_, "FAILED", "it answered 500")
    stream.row(lambda row: row["reason"])
    found = running.json(f"/api/targets/{id_}")
    steps = [(each["what"], each["before"], each["after"]) for each in found["timeline"]]
    assert ("status", None, "VERIFIED") in steps
    assert ("status", "VERIFIED", "FAILED") in steps
    assert ("health", None, "HEALTHY") in steps
    assert "it answered 500" in found["timeline"][0]["reason"]
    assert set(found["shares"]) == {"24h", "7d", "30d"}
    readings = stream.until(lambda data: data["reading"]["succeeded"])["reading"]["succeeded"]
    stream.until(lambda data: data["reading"]["succeeded"] > readings + 1)
    assert 0 < running.json(f"/api/targets/{id_}")["shares"]["24h"] < 1


def test_the_share_only_counts_time_with_readings(history: History) -> None:
    look(history, 1000, status(1000, None, "VERIFIED"))
    look(history, 1050)
    assert history.share(KEY, "VERIFIED", 0, 1050) == 1
    look(history, 1100, status(1100, "VERIFIED", "FAILED"), now="FAILED")
    assert history.share(KEY, "VERIFIED", 0, 1100) == 1
    # There was no reading between 1100 and 5000.
    look(history, 5000, now="FAILED")
    look(history, 5050, now="FAILED")
    look(history, 5100, status(5100, "FAILED", "VERIFIED"))
    assert history.share(KEY, "VERIFIED", 0, 5100) == 0.5
    assert history.share(KEY, "VERIFIED", 1050, 5100) == pytest.approx(1 / 3)
    assert history.share(KEY, "VERIFIED", 5060, 5100) == 0
    assert history.share(("target", "other"), "VERIFIED", 0, 5100) is None


def test_the_share_does_not_count_time_in_which_it_was_gone(history: History) -> None:
    look(history, 0, status(0, None, "VERIFIED"))
    look(history, 50, status(50, "VERIFIED", "GONE"), now="GONE", since=50)
    look(history, 100, status(100, "GONE", "FAILED"), now="FAILED")
    look(history, 150, now="FAILED")
    assert history.share(KEY, "VERIFIED", 0, 150) == 0.5


def test_old_entries_are_deleted(history: History) -> None:
    now = 100 * DAY
    old, recent = now - KEPT_SECONDS - DAY, now - DAY
    history.record(
        [
            status(old - 20, None, "PENDING_VERIFICATION"),
            health(old - 15, None, "HEALTHY"),
            status(old - 10, "PENDING_VERIFICATION", "FAILED"),
            status(old, "FAILED", "VERIFIED"),
            health(now - KEPT_HEALTH_SECONDS - 10, "HEALTHY", "UNHEALTHY"),
            health(recent, "UNHEALTHY", "HEALTHY"),
            status(recent, "VERIFIED", "FAILED"),
        ],
        [],
    )
    watched(history, old - 20, now, now="FAILED")
    assert history.thin() == []
    assert [(each.what, each.after) for each in history.timeline(KEY)] == [
        ("status", "FAILED"),
        ("health", "HEALTHY"),
        ("health", "UNHEALTHY"),
        ("status", "VERIFIED"),
    ]


def test_a_flapping_target_does_not_fill_the_disk(history: History) -> None:
    history.record([status(float(at), "FAILED", "VERIFIED") for at in range(KEPT_A_THING + 500)], [])
    history.thin()
    history.close()
    with sqlite3.connect(history._path or "") as database:
        assert database.execute("SELECT count(*), max(at) FROM changes").fetchone() == (
            KEPT_A_THING,
            KEPT_A_THING + 499,
        )
    database.close()


def test_objects_that_have_been_gone_for_long_are_deleted(history: History) -> None:
    look(history, 0, status(0, None, "VERIFIED"))
    look(history, 10, status(10, "VERIFIED", "GONE"), now="GONE", since=10)
    watched(history, 10, KEPT_HEALTH_SECONDS, now="GONE", since=10)
    assert history.thin() == []
    # The time without readings does not count.
    look(history, 2 * KEPT_HEALTH_SECONDS, now="GONE", since=10)
    assert history.thin() == []
    watched(history, 2 * KEPT_HEALTH_SECONDS, 2 * KEPT_HEALTH_SECONDS + 20, now="GONE", since=10)
    assert history.thin() == [KEY]
    assert history.timeline(KEY) == []
    assert history.restored()[0] == []


def test_a_clock_that_was_wrong_for_a_while(history: History) -> None:
    look(history, 0, status(0, None, "VERIFIED"))
    look(history, 50)
    look(history, 900 * DAY)
    for at in range(100, 3000, 50):
        look(history, at)
    rows, read_at = history.restored()
    assert read_at == 2950
    assert list(rows[0].bars) == ["VERIFIED"] * 40
    look(history, 3000, status(3000, "VERIFIED", "FAILED"), now="FAILED")
    look(history, 3050, now="FAILED")
    assert history.share(KEY, "VERIFIED", 2950, 3050) == 0.5


def test_a_clock_that_was_far_ahead_for_a_while_deletes_nothing(history: History) -> None:
    now, gone_at = 40 * DAY, 39 * DAY
    watched(history, 0, now, "GONE", gone_at)
    history.record(
        [
            status(now - KEPT_SECONDS + DAY, None, "VERIFIED"),
            health(gone_at - 20, None, "UNHEALTHY"),
            health(gone_at - 10, "UNHEALTHY", "HEALTHY"),
            status(gone_at, "VERIFIED", "GONE"),
        ],
        [],
    )
    ahead = now + 3650 * DAY
    watched(history, ahead, ahead + DAY / 2, "GONE", gone_at)
    assert history.thin() == []
    # It is right again.
    look(history, now + 50, now="GONE", since=gone_at)
    assert history.thin() == []
    assert len(history.timeline(KEY)) == 4
    assert history.share(KEY, "VERIFIED", 0, now) == 1


def test_a_full_disk_is_survived(tmp_path: Path) -> None:
    history = History(tmp_path / "history.sqlite")
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, usual[1]))
        for _ in range(2):
            with pytest.raises(sqlite3.Error, match=r"full|I/O"):
                history.record([status(1, None, "FAILED" * 10_000)], [])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)
    history.record([status(2, None, "VERIFIED")], [])
    assert [each.after for each in history.timeline(KEY)] == ["VERIFIED"]
    history.close()


def test_a_history_serves_one_monitor(cloud: Cloud, watch: Watcher, tmp_path: Path) -> None:
    watch("--history", tmp_path / "history.sqlite")
    with pytest.raises(HistoryError, match="in use, probably by another monitor"):
        History(tmp_path / "history.sqlite")


def test_bars_show_the_last_readings(history: History) -> None:
    look(history, 0, status(0, None, "VERIFIED"))
    for at in range(1, 50):
        changes = [status(at, "VERIFIED", "FAILED")] if at == 48 else []
        look(history, at, *changes, now="FAILED" if at >= 48 else "VERIFIED")
    rows, read_at = history.restored()
    assert read_at == 49
    assert list(rows[0].bars) == ["VERIFIED"] * 38 + ["FAILED"] * 2


def refusal(monitor: Watch) -> str:
    """What a monitor says that does not start, and so ends by itself."""
    assert monitor.ready_line == ""
    ended = monitor.wait()
    said = ended.output + ended.errors
    assert ended.code == 1
    assert "Traceback" not in said
    return said


def test_a_file_that_is_not_a_history_is_refused(watch: Watcher, tmp_path: Path) -> None:
    other = tmp_path / "other.sqlite"
    with sqlite3.connect(other) as database:
        database.execute("CREATE TABLE mine (at REAL)")
    database.close()
    text = tmp_path / "text"
    text.write_text("no database, but long enough to be taken for one" * 10)
    for file in (other, text, tmp_path / "none" / "history"):
        with pytest.raises(HistoryError):
            History(file)
    assert "Name another file" in refusal(watch("--history", other))


def test_a_damaged_history_is_told_in_one_sentence(history: History, watch: Watcher, tmp_path: Path) -> None:
    look(history, 0, status(0, None, "VERIFIED"))
    history.close()
    file = tmp_path / "history.sqlite"
    with file.open("r+b") as damaged:
        # The first page, which says what kind of file it is, stays.
        size = damaged.seek(0, 2)
        damaged.seek(4096)
        damaged.write(b"\xff" * (size - 4096))
    assert f"the history {file} can't be used" in refusal(watch("--history", file))


def test_the_history_of_another_organization_is_refused(cloud: Cloud, watch: Watcher, tmp_path: Path) -> None:
    file = tmp_path / "history.sqlite"
    register(cloud, ["orders"])
    watch("--history", file).end()
    cloud.requests()
    organization = cloud.organization
    with Cloud(tmp_path, beside=cloud) as other:
        said = refusal(watch("--history", file, env=other.env))
    assert f"belongs to organization {organization}" in said
    assert list(watch("--history", file).targets()) == ["orders"], "the history is unchanged"


def test_another_organization_at_the_same_address_ends_the_monitor(
    cloud: Cloud, watch: Watcher, tmp_path: Path
) -> None:
    file = tmp_path / "history.sqlite"
    with Cloud(tmp_path, beside=cloud) as former:
        register(former, ["orders"])
        env, organization = former.env, former.organization
        running = [watch("--history", file, env=env), watch(env=env)]
        port = int(former.emulator.url.rpartition(":")[2])
    settings = EmulatorSettings(client_secret=CLIENT_SECRET, ca_file=cloud.gateway.ca_file)
    with EmulatorServer(settings, port=port):
        for each in running:
            ended = each.wait()
            assert ended.code == 1
            assert f"belongs to organization {organization}" in ended.errors
            assert "Traceback" not in ended.errors
            assert "None" not in ended.errors
    history = History(file)
    (row,), _ = history.restored()
    history.close()
    assert row.name == "orders"
    assert row.status != GONE


def test_an_organization_that_is_not_told_after_a_login_ends_no_monitor(
    cloud: Cloud, watch: Watcher, tmp_path: Path
) -> None:
    (target_id,) = register(cloud, ["orders"]).values()
    running = watch("--history", tmp_path / "history.sqlite")
    answers: list[dict[str, Any]] = [{"status": 200, "body": {}}, {"status": 403}, {"status": 503}]
    for answer in answers:
        match = {"path": "*/organizations/me"}
        cloud.control("faults", match=match, action="status", times=1, **answer)
        cloud.control("tokens/revoke")
        eventually(lambda: cloud.control("faults", "GET") == [])
    force(cloud, target_id, "FAILED")
    eventually(lambda: running.targets()["orders"]["status"] == "FAILED")


def test_nothing_is_written_before_the_organization_is_known(
    cloud: Cloud, watch: Watcher, tmp_path: Path
) -> None:
    file = tmp_path / "history.sqlite"
    register(cloud, ["orders"])
    watch("--history", file, "--health-interval", 0).end()
    with Cloud(tmp_path, beside=cloud) as other:
        unknown = {"method": "GET", "path": "*/organizations/me"}
        other.control("faults", match=unknown, action="status", status=503, times=2)
        assert watch("--history", file, env=other.env).wait().code == 1
    history = History(file)
    (row,), _ = history.restored()
    history.close()
    assert row.health is None
