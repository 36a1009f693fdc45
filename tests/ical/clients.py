"""When events take place, as libraries that clients are made of read it in a feed's bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from io import StringIO
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

import icalendar
import recurring_ical_events
import vobject
from dateutil.tz import datetime_exists, tzical
from ical.calendar_stream import IcsCalendarStream

from calfeed.ical.feed import Heading, join_feed, zone_to_name
from calfeed.ical.occurrences import expand
from calfeed.model.events import Calendar
from tests.ical.defining import render_first, zone_of
from tests.ical.misreading import is_misread, may_differ
from tests.ical.parsers import PARSERS, Feed, MissingParserError, read_feeds

Seen: TypeAlias = set[tuple[str, date]]
"""UIDs, each with a start: a date for what is all day, else a datetime in UTC."""


@dataclass(frozen=True)
class Window:
    """The years from `begin` to `end`, exclusive."""

    begin: int
    end: int

    def instants(self) -> tuple[datetime, datetime]:
        """The window as UTC, with room for dates and zones on both sides."""
        room = timedelta(days=3)
        first, last = (datetime(year, 1, 1, tzinfo=UTC) for year in (self.begin, self.end))
        return first - room, last + room

    def of(self, starts: Iterable[tuple[str, date]]) -> Seen:
        """What begins in the window, by its day (in UTC, where it has a time)."""
        found = ((uid, _plain(start)) for uid, start in starts)
        return {(uid, start) for uid, start in found if self.begin <= start.year < self.end}


def _plain(start: date) -> date:
    return start.astimezone(UTC) if isinstance(start, datetime) else start


def render_feed(calendar: Calendar) -> bytes:
    """The feed of a calendar that was published for the first time."""
    zones = [zone for zone in map(zone_of, calendar.events) if zone is not None]
    source = "https://example.org/calendars/feed.ics"
    heading = Heading("Feed", source, time_zone=zone_to_name(calendar.time_zone, calendar.events))
    return join_feed(heading, zones, map(render_first, calendar.events))


def check_lines(feed: bytes) -> None:
    """Hold what RFC 5545, 3.1, says of lines, and that no character is cut in two."""
    assert feed.endswith(b"\r\n")
    for line in feed.removesuffix(b"\r\n").split(b"\r\n"):
        assert len(line) <= 75
        assert b"\n" not in line
        assert b"\r" not in line
        line.decode()


def seen_by_calfeed(calendar: Calendar, window: Window) -> Seen:
    """The occurrences that reminders are planned for."""
    after, before = window.instants()
    return window.of(
        (event.uid, one.start) for event in calendar.events for one in expand(event, after, before)
    )


def seen_by_ical(feed: bytes, window: Window) -> Seen:
    """What Home Assistant's calendar shows."""
    calendar = IcsCalendarStream.calendar_from_ics(feed.decode())
    timeline = calendar.timeline_tz(UTC)
    after, before = window.instants()
    return window.of((str(one.uid), one.start) for one in timeline.overlapping(after, before))


def seen_by_recurring_ical_events(feed: bytes, window: Window) -> Seen:
    """What icalendar and recurring_ical_events, which many bots are made of, tell."""
    query = recurring_ical_events.of(icalendar.Calendar.from_ical(feed))
    found = query.between(*window.instants())
    return window.of((str(one["UID"]), one["DTSTART"].dt) for one in found)


def seen_by_vobject(feed: bytes, window: Window) -> Seen:
    """What vobject reads, with times in the feed's own VTIMEZONEs.

    It leaves it to its users to put an occurrence's own VEVENT in the place of what the rule
    gives, so that is done here.
    """
    after, before = window.instants()
    _register_zones(feed)
    vevents = vobject.readOne(feed.decode()).vevent_list
    overridden = {
        (one.uid.value, _plain(one.recurrence_id.value))
        for one in vevents
        if hasattr(one, "recurrence_id")
    }

    def starts(vevent: Any) -> Iterator[tuple[str, date]]:
        uid, start = vevent.uid.value, vevent.dtstart.value
        rules = vevent.getrruleset(addRDate=True)
        if rules is None:
            yield uid, start
            return
        timed = isinstance(start, datetime)
        begin, end = (
            (each.astimezone(start.tzinfo) if timed else each.replace(tzinfo=None))
            for each in (after, before)
        )
        zone = getattr(start.tzinfo, "_tzid", None) if timed else None
        for moment in rules.between(begin, end, inc=True):
            if zone and not datetime_exists(moment.replace(tzinfo=None), ZoneInfo(zone)):
                # RFC 5545, 3.3.5, wants the offset before the gap; vobject takes the one after.
                moment = moment.replace(tzinfo=ZoneInfo(zone), fold=0)
            original = _plain(moment if timed else moment.date())
            if (uid, original) not in overridden:
                yield uid, original

    return window.of(pair for vevent in vevents for pair in starts(vevent))


def _register_zones(feed: bytes) -> None:
    """Make the feed's own VTIMEZONEs known to vobject, and no others.

    It forgets those that were UTC from 2000 to 2020, and keeps those of the feed before.
    """
    vars(vobject.icalendar)["__tzidMap"].clear()
    vobject.icalendar.registerTzid("UTC", vobject.icalendar.utc)
    text = feed.decode().replace("\r\n", "\n")
    for part in text.split("BEGIN:VTIMEZONE\n")[1:]:
        body = part.partition("END:VTIMEZONE\n")[0]
        zones = tzical(StringIO(f"BEGIN:VTIMEZONE\n{body}END:VTIMEZONE\n"))
        (name,) = zones.keys()
        vobject.icalendar.registerTzid(name, zones.get(name))


def seen_by_parser(parser: str, feed: bytes, window: Window) -> Seen:
    """What one of the parsers in other languages reads. Raises `MissingParserError`."""
    (reading,) = read_feeds(parser, [Feed(feed, *window.instants())])
    return window.of((one.uid, one.start) for one in reading.occurrences)


CLIENTS: dict[str, Callable[[bytes, Window], Seen]] = {
    "ical": seen_by_ical,
    "recurring_ical_events": seen_by_recurring_ical_events,
    "vobject": seen_by_vobject,
    **{parser: partial(seen_by_parser, parser) for parser in PARSERS},
}


def differences(
    calendar: Calendar, window: Window, clients: Iterable[str] = CLIENTS
) -> Iterator[str]:
    """What these clients see otherwise than calfeed, in a sentence for each event.

    Raises `MissingParserError` after those that are installed have been asked.
    """
    feed = render_feed(calendar)
    planned = seen_by_calfeed(calendar, window)
    missing_parser = None
    for client in clients:
        try:
            seen = CLIENTS[client](feed, window)
        except MissingParserError as error:
            missing_parser = error
            continue
        events = {event.uid: event for event in calendar.events if not is_misread(client, event)}
        found: dict[str, tuple[list[str], list[str]]] = {}
        for uid, start in planned ^ seen:
            if uid in events and not may_differ(client, events[uid], start):
                missing_and_extra = found.setdefault(uid, ([], []))
                missing_and_extra[(uid, start) in seen].append(str(start))
        for uid, (missing, extra) in sorted(found.items()):
            yield (
                f"{client}: {events[uid]!r}: missing {sorted(missing)[:5]}, "
                f"too many {sorted(extra)[:5]}"
            )
    if missing_parser:
        raise missing_parser
