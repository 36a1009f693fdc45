"""A person follows dates by mail: the form, the page behind the link of the mail, the own page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.axe import violations
from tests.browser.conftest import Visit, visiting
from tests.browser.house import NOW, make_house, serve_published
from tests.browser.keyboard import keyboard_faults
from tests.following.people import Crowd
from tests.ports import free_port

TELEPHONE = {"width": 390, "height": 760}


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Crowd, str]]:
    """People in front of a house with mail, and its address."""
    port = free_port()
    base_url = f"http://127.0.0.1:{port}"
    database = make_house(tmp_path_factory.mktemp("mail"), base_url)
    with serve_published(database, base_url, port, mails=True):
        yield Crowd(database, NOW), base_url


@pytest.fixture
def reader(chromium: Browser, crowd: tuple[Crowd, str]) -> Iterator[Visit]:
    with visiting(chromium, crowd[1]) as open_page:
        yield open_page


def check(page: Page) -> None:
    assert violations(page) == []
    # A group of radio buttons is one stop; nobody is to reach the field for programs.
    faults = [one for one in keyboard_faults(page) if 'type="radio"' not in one]
    assert [one for one in faults if 'name="website"' not in one] == []
    wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
    assert not wide, "the page is wider than the telephone"


@pytest.mark.parametrize("lang", ["en", "ur"])
def test_without_a_script_one_signs_up_confirms_changes_and_leaves(
    reader: Visit, crowd: tuple[Crowd, str], lang: str, tmp_path: Path
) -> None:
    people, _ = crowd
    address = f"amina.{lang}@example.org"
    page = reader(f"/calendars/desk/visa/?lang={lang}", java_script_enabled=False)
    page.locator("a[href^='/follow/']").click()
    page.locator("#address").fill(address)
    expect(page.locator("#language")).to_have_value(lang)
    page.get_by_role("radio").nth(1).check()
    page.locator("main form button").click()
    expect(page.locator("h1")).to_be_visible()
    people.admit()
    page.goto(people.confirm_path() + f"?lang={lang}")
    page.locator("main form button").click()
    page.locator("main .button").click()
    expect(page.locator("main .lead")).to_contain_text(address)
    expect(page.locator("html")).to_have_attribute("lang", lang)
    expect(page.get_by_role("radio").nth(1)).to_be_checked()
    page.locator("#quiet_from").fill("22:00")
    page.locator("#quiet_until").fill("07:00")
    page.locator("form.sheet button").click()
    expect(page.get_by_role("status")).to_be_visible()
    expect(page.locator("#quiet_from")).to_have_value("22:00")
    page.locator("button[name=act]").click()
    expect(page.locator("button[value=resume]")).to_be_visible()
    page.locator("button.grave").click()
    expect(page.locator("main")).not_to_contain_text(address)


@pytest.mark.parametrize("lang", ["en", "ur", "ps", "fa-AF"])
def test_everybody_can_use_the_pages_on_a_telephone(
    reader: Visit, crowd: tuple[Crowd, str], lang: str
) -> None:
    people, _ = crowd
    people.ask(f"b.{lang}@example.org", "desk", "desk/visa", "desk#meeting")
    people.admit()
    confirm = people.confirm_path()
    page = reader(f"/follow/desk/?category=meeting&lang={lang}", viewport=TELEPHONE)
    check(page)
    page.goto(f"{confirm}?lang={lang}")
    check(page)
    own = people.own_path(people.confirm())
    for path in (own, own + "leave", confirm):
        page.goto(f"{path}?lang={lang}")
        check(page)
    page.goto(f"{own}?lang={lang}")
    for one in page.locator("input[name=follows]").all():
        if one.is_visible():
            one.uncheck()
    page.locator("form.sheet button").click()
    expect(page.get_by_role("alert")).to_be_visible()
    check(page)


def test_the_form_says_what_is_wrong_at_the_field(reader: Visit) -> None:
    page = reader("/follow/desk/")
    page.locator("form.sheet").evaluate("form => form.noValidate = true")
    page.locator("#address").fill("amina")
    page.locator("main form button").click()
    expect(page.locator("#address")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#address")).to_have_value("amina")
    check(page)
