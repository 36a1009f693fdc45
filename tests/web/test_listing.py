"""Paginated lists: a reader who pages through sees each date once, and a series hides nothing."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from html import unescape
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from calfeed.model.events import Event, Repeat
from calfeed.web.pages.lists.entries import Entry
from calfeed.web.pages.lists.listing import Listing, Place, list_past, list_upcoming, read_place
from calfeed.web.pages.reader.languages import Reader, choose_reader
from calfeed.web.published.snapshot import DEFAULT_LANGUAGES
from tests.web.published import Published, make_site
from tests.web.test_timeline import ZONES, events, list_everything, make_row, make_timeline

NOW = datetime(2027, 6, 15, 12, tzinfo=UTC)
FIRST, LAST = date(2024, 1, 1), date(2029, 12, 31)
"""The days that are compared; an endless series goes on."""

Dates = Counter[tuple[str, date]]

READER = choose_reader("en", "", DEFAULT_LANGUAGES)


def dates_of(entries: Iterable[Entry]) -> Dates:
    """What lines stand for: events and days."""
    return Counter(
        (entry.row.uid, day) for entry in entries for day in (entry.day, *(entry.others or ()))
    )


def between(dates: Dates) -> Dates:
    return Counter({key: count for key, count in dates.items() if FIRST <= key[1] <= LAST})


def turn_pages(first: Listing, next_page: object) -> Iterator[Listing]:
    """A page and all that follow, up to the days that are compared."""
    page: Listing | None = first
    while page is not None:
        yield page
        rest = page.rest
        on = rest is not None and FIRST <= rest.day <= LAST
        page = next_page(rest) if on else None  # type: ignore[operator]  # a function of a Place


def list_entries(defined: list[Event], reader: Reader) -> list[Entry]:
    rows = [make_row(event) for event in defined]
    everything = list_everything(rows, reader.zone)
    return [Entry(one.row, one.occurrence, reader, NOW) for one in everything]


defined_events = st.lists(events(), max_size=8, unique_by=lambda event: event.uid)


@settings(max_examples=40)
@given(defined_events, st.integers(1, 5), st.booleans(), st.sampled_from(ZONES))
def test_whoever_turns_the_pages_sees_each_coming_date_and_each_past_one_once(
    defined: list[Event], most: int, fold: bool, zone: str
) -> None:
    reader = READER.choose_zone(zone)
    timeline = make_timeline([make_row(event) for event in defined])
    entries = list_entries(defined, reader)

    def ahead(place: Place | None) -> Listing:
        return list_upcoming(timeline, NOW, reader, most, place, fold=fold)

    def back(place: Place | None) -> Listing:
        return list_past(timeline, NOW, reader, most, place, fold=fold)

    for turn, over in ((ahead, False), (back, True)):
        pages = list(turn_pages(turn(None), turn))
        assert all(len(page.entries) <= most for page in pages)
        seen = between(sum((dates_of(page.entries) for page in pages), Counter()))
        wanted = between(dates_of(entry for entry in entries if entry.over == over))
        assert seen >= wanted
        # A page after the first one is that of its address, whatever is over by now.
        assert all(count == 1 for count in (seen - wanted).values())
        assert seen <= between(dates_of(entries))


def make_event(uid: str, start: date, days: int = 1, rule: str | None = None) -> Event:
    return Event(
        calendar="desk",
        slug=uid,
        uid=uid,
        summary={"en": "It"},
        start=start,
        end=start + timedelta(days=days),
        time_zone="UTC",
        language="en",
        repeat=Repeat(rule=rule) if rule else None,
    )


TODAY = READER.today(NOW)
CUT_TODAY = [
    make_event("fair", date(2026, 1, 17), 900, "FREQ=YEARLY"),
    make_event("one", date(2027, 2, 1)),
    make_event("two", date(2027, 3, 1)),
    make_event("now", TODAY),
]
"""Of three lines, the second page from 2026 on ends today, when two fairs are in progress."""

days = st.dates(date(2026, 1, 1), date(2028, 12, 31)) | st.just(TODAY)


@settings(max_examples=40)
@given(defined_events, days, st.integers(0, 3))
@example(CUT_TODAY, date(2026, 1, 1), 0)
def test_a_place_parts_what_begins_before_it_from_the_rest(
    defined: list[Event], day: date, skip: int
) -> None:
    reader = READER.choose_zone("Asia/Karachi")
    timeline = make_timeline([make_row(event) for event in defined])
    place = Place(day, skip)
    before = turn_pages(
        list_past(timeline, NOW, reader, 3, place),
        lambda rest: list_past(timeline, NOW, reader, 3, rest),
    )
    after = turn_pages(
        list_upcoming(timeline, NOW, reader, 3, place),
        lambda rest: list_upcoming(timeline, NOW, reader, 3, rest),
    )
    seen = [
        between(sum((dates_of(page.entries) for page in pages), Counter()))
        for pages in (before, after)
    ]
    everything = between(dates_of(list_entries(defined, reader)))
    assert seen[0] + seen[1] == everything
    assert all(each <= day for _, each in seen[0])
    assert all(each >= day for _, each in seen[1])


@settings(max_examples=40)
@given(
    defined_events,
    days,
    st.integers(0, 3),
    st.none() | st.integers(0, 3),
    st.timedeltas(timedelta(days=-600), timedelta(days=600)),
)
@example(CUT_TODAY, TODAY, 0, None, timedelta(days=1))
@example(CUT_TODAY, TODAY, 0, 1, timedelta(days=1))
def test_what_is_on_the_page_of_a_place_does_not_depend_on_the_time(
    defined: list[Event], day: date, skip: int, begun: int | None, passed: timedelta
) -> None:
    timeline = make_timeline([make_row(event) for event in defined])
    place = Place(day, skip, begun)
    for list_page in (list_upcoming, list_past):
        pages = [list_page(timeline, now, READER, 3, place) for now in (NOW, NOW + passed)]
        shown, shown_later = ([(e.row.uid, e.day, e.others) for e in p.entries] for p in pages)
        assert shown == shown_later
        assert pages[0].rest == pages[1].rest


@pytest.mark.parametrize(
    ("day", "skip", "place"),
    [
        ("2027-01-15", "", Place(date(2027, 1, 15))),
        ("2027-01-15", "3", Place(date(2027, 1, 15), 3)),
        ("2027-02-30", "", None),
        ("20270115", "", None),
        ("2027-W01-1", "", None),
        ("0001-01-01", "", None),
        ("9999-12-31", "", None),
        ("2027-01-15", "-1", None),
        ("2027-01-15", "9" * 5000, None),
        ("２０２７-01-15", "", None),
    ],
)
def test_a_place_is_a_day_and_a_number(day: str, skip: str, place: Place | None) -> None:
    assert read_place(day, skip) == place


@pytest.mark.parametrize(
    ("begun", "place"),
    [
        ("0", Place(date(2027, 1, 15), begun=0)),
        ("20", Place(date(2027, 1, 15), begun=20)),
        ("x", None),
        ("-1", None),
    ],
)
def test_a_place_may_be_among_what_has_begun(begun: str, place: Place | None) -> None:
    assert read_place("2027-01-15", "", begun) == place


SERIES = """
name: Desk
time_zone: Asia/Karachi
events:
  mon: {summary: Monday, start: 2026-01-05 10:00, repeat: {rule: FREQ=WEEKLY}}
  tue: {summary: Tuesday, start: 2026-01-06 10:00, repeat: {rule: FREQ=WEEKLY}}
  wed: {summary: Wednesday, start: 2026-01-07 10:00, repeat: {rule: FREQ=WEEKLY}}
  thu: {summary: Thursday, start: 2026-01-08 10:00, repeat: {rule: FREQ=WEEKLY}}
  due: {summary: Applications close, start: 2027-02-15, kind: deadline}
