"""The page in a real browser."""

from __future__ import annotations

import os
import re
import signal
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from genesys_provider import Settings, TargetManager
from tests.monitor.browser import MILLISECONDS, Console, chromium, needs_a_browser
from tests.monitor.watching import Watch, activate, force, register
from tests.support.cloud import TARGETS, Cloud
from tests.support.engine import urn
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Page

    from tests.monitor.conftest import Watcher

pytestmark = [needs_a_browser]
MARKUP = "<img src=x onerror=\"document.title='taken'\"><script>document.title='taken'</script>&amp;\"'`"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture
def console() -> Console:
    return Console()


@pytest.fixture
def page(browser: Browser, console: Console) -> Iterator[Page]:
    with browser.new_context(viewport={"width": 1200, "height": 800}) as context:
        page = context.new_page()
        page.set_default_timeout(MILLISECONDS)
        console.listen(page)
        yield page


def names(page: Page) -> list[str]:
    # Not `inner_text`, which is empty for a row that the browser has not laid out yet.
    return page.locator("#rows .name").all_text_contents()


@contextmanager
def answering(status: int, port: int) -> Iterator[list[str]]:
    """A server that answers everything with this status; yields the paths that were requested."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(status)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def until(page: Page, expression: str) -> None:
    """Waits until it is true. Playwright's own wait evaluates text in the page, which its policy forbids."""
    eventually(lambda: page.evaluate(expression))


@pytest.mark.full_length
def test_five_hundred_targets_without_errors_in_the_console(
    cloud: Cloud, watch: Watcher, page: Page, console: Console
) -> None:
    ids = register(cloud, [f"t{number:03}" for number in range(500)])
    running = watch("--interval", 1)
    page.goto(running.url)
    until(page, "document.querySelectorAll('#rows .row').length === 500")
    force(cloud, ids["t321"], "FAILED", "the endpoint answered 503")
    page.locator("#rows .row:first-child .reason", has_text="503").wait_for()
    assert names(page)[0] == "t321", "failed targets come first"
    assert "1 failed" in page.title()
    assert page.locator("#rows .row:first-child .badge").inner_text() == "FAILED"
    assert console == []


def test_a_change_is_shown_immediately_after_the_reading(cloud: Cloud, watch: Watcher, page: Page) -> None:
    ids = register(cloud, ["orders", "billing"])
    running = watch("--interval", 0.5)
    page.goto(running.url)
    row = page.locator(f"#rows [data-id='{ids['orders']}']")
    row.wait_for()
    force(cloud, ids["orders"], "FAILED", "refused")
    stream = running.stream()
    stream.row(lambda each: each["id"] == ids["orders"] and each["status"] == "FAILED")
    row.locator(".badge", has_text="FAILED").wait_for()
    bars = row.locator(".bars")
    assert "FAILED" in (bars.get_attribute("title") or "")
    assert "--bad" in (bars.evaluate("each => each.style.backgroundImage") or "")


def test_filter_sort_and_counts(cloud: Cloud, watch: Watcher, page: Page) -> None:
    ids = register(cloud, ["orders-eu", "orders-us"])
    mark = urn("billing", stack="dev", project="shop")
    ids |= register(cloud, ["billing"], headers={"X-Pulumi-Resource": mark})
    for id_ in ids.values():
        force(cloud, id_, "VERIFIED")
    force(cloud, ids["orders-us"], "FAILED", "refused")
    running = watch("--health-interval", 0)
    page.goto(running.url)
    until(page, "document.querySelectorAll('#rows .row').length === 3")
    assert names(page) == ["orders-us", "billing", "orders-eu"]
    headings = page.locator(".heads span")
    assert headings.all_inner_texts() == ["Status", "Name", "Latest readings", "Health", "Since", "Took"]
    page.select_option("#sort", "name")
    assert names(page) == ["billing", "orders-eu", "orders-us"]
    page.fill("#filter", "ORDERS events")
    assert names(page) == ["orders-eu", "orders-us"]
    page.fill("#filter", "dev::shop::bill")
    assert names(page) == ["billing"]
    facts = page.locator("#rows .facts", has_text=" dev::shop::billing ")
    assert facts.count() == 1, "an owner is written as on the command line"
    page.fill("#filter", "ORDERS events")
    page.locator("#counts button", has_text="failed").click()
    assert names(page) == ["orders-us"]
    assert "status=FAILED" in page.url
    page.reload()
    page.locator("#rows .row").wait_for()
    assert names(page) == ["orders-us"], "the address preserves the view"
    page.fill("#filter", "nothing like it")
    assert "None of the 3 targets match." in page.locator("#empty").inner_text()
    assert not headings.first.is_visible()
    page.locator("#empty button").click()
    assert len(names(page)) == 3
    page.locator("#kind-source").click()
    assert "no EventBridge sources" in page.locator("#empty").inner_text()


