"""A reader's own alarms, and feeds without what was cancelled, as a calendar library reads them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import icalendar
import pytest
import recurring_ical_events
from hypothesis import given
from hypothesis import strategies as st

from calfeed.model.dates.durations import Duration
from calfeed.web.feeds.feed_options import FeedOptions, parse_feed_options, write_alarm
from tests.acceptance.site import split_feed
from tests.web.published import Published, make_site
from tests.web.test_private_and_renamed import BOARD, add_token

YORK = ZoneInfo("America/New_York")
DESK = """
name: {en: Desk, ur: ڈیسک}
time_zone: America/New_York
reminders: [3 days]
events:
  call: {summary: {en: Call, ur: کال}, start: 2027-03-01 10:00, duration: 1 hour}
  clocks: {summary: After the clocks change, start: 2027-03-14 10:00}
  day: {summary: Day, start: 2027-04-02}
  due: {summary: Due, start: 2027-04-05, kind: deadline}
  plain: {summary: Plain, start: 2027-05-01 09:00, reminders: []}
  met: {summary: Met, start: 2027-05-03, kind: deadline, done: met}
  off: {summary: Off, start: 2027-05-04 10:00, status: cancelled}
  later: {summary: Later, start: postponed from 2027-05-05 10:00}
  some: {summary: Some day, start: 2027}
  weekly:
    summary: Weekly
    start: 2027-03-08 10:00
    repeat:
      rule: FREQ=WEEKLY;COUNT=4
      changes:
        2027-03-15 10:00: {start: 2027-03-16 12:00, summary: Weekly on Tuesday}
        2027-03-22 10:00: {status: cancelled}
  daily:
    summary: Daily
    start: 2027-06-01
    repeat: {rule: FREQ=DAILY;COUNT=2}
