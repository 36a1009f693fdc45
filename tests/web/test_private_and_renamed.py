"""Private calendars, and calendars that were renamed or withdrawn."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from calfeed.store.access import tokens
from calfeed.web.pages import export
from tests.web.published import BASE, NOW, Published, make_site

BOARD = """
name: Boardroom
time_zone: UTC
visibility: private
events:
  meeting: {summary: Quiet meeting, start: 2027-01-05 10:00}
"""
OPEN = """
name: Open
time_zone: UTC
events:
  fair: {summary: Fair, start: 2027-02-01}
"""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Published]:
    site = make_site(tmp_path)
    site.publish({"board": BOARD, "open": OPEN})
    yield site
    site.database.close()


def add_token(site: Published, token: str, calendar: str = "board") -> int:
    with site.database.write() as connection:
        number = tokens.add_token(connection, token, calendar, "", NOW)
    site.state.refresh()
    return number


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/calendars.ics",
        "/calendars.ics?lang=en",
        "/changes.atom",
        "/calendars/board.ics",
        "/calendars/board.ics?alarms=0",
        "/calendars/board.json",
        "/calendars/board.jcal",
        "/calendars/board.csv",
        "/calendars/board/",
        "/calendars/board/changes.atom",
        "/calendars/board/meeting/",
        "/calendars/board/meeting.ics",
        "/nothing",
    ],
)
def test_a_private_calendar_is_nowhere_without_a_token(site: Published, path: str) -> None:
    response = site.get(path)
    assert "Boardroom" not in response.text
    assert "Quiet" not in response.text
    if "board" in path:
        assert response.status_code == 404


def test_a_token_reads_its_calendar_and_no_cache_keeps_it(site: Published) -> None:
    add_token(site, "secret-one")
    response = site.get("/private/secret-one/board.ics")
    assert response.status_code == 200
    assert "SUMMARY;LANGUAGE=en:Quiet meeting" in response.text
    assert "private" in response.headers["Cache-Control"]
    assert "public" not in response.headers["Cache-Control"]
    assert "secret-one" not in response.text


def test_a_token_of_another_calendar_or_none_is_404(site: Published) -> None:
    add_token(site, "secret-two", "open")
    assert site.get("/private/secret-two/board.ics").status_code == 404
    assert site.get("/private/guess/board.ics").status_code == 404
    assert site.get("/private/guess/none.ics").status_code == 404


def test_a_revoked_token_is_410_and_the_others_go_on(site: Published) -> None:
    number = add_token(site, "secret-one")
    add_token(site, "secret-two")
    with site.database.write() as connection:
        tokens.revoke_token(connection, number, NOW)
    site.state.refresh()
    assert site.get("/private/secret-one/board.ics").status_code == 410
    assert site.get("/private/secret-two/board.ics").status_code == 200


def test_only_a_hash_of_a_token_is_kept(site: Published, tmp_path: Path) -> None:
    add_token(site, "a-token-that-nobody-keeps")
    site.database.close()
    for file in tmp_path.iterdir():
        assert b"a-token-that-nobody-keeps" not in file.read_bytes()


def test_making_a_calendar_private_takes_it_off_at_once(site: Published) -> None:
    assert site.get("/calendars/open.ics").status_code == 200
    private = OPEN.replace("time_zone", "visibility: private\ntime_zone")
    site.publish({"board": BOARD, "open": private})
    assert site.get("/calendars/open.ics").status_code == 404
    assert "Fair" not in site.get("/calendars.ics").text


def test_a_renamed_calendar_keeps_its_uids_and_leads_on_from_its_old_addresses(
    site: Published,
) -> None:
    before = [line for line in site.get("/calendars/open.ics").text.split("\r\n") if "UID:" in line]
    site.publish({"board": BOARD, "open-days": OPEN + "formerly: [open]\n"})
    response = site.get("/calendars/open.ics?lang=ur")
    assert response.status_code == 308
    assert response.headers["Location"] == "/calendars/open-days.ics?lang=ur"
    assert site.get("/calendars/open/fair/").headers["Location"] == "/calendars/open-days/fair/"
    after = site.get("/calendars/open-days.ics").text.split("\r\n")
    assert [line for line in after if "UID:" in line] == before
    assert "STATUS:CANCELLED" not in after


def test_files_under_a_former_name_are_those_of_the_new_one_whatever_they_are_called(
    site: Published,
) -> None:
    """ "cal" is in "calendars" too."""
    site.publish({"cal": OPEN})
    site.publish({"e": OPEN + "formerly: [cal]\n"})
    files = dict(export.make_site(site.database, BASE, NOW))
    for room in ("calendars/{}/", "calendars/{}.", "embed/{}/", "subscribe/{}/"):
        new, old = room.format("e"), room.format("cal")
        names = [name for name in files if name.startswith(new)]
        assert names
        for name in names:
            assert files[old + name.removeprefix(new)] == files[name]
    assert {name.partition("/")[0] for name in files if "/" in name} == {
        "calendars",
        "embed",
        "static",
        "subscribe",
    }


def test_what_is_withdrawn_from_a_reader_is_told_in_their_language(site: Published) -> None:
    number = add_token(site, "secret-one")
    with site.database.write() as connection:
        tokens.revoke_token(connection, number, NOW)
    site.state.refresh()
    answer = site.get("/private/secret-one/board.ics?lang=ur", Accept="text/html")
    assert answer.status_code == 410
    assert "یہ پتا واپس لے لیا گیا" in answer.text
    assert "secret-one" not in answer.text


def test_a_renamed_private_calendar_keeps_its_tokens_and_does_not_give_its_name_away(
    site: Published,
) -> None:
    add_token(site, "secret-one")
    site.publish({"council": BOARD + "formerly: [board]\n", "open": OPEN})
    assert site.get("/calendars/board.ics").status_code == 404
    assert site.get("/private/secret-one/board.ics").status_code == 200
    assert site.get("/private/secret-one/council.ics").status_code == 200


def test_a_withdrawn_calendar_is_410_with_a_page_that_says_so(site: Published) -> None:
    site.publish({"board": BOARD})
    response = site.get("/calendars/open.ics")
    assert response.status_code == 410
    assert "withdrawn" in response.text


def test_a_withdrawn_private_calendar_was_never_there(site: Published) -> None:
    site.publish({"open": OPEN})
    assert site.get("/calendars/board.ics").status_code == 404


# A category that no event has any more

REPORTS = """
name: Open
time_zone: UTC
events:
  fair: {summary: Fair, start: 2027-02-01%s}
