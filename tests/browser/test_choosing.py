"""A reader ticks what goes into a calendar of their own, subscribes, and comes back to it."""

from __future__ import annotations

from urllib.parse import urlsplit
from urllib.request import urlopen

import icalendar
import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import violations
from tests.browser.conftest import Visit
from tests.browser.keyboard import keyboard_faults
from tests.browser.test_subscribing import check_links, links_of, read_code

PHONE = {"viewport": {"width": 390, "height": 760}, "has_touch": True, "is_mobile": True}
DESK = {"viewport": {"width": 1100, "height": 760}}
CHOICE = (
    "calendar=un-observances&calendar=desk:deadline,meeting"
    "&event=security-council-term/term-ends&alarms=1h,1d&cancelled=drop"
)
PAGES = [f"/choice/?{CHOICE}", f"/subscribe/?{CHOICE}", f"/embed/choice/?{CHOICE}"]


def choose(page: Page) -> None:
    """Send the form, and wait for the whole page that comes: the one before has the same links."""
    with page.expect_navigation():
        page.get_by_role("button", name="Make one calendar of this").click()


def check_choice(page: Page, house: str) -> None:
    """The page that comes after the form has the address of two calendars and one event."""
    feed = page.locator("#feed-address").input_value()
    assert feed == (
        f"{house}/choice.ics?calendar=afghan-refugees-pakistan,un-observances"
        "&event=desk/visa&lang=en&alarms=1h,1d"
    )
    check_links(links_of(page), feed)
    with urlopen(feed) as answer:
        calendar = icalendar.Calendar.from_ical(answer.read())
    titles = {str(event["SUMMARY"]) for event in calendar.events}
    assert len(titles) == 6
    assert "Visa applications close" in titles
    (visa,) = [event for event in calendar.events if str(event["SUMMARY"]).startswith("Visa")]
    assert len(visa.walk("VALARM")) == 2


@pytest.mark.parametrize("device", [PHONE, DESK], ids=["phone", "desktop"])
@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_two_calendars_and_one_date_with_own_alarms_become_one_calendar(
    visit: Visit, house: str, device: dict[str, object], script: bool
) -> None:
    page = visit("/subscribe/", java_script_enabled=script, **device)
    page.get_by_role("checkbox", name="Afghan refugees in Pakistan").check()
    page.get_by_role("checkbox", name="UN observances", exact=True).check()
    page.locator("summary", has_text="Single dates").click()
    page.get_by_role("checkbox", name="Visa applications close").check()
    page.locator("summary", has_text="Alarms, cancelled dates, language").click()
    page.get_by_role("checkbox", name="1 hour before").check()
    page.get_by_role("checkbox", name="1 day before").check()
    choose(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Subscribe to your choice")
    check_choice(page, house)
    if script:
        assert read_code(page) == page.locator("#feed-address").input_value()
    page.get_by_role("link", name="The dates of this choice").click()
    expect(page.locator(".entry").first).to_be_visible()
    share = page.locator("#share").input_value()
    page.goto(share)
    if script:
        page.locator("a[data-opens]").click()
        page.get_by_role("link", name="Choose calendars, single dates").click()
    else:
        page.get_by_role("link", name="Change it").click()
    expect(page.get_by_role("checkbox", name="UN observances", exact=True)).to_be_checked()
    for name in ("Visa applications close", "1 hour before", "1 day before"):
        expect(page.get_by_role("checkbox", name=name)).to_be_checked()
    expect(page.get_by_role("checkbox", name="deadline")).not_to_be_checked()
    choose(page)
    check_choice(page, house)


@pytest.mark.parametrize(
    ("device", "script"), [(DESK, True), (PHONE, False)], ids=["desktop", "phone, no script"]
)
def test_the_keyboard_alone_makes_a_choice(
    visit: Visit, house: str, device: dict[str, object], script: bool
) -> None:
    page = visit("/subscribe/", java_script_enabled=script, **device)

    def go_to(role: str, name: str) -> None:
        for _ in range(120):
            page.keyboard.press("Tab")
            found = page.get_by_role(role, name=name, exact=False)  # type: ignore[arg-type]  # a str
            if found.first.evaluate("one => one === document.activeElement"):
                return
        raise AssertionError(f"Tab does not come to {name}")

    go_to("checkbox", "Afghan refugees in Pakistan")
    page.keyboard.press("Space")
    go_to("checkbox", "UN observances")
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    while not page.evaluate("document.activeElement.matches('summary')"):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    go_to("checkbox", "Visa applications close")
    page.keyboard.press("Space")
    while not page.evaluate("document.activeElement.matches('summary')"):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    for name in ("1 hour before", "1 day before"):
        go_to("checkbox", name)
        page.keyboard.press("Space")
    page.keyboard.press("Enter")
    page.wait_for_url("**/subscribe/?*calendar=*")
    check_choice(page, house)


@pytest.mark.parametrize(
    ("agent", "app"),
    [
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit Safari", "apple"),
        ("Mozilla/5.0 (Linux; Android 15; Pixel 8) AppleWebKit Chrome Mobile", "android"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit Chrome", "outlook"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko Firefox", "thunderbird"),
    ],
)
def test_the_app_of_the_readers_device_comes_first(visit: Visit, agent: str, app: str) -> None:
    page = visit("/subscribe/desk/", user_agent=agent)
    first = page.locator(".clients li").first
    expect(first.locator("a")).to_have_attribute("data-client", app)
    expect(first).to_contain_text("For this device")
    assert len(links_of(page)) == 8


def test_without_a_script_the_apps_are_in_one_order_for_all(visit: Visit) -> None:
    page = visit("/subscribe/desk/", java_script_enabled=False, user_agent="Windows NT 10.0")
    expect(page.locator(".clients a").first).to_have_attribute("data-client", "apple")
    expect(page.get_by_text("For this device")).to_have_count(0)


@pytest.mark.parametrize("lang", ["en", "ur"])
@pytest.mark.parametrize("device", [PHONE, DESK], ids=["phone", "desktop"])
def test_axe_finds_no_fault_and_the_keyboard_reaches_everything(
    visit: Visit, lang: str, device: dict[str, object]
) -> None:
    page = visit("/", **device)
    for path in [*PAGES, "/choice/?calendar=no-such", "/subscribe/"]:
        page.goto(f"{path}{'&' if '?' in path else '?'}lang={lang}")
        assert violations(page) == [], path
        assert keyboard_faults(page) == [], path


@pytest.mark.parametrize("path", PAGES)
def test_nothing_is_wider_than_a_phone(visit: Visit, path: str) -> None:
    page = visit(f"{path}&lang=ur", **PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert urlsplit(page.url).path.endswith("/")


def test_in_forced_colours_no_word_keeps_a_colour_of_its_own(visit: Visit) -> None:
    page = visit("/", forced_colors="active")
    keep_their_colours = (
        "[...document.querySelectorAll('body *')].filter(one =>"
        " getComputedStyle(one).forcedColorAdjust === 'none').map(one => one.textContent.trim())"
    )
    for path in [*PAGES, "/", "/calendars/desk/visa/"]:
        page.goto(path)
        assert set(page.evaluate(keep_their_colours)) <= {""}, path


def test_on_paper_a_choice_has_its_dates_and_none_of_its_controls(visit: Visit) -> None:
    page = visit(PAGES[0], viewport={"width": 700, "height": 900})
    page.emulate_media(media="print")
    expect(page.locator(".entry").first).to_be_visible()
    assert page.locator("main :is(button, select, .button):visible").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= 700
