"""What moved, first: for screen readers, in the dark, on a telephone, in print."""

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
PAGES = ["/", COURT, f"{COURT}sitting/", f"{COURT}vote/", f"{COURT}visit/", "/embed/court/"]


@pytest.fixture(scope="module")
def court(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a site on which dates moved in each way."""
    database = migrated_sqlite(tmp_path_factory.mktemp("moves"))
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


@pytest.mark.parametrize("lang", ["en", "ur"])
def test_axe_finds_no_fault_and_nothing_is_wider_than_a_telephone(visit: Visit, lang: str) -> None:
    page = visit("/", viewport={"width": 320, "height": 700})
    for path in PAGES:
        page.goto(f"{path}?lang={lang}")
        assert violations(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, path


def test_who_hears_the_page_hears_which_date_is_the_old_one(visit: Visit) -> None:
    page = visit(COURT, java_script_enabled=False)
    moves = page.get_by_role("region", name="What moved lately")
    expect(moves.get_by_role("listitem")).to_have_count(5)
    sitting = moves.get_by_role("listitem").filter(has_text="Sitting")
    expect(sitting).to_contain_text("Was Wednesday, 16 December 2026")
    expect(sitting).to_contain_text("Now Thursday, 17 December 2026")
    expect(sitting.get_by_role("deletion")).to_have_text("Wednesday, 16 December 2026")


def test_the_new_date_stands_right_below_the_old_one_on_every_width(visit: Visit) -> None:
    for width, lang in ((360, "en"), (1100, "en"), (360, "ur"), (1100, "ur")):
        page = visit(f"{COURT}?lang={lang}", viewport={"width": width, "height": 800})
        move = page.locator(".move.is-moved")
        old, new = move.locator("del").bounding_box(), move.locator("strong").bounding_box()
        assert old is not None
        assert new is not None
        assert old["y"] + old["height"] <= new["y"] + 4
        begins = [box["x"] + (0 if lang == "en" else box["width"]) for box in (old, new)]
        assert abs(begins[0] - begins[1]) < 2


def test_in_print_every_mark_has_an_outline(visit: Visit) -> None:
    page = visit(COURT)
    page.emulate_media(media="print")
    clear = "mark => getComputedStyle(mark).borderTopColor === 'rgba(0, 0, 0, 0)'"
    assert not page.locator(".mark").evaluate_all(f"marks => marks.some({clear})")
    expect(page.locator(".moves")).to_be_visible()
