"""Pages of dates that are not just dates: for screen readers, in the dark, on a telephone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from calfeed.definitions.reader import read_definitions
from calfeed.publish.apply import publish
from tests.browser.axe import violations
from tests.browser.conftest import Visit, visiting
from tests.browser.house import NOW, serve_published
from tests.migrated import migrated_sqlite
from tests.ports import free_port
from tests.web.dated import FIRST, FIRST_DAY, SECOND

COURT = "/calendars/court/"
PAGES = [
    "",
    "?view=month&month=2026-12",
    "?view=month&month=2027-06",
    "?view=year&year=2027",
    *(
        f"{event}/"
        for event in ("ruling", "hearing", "talk", "launch", "party", "papers", "appeal")
    ),
    *("forms/", "vote/", "bill/"),
]


@pytest.fixture(scope="module")
def court(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a site with a court's calendar."""
    database = migrated_sqlite(tmp_path_factory.mktemp("court"))
    port = free_port()
    base_url = f"http://127.0.0.1:{port}"
    for text, at in ((FIRST, FIRST_DAY), (SECOND, NOW.replace(day=20))):
        publish(database, read_definitions({"events/court.yaml": text.encode()}), at, base_url)
    with serve_published(database, base_url, port):
        yield base_url


@pytest.fixture
def visit(court: str, chromium: Browser) -> Iterator[Visit]:
    with visiting(chromium, court) as open_page:
        yield open_page


@pytest.mark.parametrize("lang", ["en", "ur", "fa-AF"])
def test_axe_finds_no_fault_in_light_and_dark(visit: Visit, lang: str) -> None:
    page = visit(COURT)
    for path in PAGES:
        page.goto(f"{COURT}{path}{'&' if '?' in path else '?'}lang={lang}")
        assert violations(page) == [], path


@pytest.mark.parametrize("lang", ["en", "ur", "ps", "fa-AF"])
def test_nothing_is_wider_than_a_telephone(visit: Visit, lang: str) -> None:
    page = visit(COURT, viewport={"width": 360, "height": 700})
    for path in PAGES:
        page.goto(f"{COURT}{path}{'&' if '?' in path else '?'}lang={lang}")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, path


def test_a_deadline_is_told_by_its_end_on_the_visitors_clock(visit: Visit) -> None:
    page = visit(f"{COURT}bill/", timezone_id="America/New_York")
    yours = page.locator(".yours")
    expect(yours).to_contain_text("New York (UTC-05:00)")
    told = yours.inner_text()
    assert ": by " in told
    assert "Thursday, 10 December 2026 at 14:00" in told


def test_no_clock_is_told_of_a_day_that_is_not_known(visit: Visit) -> None:
    for event in ("ruling", "hearing", "talk", "launch"):
        page = visit(f"{COURT}{event}/", timezone_id="America/New_York")
        expect(page.locator(".yours")).to_have_count(0)
