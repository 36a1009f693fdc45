"""Events of every kind, as the libraries that clients are made of read them.

Hundreds on which all of them agree, and those that one or the other misreads. Any number of them is
looked at by `python -m tests.ical.corpus`.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import icalendar
import pytest
import vobject
from ical.calendar_stream import IcsCalendarStream

from calfeed.errors import DefinitionError
from calfeed.ical.occurrences import expand
from calfeed.model.events import length_of
from calfeed.model.values import start_of, text_in
from tests.acceptance.site import Site
from tests.acceptance.subscriber import Subscriber
from tests.ical.clients import (
    CLIENTS,
    check_lines,
    differences,
    render_feed,
    seen_by_ical,
    seen_by_recurring_ical_events,
    seen_by_vobject,
)
from tests.ical.corpus import EVENTS_IN_A_FEED, MAIN, make_corpus, make_definitions, make_part
from tests.ical.defining import define
from tests.ical.misreading import is_misread
from tests.ical.parsers import parsers_required

pytestmark = pytest.mark.slow

SEED = 1
NUMBERS = [0, 1, 2, 3, 16, 17, 18, 19]
"""Which of the corpus's feeds are looked at: four of our own time, and one of each other era."""
UTC_ZONE = ZoneInfo("UTC")


def test_the_corpus_has_what_it_is_to_have() -> None:
    parts = [make_part(SEED, number) for number in NUMBERS]
    assert len({era for _, era in parts}) == 5
    events = [event for calendar, _ in parts for event in calendar.events]
    count = len(NUMBERS) * EVENTS_IN_A_FEED
    assert len(events) == count
    agreed = {client: sum(not is_misread(client, event) for event in events) for client in CLIENTS}
    assert agreed.pop("sabre") >= 0.6 * count
    assert min(agreed.values()) >= 0.8 * count
    assert count not in (agreed["ical"], agreed["libical"], agreed["ical.js"])
    assert len({event.time_zone for event in events}) >= 60
    rules = [event.repeat.rule for event in events if event.repeat and event.repeat.rule]
    names = {part.partition("=")[0] for rule in rules for part in rule.split(";")}
    assert names >= {"FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYDAY", "BYMONTH", "BYSETPOS"}
    assert names >= {"BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYHOUR", "BYMINUTE", "BYSECOND"}
    frequencies = {rule.partition(";")[0] for rule in rules}
    assert frequencies == {
        f"FREQ={name}" for name in ("HOURLY", "DAILY", "WEEKLY", "MONTHLY", "YEARLY")
    }


@pytest.mark.parametrize("number", NUMBERS)
def test_every_client_sees_the_occurrences_that_reminders_are_planned_for(number: int) -> None:
    with parsers_required():
        assert list(differences(*make_part(SEED, number))) == []


@pytest.mark.parametrize("number", NUMBERS)
def test_lines_texts_and_lengths_are_what_they_should_be(number: int) -> None:
    calendar, _ = make_part(SEED, number)
    feed = render_feed(calendar)
    check_lines(feed)
    read = icalendar.Calendar.from_ical(feed)
    assert [component.errors for component in read.walk() if component.errors] == []
    texts = {
        event.uid: (
            text_in(event.summary, "en"),
            text_in(event.location, "en") if event.location else "",
            list(event.categories),
            length_of(event),
        )
        for event in calendar.events
    }
    masters = [one for one in read.events if "RECURRENCE-ID" not in one]
    assert texts == {
        str(one["UID"]): (
            str(one["SUMMARY"]),
            str(one.get("LOCATION", "")),
            list(one.categories),
            start_of(one.end, UTC_ZONE) - start_of(one.start, UTC_ZONE),
        )
        for one in masters
    }


