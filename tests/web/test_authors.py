"""The author of a publish is shown only in the console."""

from __future__ import annotations

from pathlib import Path

import pytest

from calfeed.store.catalog.publishes import Author, list_publishes
from calfeed.web.pages.export import make_site as export
from tests.web.api_site import OPEN, VAULT, ApiSite, make_api_site
from tests.web.published import BASE, NOW

AUTHOR = Author("amina-zx9", "calfeed of the desk")
EVENT = "/calendars/open/talk/"
PUBLIC = (
    *(EVENT, "/", "/?q=talk", "/calendars/open/", "/calendars/open/?view=month"),
    *("/calendars.ics", "/calendars/open.ics", "/calendars/open/talk.ics", "/changes.atom"),
    *("/calendars/open.json", "/calendars/open.jcal", "/calendars/open.csv", "/embed/open/"),
    *("/calendars/open/changes.atom", "/subscribe/open/", "/readyz"),
)


@pytest.fixture
def api(tmp_path: Path) -> ApiSite:
    """A site whose every publish has an author, with a date that moved."""
    made = make_api_site(tmp_path)
    moved = OPEN.replace("2027-03-01 18:00", "2027-03-08 18:00, note: The hall was taken")
    made.site.publish({"open": moved, "vault-zx9": VAULT}, AUTHOR)
    with made.site.database.read() as connection:
        assert list_publishes(connection)[0].author == AUTHOR
    return made


@pytest.mark.parametrize("path", PUBLIC)
def test_nothing_public_says_who_made_a_publish(api: ApiSite, path: str) -> None:
    answer = api.site.get(path)
    assert answer.status_code == 200
    assert not is_told(answer.text)


def test_the_history_on_a_public_page_tells_of_the_move_and_not_of_its_author(
    api: ApiSite,
) -> None:
    page = api.site.get(EVENT).text
    assert "The hall was taken" in page
    assert "8 March 2027" in page
    assert not is_told(page)


def test_an_exported_site_does_not_say_who_made_a_publish(api: ApiSite) -> None:
    files = dict(export(api.site.database, BASE, NOW))
    assert any(b"8 March 2027" in body for body in files.values())
    assert not any(is_told(body.decode("utf-8", "replace")) for body in files.values())


@pytest.mark.parametrize("path", ["/changes", "/calendars/open", "/calendars/open/events/talk"])
@pytest.mark.parametrize("token", [None, "reader"])
def test_the_api_does_not_say_who_made_a_publish(
    api: ApiSite, path: str, token: str | None
) -> None:
    answer = api.ask("GET", path, token and api.make_token("read:vault-zx9"))
    assert answer.status_code == 200
    assert not is_told(answer.text)


def is_told(text: str) -> bool:
    return any(word in text for word in (str(AUTHOR.name), str(AUTHOR.command)))
