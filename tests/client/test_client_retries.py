"""Which requests are retried, after how long, and which are not."""

from __future__ import annotations

import threading
import time
from contextlib import closing
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genesys_provider.client.api import GenesysClient
from genesys_provider.client.errors import (
    Cancelled,
    ConnectionFailed,
    GenesysError,
    NotFound,
    RateLimited,
    ServerError,
    UnexpectedAnswer,
)
from genesys_provider.client.progress import reporting_to
from genesys_provider.client.retries import back_off, retry_after
from tests.support.shared_cloud import SkippedWaits, body, counted, settings_of
from tests.support.waiting import LIMIT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.cloud import Cloud

NOW = datetime(2026, 1, 31, 12, 0, 0, tzinfo=timezone.utc)
ONE = "/api/v2/integrations/eventbridge/targets/*"


@pytest.fixture
def client(cloud: Cloud, waits: SkippedWaits, tmp_path: Path) -> Iterator[GenesysClient]:
    client = GenesysClient(settings_of(cloud, tmp_path), cancelled=waits, clock=waits.clock)
    client.list_targets()
    cloud.requests()
    yield client
    client.close()


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        (" 7 ", 7.0),
        ("120", 120.0),
        ("Sat, 31 Jan 2026 12:00:30 GMT", 30.0),
        ("Saturday, 31-Jan-26 12:01:00 GMT", 60.0),
        ("Sat Jan 31 12:00:05 2026", 5.0),
        ("Sat, 31 Jan 2026 13:00:10 +0100", 10.0),
        ("Sat, 31 Jan 2026 11:00:00 GMT", 0.0),
        (None, None),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("²", None),
        ("٣", None),
        ("Sat, 99 Foo 2026", None),
        ("1 Jan 99999999999999999999 00:00:00 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date_or_nothing(value: str | None, seconds: float | None) -> None:
    headers = {} if value is None else {"Retry-After": value}
    assert retry_after(headers, lambda: NOW) == seconds


def test_a_retry_after_date_uses_the_clock_of_the_server() -> None:
    headers = {"Retry-After": "Sat, 31 Jan 2026 15:00:02 GMT", "Date": "Sat, 31 Jan 2026 15:00:00 GMT"}
    assert retry_after(headers, lambda: NOW) == 2


@given(
    st.text()
    | st.from_regex(r"[A-Z][a-z]{2}, \d+ [A-Z][a-z]{2} \d+ \d+:\d+:\d+ (GMT|[+-]\d+)", fullmatch=True)
)
def test_invalid_retry_after_values_are_ignored(value: str) -> None:
    seconds = retry_after({"Retry-After": value, "Date": value}, lambda: NOW)
    assert seconds is None or seconds >= 0


@pytest.mark.parametrize("attempt", range(7))
def test_the_back_off_doubles_with_random_jitter(attempt: int) -> None:
    seen = [back_off(attempt) for _ in range(200)]
    assert all(2**attempt / 2 <= seconds <= 2**attempt for seconds in seen)
    assert max(seen) - min(seen) > 2**attempt / 4


def test_the_back_off_has_a_maximum() -> None:
    assert back_off(5000) <= 64


def throttled(cloud: Cloud, times: int | None = None, status: int = 429, /, **headers: str) -> None:
    more: dict[str, Any] = {} if times is None else {"times": times}
    cloud.control(
        "faults",
        match={"path": ONE[:-2]},
        action="status",
        status=status,
        headers={name.replace("_", "-"): value for name, value in headers.items()},
        **more,
    )


def test_it_waits_for_the_seconds_of_retry_after(
    cloud: Cloud, client: GenesysClient, waits: SkippedWaits
) -> None:
    throttled(cloud, 1, Retry_After="42")
    client.list_targets()
    assert waits.waits == [42.0]
    assert cloud.requests() == ["GET / 429", "GET / 200"]


def test_it_waits_until_the_date_of_retry_after(
    cloud: Cloud, client: GenesysClient, waits: SkippedWaits
) -> None:
    date = datetime.now(timezone.utc) + timedelta(seconds=500)
    throttled(cloud, 1, Retry_After=format_datetime(date, usegmt=True))
    client.list_targets()
    (wait,) = waits.waits
    # It counts from the answer, which a busy machine may delay. Its Date only has whole seconds.
    assert 500 - LIMIT <= wait <= 501


@pytest.mark.parametrize("header", [{}, {"Retry_After": "in a moment"}])
def test_it_backs_off_without_a_retry_after(
    cloud: Cloud, client: GenesysClient, waits: SkippedWaits, header: dict[str, str]
) -> None:
    throttled(cloud, 3, **header)
    client.list_targets()
    assert cloud.requests() == ["GET / 429"] * 3 + ["GET / 200"]
    first, second, third = waits.waits
    assert 0.5 <= first <= 1
    assert 1 <= second <= 2
    assert 2 <= third <= 4


@pytest.mark.parametrize("asked", ["0", "Sat, 31 Jan 2026 12:00:00 GMT"])
def test_a_retry_after_without_a_wait_uses_up_no_retries_at_once(
    cloud: Cloud, client: GenesysClient, waits: SkippedWaits, asked: str
) -> None:
    throttled(cloud, 3, Retry_After=asked)
    client.list_targets()
    assert [round(wait, 1) for wait in waits.waits if wait < 0.5] == []
    assert sum(waits.waits) >= 3.5


def test_lasting_throttling_is_an_error_with_advice(cloud: Cloud, client: GenesysClient) -> None:
    throttled(cloud)
    with pytest.raises(RateLimited) as lasting:
        client.list_targets()
    assert cloud.requests() == ["GET / 429"] * 4
    assert "GENESYSCLOUD_MAX_RETRIES" in str(lasting.value)
    assert lasting.value.correlation_id in str(lasting.value)


@pytest.mark.parametrize("most", [0, 1, 6])
def test_max_retries_is_honoured(cloud: Cloud, tmp_path: Path, most: int) -> None:
    waits = SkippedWaits()
    client = GenesysClient(settings_of(cloud, tmp_path, maxRetries=most), cancelled=waits, clock=waits.clock)
    cloud.control("faults", match={"method": "GET"}, action="status", status=503)
    with pytest.raises(ServerError):
        client.list_targets()
    client.close()
    assert counted(cloud.requests(), "GET / 503") == most + 1
    assert len(waits.waits) == most


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("seconds", "when"), [("601", "in 601 s"), ("86400", "in 86400 s"), ("9" * 400, "later")]
)
def test_a_wait_that_is_too_long_is_an_error_and_does_not_block_others(
    cloud: Cloud, client: GenesysClient, waits: SkippedWaits, seconds: str, when: str, status: int
) -> None:
    throttled(cloud, 1, status, Retry_After=seconds)
    with pytest.raises((RateLimited, ServerError)) as refused:
        client.list_targets()
    assert f"try again {when}" in str(refused.value)
    assert "retried" not in str(refused.value)
    client.list_targets()
    assert waits.waits == []


