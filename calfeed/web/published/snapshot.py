"""The published state as a web process holds it: read once after each publish, then only used."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property, partial

from calfeed.errors import InvalidInputError
from calfeed.ical.feed import zone_in_use
from calfeed.ical.jcal import render_jcal
from calfeed.ical.variants import PLAIN, languages_in
from calfeed.model.events import Calendar, Visibility, text_in
from calfeed.store.access.tokens import Token, load_tokens, tokens_version
from calfeed.store.catalog.announcements import AnnouncedChange, load_newest_announced
from calfeed.store.catalog.calendars import load_calendars
from calfeed.store.catalog.events import load_events
from calfeed.store.catalog.publishes import (
    latest_publish,
    load_last_public_change,
    load_publish_times,
)
from calfeed.store.catalog.revisions import load_categories
from calfeed.store.database import Database
from calfeed.store.rows import CalendarRow, EventRow
from calfeed.web.feeds.assembly import FeedEvent, FeedSource
from calfeed.web.feeds.choices import DEFAULT, Choice, parse_choice
from calfeed.web.pages.reader.languages import TAGS
from calfeed.web.published.responses import Answer, KeptAnswers, make_answer
from calfeed.web.published.search_index import Searchable
from calfeed.web.published.shapes import make_atom, make_csv, make_json
from calfeed.web.published.timeline import Joined, Timeline, span_of

ALL = "/calendars.ics"
"""The path of the feed of all public calendars."""

_MOST_CHANGES = 50

_MOST_BYTES = 64_000_000
"""Of the answers that are made when somebody asks for them, with what holds them."""


@dataclass(frozen=True)
class PublishedCalendar:
    """A calendar with its feed; `publish_id` is the publish that last changed something in it."""

    calendar: Calendar
    publish_id: int
    source: FeedSource
    changes: tuple[AnnouncedChange, ...]
    answer: Answer
    timeline: Timeline = field(repr=False)
    searchable: Searchable = field(repr=False)

    @cached_property
    def rows(self) -> list[EventRow]:
        """Its events, withdrawn ones that are still shown among them."""
        return [event.row for event in self.source.events]

    @cached_property
    def standing(self) -> int:
        """How many of its events are not cancelled."""
        return sum(not row.revision.cancelled for row in self.rows)

    @cached_property
    def categories(self) -> tuple[str, ...]:
        """The categories of its events, sorted."""
        return tuple(sorted({name for event in self.source.events for name in event.categories}))

    @property
    def modified(self) -> datetime:
        """When a publish last changed something in it."""
        return self.source.modified

    @property
    def public(self) -> bool:
        """Whether anybody may see it."""
        return self.calendar.visibility is Visibility.PUBLIC

    @cached_property
    def by_slug(self) -> dict[str, EventRow]:
        """The events by slug; where a slug was given anew, the event that has it now."""
        return {
            row.slug: row for row in sorted(self.rows, key=lambda row: row.withdrawn_at is None)
        }


@dataclass(frozen=True)
class Version:
    """What a snapshot was made of: another version, another snapshot."""

    publish_id: int
    tokens: tuple[int, datetime | None]
    year: int


@dataclass(frozen=True)
class Snapshot:
    """One published state.

    `everything` holds private calendars too; `answers` are the public feeds by path, `shapes`
    make what else there is. That is made when it is first asked for, as chosen feeds are, once for
    all who ask meanwhile; `made` keeps it. `renamed` are the calendars' former names,
    `gone` the names of calendars that were withdrawn. `timelines` are those of each calendar,
    private ones too; `timeline` is that of all public ones.
    """

    version: Version
    everything: Mapping[str, PublishedCalendar] = field(default_factory=dict)
    sources: Mapping[str, FeedSource] = field(default_factory=dict)
    answers: Mapping[str, Answer] = field(default_factory=dict)
    shapes: Mapping[str, Callable[[], Answer]] = field(default_factory=dict, repr=False)
    renamed: Mapping[str, str] = field(default_factory=dict)
    gone: frozenset[str] = frozenset()
    tokens: Mapping[str, Token] = field(default_factory=dict)
    timelines: Mapping[str, Timeline] = field(default_factory=dict, repr=False)
    timeline: Timeline = field(default_factory=Timeline, repr=False)
    made: KeptAnswers[tuple[str, Choice]] = field(
        default_factory=lambda: KeptAnswers(_MOST_BYTES), repr=False
    )

    @cached_property
    def calendars(self) -> dict[str, PublishedCalendar]:
        """The calendars that anybody may see."""
        return {slug: one for slug, one in self.everything.items() if one.public}

    @cached_property
    def languages(self) -> frozenset[str]:
        """The languages (BCP 47 tags) that pages or anything on them can be in."""
        together = self.sources.get(ALL)
        return TAGS | together.languages if together else TAGS

    def rows(self) -> Iterator[EventRow]:
        """Every event that anybody may see."""
        for calendar in self.calendars.values():
            yield from calendar.rows

    def search(self, words: str) -> list[EventRow]:
        """The events that anybody may see in which each of the words stands; all for no word."""
        return [row for one in self.calendars.values() for row in one.searchable.search(words)]

    def find(self, path: str, query: str) -> Answer | None:
        """The public answer for a path and a query; None where there is none, or not for it."""
        if path in self.sources:
            return self._find_chosen(path, query)
        make = self.shapes.get(path)
        return self.made.get((path, DEFAULT), make) if make is not None else None

    def _find_chosen(self, path: str, query: str) -> Answer | None:
        source = self.sources[path]
        try:
            choice = source.settle(parse_choice(query))
            if choice == DEFAULT:
                return self.answers[path]
            return self.made.get(
                (path, choice), lambda: source.make_answer(choice, self.version.year)
            )
        except InvalidInputError:
            return None


EMPTY = Snapshot(Version(0, (0, None), 0))


def read_version(database: Database, now: datetime) -> Version:
    """The version that a snapshot made now would have."""
    with database.read() as connection:
        return Version(latest_publish(connection), tokens_version(connection), now.year)


def load_snapshot(
    database: Database, base_url: str, now: datetime, last: Snapshot = EMPTY
) -> Snapshot:
    """Read the published state, keeping of `last` the calendars that nothing changed in.

    Everything is read in one transaction, so no state is ever half of one and half of another.
    """
    if last.version.year != now.year:
        last = EMPTY  # a new year may leave another year of history out
    with database.read() as connection:
        publish_id = latest_publish(connection)
        times = load_publish_times(connection)
        last_public_change = load_last_public_change(connection)
        rows = load_calendars(connection)
        current = {slug: row for slug, row in rows.items() if not row.withdrawn}
        stale = [
            slug
            for slug, row in current.items()
            if slug not in last.everything or last.everything[slug].publish_id != row.publish_id
        ]
        events = load_events(connection, calendar_slugs=stale)
        changes = load_newest_announced(connection, stale, _MOST_CHANGES)
        categories = load_categories(connection)
        tokens = {token.digest: token for token in load_tokens(connection)}
        version = Version(publish_id, tokens_version(connection), now.year)
    grouped: dict[str, list[EventRow]] = {slug: [] for slug in stale}
    for event in events:
        grouped[event.calendar].append(event)
    everything = {
        slug: _make_calendar(
            row,
            grouped[slug],
            changes.get(slug, []),
            times[row.publish_id],
            categories,
            base_url,
            now,
        )
        if slug in grouped
        else last.everything[slug]
        for slug, row in current.items()
    }
    public = {slug: one for slug, one in everything.items() if one.public}
    gone = frozenset(
        slug
        for slug, row in rows.items()
        if row.withdrawn
        and Calendar.model_validate_json(row.content).visibility is Visibility.PUBLIC
    )
    together = FeedSource(
        path=ALL,
        base_url=base_url,
        calendar=None,
        modified=last_public_change or datetime(1970, 1, 1, tzinfo=UTC),
        events=[event for calendar in public.values() for event in calendar.source.events],
        known=_known(categories, gone).union(*(one.source.known for one in public.values())),
        languages=frozenset().union(*(one.source.languages for one in public.values())),
    )
    return Snapshot(
        version=version,
        everything=everything,
        sources={ALL: together} | {one.source.path: one.source for one in public.values()},
        answers={ALL: together.make_answer(DEFAULT, now.year)}
        | {one.source.path: one.answer for one in public.values()},
        shapes=_shapes_of(together, public),
        renamed={name: slug for slug, one in everything.items() for name in one.calendar.formerly},
        gone=gone,
        tokens=tokens,
        timelines={slug: one.timeline for slug, one in everything.items()},
        timeline=Joined([one.timeline for one in public.values()]),
    )


def feed_path(calendar: str) -> str:
    """The path of a calendar's feed."""
    return f"/calendars/{calendar}.ics"


