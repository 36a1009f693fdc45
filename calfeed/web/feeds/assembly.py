"""Feeds made of stored bytes: events chosen, their forms picked, joined and settled as answers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from calfeed.errors import InvalidInputError
from calfeed.ical.feed import Heading, ZoneUse, join_feed, zone_to_name
from calfeed.ical.history import first_year
from calfeed.ical.variants import PLAIN, choose_variant
from calfeed.model.events import Calendar, text_in
from calfeed.store.rows import EventRow
from calfeed.web.feeds.choices import Choice
from calfeed.web.pages.reader.languages import nearest_language
from calfeed.web.published.responses import Answer, make_answer

CALENDAR_TYPE = "text/calendar; charset=utf-8"

_ALARM = re.compile(rb"^BEGIN:VALARM\r\n.*?^END:VALARM\r\n", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class FeedEvent:
    """An event as a feed needs it: with the zone that has to be declared beside it."""

    row: EventRow
    zone: ZoneUse | None

    @property
    def categories(self) -> tuple[str, ...]:
        """Its categories."""
        return self.row.revision.event.categories


@dataclass(frozen=True)
class FeedSource:
    """What a feed is made of. `calendar` is None for the feed of all calendars.

    `known` are the categories that its events ever had: whoever subscribed to one keeps a feed of
    it, be it empty. `languages` are those of its texts (BCP 47 tags).
    """

    path: str
    base_url: str
    calendar: Calendar | None
    modified: datetime
    events: Sequence[FeedEvent]
    known: frozenset[str] = frozenset()
    languages: frozenset[str] = frozenset()

    def settle(self, choice: Choice) -> Choice:
        """The plainest choice that gives the same feed: a language that no text has is none."""
        return replace(choice, language=nearest_language(choice.language, self.languages))

    def make_answer(self, choice: Choice, this_year: int) -> Answer:
        """The feed for a choice, as an answer. Raises InvalidInputError for an unknown category."""
        body = self.make_body(choice, this_year)
        return make_answer(body, CALENDAR_TYPE, self.modified, base_url=self.base_url)

    def make_body(self, choice: Choice, this_year: int, *, source: bool = True) -> bytes:
        """The feed for a choice. With `source` False it does not say its own address."""
        events = self.choose(choice, this_year)
        vevents: Iterable[bytes] = (
            event.row.vevents[choose_variant(event.row.vevents, choice.language, choice.marked)]
            for event in events
        )
        if not choice.alarms:
            # A line of text can end so, but it cannot begin so: what is folded begins with a space.
            vevents = (_ALARM.sub(b"", vevent) for vevent in vevents)
        zones = {event.zone for event in events if event.zone is not None}
        heading = make_heading(
            self.calendar, self.address(choice) if source else None, choice.language
        )
        if self.calendar is not None:
            named = (event.row.revision.event for event in events)
            heading = replace(heading, time_zone=zone_to_name(self.calendar.time_zone, named))
        return join_feed(heading, zones, vevents)

    def address(self, choice: Choice) -> str:
        """Where the feed for a choice is."""
        query = choice.query()
        return f"{self.base_url}{self.path}" + (f"?{query}" if query else "")

    def choose(self, choice: Choice, this_year: int) -> list[FeedEvent]:
        """The events of a choice, without the years that are left out."""
        first = self.first_year(choice, this_year)
        chosen = [event for event in self.events if event.row.last_year >= first]
        if choice.categories:
            unknown = set(choice.categories) - self.known
            if unknown:
                present = {name for one in self.events for name in one.categories}
                possible = ", ".join(sorted(present)) or "none here"
                raise InvalidInputError(
                    f"there is no category {', '.join(sorted(unknown))}; there are: {possible}"
                )
            wanted = set(choice.categories)
            chosen = [one for one in chosen if wanted.intersection(one.categories)]
        return chosen

    def first_year(self, choice: Choice, this_year: int) -> int:
        """The first year the feed shows; 0 where it shows all."""
        keep = choice.past
        if keep is None and self.calendar is not None:
            keep = self.calendar.history
        rows = (event.row for event in self.events)
        sizes = ((row.last_year, 1, len(row.vevents[PLAIN])) for row in rows)
        return first_year(sizes, this_year, keep)


def make_heading(calendar: Calendar | None, source: str | None, language: str = "") -> Heading:
    """What a feed says of itself; without a calendar it is the feed of all."""
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