@pytest.mark.parametrize("action", ["drop_before", "drop_after", "truncate"])
def test_a_create_is_never_retried_after_a_lost_answer(
    cloud: Cloud, client: GenesysClient, action: str
) -> None:
    cloud.control("faults", match={"method": "POST"}, action=action)
    with pytest.raises(ConnectionFailed) as lost:
        client.create_target(body(cloud))
    assert lost.value.maybe_acted
    assert len(cloud.requests()) == 1


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_create_is_never_retried_after_a_server_error(
    cloud: Cloud, client: GenesysClient, status: int
) -> None:
    cloud.control("faults", match={"method": "POST"}, action="status", status=status)
    with pytest.raises(ServerError):
        client.create_target(body(cloud))
    assert cloud.requests() == [f"POST / {status}"]


def test_a_create_is_never_retried_after_an_answer_that_is_not_json(
    cloud: Cloud, client: GenesysClient
) -> None:
    cloud.control("faults", match={"method": "POST"}, action="malformed")
    with pytest.raises(UnexpectedAnswer):
        client.create_target(body(cloud))
    assert cloud.requests() == ["POST / 201"]


def test_a_throttled_create_is_retried(cloud: Cloud, client: GenesysClient) -> None:
    throttled(cloud, 2)
    client.create_target(body(cloud))
    assert cloud.requests() == ["POST / 429", "POST / 429", "POST / 201"]


def test_a_create_that_was_not_sent_is_retried(
    waits: SkippedWaits, cloud: Cloud, tmp_path: Path, unused_url: str
) -> None:
    client = GenesysClient(
        settings_of(cloud, tmp_path, apiUrl=unused_url), cancelled=waits, clock=waits.clock
    )
    with pytest.raises(ConnectionFailed) as refused:
        client.create_target(body(cloud))
    client.close()
    assert not refused.value.maybe_acted
    assert len(waits.waits) == 3
    assert "GENESYSCLOUD_API_URL" in str(refused.value)


CALLS: dict[str, Callable[[GenesysClient, str, dict[str, Any]], object]] = {
    "GET": lambda client, target_id, _: client.get_target(target_id),
    "PUT": lambda client, target_id, body: client.update_target(target_id, body),
    "DELETE": lambda client, target_id, _: client.delete_target(target_id),
    "POST": lambda client, target_id, _: client.check_health(target_id),
}