def test_a_health_check_survives_a_redraw_of_the_page(cloud: Cloud, watch: Watcher, page: Page) -> None:
    """A change during the check redraws the detail view."""
    ids = register(cloud, ["orders"])
    running = watch("--health-interval", 0)
    page.goto(running.url)
    page.locator("#rows a").click()
    detail = page.locator("#detail")
    cloud.control("faults", match={"method": "POST", "path": "*/health"}, action="delay", seconds=60, times=1)
    detail.locator("#check").click()
    eventually(lambda: cloud.control("held", "GET"))
    force(cloud, ids["orders"], "FAILED", "so it is")
    detail.locator(".reason", has_text="so it is").wait_for()
    assert detail.locator("#check").is_disabled()
    cloud.control("held", "DELETE")
    detail.locator("#check + span", has_text="HEALTHY").wait_for()
    assert detail.locator("#check").is_enabled()


def test_the_detail_view_and_a_health_check(
    cloud: Cloud, watch: Watcher, page: Page, console: Console
) -> None:
    register(cloud, ["orders"], headers={"X-Key": "canary-header-b52"})
    running = watch("--health-interval", 0)
    page.goto(running.url)
    page.locator("#rows a").click()
    detail = page.locator("#detail")
    detail.locator("h2", has_text="orders").wait_for()
    text = detail.inner_text()
    assert cloud.endpoint("orders") in text
    assert "X-Key" in text
    assert "since before the first reading" in text
    assert re.search(r"\d+ s ago\s+status first seen", text)
    assert "canary" not in page.content()
    assert not page.locator("#fleet").is_visible()
    detail.locator("#check").click()
    detail.locator("#check + span", has_text="HEALTHY").wait_for()
    detail.locator(".entries .badge", has_text="HEALTHY").wait_for()
    cloud.behave("/v1/genesys/events/orders", status=503)
    detail.locator("#check").click()
    detail.locator(".entries .badge", has_text="UNHEALTHY").wait_for()
    page.go_back()
    page.locator("#rows a").wait_for()
    assert console == []


def test_a_failed_source(cloud: Cloud, watch: Watcher, page: Page, console: Console) -> None:
    id_ = activate(cloud)
    running = watch()
    page.goto(f"{running.url}/?kind=source")
    page.locator("#rows .badge", has_text="ACTIVE").wait_for()
    cloud.control(f"integrations/{id_}/state", code="ERROR", message="The AWS account refuses the source.")
    page.locator("#rows .reason", has_text="refuses").click()
    detail = page.locator("#detail")
    detail.locator(".entries .badge", has_text="ERROR").wait_for()
    assert "v2.users.{id}.presence" in detail.inner_text()
    assert detail.locator("#check").count() == 0, "a source has no health check"
    assert console == []


def test_keyboard_navigation(cloud: Cloud, watch: Watcher, page: Page) -> None:
    register(cloud, ["a", "b", "zulu"])
    running = watch()
    page.goto(f"{running.url}/?sort=name")
    until(page, "document.querySelectorAll('#rows .row').length === 3")
    for key in ("j", "j", "ArrowDown", "k"):
        page.keyboard.press(key)
    assert page.evaluate("document.activeElement.querySelector('.name').textContent") == "b"
    page.keyboard.press("Enter")
    page.locator("#detail h2", has_text="b").wait_for()
    page.keyboard.press("Escape")
    until(page, "document.activeElement.querySelector?.('.name')?.textContent === 'b'")
    page.keyboard.press("/")
    page.keyboard.type("zulu")
    assert names(page) == ["zulu"]
    page.keyboard.press("Escape")
    assert len(names(page)) == 3


