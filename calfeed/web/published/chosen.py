"""What a reader's choice stands for in a snapshot: its events, its feed, and its normal form."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from calfeed.ical.feed import Heading, zone_to_name
from calfeed.ical.wording.words import words_in
from calfeed.model.texts import shortened
from calfeed.model.values import text_in
from calfeed.store.rows import EventRow
from calfeed.web.feeds.assembly import ALL, FeedEvent, FeedSource, make_heading
from calfeed.web.feeds.choice import (
    CHOICE,
    CalendarChoice,
    Choice,
    EventChoice,
    make_choice,
    parse_choice,
    write_query,
)
from calfeed.web.feeds.feed_options import FeedOptions
from calfeed.web.feeds.query_errors import N_, QueryError, Sentence
from calfeed.web.pages.reader.languages import nearest_language

if TYPE_CHECKING:
    from collections.abc import Sequence

    from calfeed.web.published.calendars import PublishedCalendar
    from calfeed.web.published.snapshot import Snapshot

_MAX_LISTED = 20
_MAX_TITLES = 3
_MAX_TITLE_LENGTH = 60


class UnknownNamesError(QueryError):
    """A choice names calendars, categories or events that never were public: `names`."""

    def __init__(self, names: Iterable[str], advice: Iterable[Sentence]) -> None:
        self.names = tuple(names)
        here = ", ".join(map(shortened, self.names[:_MAX_LISTED]))
        super().__init__(N_("this is not here: %(names)s", names=here), *advice)


@dataclass(frozen=True)
class Chosen:
    """A choice of names that exist or existed; `choice` has the current names of what is public.

    `calendars` are the public calendars from which the choice has events. `combined` is the feed of
    all public calendars.
    """

    choice: Choice
    combined: FeedSource = field(repr=False)
    calendars: tuple[PublishedCalendar, ...] = field(repr=False)

    @cached_property
    def events(self) -> list[FeedEvent]:
        """Its events, by calendar and name, including withdrawn ones that are still shown."""
        narrowed = dict(self.choice.calendars)
        single: dict[str, set[str]] = {}
        for calendar, slug in self.choice.events:
            single.setdefault(calendar, set()).add(slug)
        found: list[FeedEvent] = []
        for each in self.calendars:
            calendar = each.calendar.slug
            if calendar in narrowed and not narrowed[calendar]:
                found += each.source.events
                continue
            categories = {*narrowed.get(calendar, ()), *self.choice.categories}
            slugs = single.get(calendar, set())
            found += [
                event
                for event in each.source.events
                if event.row.slug in slugs or not categories.isdisjoint(event.categories)
            ]
        return found

    @cached_property
    def uids(self) -> frozenset[str]:
        return frozenset(event.row.uid for event in self.events)

    @property
    def single_rows(self) -> list[EventRow]:
        """The events that are chosen one by one and are published now."""
        by_name = {each.calendar.slug: each.by_slug for each in self.calendars}
        return [
            row
            for calendar, slug in self.choice.events
            if (row := by_name.get(calendar, {}).get(slug)) is not None
        ]

    def name(self, *languages: str) -> str:
        """Name the choice by what is in it, in the first available of these languages."""
        named = dict(self.choice.calendars)
        titles = [
            text_in(each.calendar.name, *languages, each.calendar.language)
            for each in self.calendars
            if each.calendar.slug in named
        ]
        titles += self.choice.categories
        events = [row.revision.event for row in self.single_rows]
        titles += [text_in(event.summary, *languages, event.language) for event in events]
        comma = words_in(languages[0] if languages else self.combined.language).list_comma
        shown = comma.join(shortened(title, _MAX_TITLE_LENGTH) for title in titles[:_MAX_TITLES])
        return shown + (f"{comma}…" if len(titles) > _MAX_TITLES else "") or "–"

    @cached_property
    def languages(self) -> frozenset[str]:
        """The languages of its texts (BCP 47 tags)."""
        return frozenset().union(*(each.source.languages for each in self.calendars))

    @property
    def time_zone(self) -> str | None:
        """The zone that all its calendars share, if they do."""
        zones = {each.calendar.time_zone for each in self.calendars}
        return zones.pop() if len(zones) == 1 else None

    def address(self, options: FeedOptions) -> str:
        """Return the path and query of its feed with some options."""
        return f"{CHOICE}?{write_query(self.choice, options)}"

    def make_source(self) -> ChoiceSource:
        """Make the content of its feed."""
        return ChoiceSource(
            path=CHOICE,
            base_url=self.combined.base_url,
            calendar=None,
            # Any publish can change the feed, even one that withdraws a calendar of the choice.
            modified=self.combined.modified,
            events=self.events,
            languages=self.languages,
            chosen=self,
        )


@dataclass(frozen=True, kw_only=True)
class ChoiceSource(FeedSource):
    """The content of the feed of a choice; the URL of the feed contains the choice."""

    chosen: Chosen = field(repr=False)

    def path_with(self, options: FeedOptions) -> str:
        return self.chosen.address(options)

    def make_heading(
        self, events: Sequence[FeedEvent], options: FeedOptions, *, source: bool
    ) -> Heading:
        heading = make_heading(None, self.address(options) if source else None, options.language)
        name = self.chosen.name(*([options.language] if options.language else []))
        zone = self.chosen.time_zone
        if zone is not None:
            zone = zone_to_name(zone, (event.row.revision.event for event in events))
        return replace(heading, name=name, time_zone=zone)


def read_chosen(snapshot: Snapshot, query: str) -> tuple[Chosen, FeedOptions]:
    """Return the choice in a query string, and the simplest options that give the same feed.

    Raises QueryError if the choice or an option is not valid.
    """
    choice, options = parse_choice(query)
    chosen = find_chosen(snapshot, choice)
    language = nearest_language(options.language, chosen.languages)
    return chosen, replace(options, language=language)


def find_chosen(snapshot: Snapshot, choice: Choice) -> Chosen:
    """Return what a choice stands for.

    Names that were public once are valid for ever. Raises UnknownNamesError for others, including
    those of private calendars.
    """
    combined = snapshot.sources[ALL]
    known = combined.known_categories
    unknown: list[str] = []
    calendars: list[CalendarChoice] = []
    events: list[EventChoice] = []
    for calendar, categories in choice.calendars:
        current = snapshot.renamed.get(calendar, calendar)
        if current in snapshot.calendars:
            calendars.append(CalendarChoice(current, categories))
            unknown += [f"{calendar}:{name}" for name in categories if name not in known]
        elif snapshot.was_public(calendar):
            calendars.append(CalendarChoice(calendar, categories))
        else:
            unknown.append(calendar)
    unknown += [name for name in choice.categories if name not in known]
    for event in choice.events:
        found = _find_event(snapshot, event)
        if found is None:
            unknown.append(str(event))
        else:
            events.append(found)
    if unknown:
        raise UnknownNamesError(unknown, _list_what_is_here(snapshot, choice))
    normal = make_choice(calendars, choice.categories, events)
    needed = {each.calendar for each in normal.calendars}
    needed |= {event.calendar for event in normal.events}
    return Chosen(
        normal,
        combined,
        tuple(
            found
            for slug, found in snapshot.calendars.items()
            if normal.categories or slug in needed
        ),
    )


def _find_event(snapshot: Snapshot, event: EventChoice) -> EventChoice | None:
    """Return a chosen event by its current name, unchanged if it is gone; None if never public."""
    current = snapshot.renamed.get(event.calendar, event.calendar)
    found = snapshot.calendars.get(current)
    if found is None:
        return event if snapshot.was_public(event.calendar) and event.slug else None
    if event.slug in found.by_slug:
        return EventChoice(current, event.slug)
    for name in (current, *found.calendar.formerly):
        uid = snapshot.former_events.get((name, event.slug))
        if uid is not None:
            row = snapshot.find_row(uid)
            return EventChoice(row.calendar, row.slug) if row else EventChoice(current, event.slug)
    return None


def _list_what_is_here(snapshot: Snapshot, choice: Choice) -> list[Sentence]:
    """Say which calendars there are, and what is in those that the choice names."""
    advice = [N_("the calendars are: %(names)s", names=_join(snapshot.calendars))]
    if choice.categories:
        present = {name for found in snapshot.calendars.values() for name in found.categories}
        advice.append(N_("the categories are: %(names)s", names=_join(sorted(present))))
    named = {each.calendar for each in choice.calendars}
    for slug in sorted(named & snapshot.calendars.keys())[:_MAX_LISTED]:
        categories = snapshot.calendars[slug].categories
        text = N_(
            "the categories of %(calendar)s are: %(names)s", calendar=slug, names=_join(categories)
        )
        advice.append(text)
    holders = {event.calendar for event in choice.events}
    for slug in sorted(holders & snapshot.calendars.keys())[:_MAX_LISTED]:
        names = _join(snapshot.calendars[slug].by_slug)
        advice.append(N_("the events of %(calendar)s are: %(names)s", calendar=slug, names=names))
    return advice


def _join(names: Iterable[str]) -> str:
    listed = list(names)
    more = [f"… (+{len(listed) - _MAX_LISTED})"] if len(listed) > _MAX_LISTED else []
    return ", ".join([*listed[:_MAX_LISTED], *more]) or "–"