"""
SINGLES = "name: Desk\ntime_zone: UTC\nevents:\n" + "".join(
    f"  e{number}: {{summary: E{number}, start: {day + timedelta(days=number // 3)}}}\n"
    for day in (date(2026, 11, 1),)
    for number in range(300)
)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Published]:
    site = make_site(tmp_path)
    yield site
    site.database.close()


def titles(page: str) -> list[str]:
    return re.findall(r'class="title"[^>]*><bdi[^>]*>([^<]*)', page)


def link(page: str, rel: str) -> str:
    """Where a page leads on to; empty where it does not."""
    found = re.search(rf'rel="{rel} nofollow" href="([^"]*)"', page)
    return unescape(found[1]) if found else ""


@pytest.mark.parametrize("path", ["/", "/calendars/desk/", "/embed/desk/"])
def test_four_weekly_series_do_not_hide_a_deadline(site: Published, path: str) -> None:
    site.publish({"desk": SERIES})
    page = site.get(path).text
    names = ["Tuesday", "Wednesday", "Thursday", "Monday", "Applications close"]
    assert titles(page)[:5] == names
    assert len(re.findall("weekly, and 5[12] more until", page)) == 4


def test_of_a_series_what_differs_is_a_line_of_its_own(site: Published) -> None:
    changes = """
      rule: FREQ=WEEKLY;COUNT=60
      changes:
        2026-12-07 10:00: {status: cancelled}
        2026-12-14 10:00: {start: 2026-12-15 11:00}
        2026-12-21 10:00: {location: Upstairs}
