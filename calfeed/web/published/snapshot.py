"""Snapshots: the published state in memory, loaded once after each publish."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property

from calfeed.errors import InvalidInputError
from calfeed.ical.feed import zone_in_use
from calfeed.ical.variants import PLAIN, languages_in
from calfeed.model.events import Calendar, Visibility
from calfeed.store.access.tokens import Token, load_tokens, tokens_version
from calfeed.store.catalog.announcements import AnnouncedChange, load_newest_announced
from calfeed.store.catalog.calendars import load_calendars
from calfeed.store.catalog.events import load_events
from calfeed.store.catalog.feed_changes import FeedChanges, load_feed_changes
from calfeed.store.catalog.lineage import load_lineage_mark
from calfeed.store.catalog.publishes import (
    latest_publish,
    load_last_public_change,
    load_publish_times,
)
from calfeed.store.catalog.revisions import load_categories
from calfeed.store.database import Database
from calfeed.store.rows import CalendarRow, EventRow
from calfeed.web.feeds.assembly import FeedEvent, FeedSource
from calfeed.web.feeds.feed_options import DEFAULT_OPTIONS, FeedOptions, parse_feed_options
from calfeed.web.pages.reader.languages import TAGS
from calfeed.web.published.other_formats import MAX_CHANGES, list_other_formats
from calfeed.web.published.responses import ResponseCache, StoredResponse
from calfeed.web.published.search_index import SearchIndex
from calfeed.web.published.timeline import CombinedTimeline, Timeline, make_span

ALL = "/calendars.ics"
"""The path of the feed of all public calendars."""


_MAX_CACHE_BYTES = 64_000_000
"""For responses that are made on first use, including overhead."""

_KEEP_CHANGES = timedelta(days=400)
"""For how long a snapshot knows what changed in a feed."""


@dataclass(frozen=True)
class PublishedCalendar:
    """A calendar with its feed; `publish_id` is the last publish that changed it.

    `changes` are the newest announced ones (`load_newest_announced`), `feed_changes` those of the
    feed in the last 400 days.
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
        """The events by slug; of a reused slug, the current event."""
        return {
            row.slug: row for row in sorted(self.rows, key=lambda row: row.withdrawn_at is None)
        }


@dataclass(frozen=True)
class Version:
    """What a snapshot depends on; it is reloaded when this changes."""

    publish_id: int
    tokens: tuple[int, datetime | None]
    year: int


@dataclass(frozen=True)
class Snapshot:
    """One published state.

    `all_calendars` and `timelines` include private calendars; `timeline` covers all public ones.
    `responses` are the public feeds by path. `other_formats` are functions that make the JSON,
    jCal, CSV and Atom responses on first use; those, and feeds with options, are kept in `cache`.
    `renamed` maps former names of calendars to current ones, `withdrawn` are the names of
    withdrawn calendars. `lineage` changes when the database is restored from a backup.
    """

    version: Version
    lineage: str = ""
    all_calendars: Mapping[str, PublishedCalendar] = field(default_factory=dict)
    sources: Mapping[str, FeedSource] = field(default_factory=dict)
    responses: Mapping[str, StoredResponse] = field(default_factory=dict)
    other_formats: Mapping[str, Callable[[], StoredResponse]] = field(
        default_factory=dict, repr=False
    )
    renamed: Mapping[str, str] = field(default_factory=dict)
    withdrawn: frozenset[str] = frozenset()
    tokens: Mapping[str, Token] = field(default_factory=dict)
    timelines: Mapping[str, Timeline] = field(default_factory=dict, repr=False)
    timeline: Timeline = field(default_factory=Timeline, repr=False)
    cache: ResponseCache[tuple[str, FeedOptions]] = field(
        default_factory=lambda: ResponseCache(_MAX_CACHE_BYTES), repr=False
    )

    @cached_property
    def calendars(self) -> dict[str, PublishedCalendar]:
        """The public calendars by slug."""
        return {slug: calendar for slug, calendar in self.all_calendars.items() if calendar.public}

    @cached_property
    def languages(self) -> frozenset[str]:
        """The languages (BCP 47 tags) of pages and of published texts."""
        combined = self.sources.get(ALL)
        return TAGS | combined.languages if combined else TAGS

    def rows(self) -> Iterator[EventRow]:
        for calendar in self.calendars.values():
            yield from calendar.rows

    def search(self, words: str) -> list[EventRow]:
        calendars = self.calendars.values()
        return [row for calendar in calendars for row in calendar.search_index.search(words)]

    def find(self, path: str, query: str) -> StoredResponse | None:
        """Return the public response of a URL; None if there is none, or the query is invalid."""
        if path in self.sources:
            return self._find_feed(path, query)
        make = self.other_formats.get(path)
        return self.cache.get_or_make((path, DEFAULT_OPTIONS), make) if make is not None else None

    def _find_feed(self, path: str, query: str) -> StoredResponse | None:
        source = self.sources[path]
        try:
            options = source.normalize(parse_feed_options(query))
            if options == DEFAULT_OPTIONS:
                return self.responses[path]
            return self.cache.get_or_make(
                (path, options), lambda: source.build_response(options, self.version.year)
            )
        except InvalidInputError:
            return None


