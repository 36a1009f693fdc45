"""Pages in each language that calfeed comes with: nothing overflows, and everybody can use them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from calfeed.model.site import SHIPPED_LANGUAGES
from tests.browser.axe import violations
from tests.browser.conftest import Visit, visiting
from tests.browser.house import make_house, serve_published
from tests.ports import free_port

PAGES = [
    "/",
    "/calendars/desk/",
    "/calendars/desk/?view=month&month=2026-12",
    "/calendars/desk/?view=year&year=2026",
    "/calendars/desk/visa/",
    "/calendars/desk/weekly/?zone=Asia/Kabul",
    "/subscribe/desk/",
    "/follow/desk/",
    "/embed/desk/",
    "/nothing/",
]
LATER = [tag for tag in SHIPPED_LANGUAGES if tag not in ("en", "ur", "ps", "fa-AF")]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a site in all languages."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    database = make_house(tmp_path_factory.mktemp("house"), address)
    with serve_published(database, address, port, mails=True, languages=SHIPPED_LANGUAGES):
        yield address


@pytest.fixture
def visit(site: str, chromium: Browser) -> Iterator[Visit]:
    with visiting(chromium, site) as open_page:
        yield open_page


def go(page: Page, path: str, tag: str) -> None:
    page.goto(f"{path}{'&' if '?' in path else '?'}lang={tag}")


@pytest.mark.parametrize("tag", LATER)
def test_axe_finds_no_fault(visit: Visit, tag: str) -> None:
    page = visit("/")
    for path in PAGES:
        go(page, path, tag)
        assert violations(page) == [], path


@pytest.mark.parametrize("tag", SHIPPED_LANGUAGES)
def test_nothing_is_wider_than_a_small_telephone(visit: Visit, tag: str) -> None:
    page = visit("/", viewport={"width": 320, "height": 700})
    for path in PAGES:
        go(page, path, tag)
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, path
    go(page, "/", tag)
    page.locator("a[data-opens]").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    assert dialog.evaluate("dialog => dialog.scrollWidth <= dialog.clientWidth")


def test_the_script_writes_a_time_with_the_digits_of_the_page(visit: Visit) -> None:
    page = visit("/calendars/desk/weekly/?lang=ar", timezone_id="Asia/Karachi")
    expect(page.locator(".yours")).to_contain_text("كراتشي")
    expect(page.locator(".yours")).to_contain_text("20:30")
    assert not re.search("[٠-٩۰-۹]", page.locator("main").inner_text())


def test_a_site_in_one_language_has_no_switch_and_asks_no_browser(
    chromium: Browser, tmp_path: Path
) -> None:
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    database = make_house(tmp_path, address)
    with (
        serve_published(database, address, port, languages=["fr"]),
        visiting(chromium, address) as open_page,
    ):
        page = open_page("/", locale="ur-PK")
        expect(page.locator("html")).to_have_attribute("lang", "fr")
        expect(page.get_by_role("heading", level=1)).to_have_text("Dates clés")
        expect(page.get_by_role("navigation", name="Langue")).to_have_count(0)
        expect(page.locator("footer")).to_contain_text("traduite par une machine")