@pytest.mark.parametrize("method", ["GET", "PUT", "POST"])
@pytest.mark.parametrize("fault", ["drop_before", "drop_after", "truncate", "malformed", "status"])
def test_idempotent_calls_are_retried(cloud: Cloud, client: GenesysClient, method: str, fault: str) -> None:
    target = client.create_target(body(cloud))
    cloud.requests()
    status: dict[str, Any] = {"status": 503} if fault == "status" else {}
    cloud.control("faults", match={"method": method, "path": ONE}, action=fault, times=2, **status)
    CALLS[method](client, target["id"], body(cloud))
    assert counted(cloud.requests(), method) == 3


def test_a_delete_is_retried(cloud: Cloud, client: GenesysClient) -> None:
    target = client.create_target(body(cloud))
    cloud.requests()
    cloud.control("faults", match={"method": "DELETE"}, action="status", status=503, times=1)
    cloud.control("faults", match={"method": "DELETE"}, action="drop_before", times=1)
    client.delete_target(target["id"])
    assert [request.split()[0] for request in cloud.requests()] == ["DELETE"] * 3


@pytest.mark.parametrize("status", [400, 403, 404, 409])
def test_permanent_errors_are_not_retried(cloud: Cloud, client: GenesysClient, status: int) -> None:
    cloud.control("faults", match={"method": "GET"}, action="status", status=status)
    with pytest.raises(GenesysError):
        client.list_targets()
    assert cloud.requests() == [f"GET / {status}"]


@pytest.mark.parametrize(
    ("fault", "line"),
    [
        ({"status": 429, "headers": {"Retry-After": "42"}}, "rate limit, 42 s: "),
        ({"status": 503, "headers": {"Retry-After": "42"}}, "retry in 42 s: HTTP 503, GET /api/"),
        ({"action": "drop_before"}, "retry in 1 s: no answer, GET http"),
        ({"action": "malformed"}, "retry in 1 s: unexpected answer, GET /api/"),
    ],
)
def test_a_waiting_call_first_reports_how_long_and_why(
    cloud: Cloud, client: GenesysClient, fault: dict[str, Any], line: str
) -> None:
    """In a terminal of 120 columns, some 30 characters are visible."""
    said: list[str] = []
    cloud.control("faults", match={"path": ONE[:-2]}, times=1, **{"action": "status", **fault})
    with reporting_to(said.append):
        client.list_targets()
    assert [each for each in said if each.startswith(line)]


def test_cancel_ends_a_wait_immediately(cloud: Cloud, tmp_path: Path) -> None:
    cancelled, waiting = threading.Event(), threading.Event()
    client = GenesysClient(settings_of(cloud, tmp_path), cancelled=cancelled)
    throttled(cloud, Retry_After="60")
    woken: list[float] = []

    def call() -> None:
        with reporting_to(lambda _: waiting.set()), pytest.raises(Cancelled):
            client.list_targets()
        woken.append(time.monotonic())

    thread = threading.Thread(target=call)
    thread.start()
    assert waiting.wait(LIMIT)
    at = time.monotonic()
    cancelled.set()
    thread.join(LIMIT)
    client.close()
    assert woken[0] - at < 60, "the service asked for 60 s"


@pytest.mark.parametrize(("retries", "kind"), [(0, ServerError), (2, NotFound)])
def test_a_408_is_an_absence_only_if_it_lasts(
    cloud: Cloud, waits: SkippedWaits, tmp_path: Path, retries: int, kind: type[GenesysError]
) -> None:
    client = GenesysClient(
        settings_of(cloud, tmp_path, maxRetries=retries), cancelled=waits, clock=waits.clock
    )
    cloud.control("faults", match={"path": ONE}, action="status", status=408)
    with pytest.raises(kind):
        client.get_target("1")
    client.close()


@pytest.mark.parametrize(
    ("before", "kind"), [((408, 408), NotFound), ((503, 408), ServerError), ((429, 503), ServerError)]
)
def test_a_last_408_is_no_absence_if_another_attempt_failed_otherwise(
    cloud: Cloud, waits: SkippedWaits, tmp_path: Path, before: tuple[int, int], kind: type[GenesysError]
) -> None:
    settings = settings_of(cloud, tmp_path, maxRetries=2)
    for status in (*before, 408):
        cloud.control("faults", match={"path": ONE}, action="status", status=status, times=1)
    with closing(GenesysClient(settings, cancelled=waits, clock=waits.clock)) as client, pytest.raises(kind):
        client.get_target("1")
