"""A person finds a date, in a zone and a language of their own."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from calfeed.definitions.reader import read_definitions
from calfeed.publish.apply import publish
from tests.browser.conftest import Visit, visiting
from tests.browser.house import NOW, serve_published
from tests.migrated import migrated_sqlite
from tests.ports import free_port

Size = dict[str, int]
DESK: Size = {"width": 1100, "height": 800}
TELEPHONE: Size = {"width": 390, "height": 800}


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


@pytest.mark.parametrize("script", [True, False])
def test_a_list_is_in_the_zone_that_is_chosen_and_leads_on_in_it(
    visit: Visit, script: bool
) -> None:
    page = visit("/calendars/desk/", java_script_enabled=script)
    expect(page.locator(".entry .meta").first).to_contain_text("10:30 – 11:15")
    page.get_by_label("Times in").select_option("Asia/Karachi")
    page.get_by_role("button", name="Show").click()
    expect(page.locator(".entry .meta").first).to_contain_text("20:30 – 21:15")
    expect(page.get_by_label("Times in")).to_have_value("Asia/Karachi")
    page.get_by_role("link", name="Later").click()
    expect(page.get_by_role("heading", level=2).first).to_contain_text("From 29 November 2027")
    expect(page.locator(".entry .meta").first).to_contain_text("20:30 – 21:15")
    page.get_by_role("link", name="Earlier").click()
    expect(page.get_by_role("heading", level=2).first).to_contain_text("Before 29 November 2027")
    assert "zone=Asia%2FKarachi" in page.url


def test_the_zone_of_the_device_is_among_those_to_choose_from(visit: Visit) -> None:
    page = visit("/", timezone_id="Antarctica/Troll")
    page.get_by_label("Times in").select_option("Antarctica/Troll")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_label("Times in")).to_have_value("Antarctica/Troll")


def test_nobody_is_asked_to_keep_the_date_of_what_is_cancelled(visit: Visit) -> None:
    page = visit("/calendars/desk/hearing/")
    expect(page.locator(".mark.cancelled")).to_have_text("cancelled")
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
    page.get_by_role("link", name="ویزا درخواستوں کی آخری تاریخ").first.click()
    expect(page.locator(".when")).to_contain_text("جمعہ، 11 دسمبر 2026")
    expect(root).to_have_attribute("dir", "rtl")
    assert urlsplit(page.url).query == "lang=ur"
    when = page.locator(".when").evaluate("one => getComputedStyle(one).borderRightWidth")
    assert when == "4px", "the rule stands where a line begins"


def test_a_browsers_language_is_the_pages(visit: Visit) -> None:
    page = visit("/", locale="ps-AF")
    expect(page.locator("html")).to_have_attribute("lang", "ps")


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_the_address_follows_the_month_and_back_leads_back(visit: Visit, script: bool) -> None:
    page = visit("/calendars/desk/?view=month&month=2026-12", java_script_enabled=script)
    heading = page.locator("#shown")
    expect(heading).to_have_text("December 2026")
    expect(page.locator("#d2026-12-07 .clock")).to_have_text("10:30")
    page.get_by_role("link", name="Later").click()
    expect(heading).to_have_text("January 2027")
    assert urlsplit(page.url).query == "month=2027-01&view=month"
    expect(page.locator("#d2027-01-04 .chip")).to_be_visible()
    page.go_back()
    expect(heading).to_have_text("December 2026")
    page.go_forward()
    expect(heading).to_have_text("January 2027")


def test_on_a_telephone_a_month_is_a_list_of_its_days(visit: Visit) -> None:
    page = visit("/calendars/desk/?view=month&month=2026-12", viewport=TELEPHONE)
    days = page.locator(".grid td:visible")
    expect(days).to_have_count(10)
    expect(days.first).to_contain_text("Wed 2")
    expect(days.first.get_by_text("tentative")).to_be_visible()
    page.goto("/calendars/desk/?view=month&month=2030-01&category=hearing")
    expect(page.get_by_text("No date in this month.")).to_be_visible()


LISTS = {
    "home": "/",
    "search": "/?q=e",
    "agenda": "/calendars/desk/",
    "month": "/calendars/desk/?view=month&month=2026-12",
    "year": "/calendars/desk/?view=year",
    "embed": "/embed/desk/",
}


@pytest.mark.parametrize("size", [DESK, TELEPHONE], ids=["desk", "telephone"])
@pytest.mark.parametrize("path", LISTS.values(), ids=LISTS)
def test_the_accessibility_tree_names_every_mark(visit: Visit, path: str, size: Size) -> None:
    page = visit(path, viewport=size)
    tree = page.locator("main").aria_snapshot()
    lines = {
        "Visa applications close": {"moved", "deadline"},
        "Talks in Geneva": {"tentative"},
        "Hearing on the new rules": {"cancelled"},
    }
    for title, words in lines.items():
        (link,) = page.get_by_role("link", name=title).all()[:1]
        near = link if "view=" in path else link.locator("xpath=..")
        said = near.aria_snapshot()
        assert {
            word for word in ("moved", "tentative", "deadline", "cancelled") if word in said
        } == words
        assert title in tree
    shapes = page.locator("main .mark:visible svg")
    assert shapes.count() >= 4, "each mark has a shape that is seen"


def test_on_a_telephone_nothing_is_wider_than_the_window(visit: Visit) -> None:
    page = visit("/", viewport={"width": 360, "height": 740})
    for path in (
        "/",
        "/calendars/desk/",
        "/calendars/desk/?view=month&month=2026-12",
        "/calendars/desk/?view=year&lang=fa-AF",
        "/calendars/desk/visa/?lang=ur",
        "/subscribe/desk/?lang=ps",
        "/embed/desk/",
    ):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, path


def test_words_without_an_end_stay_in_the_window(chromium: Browser, tmp_path: Path) -> None:
    """Wherever a definition's texts are shown."""
    word = "Donaudampfschiff" * 6
    text = f"""
name: {word}
description: {word}
time_zone: UTC
events:
  one:
    summary: {word}
    description: {word}
    start: 2026-12-01
    location: https://example.org/{word}
    categories: [{word[:60]}, other]
    contact: {word}
    sources: [{{title: {word}, url: "https://example.org/n"}}]
"""
    database, port = migrated_sqlite(tmp_path), free_port()
    base_url = f"http://127.0.0.1:{port}"
    publish(database, read_definitions({"events/long.yaml": text.encode()}), NOW, base_url)
    with serve_published(database, base_url, port), visiting(chromium, base_url) as visit:
        page = visit("/", viewport={"width": 360, "height": 740})
        for path in (
            "/",
            f"/?q={word}",
            "/calendars/long/",
            "/calendars/long/?view=month&month=2026-12",
            "/calendars/long/?view=year",
            "/calendars/long/one/",
            "/subscribe/long/",
            "/subscribe/?event=long/one",
            "/choice/?event=long/one",
            "/embed/choice/?event=long/one",
            "/embed/long/",
            f"/{word}/",
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
