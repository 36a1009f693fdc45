"""A reader's choice of calendars, categories and events, which the URL of its feed contains.

`calendar=court&calendar=un:address,deadline&event=desk/visa` is the calendar `court`, two
categories of `un` and one event. A choice is the union of what it names. `category=` applies to the
calendars that are named without categories of their own, or, if no calendar is named, to all
calendars.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import urlencode

from calfeed.web.feeds.feed_options import FeedOptions, read_options, read_pairs, split_names
from calfeed.web.feeds.query_errors import N_, QueryError

CHOICE = "/choice.ics"
"""The path of the feeds of choices."""

MAX_NAMES = 100
"""The most calendars, categories and events in a choice."""

MAX_LENGTH = 4_000
"""The most characters in the query string of a choice; few apps accept longer URLs."""

PARAMETERS = ("calendar", "category", "event")

_MAX_PARAMETERS = 150
_MAX_CACHED_LENGTH = 500


class CalendarChoice(NamedTuple):
    """A calendar by name, with its events in `categories`; if these are empty, with all events."""

    calendar: str
    categories: tuple[str, ...] = ()

    def __str__(self) -> str:
        return ":".join(filter(None, [self.calendar, ",".join(self.categories)]))


class EventChoice(NamedTuple):
    """An event by the name of its calendar and its slug."""

    calendar: str
    slug: str

    def __str__(self) -> str:
        return f"{self.calendar}/{self.slug}"


@dataclass(frozen=True)
class Choice:
    """A choice in its normal form: sorted, each name once. `categories` apply to all calendars."""

    calendars: tuple[CalendarChoice, ...] = ()
    categories: tuple[str, ...] = ()
    events: tuple[EventChoice, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.calendars or self.categories or self.events)

    def pairs(self) -> list[tuple[str, str]]:
        """Return the choice as the parameters of its address."""
        whole = ",".join(each.calendar for each in self.calendars if not each.categories)
        narrowed = [str(each) for each in self.calendars if each.categories]
        pairs = [("calendar", text) for text in (whole, *narrowed) if text]
        pairs += [("category", ",".join(self.categories))] if self.categories else []
        pairs += [("event", ",".join(map(str, self.events)))] if self.events else []
        return pairs


def write_query(choice: Choice, options: FeedOptions) -> str:
    """Return the normalized query string of a choice with feed options."""
    return urlencode([*choice.pairs(), *options.pairs()], safe=":/,")


def make_choice(
    calendars: Iterable[CalendarChoice], categories: Iterable[str], events: Iterable[EventChoice]
) -> Choice:
    """Return the normal form of a choice; its parts may be in any order, and repeated."""
    general = set(categories)
    narrowed: dict[str, set[str]] = {}
    whole: set[str] = set()
    for each in calendars:
        own = set(each.categories) or general
        narrowed.setdefault(each.calendar, set()).update(own)
        if not own:
            whole.add(each.calendar)
    return Choice(
        calendars=tuple(
            CalendarChoice(calendar, () if calendar in whole else tuple(sorted(own)))
            for calendar, own in sorted(narrowed.items())
        ),
        categories=() if narrowed else tuple(sorted(general)),
        # The events of a whole calendar are in the choice anyway.
        events=tuple(sorted({each for each in events if each.calendar not in whole})),
    )


def parse_choice(query: str) -> tuple[Choice, FeedOptions]:
    """Parse a query string into a choice and feed options; other parameters are ignored.

    The names need not exist. Raises QueryError for a choice that is empty or too large, and
    for invalid options.
    """
    return _read_cached(query) if len(query) <= _MAX_CACHED_LENGTH else _read(query)


def _read(query: str) -> tuple[Choice, FeedOptions]:
    if len(query) > MAX_LENGTH:
        most = f"{MAX_LENGTH:,}"
        text = N_(
            "the address of a choice has at most %(most)s characters after the question mark; "
            "choose whole calendars instead of single events",
            most=most,
        )
        raise QueryError(text)
    pairs = read_pairs(query, _MAX_PARAMETERS)
    choice = read_choice(pairs)
    if not choice:
        text = N_(
            "nothing is chosen; name calendars (calendar=court), categories of a calendar "
            "(calendar=court:address,deadline) or events (event=court/hearing)"
        )
        raise QueryError(text)
    return choice, read_options(pair for pair in pairs if pair[0] != "category")


_read_cached = lru_cache(maxsize=512)(_read)


def read_choice(pairs: Iterable[tuple[str, str]]) -> Choice:
    """Return the choice that parameters name, in its normal form; it can be empty.

    Raises QueryError if it has too many names.
    """
    calendars: list[CalendarChoice] = []
    categories: list[str] = []
    events: list[EventChoice] = []
    for name, value in pairs:
        if name == "calendar":
            calendars += _read_calendars(value)
        elif name == "category":
            categories += split_names(value)
        elif name == "event":
            events += [_read_event(text) for text in split_names(value)]
    choice = make_choice(calendars, categories, events)
    count = len(choice.categories) + len(choice.events)
    count += sum(1 + len(each.categories) for each in choice.calendars)
    if count > MAX_NAMES:
        text = N_(
            "a choice has at most %(most)s calendars, categories and events, and this one has "
            "%(count)s; choose whole calendars instead",
            most=MAX_NAMES,
            count=count,
        )
        raise QueryError(text)
    return choice


def _read_calendars(value: str) -> list[CalendarChoice]:
    calendar, colon, categories = value.partition(":")
    if colon and (names := split_names(categories)):
        return [CalendarChoice(calendar.strip(), tuple(names))]
    return [CalendarChoice(name) for name in split_names(calendar)]


def _read_event(text: str) -> EventChoice:
    calendar, _, slug = text.partition("/")
    return EventChoice(calendar.strip(), slug.strip())