def test_vdirsyncer_and_khal_show_a_served_sample_as_it_is_planned(tmp_path: Path) -> None:
    site = Site(tmp_path / "site")
    files = make_definitions(SEED, EVENTS_IN_A_FEED)
    ((path, definitions),) = files.items()
    ((calendar, _),) = make_corpus(SEED, EVENTS_IN_A_FEED)
    site.write(path.removeprefix("events/"), definitions.decode())
    subscriber = Subscriber(site.folder / "reader", site.environment)
    with site.serving():
        subscriber.subscribe("sample", f"{site.url}/calendars/{calendar.slug}.ics")
        subscriber.sync()
    assert len(subscriber.stored("sample")) == EVENTS_IN_A_FEED
    window = datetime(2024, 12, 30, tzinfo=UTC), datetime(2026, 1, 3, tzinfo=UTC)
    planned = {
        (
            f"{one.begins:%Y-%m-%d %H:%M}" if isinstance(one.start, datetime) else f"{one.start}",
            text_in(one.summary, "en"),
        )
        for event in calendar.events
        for one in expand(event, *window)
        if (one.begins if isinstance(one.start, datetime) else one.start).year == 2025
    }
    assert subscriber.starts("sample", "2025-01-01", "2025-12-31") == planned


# What was found with the corpus


def test_the_end_of_a_series_in_the_hour_that_comes_twice_is_after_its_start() -> None:
    """Clocks in New York go back at 02:00 to 01:00 on 1 November 2026."""
    calendar = define(
        """
        it:
          summary: It
          time_zone: America/New_York
          start: 2026-11-01 01:30-04:00
          duration: 45 minutes
          repeat: {rule: FREQ=WEEKLY;COUNT=2}
        """
    )
    feed = render_feed(calendar)
    assert b"DTSTART;TZID=America/New_York:20261101T013000\r\n" in feed
    assert b"DTEND:20261101T061500Z\r\n" in feed
    (event,) = IcsCalendarStream.calendar_from_ics(feed.decode()).events
    assert event.computed_duration.total_seconds() == 45 * 60


@pytest.mark.parametrize(
    ("start", "repeat", "key"),
    [
        ("2026-11-01 01:30-05:00", "{rule: FREQ=WEEKLY}", "start"),
        ("2026-10-25 01:30", "{rule: FREQ=WEEKLY, except: [2026-11-01 06:30Z]}", "repeat.except.0"),
        ("2026-10-25 01:30", "{also: [2026-11-01 01:30-05:00]}", "repeat.also.0"),
    ],
)
def test_a_series_cannot_mean_the_second_of_two_wall_times(
    start: str, repeat: str, key: str
) -> None:
    """No client tells them apart: DTSTART, EXDATE and RDATE with a TZID mean the first."""
    text = f"it:\n  summary: It\n  time_zone: America/New_York\n  start: {start}\n  repeat: "
    with pytest.raises(DefinitionError) as caught:
        define(text + repeat)
    (problem,) = caught.value.problems
    assert problem.key == f"events.it.{key}"
    assert "2026-11-01 01:30-04:00" in problem.message


def test_one_of_a_series_can_be_moved_to_the_second_of_two_wall_times() -> None:
    calendar = define(
        """
        it:
          summary: It
          time_zone: America/New_York
          start: 2026-10-25 01:30
          repeat: {rule: FREQ=WEEKLY, changes: {2026-11-08 01:30: {start: 2026-11-01 01:30-05:00}}}
        """
    )
    with parsers_required():
        assert list(differences(calendar, MAIN)) == []


def test_the_first_of_further_dates_is_seen_by_all() -> None:
    calendar = define("it: {summary: It, start: 2026-05-01, repeat: {also: [2026-06-01]}}")
    with parsers_required():
        assert list(differences(calendar, MAIN)) == []


def test_a_backslash_at_the_end_of_a_name_does_not_break_the_line() -> None:
    calendar = define(
        r"""
        it:
          summary: It
          start: 2026-05-01
          sources: [{title: A\, url: https://example.org}]
        """
    )
    (event,) = icalendar.Calendar.from_ical(render_feed(calendar)).events
    assert event.errors == []
    assert event["LINK"].params["LABEL"] == "A/"


