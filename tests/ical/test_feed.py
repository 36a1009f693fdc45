"""Feeds: the same bytes everywhere, in lines that every client takes."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import date, datetime
from typing import Any

import icalendar
import pytest
import vobject
from ical.calendar_stream import IcsCalendarStream

from calfeed.ical.feed import Heading, ZoneUse, join_feed, render_header, zone_in_use
from tests.ical.clients import differences, render_feed
from tests.ical.corpus import MAIN
from tests.ical.defining import define, define_event, render_first, zone_of
from tests.ical.golden import render

FEED = render.FEED.read_bytes()
HEADING = Heading(name="Desk", source="https://example.org/desk.ics")
ROOT = render.FOLDER.parents[2]


def test_the_feed_is_the_golden_one_byte_for_byte() -> None:
    """If it has to differ: `python -m tests.ical.golden.render --write`, and RENDERER goes up."""
    assert render.render() == FEED


@pytest.mark.parametrize(
    ("time_zone", "seed", "locale"),
    [("UTC", "1", "C"), ("Asia/Karachi", "2", "C.UTF-8"), ("America/New_York", "3", "POSIX")],
)
def test_every_process_renders_the_same_bytes(time_zone: str, seed: str, locale: str) -> None:
    environment = {**os.environ, "TZ": time_zone, "PYTHONHASHSEED": seed, "LC_ALL": locale}
    command = [sys.executable, "-m", "tests.ical.golden.render"]
    rendered = subprocess.run(command, env=environment, cwd=ROOT, check=True, capture_output=True)
    assert rendered.stdout == FEED


def test_every_line_ends_in_crlf_has_75_octets_at_most_and_is_whole_utf_8() -> None:
    """Inside a UTF-8 sequence or an escape a fold makes some clients drop the whole feed."""
    *lines, rest = FEED.split(b"\r\n")
    assert rest == b""
    for line in lines:
        assert len(line) <= 75
        assert b"\r" not in line
        assert b"\n" not in line
        assert "\ufffd" not in line.decode("utf-8")
        trailing = len(line) - len(line.rstrip(b"\\"))
        assert trailing % 2 == 0, "an escape is split"


def test_a_feed_begins_with_what_each_client_reads_of_it() -> None:
    text = FEED.decode()
    head = text[: text.index("BEGIN:VTIMEZONE")].replace("\r\n ", "")
    assert head.startswith("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:")
    for line in (
        "NAME:Dates\\, of the desk\\; all of them",
        "X-WR-CALNAME:Dates\\, of the desk\\; all of them",
        "COLOR:seagreen",
        "X-APPLE-CALENDAR-COLOR:#2e8b57",
        "SOURCE;VALUE=URI:https://calendar.example.org/calendars/desk.ics",
        "REFRESH-INTERVAL;VALUE=DURATION:PT1H",
        "X-PUBLISHED-TTL:PT1H",
    ):
        assert f"\r\n{line}\r\n" in head
    # With these, clients take a subscription for an invitation, or for one single event.
    assert "METHOD" not in text
    assert "\r\nUID" not in head


def test_a_feed_without_events_is_a_calendar_all_the_same() -> None:
    calendar = icalendar.Calendar.from_ical(join_feed(HEADING, [], []))
    assert (str(calendar["NAME"]), len(calendar.subcomponents)) == ("Desk", 0)


def test_each_zone_is_declared_once_for_all_the_years_in_use() -> None:
    uses = [
        ZoneUse("Europe/London", 2024, 2025),
        ZoneUse("Asia/Karachi", 2024, 2024),
        ZoneUse("Europe/London", 2022, None),
        ZoneUse("Europe/London", 2023, 2030),
    ]
    feed = join_feed(HEADING, uses, [])
    names = [line for line in feed.decode().splitlines() if line.startswith("TZID")]
    assert names == ["TZID:Asia/Karachi", "TZID:Europe/London"]
    whole = [ZoneUse("Asia/Karachi", 2024, 2024), ZoneUse("Europe/London", 2022, None)]
    assert feed == join_feed(HEADING, whole, []) == join_feed(HEADING, reversed(uses), [])


def test_every_tzid_in_use_is_declared() -> None:
    calendar: Any = icalendar.Calendar.from_ical(FEED)
    declared = {str(zone["TZID"]) for zone in calendar.walk("VTIMEZONE")}
    used = {
        value.params["TZID"]
        for event in calendar.walk("VEVENT")
        for name in ("DTSTART", "DTEND", "RECURRENCE-ID", "RDATE", "EXDATE")
        if (value := event.get(name)) is not None and "TZID" in value.params
    }
    assert used == declared == {"America/New_York", "Asia/Karachi"}


def test_what_is_written_on_a_wall_clock_uses_a_zone() -> None:
    once = define_event("start: 2024-09-27 10:30")
    assert zone_of(once) == ZoneUse("Asia/Karachi", 2024, 2025)
    assert zone_of(define_event("start: 2024-09-27 10:30\ntime_zone: Etc/UTC")) is None
    assert zone_of(define_event("start: 2024-09-27\nrepeat: {rule: FREQ=DAILY}")) is None
    weekly = "start: 2024-09-27 10:30\nrepeat: {rule: FREQ=WEEKLY%s}\n"
    assert zone_of(define_event(weekly % "" + "time_zone: Etc/UTC")) is None
    assert zone_of(define_event(weekly % "")) == ZoneUse("Asia/Karachi", 2024, None)
    use = zone_of(define_event(weekly % ";COUNT=3"))
    assert use is not None
    assert use.first == 2024
    assert use.last is not None
    assert use.last >= 2024


def test_a_zone_is_declared_by_the_name_in_the_stored_bytes() -> None:
    """A newer release of the zone data may call it otherwise than the one it was rendered with."""
    event = define_event("start: 2024-09-27 10:30\ntime_zone: Europe/Kyiv")
    stored = render_first(event).replace(b"Europe/Kyiv", b"Europe/Kiev")
    assert zone_in_use(event, stored, 2024) == ZoneUse("Europe/Kiev", 2024, 2025)


def test_a_feed_names_the_zone_of_its_calendar() -> None:
    assert b"X-WR-TIMEZONE:America/New_York\r\n" in FEED
    for zone, named in (("US/Eastern", b"America/New_York"), ("Zulu", b"UTC")):
        header = render_header(Heading("Desk", None, time_zone=zone))
        assert b"X-WR-TIMEZONE:" + named + b"\r\n" in header


def test_a_feed_with_a_series_in_utc_names_no_zone() -> None:
    """x-wr-timezone, and with it much else, would take the rule for one on that zone's clock."""
    text = "it:\n  summary: It\n  start: 2026-03-02 23:30\n  time_zone: UTC\n"
    once, weekly = define(text), define(text + "  repeat: {rule: FREQ=WEEKLY;BYDAY=MO}")
    assert b"X-WR-TIMEZONE:Asia/Karachi" in render_feed(once)
    assert b"X-WR-TIMEZONE" not in render_feed(weekly)
    assert list(differences(weekly, MAIN)) == []


