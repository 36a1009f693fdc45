"""Assemble feeds from the stored VEVENT bytes of events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from calfeed.ical.feed import Heading, ZoneUse, join_feed, zone_to_name
from calfeed.ical.history import first_year
from calfeed.ical.variants import PLAIN, choose_variant, leave_out_cancelled
from calfeed.ical.vevent import render_event, replace_alarms
from calfeed.ical.wording.words import words_in
from calfeed.model.dates.reminder_rules import ReminderRule
from calfeed.model.events import Calendar
from calfeed.model.values import Text, text_in
from calfeed.store.rows import EventRow
from calfeed.web.feeds.feed_options import FeedOptions
from calfeed.web.feeds.query_errors import N_, QueryError
from calfeed.web.pages.reader.languages import nearest_language
from calfeed.web.published.responses import StoredResponse, build_response

ALL = "/calendars.ics"
"""The path of the feed of all public calendars."""

CALENDAR_TYPE = "text/calendar; charset=utf-8"


@dataclass(frozen=True)
class FeedEvent:
    """An event with the zone that its feed has to define (VTIMEZONE)."""

    row: EventRow
    zone: ZoneUse | None

    @property
    def categories(self) -> tuple[str, ...]:
        return self.row.revision.event.categories

    def render(self, options: FeedOptions) -> bytes:
        """Return the VEVENT for options: the stored bytes, unless alarms or occurrences differ."""
        row, revision = self.row, self.row.revision
        variant = choose_variant(row.vevents, options.language, options.marked)
        vevent, languages = row.vevents[variant], [variant.language] if variant.language else []
        if options.dropped:
            revision = leave_out_cancelled(revision)
            if revision is not row.revision:
                vevent = render_event(revision, languages)
        if options.alarms and not options.own_alarms:
            return vevent
        rules = [ReminderRule(before=before) for before in options.own_alarms]
        return replace_alarms(vevent, revision, languages, rules)


@dataclass(frozen=True)
class FeedSource:
    """The content of a feed. `calendar` is None for the feed of all calendars.

    `known_categories` are all categories that its events ever had, so that a subscription to a
    category stays valid when the category becomes empty. `languages` are those of its texts (BCP 47
    tags). `language` and `site_name` are for the name of the feed of all calendars: its language
    unless a request names one, and the name of the site, if the site has one of its own.
    """

    path: str
    base_url: str
    calendar: Calendar | None
    modified: datetime
    events: Sequence[FeedEvent]
    known_categories: frozenset[str] = frozenset()
    languages: frozenset[str] = frozenset()
    language: str = ""
    site_name: Text | None = None

    def normalize(self, options: FeedOptions) -> FeedOptions:
        """Return the simplest options that give the same feed, without unavailable languages."""
        return replace(options, language=nearest_language(options.language, self.languages))

    def build_response(self, options: FeedOptions, this_year: int) -> StoredResponse:
        """Build the feed with some options. Raises InvalidInputError for an unknown category."""
        body = self.make_body(options, this_year)
        return build_response(body, CALENDAR_TYPE, self.modified, base_url=self.base_url)

    def make_body(self, options: FeedOptions, this_year: int, *, source: bool = True) -> bytes:
        """Assemble the feed with some options; if `source` is False, without its own URL."""
        events = self.choose(options, this_year)
        zones = {event.zone for event in events if event.zone is not None}
        vevents = (event.render(options) for event in events)
        return join_feed(self.make_heading(events, options, source=source), zones, vevents)

    def make_heading(
        self, events: Sequence[FeedEvent], options: FeedOptions, *, source: bool
    ) -> Heading:
        """Return the properties of the feed with these events."""
        language = options.language or self.language
        heading = make_heading(
            self.calendar,
            self.address(options) if source else None,
            language,
            site_name=text_in(self.site_name, language, self.language) if self.site_name else "",
        )
        if self.calendar is None:
            return heading
        feed_events = (event.row.revision.event for event in events)
        return replace(heading, time_zone=zone_to_name(self.calendar.time_zone, feed_events))

    def address(self, options: FeedOptions) -> str:
        """Return the URL of the feed with some options."""
        return self.base_url + self.path_with(options)

    def path_with(self, options: FeedOptions) -> str:
        """Return the path and query of the feed with some options."""
        query = options.query()
        return self.path + (f"?{query}" if query else "")

    def choose(self, options: FeedOptions, this_year: int) -> list[FeedEvent]:
        """Return the events that the options select. Raises QueryError for an unknown category."""
        first = self.first_year(options, this_year)
        chosen = [event for event in self.events if event.row.last_year >= first]
        if not options.open_days:
            chosen = [event for event in chosen if not event.row.revision.event.day_open]
        if options.dropped:
            chosen = [event for event in chosen if not event.row.revision.cancelled]
        if options.categories:
            unknown = set(options.categories) - self.known_categories
            if unknown:
                present = {name for event in self.events for name in event.categories}
                text = N_(
                    "there is no category %(names)s; there are: %(existing)s",
                    names=", ".join(sorted(unknown)),
                    existing=", ".join(sorted(present)) or "–",
                )
                raise QueryError(text)
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


def make_heading(
    calendar: Calendar | None, source: str | None, language: str = "", *, site_name: str = ""
) -> Heading:
    """Return the properties of a feed; without a calendar, of the feed of all calendars.

    The latter has the name of the site, if the site has one.
    """
    if calendar is None:
        return Heading(name=site_name or words_in(language).all_calendars, source=source)
    languages = (*([language] if language else []), calendar.language)
    description = text_in(calendar.description, *languages) if calendar.description else None
    return Heading(
        name=text_in(calendar.name, *languages),
        source=source,
        description=description,
        color=calendar.color,
    )