# Faults of clients that the comparison makes allowance for; each has to be there still


def _feed(*lines: str, head: str = "") -> bytes:
    vevents = [f"BEGIN:VEVENT\nUID:it\nDTSTAMP:20260101T000000Z\n{one}END:VEVENT" for one in lines]
    text = "\n".join(
        ["BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//x//x//EN", *vevents, "END:VCALENDAR"]
    )
    text = text.replace("BEGIN:VEVENT", f"{head}BEGIN:VEVENT", 1)
    return text.replace("\n", "\r\n").encode() + b"\r\n"


def test_ical_still_shows_only_the_dates_in_a_list() -> None:
    """So calfeed writes the first date into RDATE as well."""
    feed = _feed("DTSTART;VALUE=DATE:20260501\nRDATE;VALUE=DATE:20260601\n")
    assert seen_by_ical(feed, MAIN) == {("it", date(2026, 6, 1))}


def test_ical_still_shows_what_was_moved_at_its_old_time_too_where_times_are_in_utc() -> None:
    feed = _feed(
        "DTSTART:20260501T090000Z\nRRULE:FREQ=DAILY;COUNT=2\n",
        "RECURRENCE-ID:20260502T090000Z\nDTSTART:20260503T090000Z\n",
    )
    seen = sorted(start.day for _, start in seen_by_ical(feed, MAIN))
    assert seen == [1, 2, 3]


def test_recurring_ical_events_still_takes_a_wall_time_that_is_out_for_the_same_in_utc() -> None:
    feed = _feed(
        "DTSTART;TZID=Asia/Karachi:20260501T050000\nRRULE:FREQ=DAILY;BYHOUR=5,10;COUNT=2\n"
        "EXDATE;TZID=Asia/Karachi:20260501T050000\n"
    )
    assert seen_by_recurring_ical_events(feed, MAIN) == set(), "10:00 in Karachi is 05:00 UTC"


NEW_YORK = """\
BEGIN:VTIMEZONE
TZID:America/New_York
BEGIN:DAYLIGHT
DTSTART:20070311T020000
RRULE:FREQ=YEARLY;BYDAY=2SU;BYMONTH=3
TZOFFSETFROM:-0500
TZOFFSETTO:-0400
END:DAYLIGHT
BEGIN:STANDARD
DTSTART:20071104T020000
RRULE:FREQ=YEARLY;BYDAY=1SU;BYMONTH=11
TZOFFSETFROM:-0400
TZOFFSETTO:-0500
END:STANDARD
END:VTIMEZONE
"""


def test_vobject_still_reads_a_skipped_wall_time_with_the_offset_after_the_gap() -> None:
    feed = _feed("DTSTART;TZID=America/New_York:20260308T023000\n", head=NEW_YORK)
    seen_by_vobject(feed, MAIN)
    start = vobject.readOne(feed.decode()).vevent.dtstart.value
    assert start.astimezone(UTC) == datetime(2026, 3, 8, 6, 30, tzinfo=UTC)


def test_vobject_still_forgets_a_zone_that_was_utc_for_twenty_years() -> None:
    zone = NEW_YORK[: NEW_YORK.index("BEGIN:DAYLIGHT")]
    zone += "BEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETFROM:+0000\nTZOFFSETTO:+0000\n"
    zone += "END:STANDARD\nBEGIN:STANDARD\nDTSTART:20260101T000000\nTZOFFSETFROM:+0000\n"
    zone += "TZOFFSETTO:+0100\nEND:STANDARD\nEND:VTIMEZONE\n"
    vars(vobject.icalendar)["__tzidMap"].clear()
    feed = _feed("DTSTART;TZID=America/New_York:20260701T120000\n", head=zone)
    start = vobject.readOne(feed.decode()).vevent.dtstart.value
    assert start.utcoffset().total_seconds() != 3600
