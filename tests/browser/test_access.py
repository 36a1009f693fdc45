"""Everybody can use the pages: with a keyboard, a screen reader, in the dark."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.axe import violations
from tests.browser.conftest import Visit
from tests.browser.keyboard import keyboard_faults

PAGES = [
    "/",
    "/?q=desk",
    "/?q=nothing-of-the-kind",
    "/?from=2026-12-02&zone=Asia/Karachi",
    "/calendars/un-observances/?until=2026-10-01",
    "/calendars/desk/",
    "/calendars/desk/?view=month&month=2026-12",
    "/calendars/desk/?view=year",
    "/calendars/desk/visa/",
    "/calendars/desk/weekly/?zone=Asia/Kabul&from=2026-12-10",
    "/calendars/afghan-refugees-pakistan/",
    "/subscribe/",
    "/subscribe/desk/",
    "/embed/desk/",
]


@pytest.mark.parametrize("lang", ["en", "ur"])
def test_axe_finds_no_fault_in_light_and_dark(visit: Visit, lang: str) -> None:
    page = visit("/")
    for path in PAGES:
        page.goto(f"{path}{'&' if '?' in path else '?'}lang={lang}")
        assert violations(page) == [], path


@pytest.mark.parametrize("lang", ["ps", "fa-AF"])
def test_axe_finds_no_fault_in_pashto_and_dari(visit: Visit, lang: str) -> None:
    page = visit("/")
    for path in ("/", "/calendars/desk/", "/calendars/desk/visa/"):
        page.goto(f"{path}?lang={lang}")
        assert violations(page) == [], path


def test_axe_finds_no_fault_in_the_dialog(visit: Visit) -> None:
    page = visit("/calendars/desk/")
    page.locator("a[data-opens]").click()
    assert violations(page) == []


@pytest.mark.parametrize("lang", ["en", "ur"])
def test_the_keyboard_reaches_everything_shows_where_it_is_and_goes_on(
    visit: Visit, lang: str
) -> None:
    page = visit("/")
    for path in PAGES:
        page.goto(f"{path}{'&' if '?' in path else '?'}lang={lang}")
        assert keyboard_faults(page) == [], path


def test_the_first_key_leads_past_the_head_of_a_page(visit: Visit) -> None:
    page = visit("/calendars/desk/")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.locator(".crumb a")).to_be_focused()


def test_the_dialog_is_opened_kept_in_and_left_by_keyboard(visit: Visit) -> None:
    page = visit("/calendars/desk/")
    page.locator("a[data-opens]").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    for _ in range(14):
        page.keyboard.press("Tab")
        inside = "document.activeElement.closest('dialog') !== null"
        body = "document.activeElement === document.body"
        assert page.evaluate(f"{inside} || {body}")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    assert page.evaluate("document.activeElement.matches('a[data-opens]')")