"""


@pytest.mark.parametrize(
    ("path", "page"),
    [
        ("/calendars/open.ics", False),
        ("/calendars.ics", False),
        ("/private/secret-of-the-test/board.ics", False),
        ("/embed/open/", True),
    ],
)
def test_a_feed_of_a_category_goes_on_when_the_last_event_leaves_it(
    site: Published, path: str, page: bool
) -> None:
    add_token(site, "secret-of-the-test")
    label = ", categories: [report]"
    board = BOARD.replace("10:00", "10:00%s")
    site.publish({"board": board % label, "open": REPORTS % label})
    subscribed = f"{path}?category=report"
    assert site.get(subscribed).status_code == 200
    site.publish({"board": board % "", "open": REPORTS % ""})
    response = site.get(subscribed)
    assert response.status_code == 200
    assert "BEGIN:VEVENT" not in response.text
    assert site.get(f"{path}?category=reports").status_code == (404 if page else 400)


def test_a_feed_of_a_category_outlives_the_renaming_of_its_calendar(site: Published) -> None:
    site.publish({"board": BOARD, "open": REPORTS % ", categories: [report]"})
    site.publish({"board": BOARD, "open": REPORTS % ""})
    site.publish({"board": BOARD, "fairs": REPORTS % "" + "formerly: [open]\n"})
    assert site.get("/calendars/fairs.ics?category=report").status_code == 200


def test_a_category_of_a_private_calendar_does_not_show(site: Published) -> None:
    board = BOARD.replace("10:00", "10:00, categories: [secret]")
    site.publish({"board": board, "open": OPEN})
    assert site.get("/calendars.ics?category=secret").status_code == 400


def test_an_expired_token_is_answered_as_one_that_never_was(site: Published) -> None:
    """Without a publish in between: the time is looked at with each request."""
    with site.database.write() as connection:
        tokens.add_token(connection, "short", "board", "", NOW, expires=NOW + timedelta(days=1))
    site.state.refresh()
    assert site.get("/private/short/board.ics").status_code == 200
    site.now += timedelta(days=1)
    expired, unknown = (site.get(f"/private/{one}/board.ics") for one in ("short", "never"))
    assert (expired.status_code, unknown.status_code) == (404, 404)
    assert expired.text == unknown.text
