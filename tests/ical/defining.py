"""Events and calendars written as people write them, for tests of every room."""

from __future__ import annotations

from datetime import UTC, datetime
from textwrap import dedent, indent

from calfeed.definitions.reader import read_definitions
from calfeed.ical.feed import ZoneUse, zone_in_use
from calfeed.ical.history import ENDLESS
from calfeed.ical.occurrences import last_end
from calfeed.ical.vevent import render_event
from calfeed.model.events import Calendar, Event
from calfeed.model.revision import Revision

PUBLISHED = datetime(2026, 1, 1, tzinfo=UTC)


def define(text: str, slug: str = "desk", head: str = "") -> Calendar:
    """A calendar in Karachi's time, by the `events` of its file; `head` are further keys."""
    file = f"name: Desk\ntime_zone: Asia/Karachi\n{head}\n"
    if text.strip():
        file += "events:\n" + indent(dedent(text), "  ")
    (calendar,) = read_definitions({f"events/{slug}.yaml": file.encode()}).calendars
    return calendar


def define_event(text: str) -> Event:
    """An event `it` in Karachi's time, by its keys; `summary` is there already."""
    return define("it:\n  summary: It\n" + indent(dedent(text), "  ")).events[0]


def render_first(event: Event) -> bytes:
    """The VEVENT of an event that was published for the first time."""
    return render_event(Revision(event=event, sequence=0, created=PUBLISHED, modified=PUBLISHED))


def zone_of(event: Event) -> ZoneUse | None:
    """The zone that has to be declared beside an event."""
    end = last_end(event)
    return zone_in_use(event, render_first(event), ENDLESS if end is None else end.year)
