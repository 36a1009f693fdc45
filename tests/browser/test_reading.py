"""A person finds a date, in a zone and a language of their own."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit


def left_of(page: Page, selector: str) -> float:
    box = page.locator(selector).first.bounding_box()
    assert box is not None
    return box["x"]


def test_an_event_is_found_by_its_words(visit: Visit) -> None:
    page = visit("/")
    page.get_by_role("searchbox").fill("visa close")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=2).first).to_contain_text("1 date")
    page.get_by_role("link", name="Visa applications close").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Visa applications close")
    expect(page.locator(".when")).to_contain_text("Friday, 11 December 2026")
    expect(page.locator(".timeline li")).to_have_count(3)
    expect(page.locator(".timeline")).to_contain_text("the consulate asked for another week")


def test_a_time_is_told_on_the_readers_clock_and_on_any_other(visit: Visit) -> None:
    page = visit("/calendars/desk/weekly/", timezone_id="Asia/Karachi")
    expect(page.locator(".yours")).to_contain_text("Karachi")
    expect(page.locator(".yours")).to_contain_text("20:30")
    expect(page.locator("#zone")).to_have_value("Asia/Karachi")
    page.locator("#zone").select_option("Europe/London")
    page.get_by_role("button", name="Show").click()
    expect(page.locator(".yours")).to_contain_text("In London")
    expect(page.locator(".yours")).to_contain_text("15:30")


def test_a_reader_in_the_events_own_zone_is_told_once(visit: Visit) -> None:
    page = visit("/calendars/desk/weekly/", timezone_id="America/New_York")
    expect(page.locator(".yours")).to_be_hidden()


def test_nobody_is_asked_to_keep_the_date_of_what_is_cancelled(visit: Visit) -> None:
    page = visit("/calendars/desk/hearing/")
    expect(page.locator(".status.bad")).to_have_text("cancelled")
    expect(page.get_by_role("heading", name="Keep this date")).to_have_count(0)


def test_in_urdu_the_page_is_mirrored_and_stays_in_urdu(visit: Visit) -> None:
    page = visit("/calendars/desk/", viewport={"width": 1000, "height": 800})
    assert left_of(page, ".wordmark") < 300 < 600 < left_of(page, ".languages")
    assert left_of(page, ".entry .day") < left_of(page, ".entry .title")
    page.get_by_role("link", name="اردو").click()
    root = page.locator("html")
    expect(root).to_have_attribute("dir", "rtl")
    expect(root).to_have_attribute("lang", "ur")
    assert left_of(page, ".languages") < 300 < 600 < left_of(page, ".wordmark")
    assert left_of(page, ".entry .day") > left_of(page, ".entry .title")
    expect(page.get_by_role("heading", level=1)).to_have_text("ڈیسک کے اجلاس")
    page.get_by_role("link", name="ویزا درخواستوں کی آخری تاریخ").click()
    expect(page.locator(".when")).to_contain_text("جمعہ، 11 دسمبر 2026")
    expect(root).to_have_attribute("dir", "rtl")
    assert urlsplit(page.url).query == "lang=ur"
    when = page.locator(".when").evaluate("one => getComputedStyle(one).borderRightWidth")
    assert when == "4px", "the rule stands where a line begins"


def test_a_browsers_language_is_the_pages(visit: Visit) -> None:
    page = visit("/", locale="ps-AF")
    expect(page.locator("html")).to_have_attribute("lang", "ps")


@pytest.mark.parametrize("lang", ["en", "ur"])
def test_a_month_is_drawn_from_our_occurrences_and_turned(visit: Visit, lang: str) -> None:
    page = visit(f"/calendars/desk/?view=month&month=2026-12&lang={lang}")
    visa = page.locator(".fc a.fc-event.deadline")
    expect(visa).to_have_attribute("href", f"/calendars/desk/visa/?lang={lang}")
    expect(page.locator("#shown")).to_contain_text("2026")
    expect(page.locator(".fc-day[data-date='2026-12-07'] .fc-event-time")).to_have_text("10:30")
    page.locator("[data-step=next]").click()
    expect(page.locator("#shown")).to_contain_text("2027")
    expect(page.locator(".fc-event").first).to_be_visible()


def test_on_a_telephone_nothing_is_wider_than_the_window(visit: Visit) -> None:
    page = visit("/", viewport={"width": 360, "height": 740})
    for path in (
        "/",
        "/calendars/desk/",
        "/calendars/desk/?view=month",
        "/calendars/desk/?view=year&lang=fa-AF",
        "/calendars/desk/visa/?lang=ur",
        "/subscribe/desk/?lang=ps",
        "/embed/desk/",
    ):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, path


@pytest.mark.parametrize("lang", ["en", "ur"])
@pytest.mark.parametrize(
    "path", ["/", "/calendars/desk/", "/calendars/desk/visa/", "/subscribe/desk/"]
)
def test_a_page_is_light_and_stands_still(visit: Visit, path: str, lang: str) -> None:
    page = visit(f"{path}?lang={lang}")
    weight = page.evaluate(
        "[...performance.getEntriesByType('navigation'), "
        "...performance.getEntriesByType('resource')]"
        ".reduce((sum, one) => sum + one.encodedBodySize, 0)"
    )
    assert 0 < weight < 150_000
    shift = page.evaluate(
        "new Promise(done => { let sum = 0;"
        " const seen = new PerformanceObserver(list => {"
        "  for (const one of list.getEntries()) sum += one.value });"
        " seen.observe({type: 'layout-shift', buffered: true});"
        " requestAnimationFrame(() => requestAnimationFrame(() => done(sum))) })"
    )
    assert shift == 0
