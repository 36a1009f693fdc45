"""Helpers that import a file and publish the result."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
import recurring_ical_events

from calfeed.definitions.reader import read_definitions
from calfeed.ical.feed import Heading, join_feed, zone_to_name
from calfeed.ical.vevent import render_event
from calfeed.importing.ics import Imported, import_calendar
from calfeed.model.events import Calendar
from calfeed.model.revision import Revision
from tests.ical.defining import zone_of

NOW = datetime(2025, 1, 1, tzinfo=UTC)


def read(definition: bytes) -> Calendar:
    (calendar,) = read_definitions({"events/desk.yaml": definition}).calendars
    return calendar


def render(calendar: Calendar) -> tuple[bytes, dict[str, bytes]]:
    """The calendar's feed, and its VEVENTs by UID."""
    vevents = {
        event.uid: render_event(Revision(event=event, sequence=0, created=NOW, modified=NOW))
        for event in calendar.events
    }
    heading = Heading(
        next(iter(calendar.name.values())),
        "https://dates.example.org/desk.ics",
        next(iter((calendar.description or {}).values()), None),
        calendar.color,
        zone_to_name(calendar.time_zone, calendar.events),
    )
    zones = [zone for event in calendar.events if (zone := zone_of(event))]
    return join_feed(heading, zones, vevents.values()), vevents


def ics(*events: str, head: str = "") -> bytes:
    """iCalendar text of events, each written as its lines."""
    blocks = [f"BEGIN:VEVENT\n{event.strip()}\nEND:VEVENT\n" for event in events]
    text = f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:test\n{head}{''.join(blocks)}END:VCALENDAR\n"
    return text.replace("\n", "\r\n").encode()


def take(*events: str, head: str = "", time_zone: str | None = None) -> Imported:
    zone = ZoneInfo(time_zone) if time_zone else None
    return import_calendar(ics(*events, head=head), "desk", "desk", time_zone=zone)


def only(*events: str, head: str = "") -> dict[str, Any]:
    """What is set of the only event that comes of it."""
    (event,) = read(take(*events, head=head).definition).events
    return event.model_dump(mode="json", exclude_defaults=True)


def told(made: Imported) -> list[tuple[str, str]]:
    return [(loss.property, loss.reason) for loss in made.losses]


EVENT = "UID:1\nSUMMARY:Talk\nDTSTART:20300211T103000Z\n"


def occurrences(
    data: bytes, first: datetime, last: datetime, home: ZoneInfo
) -> list[tuple[str, ...]]:
    """Start, end, title and status of each, by recurring_ical_events."""

    def tell(moment: date) -> str:
        if not isinstance(moment, datetime):
            return moment.isoformat()
        aware = moment.replace(tzinfo=home) if moment.tzinfo is None else moment
        return aware.astimezone(UTC).isoformat()

    found = recurring_ical_events.of(icalendar.Calendar.from_ical(data)).between(first, last)
    return sorted(
        (
            tell(each.start),
            tell(each.end),
            str(each.get("SUMMARY", "Untitled")).strip(),
            str(each.get("STATUS", "CONFIRMED")).upper(),
        )
        for each in found
    )
