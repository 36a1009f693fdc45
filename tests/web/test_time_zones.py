"""Days, hours and distances are those of the zone that a page names, or that a reader chose."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from tests.web.published import Published, make_site

# At NOW it is Monday the 23rd, 12:00 in UTC, 17:00 in Karachi, 02:00 of the 24th in Kiritimati.
DESK = """
name: Desk
time_zone: Asia/Karachi
events:
  early: {summary: Early, start: 2026-11-25 02:00, duration: 1 hour}
  day: {summary: Day, start: 2026-11-25}
  due: {summary: Due, start: 2026-11-25, kind: deadline}
"""
COURT = """
name: Court
time_zone: America/New_York
events:
  hearing: {summary: Hearing, start: 2026-11-25 22:00, duration: 1 hour}
"""
LISTS = ["/", "/?q=e", "/calendars/desk/", "/embed/desk/"]
PAGES = [*LISTS, "/calendars/desk/early/", "/subscribe/", "/calendars/desk/?view=month"]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Published]:
    """A site of the test's own, whose time it may set."""
    yield from _open(tmp_path)


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Published]:
    """A site for tests that only look."""
    yield from _open(tmp_path_factory.mktemp("shown"))


def _open(folder: Path) -> Iterator[Published]:
    site = make_site(folder)
    site.publish({"desk": DESK, "court": COURT})
    yield site
    site.database.close()


def entries(page: str) -> dict[str, tuple[str, str]]:
    """The day and the distance in a list, by title."""
    found = {}
    for entry in re.findall(r'<li class="entry.*?</li>', page, re.DOTALL):
        (title,) = re.findall(r'class="title"[^>]*><bdi[^>]*>([^<]*)', entry)
        (day,) = re.findall(r'class="number">(\d+)<', entry)
        found[title] = (day, "".join(re.findall(r'class="distance">([^<]*)', entry)))
    return found


def add_zone(path: str, zone: str) -> str:
    return f"{path}{'&' if '?' in path else '?'}zone={quote(zone)}"


@pytest.mark.parametrize(
    ("zone", "early", "hearing"),
    [
        ("Asia/Karachi", ("25", "in 2 days"), ("26", "in 3 days")),
        ("UTC", ("24", "tomorrow"), ("26", "in 3 days")),
        ("America/New_York", ("24", "tomorrow"), ("25", "in 2 days")),
        ("Pacific/Kiritimati", ("25", "tomorrow"), ("26", "in 2 days")),
    ],
)
def test_a_day_and_its_distance_are_those_of_the_readers_zone(
    site: Published, zone: str, early: tuple[str, str], hearing: tuple[str, str]
) -> None:
    found = entries(site.get(f"/?zone={zone}").text)
    assert (found["Early"], found["Hearing"]) == (early, hearing)
    day = ("25", "tomorrow" if zone == "Pacific/Kiritimati" else "in 2 days")
    assert (found["Day"], found["Due"]) == (day, day), "a whole day is the same day everywhere"


def test_dates_on_one_day_are_equally_far_off_wherever_they_are(site: Published) -> None:
    for hour in range(48):
        site.now = datetime(2026, 11, 23 + hour // 24, hour % 24, 30, tzinfo=UTC)
        for path in ("/", "/?zone=Asia/Karachi", "/?zone=Pacific/Kiritimati", "/?q=e"):
            days: dict[str, str] = {}
            for day, distance in entries(site.get(path).text).values():
                assert days.setdefault(day, distance) == distance or distance == "", path


def test_without_a_choice_a_calendar_has_its_zone_and_all_have_the_one_in_common(
    site: Published,
) -> None:
    assert entries(site.get("/calendars/desk/").text)["Early"] == ("25", "in 2 days")
    assert entries(site.get("/embed/desk/").text)["Early"] == ("25", "in 2 days")
    assert entries(site.get("/").text)["Early"] == ("24", "tomorrow"), "UTC: there are two zones"
    site.state.time_zone = "Pacific/Kiritimati"
    assert entries(site.get("/").text)["Early"] == ("25", "tomorrow"), "the setting"
    site.state.time_zone = ""
    site.publish({"desk": DESK})
    assert entries(site.get("/").text)["Early"] == ("25", "in 2 days")


def test_a_whole_day_is_over_with_the_readers_day_and_a_deadline_at_its_moment(
    site: Published,
) -> None:
    site.now = datetime(2026, 11, 25, 20, tzinfo=UTC)  # the 26th in Karachi, where both have ended
    found = entries(site.get("/?zone=America/New_York&q=d").text)
    assert found["Day"] == ("25", "today")
    assert found["Due"] == ("25", "")
    site.now = datetime(2026, 11, 25, 12, tzinfo=UTC)  # the 26th in Kiritimati
    found = entries(site.get("/?zone=Pacific/Kiritimati&q=d").text)
    assert found["Day"] == ("25", "")
    assert found["Due"] == ("25", "now")


@pytest.mark.parametrize("path", PAGES)
def test_links_keep_the_zone_that_was_chosen(shown: Published, path: str) -> None:
    page = shown.get(add_zone(path, "Asia/Tokyo")).text
    links = [unescape(link) for link in re.findall(r'<a [^>]*href="(/[^"#]*)', page)]
    ours = [link for link in links if not re.search(r"\.(ics|json|jcal|csv|atom)", link)]
    assert ours
    for link in ours:
        assert parse_qs(urlsplit(link).query).get("zone") == ["Asia/Tokyo"], link
    plain = shown.get(path).text
    assert not re.search(r"[?&;]zone=", plain)


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize(
    "zone",
    ["Mars/Olympus", "Factory", "posix/UTC", "../UTC", "/etc/localtime", "Asia", "\0", "x" * 9999],
)
def test_a_zone_that_is_none_is_said_to_be_none(shown: Published, path: str, zone: str) -> None:
    answer = shown.get(add_zone(path, zone), Accept="text/html")
    assert answer.status_code == 400
    assert "There is no time zone called" in answer.text
    assert len(answer.text) < 10_000


def test_an_event_has_its_own_zone_and_the_readers_where_that_is_another(site: Published) -> None:
    def told(query: str) -> str:
        page = site.get(f"/calendars/desk/early/{query}").text
        return unescape(re.sub(r"<[^>]*>", "", page))

    own = "Wednesday, 25 November 2026, 02:00 – 03:00"
    for query in ("", "?zone=Asia/Karachi", "?zone=Asia/Tokyo"):
        assert own in told(query)
    assert "In Tokyo (UTC+09:00): Wednesday, 25 November 2026, 06:00 – 07:00" in told(
        "?zone=Asia/Tokyo"
    )
    assert "In Karachi" not in told("?zone=Asia/Karachi")
    assert "tomorrow" in told("?zone=America/New_York")
    assert "in 2 days" in told("")
