"""Snapshots: the published state in memory, loaded once after each publish."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property

from calfeed.errors import InvalidInputError
from calfeed.ical.wording.words import shared_language
from calfeed.model.events import Calendar, Visibility
from calfeed.model.site import Site
from calfeed.store.access.tokens import Token, load_tokens, tokens_version
from calfeed.store.catalog.announcements import load_newest_announced
from calfeed.store.catalog.calendars import load_calendars
from calfeed.store.catalog.event_names import load_former_event_names, load_once_public
from calfeed.store.catalog.events import load_events
from calfeed.store.catalog.feed_changes import load_feed_changes
from calfeed.store.catalog.lineage import load_lineage_mark
from calfeed.store.catalog.publishes import (
    latest_publish,
    load_last_public_change,
    load_publish_times,
)
from calfeed.store.catalog.revisions import load_categories
from calfeed.store.catalog.site import NEVER_PUBLISHED, load_site
from calfeed.store.database import Database
from calfeed.store.rows import EventRow
from calfeed.web.feeds.assembly import ALL as ALL
from calfeed.web.feeds.assembly import FeedSource
from calfeed.web.feeds.choice import CHOICE
from calfeed.web.feeds.feed_options import DEFAULT_OPTIONS, FeedOptions, parse_feed_options
from calfeed.web.pages.reader.offers import SiteLanguages, make_site_languages
from calfeed.web.published.calendars import (
    PublishedCalendar,
    list_known_categories,
    make_calendar,
)
from calfeed.web.published.chosen import read_chosen
from calfeed.web.published.other_formats import MAX_CHANGES, list_other_formats
from calfeed.web.published.responses import ResponseCache, StoredResponse
from calfeed.web.published.timeline import CombinedTimeline, Timeline

DEFAULT_LANGUAGES = make_site_languages()
"""The languages of a site that names none.

They are not made in the module of `make_site_languages`, because frontends import that module, do
not need these languages, and start faster without them.
"""

_MAX_CACHE_BYTES = 64_000_000
"""The limit for responses that are made on first use, including overhead."""

_KEEP_CHANGES = timedelta(days=400)
"""How far back a snapshot knows the changes of a feed."""


@dataclass(frozen=True)
class Version:
    """What a snapshot depends on; the snapshot is reloaded when any of these changes."""

    publish_id: int
    tokens: tuple[int, datetime | None]
    year: int


@dataclass(frozen=True)
class Snapshot:
    """One published state.

    `offered` are the languages of pages. `all_calendars` and `timelines` include private calendars;
    `timeline` covers all public ones. `responses` are the public feeds by path. `other_formats` are
    functions that make the responses in other formats on first use, by path. These responses, and
    feeds with options, are kept in `cache`. `renamed` maps former names of calendars to current
    ones, `withdrawn` are the names of withdrawn calendars. `lineage` changes when the database is
    restored from a backup.
    `former_events` are the UIDs of events by the calendar and name that they had in public, and
    `once_public` the calendars that ever had a public event. `published_site` is the site, with
    the publish that last changed it.
    """

    version: Version
    offered: SiteLanguages = DEFAULT_LANGUAGES
    lineage: str = ""
    published_site: tuple[int, Site] = NEVER_PUBLISHED
    all_calendars: Mapping[str, PublishedCalendar] = field(default_factory=dict)
    sources: Mapping[str, FeedSource] = field(default_factory=dict)
    responses: Mapping[str, StoredResponse] = field(default_factory=dict)
    other_formats: Mapping[str, Callable[[], StoredResponse]] = field(
        default_factory=dict, repr=False
    )
    renamed: Mapping[str, str] = field(default_factory=dict)
    withdrawn: frozenset[str] = frozenset()
    former_events: Mapping[tuple[str, str], str] = field(default_factory=dict, repr=False)
    once_public: frozenset[str] = frozenset()
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

    def was_public(self, slug: str) -> bool:
        """Whether a calendar that is not public now was public once, under this name."""
        return slug in self.withdrawn or slug in self.once_public

    def find_row(self, uid: str) -> EventRow | None:
        """Return an event of a public calendar."""
        found = (calendar.by_uid.get(uid) for calendar in self.calendars.values())
        return next(filter(None, found), None)

    @cached_property
    def languages(self) -> frozenset[str]:
        """The languages (BCP 47 tags) of pages and of published texts."""
        combined = self.sources.get(ALL)
        known = self.offered.offer.known
        return known | combined.languages if combined else known

    @property
    def site(self) -> Site:
        """The name, languages and look of the site, and the texts about it."""
        return self.published_site[1]

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
        if path == CHOICE:
            return self._find_choice(query)
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

    def _find_choice(self, query: str) -> StoredResponse | None:
        if not self.sources:
            return None
        try:
            chosen, options = read_chosen(self, query)
        except InvalidInputError:
            return None
        return self.cache.get_or_make(
            (chosen.address(options), options),
            lambda: chosen.make_source().build_response(options, self.version.year),
        )


EMPTY = Snapshot(Version(0, (0, None), 0))


def read_version(database: Database, now: datetime) -> Version:
    with database.read() as connection:
        return Version(latest_publish(connection), tokens_version(connection), now.year)


def load_snapshot(
    database: Database, base_url: str, now: datetime, last: Snapshot = EMPTY
) -> Snapshot:
    """Load the published state in one transaction, reusing unchanged calendars of `last`."""
    if last.version.year != now.year:
        last = EMPTY  # in a new year, feeds may leave out one more past year
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
        site = load_site(connection, last.published_site)
        categories = load_categories(connection)
        former_events = load_former_event_names(connection)
        once_public = load_once_public(connection)
        tokens = {token.digest: token for token in load_tokens(connection)}
        version = Version(publish_id, tokens_version(connection), now.year)
    grouped: dict[str, list[EventRow]] = {slug: [] for slug in stale}
    for event in events:
        grouped[event.calendar].append(event)
    all_calendars = {
        slug: make_calendar(
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
        known_categories=list_known_categories(categories, withdrawn).union(
            *(calendar.source.known_categories for calendar in public.values())
        ),
        languages=frozenset().union(*(calendar.source.languages for calendar in public.values())),
        language=site[1].language
        if site[1].name
        else shared_language(found.calendar.language for found in public.values()),
        site_name=site[1].name,
    )
    return Snapshot(
        version=version,
        lineage=lineage,
        published_site=site,
        offered=last.offered if site == last.published_site else _offer_languages(site[1]),
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
        former_events=former_events,
        once_public=once_public,
        tokens=tokens,
        timelines={slug: calendar.timeline for slug, calendar in all_calendars.items()},
        timeline=CombinedTimeline([calendar.timeline for calendar in public.values()]),
    )


def _offer_languages(site: Site) -> SiteLanguages:
    return make_site_languages(site.languages, site.catalogs, first_day=site.first_day)
