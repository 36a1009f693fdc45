"""Renders `desk.yaml` as one feed; as a program it prints it, or with `--write` keeps it."""

from __future__ import annotations

import sys
from datetime import UTC, date, datetime
from pathlib import Path

from calfeed.definitions.reader import read_definitions
from calfeed.ical.feed import Heading, join_feed
from calfeed.ical.vevent import render_event
from calfeed.model.events import Calendar, Event
from calfeed.model.revision import Move, Revision
from calfeed.model.values import text_in
from tests.ical.defining import zone_of

FOLDER = Path(__file__).parent
FEED = FOLDER / "desk.ics"
CREATED = datetime(2024, 7, 1, 8, 0, tzinfo=UTC)
MODIFIED = datetime(2024, 7, 12, 9, 30, tzinfo=UTC)


def load() -> Calendar:
    (calendar,) = read_definitions(
        {"events/desk.yaml": (FOLDER / "desk.yaml").read_bytes()}
    ).calendars
    return calendar


def make_revision(event: Event) -> Revision:
    """A revision of an event: two events of the file have a past of their own."""
    history: tuple[Move, ...] = ()
    if event.slug == "moved":
        days = [date(2024, 6, 30), date(2024, 7, 1), date(2025, 3, 31), date(2025, 4, 1)]
        zone, why = event.time_zone, {"en": "the stay was extended"}
        history = (
            Move(start=days[0], end=days[1], time_zone=zone, on=date(2024, 7, 2)),
            Move(start=days[2], end=days[3], time_zone=zone, on=date(2024, 7, 12), note=why),
        )
    return Revision(
        event=event,
        sequence=len(history),
        created=CREATED,
        modified=MODIFIED,
        history=history,
        withdrawn=event.slug == "withdrawn",
    )


def render() -> bytes:
    calendar = load()
    heading = Heading(
        name=text_in(calendar.name, "en"),
        source="https://calendar.example.org/calendars/desk.ics",
        description=text_in(calendar.description or {}, "en"),
        color=calendar.color,
        time_zone=calendar.time_zone,
    )
    zones = {zone for event in calendar.events if (zone := zone_of(event)) is not None}
    return join_feed(heading, zones, [render_event(make_revision(one)) for one in calendar.events])


if __name__ == "__main__":
    if "--write" in sys.argv:
        FEED.write_bytes(render())
    else:
        sys.stdout.buffer.write(render())