CONTRASTS = """() => {
  const channels = (color) => color.match(/[\\d.]+/g).map(Number);
  const luminance = (color) => {
    const [red, green, blue] = channels(color).map((each) => each / 255)
      .map((each) => (each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const ground = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const color = getComputedStyle(each).backgroundColor;
      if ((channels(color)[3] ?? 1) === 1) return color;
    }
  };
  const contrast = (one, other) => {
    const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (light + 0.05) / (dark + 0.05);
  };
  const visible = [...document.body.querySelectorAll("*")].filter((each) => each.checkVisibility());
  const hasText = (each) => [...each.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
  const texts = visible.filter(hasText);
  return Object.fromEntries([
    ...texts.map((each) => [each.textContent.trim(), contrast(getComputedStyle(each).color, ground(each))]),
    ...visible.filter((each) => each.placeholder)
      .map((each) => [each.placeholder, contrast(getComputedStyle(each, "::placeholder").color, ground(each))]),
  ]);
}"""
"""The contrast of each text with its background, by the formula of WCAG 2."""
LEGIBLE = 4.5
"""WCAG 2, level AA."""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_is_legible(cloud: Cloud, watch: Watcher, page: Page, scheme: Any) -> None:
    ids = register(cloud, ["deleted", "failed", "pending", "verified"])
    force(cloud, ids["failed"], "FAILED", "refused")
    force(cloud, ids["pending"], "PENDING_VERIFICATION")
    running = watch()
    stream = running.stream()
    stream.until(lambda data: len(data["rows"]) == len(ids))
    with TargetManager(Settings.resolve({}, cloud.env)) as manager:
        manager.delete(ids["deleted"])
    stream.row(lambda each: each["status"] == "GONE")
    page.emulate_media(color_scheme=scheme)
    page.goto(running.url)
    page.locator("#rows .badge", has_text="GONE").wait_for()
    page.locator("#rows .reason").wait_for()
    contrasts = page.evaluate(CONTRASTS)
    assert {"GONE", "FAILED", "PENDING", "VERIFIED", "refused"} <= contrasts.keys()
    assert {text: value for text, value in contrasts.items() if value < LEGIBLE} == {}


@pytest.mark.full_length
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_narrow_screen_in_light_and_dark_mode(
    cloud: Cloud, watch: Watcher, page: Page, scheme: Any, console: Console
) -> None:
    ids = register(cloud, ["a-name-that-is-" + "very-" * 15 + "long", "orders"])
    force(cloud, ids["orders"], "FAILED", "https://" + "x" * 200)
    running = watch()
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": 360, "height": 700})
    for path in ("", f"#target/{ids['orders']}"):
        page.goto(f"{running.url}/{path}")
        page.locator("#detail h2" if path else "#rows .reason").wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    light = sum(int(each) for each in ground[4:-1].split(",")) > 3 * 128
    assert light == (scheme == "light")
    assert console == []


def test_text_from_the_api_is_never_markup(
    cloud: Cloud, watch: Watcher, page: Page, console: Console
) -> None:
    ids = register(cloud, [MARKUP, "orders"], endpointUrl=cloud.endpoint("orders"))
    force(cloud, ids["orders"], "FAILED", MARKUP)
    force(cloud, ids[MARKUP], "<i>ODD</i>")
    running = watch()
    page.goto(running.url)
    page.locator("#rows .reason").wait_for()
    assert MARKUP in names(page)
    for id_ in ids.values():
        page.goto(f"{running.url}/#target/{id_}")
        page.locator("#detail h2").wait_for()
        assert page.locator("main img, main script, main b:not(#counts b), main i").count() == 0
    assert "taken" not in page.title()
    assert console == []


def test_what_was_never_read_is_not_counted(cloud: Cloud, page: Page) -> None:
    register(cloud, ["orders"])
    cloud.control("faults", match={"method": "GET", "path": TARGETS}, action="status", status=503, times=9999)
    with Watch(env=cloud.env) as running:
        page.goto(running.url)
        page.locator("#empty", has_text="Not read yet: see above.").wait_for()
        assert not page.locator("#counts").is_visible()
        cloud.control("faults", "DELETE")
        page.locator("#counts", has_text="1verified").wait_for()