"""
    weekly = "  mon:\n    summary: Monday\n    start: 2026-01-05 10:00\n    repeat:" + changes
    site.publish({"desk": "name: Desk\ntime_zone: UTC\nevents:\n" + weekly})
    page = site.get("/calendars/desk/").text.partition('id="past"')[0]
    lines = re.findall(r'<li class="entry(.*?)</li>', page, re.DOTALL)
    assert len(lines) == 4
    assert "weekly, and 9 more until 22 February 2027" in lines[0]
    assert "cancelled" in lines[1]
    assert "11:00" in lines[2]
    assert "Upstairs" in lines[3]


@pytest.mark.parametrize("path", ["/", "/calendars/desk/", "/?q=e", "/?lang=ur&zone=Asia/Tokyo"])
def test_every_date_is_reached_by_the_links_of_the_pages(site: Published, path: str) -> None:
    site.publish({"desk": SINGLES})
    seen: list[str] = []
    for rel in ("next", "prev"):
        here = path
        while here:
            page = site.get(here)
            assert page.status_code == 200
            seen += titles(page.text)
            here = link(page.text, rel)
    assert set(seen) == {f"E{number}" for number in range(300)}
    assert len(seen) < 300 + 4 * 60, "pages overlap only where what is coming begins"


def test_a_page_keeps_its_address_and_what_it_shows(site: Published) -> None:
    site.publish({"desk": SINGLES})
    address = link(site.get("/calendars/desk/").text, "next")
    assert address == "/calendars/desk/?from=2026-12-13"
    shown = titles(site.get(address).text)
    site.now += timedelta(days=30)
    assert titles(site.get(address).text) == shown
    assert link(site.get(address).text, "prev") == "/calendars/desk/?until=2026-12-13"


def test_every_date_of_a_series_is_on_the_pages_of_its_event(site: Published) -> None:
    site.publish({"desk": SERIES.replace("FREQ=WEEKLY}}\n  tue", "FREQ=WEEKLY;COUNT=80}}\n  tue")})
    first = site.get("/calendars/desk/mon/").text
    seen = re.findall(r'<time class="day" datetime="(\d{4}-\d\d-\d\d)', first)
    for rel in ("next", "prev"):
        page = first
        while here := link(page, rel):
            page = site.get(here).text
            seen += re.findall(r'<time class="day" datetime="(\d{4}-\d\d-\d\d)', page)
    assert len(seen) == len(set(seen)) == 80


@pytest.mark.parametrize(
    "query",
    [
        "from=x",
        "until=2027-02-30",
        "from=9999-01-01",
        "from=2027-01-15&skip=x",
        "from=2027-01-15&begun=x",
    ],
)
@pytest.mark.parametrize("path", ["/", "/calendars/desk/", "/calendars/desk/mon/"])
def test_there_is_no_page_of_a_day_that_is_none(site: Published, path: str, query: str) -> None:
    site.publish({"desk": SERIES})
    assert site.get(f"{path}?{query}").status_code == 404


def test_what_is_under_way_comes_first_and_is_not_listed_again(site: Published) -> None:
    fair = "  fair: {summary: Fair, start: 2025-03-01, end: 2027-03-01}\n"
    site.publish({"desk": SINGLES + fair})
    page = site.get("/calendars/desk/").text
    assert titles(page)[0] == "Fair"
    assert len(titles(page.partition('id="past"')[0])) == 60
    assert titles(site.get(link(page, "next")).text).count("Fair") == 0


def test_more_in_progress_than_a_page_holds_is_turned_through_like_the_rest(
    site: Published,
) -> None:
    fairs = "".join(
        f"  fair{number}: {{summary: Fair {number}, start: 2026-0{number % 9 + 1}-01,"
        " end: 2027-03-01}\n"
        for number in range(70)
    )
    over = "  over: {summary: Over, start: 2026-10-01}\n"
    hearing = "  hearing: {summary: Hearing, start: 2026-12-01}\n"
    site.publish({"desk": f"name: Desk\ntime_zone: UTC\nevents:\n{fairs}{over}{hearing}"})
    first = site.get("/calendars/desk/").text.partition('id="past"')[0]
    address = link(first, "next")
    assert address == "/calendars/desk/?begun=60&from=2026-11-23"
    second = site.get(address).text
    assert sorted(titles(first) + titles(second)) == sorted(
        ["Hearing", *(f"Fair {number}" for number in range(70))]
    )
    site.now += timedelta(days=1)
    assert titles(site.get(address).text) == titles(second)
    assert link(site.get(address).text, "prev") == "/calendars/desk/?begun=60&until=2026-11-23"
