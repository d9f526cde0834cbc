"""A real browser: the system's Chromium, if there is one."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))),
    None,
)
needs_a_browser = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on PATH")
MILLISECONDS = 60_000


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser, without any user's profile."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # Tests may run as root, which Chromium's sandbox refuses.
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


class Console(list[str]):
    """The errors in a page's console."""

    def listen(self, page: Page) -> None:
        page.on("console", lambda each: self.append(each.text) if each.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: self.append(str(error)))
        page.on("request", lambda each: None if "//127.0.0.1" in each.url else self.append(each.url))