EMPTY = Snapshot(Version(0, (0, None), 0))


def read_version(database: Database, now: datetime) -> Version:
    with database.read() as connection:
        return Version(latest_publish(connection), tokens_version(connection), now.year)


def load_snapshot(
    database: Database, base_url: str, now: datetime, last: Snapshot = EMPTY
) -> Snapshot:
    """Load the published state in one transaction, reusing unchanged calendars of `last`."""
    if last.version.year != now.year:
        last = EMPTY  # feeds may leave out another year of history
    with database.read() as connection:
        publish_id = latest_publish(connection)
        times = load_publish_times(connection)
        last_public_change = load_last_public_change(connection)
        rows = load_calendars(connection)
        current = {slug: row for slug, row in rows.items() if not row.withdrawn}
        stale = [
            slug
            for slug, row in current.items()
            if slug not in last.all_calendars
            or last.all_calendars[slug].publish_id != row.publish_id
        ]
        events = load_events(connection, calendar_slugs=stale)
        changes = load_newest_announced(connection, stale, MAX_CHANGES)
        feed_changes = load_feed_changes(connection, stale, now - _KEEP_CHANGES)
        lineage = load_lineage_mark(connection)
        categories = load_categories(connection)
        tokens = {token.digest: token for token in load_tokens(connection)}
        version = Version(publish_id, tokens_version(connection), now.year)
    grouped: dict[str, list[EventRow]] = {slug: [] for slug in stale}
    for event in events:
        grouped[event.calendar].append(event)
    all_calendars = {
        slug: _make_calendar(
            row,
            grouped[slug],
            changes.get(slug, []),
            feed_changes[slug],
            times[row.publish_id],
            categories,
            base_url,
            now,
        )
        if slug in grouped
        else last.all_calendars[slug]
        for slug, row in current.items()
    }
    public = {slug: calendar for slug, calendar in all_calendars.items() if calendar.public}
    withdrawn = frozenset(
        slug
        for slug, row in rows.items()
        if row.withdrawn
        and Calendar.model_validate_json(row.content).visibility is Visibility.PUBLIC
    )
    combined = FeedSource(
        path=ALL,
        base_url=base_url,
        calendar=None,
        modified=last_public_change or datetime(1970, 1, 1, tzinfo=UTC),
        events=[event for calendar in public.values() for event in calendar.source.events],
        known_categories=_known_categories(categories, withdrawn).union(
            *(calendar.source.known_categories for calendar in public.values())
        ),
        languages=frozenset().union(*(calendar.source.languages for calendar in public.values())),
    )
    return Snapshot(
        version=version,
        lineage=lineage,
        all_calendars=all_calendars,
        sources={ALL: combined}
        | {calendar.source.path: calendar.source for calendar in public.values()},
        responses={ALL: combined.build_response(DEFAULT_OPTIONS, now.year)}
        | {calendar.source.path: calendar.response for calendar in public.values()},
        other_formats=list_other_formats(combined, public),
        renamed={
            name: slug
            for slug, calendar in all_calendars.items()
            for name in calendar.calendar.formerly
        },
        withdrawn=withdrawn,
        tokens=tokens,
        timelines={slug: calendar.timeline for slug, calendar in all_calendars.items()},
        timeline=CombinedTimeline([calendar.timeline for calendar in public.values()]),
    )


def feed_path(calendar: str) -> str:
    return f"/calendars/{calendar}.ics"


def _make_calendar(
    row: CalendarRow,
    rows: list[EventRow],
    changes: list[AnnouncedChange],
    feed_changes: FeedChanges,
    modified: datetime,
    categories: Mapping[str, frozenset[str]],
    base_url: str,
    now: datetime,
) -> PublishedCalendar:
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
        known_categories=_known_categories(categories, [calendar.slug, *calendar.formerly]),
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


def _known_categories(
    categories: Mapping[str, frozenset[str]], slugs: Iterable[str]
) -> frozenset[str]:
    """Return all categories that events of these calendars ever had."""
    return frozenset().union(*(categories.get(slug, frozenset()) for slug in slugs))


def _languages_in(calendar: Calendar, rows: Iterable[EventRow]) -> frozenset[str]:
    named = {*calendar.name, *(calendar.description or {})}
    return frozenset(named.union(*(languages_in(row.revision.event) for row in rows)))