def _make_calendar(
    row: CalendarRow,
    rows: list[EventRow],
    changes: list[AnnouncedChange],
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
            FeedEvent(one, zone_in_use(one.revision.event, one.vevents[PLAIN], one.last_year))
            for one in rows
        ],
        known=_known(categories, [calendar.slug, *calendar.formerly]),
        languages=_languages_in(calendar, rows),
    )
    timeline = Timeline([span_of(one) for one in rows])
    timeline.prepare(now.date())
    return PublishedCalendar(
        calendar=calendar,
        publish_id=row.publish_id,
        source=source,
        changes=tuple(changes),
        answer=source.make_answer(DEFAULT, now.year),
        timeline=timeline,
        searchable=Searchable(rows),
    )


def _known(categories: Mapping[str, frozenset[str]], slugs: Iterable[str]) -> frozenset[str]:
    """The categories that events of these calendars ever had."""
    return frozenset().union(*(categories.get(slug, frozenset()) for slug in slugs))


def _languages_in(calendar: Calendar, rows: Iterable[EventRow]) -> frozenset[str]:
    named = {*calendar.name, *(calendar.description or {})}
    return frozenset(named.union(*(languages_in(row.revision.event) for row in rows)))


def _shapes_of(
    together: FeedSource, public: Mapping[str, PublishedCalendar]
) -> dict[str, Callable[[], Answer]]:
    """What makes the other shapes, by path. Nothing is made before somebody asks for it."""
    base_url = together.base_url
    shapes: dict[str, Callable[[], Answer]] = {}
    for slug, one in public.items():
        path = f"/calendars/{slug}"
        shapes[f"{path}.json"] = partial(_json_answer, one, base_url)
        shapes[f"{path}.jcal"] = partial(_jcal_answer, one)
        shapes[f"{path}.csv"] = partial(_csv_answer, one)
        name = text_in(one.calendar.name, one.calendar.language)
        shapes[f"{path}/changes.atom"] = partial(
            _atom_answer, f"{name}: changes", path, base_url, one.changes, one.modified
        )
    every = sorted(
        (change for one in public.values() for change in one.changes),
        key=lambda change: (change.position.number, change.position.uid, change.position.sequence),
        reverse=True,
    )
    shapes["/changes.atom"] = partial(
        _atom_answer, "Changes", "", base_url, tuple(every[:_MOST_CHANGES]), together.modified
    )
    return shapes


def _json_answer(one: PublishedCalendar, base_url: str) -> Answer:
    body = make_json(one.calendar, one.rows, base_url)
    return make_answer(body, "application/json", one.modified, base_url=base_url)


def _jcal_answer(one: PublishedCalendar) -> Answer:
    (feed,) = one.answer.plain[1]
    body = render_jcal(feed)
    kind = "application/calendar+json"
    return make_answer(body, kind, one.modified, base_url=one.source.base_url)


def _csv_answer(one: PublishedCalendar) -> Answer:
    body = make_csv(one.rows)
    kind = "text/csv; charset=utf-8"
    return make_answer(body, kind, one.modified, base_url=one.source.base_url)


def _atom_answer(
    title: str, path: str, base_url: str, changes: tuple[AnnouncedChange, ...], modified: datetime
) -> Answer:
    page, address = f"{base_url}{path}/", f"{base_url}{path}/changes.atom"
    body = make_atom(title, page, address, changes, base_url)
    return make_answer(body, "application/atom+xml; charset=utf-8", modified, base_url=base_url)