# What real clients make of it


def starts_in(text: str) -> dict[str, list[date | datetime]]:
    """The first start of each VEVENT by UID, read line by line."""
    calendar: Any = icalendar.Calendar.from_ical(text)
    found: dict[str, list[date | datetime]] = {}
    for event in calendar.walk("VEVENT"):
        found.setdefault(str(event["UID"]), []).append(event["DTSTART"].dt)
    return found


def test_icalendar_reads_back_every_event() -> None:
    calendar = render.load()
    assert {uid: starts[0] for uid, starts in starts_in(FEED.decode()).items()} == {
        event.uid: event.start for event in calendar.events
    }


def test_home_assistants_parser_reads_every_event() -> None:
    calendar: Any = IcsCalendarStream.calendar_from_ics(FEED.decode())
    starts: dict[str, list[date | datetime]] = {}
    for event in calendar.events:
        starts.setdefault(str(event.uid), []).append(event.dtstart)
    assert starts == starts_in(FEED.decode())


def test_vobject_reads_every_event() -> None:
    calendar = vobject.readOne(FEED.decode())
    starts: dict[str, list[date | datetime]] = {}
    for event in calendar.vevent_list:
        starts.setdefault(event.uid.value, []).append(event.dtstart.value)
    assert starts == starts_in(FEED.decode())
    assert calendar.x_wr_calname.value == "Dates, of the desk; all of them"