"""
FEED = "/calendars/desk.ics"
SILENT = {"✓ Met", "Off", "Postponed: Later", "2027, day open: Some day"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Published]:
    site = make_site(tmp_path_factory.mktemp("alarms"))
    site.publish({"desk": DESK, "board": BOARD})
    yield site
    site.database.close()


def read_alarms(feed: bytes) -> dict[tuple[str, date], list[datetime]]:
    """The alarms (UTC) of each occurrence, by title and start, as icalendar computes them.

    The reader is in New York.
    """
    found: dict[tuple[str, date], list[datetime]] = {}
    calendar = icalendar.Calendar.from_ical(feed)
    for event in recurring_ical_events.of(calendar).between((2027, 1, 1), (2028, 1, 1)):
        times = []
        for alarm in event.walk("VALARM"):
            assert alarm["ACTION"] == "DISPLAY"
            assert str(event["SUMMARY"]) == alarm["DESCRIPTION"]
            trigger = alarm["TRIGGER"].dt
            if isinstance(trigger, timedelta):
                start = event.start
                if not isinstance(start, datetime):
                    start = datetime.combine(start, time(), YORK)
                # RFC 5545, 3.8.6.3: days are nominal, hours are not.
                days = trigger if trigger % timedelta(days=1) == timedelta() else timedelta()
                trigger = (start + days).astimezone(UTC) + (trigger - days)
            times.append(trigger.astimezone(UTC))
        found[str(event["SUMMARY"]), event.start] = sorted(times)
    return found


def expect(start: date, before: timedelta) -> datetime:
    """When somebody is told so long before, by the wall clock for days: 09:00 for whole days."""
    if isinstance(start, datetime):
        if before % timedelta(days=1):
            return start.astimezone(UTC) - before
        return (start.astimezone(YORK) - before).astimezone(UTC)
    midnight = datetime.combine(start, time(), YORK)
    if before % timedelta(days=1):
        return midnight.astimezone(UTC) - before
    return datetime.combine(start - before, time(9), YORK).astimezone(UTC)


OWN = {
    "15m": timedelta(minutes=15),
    "1h": timedelta(hours=1),
    "2d": timedelta(days=2),
    "1w": timedelta(weeks=1),
}


@pytest.mark.parametrize("words", ["15m", "1h", "2d", "1w", "1h,2d", "15m,1h,2d,1w"])
def test_own_alarms_go_off_so_long_before_each_occurrence(site: Published, words: str) -> None:
    read = read_alarms(site.get(f"{FEED}?alarms={words}").data)
    assert len(read) == 15
    for (title, start), times in read.items():
        wanted = sorted(expect(start, OWN[word]) for word in words.split(","))
        if title in SILENT or (title, start.day) == ("Weekly", 22):
            wanted = []
        assert times == wanted, (title, start)


def test_own_alarms_change_nothing_but_alarms(site: Published) -> None:
    bare = site.get(f"{FEED}?alarms=0").data
    own = site.get(f"{FEED}?alarms=1h").data
    kept = icalendar.Calendar.from_ical(own)
    for event in kept.walk("VEVENT"):
        event.subcomponents = []
    before = icalendar.Calendar.from_ical(bare.replace(b"alarms=0", b"alarms=1h"))
    assert kept.to_ical() == before.to_ical()
    # Line by line: what is not an alarm is the same bytes.
    assert set(bare.replace(b"alarms=0", b"alarms=1h").split(b"\r\n")) <= set(own.split(b"\r\n"))


def test_alarms_are_in_the_language_of_the_feed(site: Published) -> None:
    text = site.get(f"{FEED}?alarms=1h&lang=ur").text
    assert "DESCRIPTION:کال" in text
    assert text.count("BEGIN:VALARM") == site.get(f"{FEED}?alarms=1h").text.count("BEGIN:VALARM")


def test_two_ways_to_say_one_moment_ring_once(site: Published) -> None:
    read = read_alarms(site.get(f"{FEED}?alarms=1d,24h").data)
    assert len(read["Call", datetime(2027, 3, 1, 10, tzinfo=YORK)]) == 1
    assert len(read["After the clocks change", datetime(2027, 3, 14, 10, tzinfo=YORK)]) == 2


def test_own_alarms_and_dropping_work_on_every_feed(site: Published) -> None:
    add_token(site, "secret-of-the-alarms")
    for path in (
        FEED,
        "/calendars.ics",
        "/calendars/desk/call.ics",
        "/choice.ics?event=desk/call",
        "/private/secret-of-the-alarms/board.ics",
    ):
        mark = "&" if "?" in path else "?"
        text = site.get(f"{path}{mark}alarms=15m&cancelled=drop").text
        assert "TRIGGER:-PT15M" in text, path
        assert "SUMMARY;LANGUAGE=en:Off" not in text, path


def test_what_is_cancelled_is_left_out_and_no_occurrence_comes_back(site: Published) -> None:
    kept = read_alarms(site.get(FEED).data)
    dropped = read_alarms(site.get(f"{FEED}?cancelled=drop").data)
    gone = {(title, start) for title, start in kept if (title, start) not in dropped}
    assert {title for title, _ in gone} == {"Off", "Weekly"}
    assert [start.day for title, start in gone if title == "Weekly"] == [22]
    assert dropped == {key: times for key, times in kept.items() if key in dropped}
    assert any(title.startswith("Postponed") for title, _ in dropped), "it will be again"


def test_a_series_without_a_cancelled_occurrence_is_its_stored_bytes(site: Published) -> None:
    _, kept, _ = split_feed(site.get(FEED).data)
    _, dropped, _ = split_feed(site.get(f"{FEED}?cancelled=drop").data)
    changed = {uid for uid in dropped if dropped[uid] != kept[uid]}
    weekly = next(row.uid for row in site.state.snapshot.rows() if row.slug == "weekly")
    assert changed == {weekly}


@pytest.mark.parametrize(
    "value", ["1", "0", "15m", "1h,1d", "1h,2h,3h,4h,5h", "0m", "366d", "8784h"]
)
def test_these_alarms_are_possible(site: Published, value: str) -> None:
    assert site.get(f"{FEED}?alarms={value}").status_code == 200


@pytest.mark.parametrize(
    "value",
    ["", "2", "1x", "h", "-1h", "1.5h", "١h", "1h;2h", "1h,,2h", "1 h", "367d", "53w", "99999h",
     "1m,2m,3m,4m,5m,6m", "1h,0", "9" * 500 + "h"],
)  # fmt: skip
def test_other_alarms_are_a_400_that_says_what_is_possible(site: Published, value: str) -> None:
    response = site.get(f"{FEED}?alarms={value}", Accept="application/json")
    assert response.status_code == 400
    assert response.json is not None
    detail = response.json["detail"]
    assert "alarms=" in detail
    assert len(detail) < 300
    assert any(word in detail for word in ("15m", "5 at most", "366 days"))


durations = st.one_of(
    st.builds(lambda count: Duration(minutes=count), st.integers(0, 10_000)),
    st.builds(lambda count: Duration(days=count), st.integers(1, 366)),
)


@given(
    st.builds(
        FeedOptions,
        own_alarms=st.frozensets(durations, max_size=5).map(lambda found: tuple(sorted(found))),
        dropped=st.booleans(),
        language=st.sampled_from(["", "ur"]),
    )
)
def test_options_written_and_read_again_are_the_same(options: FeedOptions) -> None:
    assert parse_feed_options(options.query()) == options


@given(durations)
def test_an_alarm_is_written_in_one_way(before: Duration) -> None:
    written = write_alarm(before)
    assert parse_feed_options(f"alarms={written}").own_alarms == (before,)
