"""One browser and one site for the tests beside this; each test has a visitor of its own."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from tests.browser.house import CHROMIUM, serve_house, start_chromium
from tests.patience import PATIENCE

Visit = Callable[..., Page]

_ERROR_PAGE = "Failed to load resource: the server responded with a status of 4"


@pytest.fixture(scope="package")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a site to look at."""
    with serve_house(tmp_path_factory.mktemp("house")) as base_url:
        yield base_url


# Not for longer than the tests here: Playwright's loop would be in the way of others' asyncio.
@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    if not CHROMIUM.exists() and not os.environ.get("CI"):
        pytest.skip("there is no Chromium")
    expect.set_options(timeout=PATIENCE * 1000)
    with sync_playwright() as playwright:
        browser = start_chromium(playwright)
        yield browser
        browser.close()


@pytest.fixture
def visit(house: str, chromium: Browser) -> Iterator[Visit]:
    """Opens a page of the house as a visitor, see `visiting`."""
    with visiting(chromium, house) as open_page:
        yield open_page


@contextmanager
def visiting(chromium: Browser, base_url: str) -> Iterator[Visit]:
    """Opens a page as a visitor with a zone, a language, a window; whatever Playwright takes.

    Afterwards nothing was asked of anybody else, and the browser's console is empty but for pages
    that are errors themselves.
    """
    contexts = []
    asked: list[str] = []
    complaints: list[str] = []

    def open_page(path: str, **options: object) -> Page:
        wanted = {"locale": "en-GB", "timezone_id": "Asia/Karachi", **options}
        context = chromium.new_context(
            base_url=base_url,
            **wanted,  # type: ignore[arg-type]  # nothing says which option is which
        )
        context.set_default_timeout(PATIENCE * 1000)
        contexts.append(context)
        page = context.new_page()

        def hear(message: ConsoleMessage) -> None:
            if not (message.text.startswith(_ERROR_PAGE) and message.location["url"] == page.url):
                complaints.append(message.text)

        page.on("request", lambda request: asked.append(request.url))
        page.on("console", hear)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    own = (f"{base_url}/", "data:", "blob:")
    assert [url for url in asked if not url.startswith(own)] == []
    assert complaints == []
