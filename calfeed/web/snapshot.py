"""The published state as a web process holds it: read once after each publish, then only used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from calfeed.definitions.values import Calendar, text_in
from calfeed.ical.feed import Heading, ZoneUse, join_feed, zone_in_use
from calfeed.store import catalog
from calfeed.store.catalog import EventRow
from calfeed.store.database import Database
from calfeed.web.answers import Answer, make_answer

CALENDAR_TYPE = "text/calendar; charset=utf-8"
_ALL = "/calendars.ics"


@dataclass(frozen=True)
class PublishedCalendar:
    """A calendar with its events; `modified` is when a publish last changed something in it."""

    calendar: Calendar
    publish_id: int
    modified: datetime
    rows: tuple[EventRow, ...]
    zones: frozenset[ZoneUse]
    answer: Answer

    @property
    def by_slug(self) -> dict[str, EventRow]:
        """The events by slug; where a slug was given anew, the event that has it now."""
        return {
            row.slug: row for row in sorted(self.rows, key=lambda row: row.withdrawn_at is None)
        }


@dataclass(frozen=True)
class Snapshot:
    """One published state; `answers` are the feeds by path."""

    publish_id: int
    calendars: Mapping[str, PublishedCalendar]
    answers: Mapping[str, Answer]

    def rows(self) -> Iterator[EventRow]:
        """Every event of every calendar."""
        for calendar in self.calendars.values():
            yield from calendar.rows


EMPTY = Snapshot(0, {}, {})


def load_snapshot(database: Database, base_url: str, last: Snapshot = EMPTY) -> Snapshot:
    """Read the published state, keeping of `last` the calendars that nothing changed in.

    Everything is read in one transaction, so no state is ever half of one and half of another.
    """
    with database.read() as connection:
        publish_id = catalog.latest_publish(connection)
        times = catalog.load_publish_times(connection)
        found = {
            slug: row
            for slug, row in catalog.load_calendars(connection).items()
            if not row.withdrawn
        }
        stale = [
            slug
            for slug, row in found.items()
            if slug not in last.calendars or last.calendars[slug].publish_id != row.publish_id
        ]
        events = catalog.load_events(connection, calendar_slugs=stale)
    grouped: dict[str, list[EventRow]] = {slug: [] for slug in stale}
    for event in events:
        grouped[event.calendar].append(event)
    calendars = {
        slug: _make_calendar(row, grouped[slug], times[row.publish_id], base_url)
        if slug in grouped
        else last.calendars[slug]
        for slug, row in found.items()
    }
    answers = {feed_path(slug): calendar.answer for slug, calendar in calendars.items()}
    answers[_ALL] = _join_all(calendars, base_url, times.get(publish_id))
    return Snapshot(publish_id, calendars, answers)


def feed_path(calendar: str) -> str:
    """The path of a calendar's feed."""
    return f"/calendars/{calendar}.ics"


def make_heading(calendar: Calendar, source: str) -> Heading:
    """What a calendar's feed says of itself."""
    return Heading(
        name=text_in(calendar.name, calendar.language),
        source=source,
        description=text_in(calendar.description, calendar.language)
        if calendar.description
        else None,
        color=calendar.color,
    )


def _make_calendar(
    row: catalog.CalendarRow, rows: list[EventRow], modified: datetime, base_url: str
) -> PublishedCalendar:
    calendar = Calendar.model_validate_json(row.content)
    zones = frozenset(zone for one in rows if (zone := zone_in_use(one.revision.event)) is not None)
    heading = make_heading(calendar, base_url + feed_path(calendar.slug))
    body = join_feed(heading, zones, (one.vevent for one in rows))
    return PublishedCalendar(
        calendar=calendar,
        publish_id=row.publish_id,
        modified=modified,
        rows=tuple(rows),
        zones=zones,
        answer=make_answer(body, CALENDAR_TYPE, modified),
    )


def _join_all(
    calendars: Mapping[str, PublishedCalendar], base_url: str, modified: datetime | None
) -> Answer:
    heading = Heading(name="All calendars", source=base_url + _ALL)
    zones = {zone for calendar in calendars.values() for zone in calendar.zones}
    vevents = (row.vevent for calendar in calendars.values() for row in calendar.rows)
    body = join_feed(heading, zones, vevents)
    return make_answer(body, CALENDAR_TYPE, modified or datetime(1970, 1, 1, tzinfo=UTC))
