"""A published calendar with its feed, as a snapshot holds it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from calfeed.ical.feed import zone_in_use
from calfeed.ical.variants import PLAIN, languages_in
from calfeed.model.events import Calendar, Visibility
from calfeed.store.catalog.announcements import AnnouncedChange
from calfeed.store.catalog.feed_changes import FeedChanges
from calfeed.store.rows import CalendarRow, EventRow
from calfeed.web.feeds.assembly import FeedEvent, FeedSource
from calfeed.web.feeds.feed_options import DEFAULT_OPTIONS
from calfeed.web.published.responses import StoredResponse
from calfeed.web.published.search_index import SearchIndex
from calfeed.web.published.timeline import Timeline, make_span


@dataclass(frozen=True)
class PublishedCalendar:
    """A calendar with its feed; `publish_id` is the number of the last publish that changed it.

    `changes` are its newest announced changes (see `load_newest_announced`), `feed_changes` the
    changes in its feed in the last 400 days.
    """

    calendar: Calendar
    publish_id: int
    source: FeedSource
    changes: tuple[AnnouncedChange, ...]
    feed_changes: FeedChanges
    response: StoredResponse
    timeline: Timeline = field(repr=False)
    search_index: SearchIndex = field(repr=False)

    @cached_property
    def rows(self) -> list[EventRow]:
        """Its events, including withdrawn ones that are still shown."""
        return [event.row for event in self.source.events]

    @cached_property
    def active_event_count(self) -> int:
        return sum(not row.revision.cancelled for row in self.rows)

    @cached_property
    def categories(self) -> tuple[str, ...]:
        return tuple(sorted({name for event in self.source.events for name in event.categories}))

    @property
    def modified(self) -> datetime:
        """The time of the last publish that changed it."""
        return self.source.modified

    @property
    def public(self) -> bool:
        return self.calendar.visibility is Visibility.PUBLIC

    @cached_property
    def by_uid(self) -> dict[str, EventRow]:
        return {row.uid: row for row in self.rows}

    @cached_property
    def by_slug(self) -> dict[str, EventRow]:
        """The events by slug. If a slug is reused, it leads to the current event."""
        return {
            row.slug: row for row in sorted(self.rows, key=lambda row: row.withdrawn_at is None)
        }


def feed_path(calendar: str) -> str:
    return f"/calendars/{calendar}.ics"


def make_calendar(
    row: CalendarRow,
    rows: list[EventRow],
    changes: list[AnnouncedChange],
    feed_changes: FeedChanges,
    modified: datetime,
    categories: Mapping[str, frozenset[str]],
    base_url: str,
    now: datetime,
) -> PublishedCalendar:
    """Make a calendar from its row and its events; `modified` is the time of its last publish.

    `categories` are all categories that events ever had, by calendar.
    """
    calendar = Calendar.model_validate_json(row.content)
    source = FeedSource(
        path=feed_path(calendar.slug),
        base_url=base_url,
        calendar=calendar,
        modified=modified,
        events=[
            FeedEvent(
                event, zone_in_use(event.revision.event, event.vevents[PLAIN], event.last_year)
            )
            for event in rows
        ],
        known_categories=list_known_categories(categories, [calendar.slug, *calendar.formerly]),
        languages=_languages_in(calendar, rows),
    )
    timeline = Timeline([make_span(event) for event in rows])
    timeline.preload(now.date())
    return PublishedCalendar(
        calendar=calendar,
        publish_id=row.publish_id,
        source=source,
        changes=tuple(changes),
        feed_changes=feed_changes,
        response=source.build_response(DEFAULT_OPTIONS, now.year),
        timeline=timeline,
        search_index=SearchIndex(rows),
    )


def list_known_categories(
    categories: Mapping[str, frozenset[str]], slugs: Iterable[str]
) -> frozenset[str]:
    """Return all categories that events of these calendars ever had."""
    return frozenset().union(*(categories.get(slug, frozenset()) for slug in slugs))


def _languages_in(calendar: Calendar, rows: Iterable[EventRow]) -> frozenset[str]:
    named = {*calendar.name, *(calendar.description or {})}
    return frozenset(named.union(*(languages_in(row.revision.event) for row in rows)))
