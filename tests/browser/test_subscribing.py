"""A person lets their own calendar follow the dates, with a script and without one."""

from __future__ import annotations

import base64
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from urllib.request import urlopen

import pytest
import zxingcpp
from ical.calendar_stream import IcsCalendarStream
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit

# The pixels of an element, which a camera would see: grey, and how wide they are.
_LOOK = """async svg => {
  const copy = svg.cloneNode(true);
  copy.setAttribute("width", 400); copy.setAttribute("height", 400);
  const image = new Image();
  image.src = "data:image/svg+xml," + encodeURIComponent(
    new XMLSerializer().serializeToString(copy));
  await image.decode();
  const canvas = new OffscreenCanvas(400, 400).getContext("2d");
  canvas.drawImage(image, 0, 0, 400, 400);
  const { data } = canvas.getImageData(0, 0, 400, 400);
  let grey = "";
  for (let place = 0; place < data.length; place += 4) grey += String.fromCharCode(data[place]);
  return btoa(grey);
}"""


_APPS = ("apple", "google", "outlook", "office", "thunderbird", "android")


def read_code(page: Page) -> str:
    """What the QR code on a page says."""
    grey = base64.b64decode(page.locator(".qr svg").evaluate(_LOOK))
    (found,) = zxingcpp.read_barcodes(memoryview(grey).cast("B", (400, 400)))
    return str(found.text)


def links_of(page: Page) -> dict[str, str]:
    # A click on a link that leads here returns before this page is there.
    expect(page.locator("[data-client=android]")).to_be_attached()
    # What follows this link on the page may still be on its way.
    page.wait_for_load_state()
    return {
        str(link.get_attribute("data-client")): str(link.get_attribute("href"))
        for link in page.locator("[data-client]").all()
    }


def check_links(links: dict[str, str], feed: str) -> None:
    webcal = feed.replace("http:", "webcal:")
    assert links["apple"] == links["thunderbird"] == webcal
    assert links["android"] == feed
    assert parse_qs(urlsplit(links["google"]).query) == {"cid": [webcal]}
    for name, host in (("outlook", "outlook.live.com"), ("office", "outlook.office.com")):
        parts = urlsplit(links[name])
        assert (parts.netloc, parts.path) == (host, "/calendar/0/addfromweb/")
        assert parse_qs(parts.query)["url"] == [feed]
    assert links.keys() - {"davx5", "evolution"} == {*_APPS}


@pytest.mark.parametrize("query", ["", "?category=deadline&lang=ur"])
def test_the_dialog_knows_every_app_and_the_address_of_what_is_shown(
    visit: Visit, house: str, query: str
) -> None:
    page = visit(f"/calendars/desk/{query}", permissions=["clipboard-read", "clipboard-write"])
    feed = f"{house}/calendars/desk.ics{query}"
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_hidden()
    page.locator("a[data-opens]").click()
    expect(dialog).to_be_visible()
    check_links(links_of(page), feed)
    expect(page.locator(".refresh")).to_have_count(6 if query else 8)
    assert read_code(page) == feed
    copy = page.locator("dialog [data-copies=feed-address]")
    copy.click()
    expect(copy).to_have_text(str(copy.get_attribute("data-done")))
    assert page.evaluate("navigator.clipboard.readText()") == feed
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    with urlopen(feed) as answer:
        assert len(IcsCalendarStream.calendar_from_ics(answer.read().decode()).events) > 0


def test_a_downloaded_event_opens_in_a_calendar(visit: Visit, tmp_path: Path) -> None:
    page = visit("/calendars/desk/visa/")
    with page.expect_download() as caught:
        page.get_by_role("link", name="Add to calendar").click()
    assert caught.value.suggested_filename == "desk-visa.ics"
    caught.value.save_as(tmp_path / "visa.ics")
    text = (tmp_path / "visa.ics").read_text("utf-8")
    (event,) = IcsCalendarStream.calendar_from_ics(text).events
    assert (event.summary, str(event.dtstart)) == ("Visa applications close", "2026-12-11")


def test_without_a_script_one_reads_subscribes_and_downloads(
    visit: Visit, house: str, tmp_path: Path
) -> None:
    page = visit("/", java_script_enabled=False)
    page.get_by_role("link", name="The desk's meetings").last.click()
    expect(page.locator(".entry").first).to_be_visible()
    expect(page.get_by_role("button", name="Copy")).to_have_count(0)
    page.get_by_role("link", name="Month").click()
    expect(page.locator("table.grid")).to_be_visible()
    page.get_by_role("link", name="Later").click()
    page.get_by_role("cell").get_by_role("link", name="Visa").click()
    page.locator("#zone").select_option("Asia/Tokyo")
    page.get_by_role("button", name="Show").click()
    expect(page.locator(".yours")).to_contain_text("Tokyo")
    page.get_by_role("link", name="Subscribe for that").click()
    check_links(links_of(page), f"{house}/calendars/desk.ics")
    expect(page.locator("#feed-address")).to_have_value(f"{house}/calendars/desk.ics")
    with page.expect_download() as caught:
        page.get_by_role("link", name="Download").click()
    caught.value.save_as(tmp_path / "desk.ics")
    text = (tmp_path / "desk.ics").read_text("utf-8")
    assert len(IcsCalendarStream.calendar_from_ics(text).events) == 4
