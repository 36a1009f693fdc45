"""Assemble feeds from the stored VEVENT bytes of events."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from calfeed.errors import InvalidInputError
from calfeed.ical.feed import Heading, ZoneUse, join_feed, zone_to_name
from calfeed.ical.history import first_year
from calfeed.ical.variants import PLAIN, choose_variant
from calfeed.model.events import Calendar
from calfeed.model.values import text_in
from calfeed.store.rows import EventRow
from calfeed.web.feeds.feed_options import FeedOptions
from calfeed.web.pages.reader.languages import nearest_language
from calfeed.web.published.responses import StoredResponse, build_response

CALENDAR_TYPE = "text/calendar; charset=utf-8"

_ALARM = re.compile(rb"^BEGIN:VALARM\r\n.*?^END:VALARM\r\n", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class FeedEvent:
    """An event with the zone that its feed has to define (VTIMEZONE)."""

    row: EventRow
    zone: ZoneUse | None

    @property
    def categories(self) -> tuple[str, ...]:
        return self.row.revision.event.categories


@dataclass(frozen=True)
class FeedSource:
    """The content of a feed. `calendar` is None for the feed of all calendars.

    `known_categories` are all categories that its events ever had: a subscription to a category
    stays valid when it becomes empty. `languages` are those of its texts (BCP 47 tags).
    """

    path: str
    base_url: str
    calendar: Calendar | None
    modified: datetime
    events: Sequence[FeedEvent]
    known_categories: frozenset[str] = frozenset()
    languages: frozenset[str] = frozenset()

    def normalize(self, options: FeedOptions) -> FeedOptions:
        """Return the simplest options that give the same feed, without unavailable languages."""
        return replace(options, language=nearest_language(options.language, self.languages))

    def build_response(self, options: FeedOptions, this_year: int) -> StoredResponse:
        """Build the feed with some options. Raises InvalidInputError for an unknown category."""
        body = self.make_body(options, this_year)
        return build_response(body, CALENDAR_TYPE, self.modified, base_url=self.base_url)

    def make_body(self, options: FeedOptions, this_year: int, *, source: bool = True) -> bytes:
        """Assemble the feed with some options; with `source` False without its own URL."""
        events = self.choose(options, this_year)
        vevents: Iterable[bytes] = (
            event.row.vevents[choose_variant(event.row.vevents, options.language, options.marked)]
            for event in events
        )
        if not options.alarms:
            # Only real content lines match: a folded line begins with a space.
            vevents = (_ALARM.sub(b"", vevent) for vevent in vevents)
        zones = {event.zone for event in events if event.zone is not None}
        heading = make_heading(
            self.calendar, self.address(options) if source else None, options.language
        )
        if self.calendar is not None:
            feed_events = (event.row.revision.event for event in events)
            heading = replace(heading, time_zone=zone_to_name(self.calendar.time_zone, feed_events))
        return join_feed(heading, zones, vevents)

    def address(self, options: FeedOptions) -> str:
        query = options.query()
        return f"{self.base_url}{self.path}" + (f"?{query}" if query else "")

    def choose(self, options: FeedOptions, this_year: int) -> list[FeedEvent]:
        """Return the events that the options select."""
        first = self.first_year(options, this_year)
        chosen = [event for event in self.events if event.row.last_year >= first]
        if not options.open_days:
            chosen = [event for event in chosen if not event.row.revision.event.day_open]
        if options.categories:
            unknown = set(options.categories) - self.known_categories
            if unknown:
                present = {name for event in self.events for name in event.categories}
                existing = ", ".join(sorted(present)) or "none"
                raise InvalidInputError(
                    f"there is no category {', '.join(sorted(unknown))}; there are: {existing}"
                )
            wanted = set(options.categories)
            chosen = [event for event in chosen if wanted.intersection(event.categories)]
        return chosen

    def first_year(self, options: FeedOptions, this_year: int) -> int:
        """Return the first year of the feed, 0 if it has all years."""
        keep = options.past
        if keep is None and self.calendar is not None:
            keep = self.calendar.history
        rows = (event.row for event in self.events)
        sizes = ((row.last_year, 1, len(row.vevents[PLAIN])) for row in rows)
        return first_year(sizes, this_year, keep)


def make_heading(calendar: Calendar | None, source: str | None, language: str = "") -> Heading:
    """Return the properties of a feed; without a calendar, of the feed of all calendars."""
    if calendar is None:
        return Heading(name="All calendars", source=source)
    languages = (*([language] if language else []), calendar.language)
    description = text_in(calendar.description, *languages) if calendar.description else None
    return Heading(
        name=text_in(calendar.name, *languages),
        source=source,
        description=description,
        color=calendar.color,
    )