def test_a_connection_that_has_gone_silent(cloud: Cloud, watch: Watcher, page: Page) -> None:
    register(cloud, ["orders"])
    running = watch()
    page.clock.install()
    page.goto(running.url)
    page.locator("#rows .row").wait_for()
    # It answers no more, although the connection stays open.
    running.send(signal.SIGSTOP)
    page.clock.fast_forward(60_000)
    page.locator("#banner", has_text="This monitor does not answer").wait_for()
    running.send(signal.SIGCONT)
    page.locator("#banner").wait_for(state="hidden")


@pytest.mark.full_length
def test_outages_of_the_api_and_of_the_monitor(cloud: Cloud, page: Page) -> None:
    register(cloud, ["orders"])
    with Watch(env=cloud.env) as running:
        page.goto(running.url)
        page.locator("#rows .row").wait_for()
        assert not page.locator("#banner").is_visible()
        cloud.control(
            "faults", match={"method": "GET", "path": TARGETS}, action="status", status=503, times=9999
        )
        page.locator("#banner", has_text="Genesys Cloud can't be read").wait_for()
        assert names(page) == ["orders"], "the last reading stays"
        assert "old" in (page.locator("#rows").get_attribute("class") or "")
        cloud.control("faults", "DELETE")
        page.locator("#banner").wait_for(state="hidden")
        running.end()
        page.locator("#banner", has_text="This monitor does not answer").wait_for()
        assert names(page) == ["orders"]
        port = running.url.rpartition(":")[2]
    # A proxy answers in its place, after which a browser does not retry of its own accord.
    with answering(502, int(port)) as asked:
        eventually(lambda: len(asked) >= 2)
    with Watch("--port", port, env=cloud.env):
        page.locator("#banner").wait_for(state="hidden")


@pytest.mark.full_length
def test_many_rows_are_shown_changed_filtered_and_sorted(
    tmp_path: Path, page: Page, console: Console
) -> None:
    count = 2000
    with Cloud(tmp_path) as cloud:
        all_names = [f"t{number:04}" for number in range(count)]
        ids = register(cloud, all_names)
        with Watch("--interval", 1, "--health-interval", 0, env=cloud.env) as running:
            page.goto(running.url)
            until(page, f"document.querySelectorAll('#rows .row').length === {count}")
            force(cloud, ids[all_names[-1]], "FAILED", "refused")
            page.locator("#rows .row:first-child .reason").wait_for()
            page.fill("#filter", "t01")
            page.fill("#filter", "")
            page.select_option("#sort", "name")
            assert len(names(page)) == count
            assert console == []


def succeeded(readings: int) -> Callable[[dict[str, Any]], bool]:
    """The condition that at least so many readings have succeeded."""
    return lambda data: bool(data["reading"]["succeeded"] >= readings)


@pytest.mark.full_length
def test_the_screenshot_for_the_docs(cloud: Cloud, watch: Watcher, page: Page, tmp_path: Path) -> None:
    """`GENESYS_TEST_PICTURE=docs/monitor.png` with `--torture` writes that file; the default is a temporary one."""
    owner = "urn:pulumi:prod::contact-center::pulumi-python:dynamic/genesys:EventBridgeTarget::{}"
    ids: dict[str, str] = {}
    for name in (
        "billing-events",
        "conversations-eu",
        "conversations-us",
        "presence",
        "queues",
        "wfm-export",
    ):
        mark = {"X-Pulumi-Resource": owner.format(name)}
        types = ["CONVERSATION_STARTED", "CONVERSATION_ENDED"]
        ids |= register(cloud, [name], headers=mark, eventTypes=types)
        force(cloud, ids[name], "VERIFIED")
    running = watch("--health-interval", 1)
    stream = running.stream()
    page.set_viewport_size({"width": 1100, "height": 600})
    page.goto(running.url)
    readings = 0
    for status, name in (("FAILED", "queues"), ("VERIFIED", "queues"), ("FAILED", "presence")):
        readings += 14
        stream.until(succeeded(readings))
        force(
            cloud,
            ids[name],
            status,
            "the endpoint answered 503 Service Unavailable to the verification event",
        )
    page.locator("#rows .row:first-child .reason", has_text="503").wait_for()
    stream.until(succeeded(readings + 6))
    page.locator("#rows .row:nth-child(2) .health:not(:empty)").wait_for()
    picture = Path(os.environ.get("GENESYS_TEST_PICTURE") or tmp_path / "monitor.png")
    page.screenshot(path=picture)
    assert picture.stat().st_size > 20_000
