"""Lists of dates in pages, ahead and back in time; on each page a series is one line.

A page begins or ends at a place: a day, and how many of the dates that begin on it come before.
What follows a page is what begins after its last date, so whoever turns the pages sees each date
once: as a line, or as one of those that a series' line stands for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import TypeAlias

from calfeed.web.pages.lists.entries import Entry, by_month
from calfeed.web.pages.lists.months import FIRST_YEAR, LAST_YEAR
from calfeed.web.pages.reader.languages import Reader
from calfeed.web.published.timeline import EventOccurrence, Timeline

_LONGEST = timedelta(days=365)
"""From the first coming date of a page to its end, since a series may be endless."""

_MOST_DATES = 1_000
"""How many dates the lines of a page can stand for."""

Keep: TypeAlias = Callable[[Entry], bool]


@dataclass(frozen=True)
class Place:
    """A place between two dates of a list: a reader's day, and how many that begin on it, or are
    under way on today's, are before the place."""

    day: date
    skip: int = 0


@dataclass(frozen=True)
class Turn:
    """Which page of a list is asked for: what comes after a place, or what came before it."""

    place: Place
    ahead: bool


@dataclass(frozen=True)
class Listing:
    """A page of a list; `rest` is where the next page begins, None where nothing follows."""

    entries: list[Entry]
    rest: Place | None

    @property
    def months(self) -> list[tuple[str, list[Entry]]]:
        """The entries under the names of their months."""
        return by_month(self.entries)


def list_ahead(
    timeline: Timeline,
    now: datetime,
    reader: Reader,
    most: int,
    place: Place | None = None,
    *,
    fold: bool = True,
) -> Listing:
    """The dates after a place, soonest first; without one, what is under way and what is coming.

    `fold` makes one line of the dates of a series that say the same, else each has its own.
    """
    start = place or Place(reader.today(now))
    wanted: Keep = (lambda _: True) if place else (lambda entry: not entry.over)
    return _fill(_walk_ahead(timeline, start, now, reader), wanted, most, fold)


def list_back(
    timeline: Timeline,
    now: datetime,
    reader: Reader,
    most: int,
    place: Place | None = None,
    *,
    fold: bool = True,
) -> Listing:
    """The dates before a place, the latest first; without one, what is over."""
    start = place or Place(reader.today(now) + timedelta(days=1))
    wanted: Keep = (lambda _: True) if place else (lambda entry: entry.over)
    return _fill(_walk_back(timeline, start, now, reader), wanted, most, fold)


def list_turned(
    timeline: Timeline, now: datetime, reader: Reader, most: int, turn: Turn, *, fold: bool = True
) -> Listing:
    """The page that is asked for."""
    list_page = list_ahead if turn.ahead else list_back
    return list_page(timeline, now, reader, most, turn.place, fold=fold)


def read_place(day: str, skip: str) -> Place | None:
    """The place that an address names, "2027-01-15" and a number or nothing; None for no place."""
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", day, re.ASCII):
        return None
    if not re.fullmatch(r"\d{0,6}", skip, re.ASCII):
        return None
    try:
        place = Place(date.fromisoformat(day), int(skip or 0))
    except ValueError:
        return None
    return place if FIRST_YEAR <= place.day.year <= LAST_YEAR else None


_Placed: TypeAlias = Iterator[tuple[Place, Entry]]


def _walk_ahead(timeline: Timeline, start: Place, now: datetime, reader: Reader) -> _Placed:
    """The dates from a place on, each with the place before it."""
    current = start.day == reader.today(now)
    # A deadline of yesterday can still be open in its own zone.
    since = start.day - timedelta(days=1) if current else start.day
    last, number = start.day, 0
    for one in timeline.following(since, reader.zone):
        entry = _make_entry(one, now, reader)
        under_way = entry.day < start.day
        if under_way and (not current or (entry.until < start.day and entry.over)):
            continue
        day = max(entry.day, start.day)
        number = number + 1 if day == last else 1
        last = day
        if day > start.day or number > start.skip:
            yield Place(day, number - 1), entry


def _walk_back(timeline: Timeline, start: Place, now: datetime, reader: Reader) -> _Placed:
    """The dates before a place, the latest first, each with the place after it."""
    found = timeline.preceding(start.day + timedelta(days=1), reader.zone)
    entries = (_make_entry(one, now, reader) for one in found)
    for day, same in groupby(entries, lambda entry: entry.day):
        ascending = list(same)[::-1]
        end = start.skip if day == start.day else len(ascending)
        for number, entry in reversed(list(enumerate(ascending[:end]))):
            yield Place(day, number + 1), entry


def _fill(found: _Placed, wanted: Keep, most: int, fold: bool) -> Listing:
    """A page of `most` lines."""
    lines: dict[object, list[Entry]] = {}
    first: Place | None = None
    rest, dates = None, 0
    for place, entry in found:
        if not wanted(entry):
            continue
        key = _say(entry) if fold else place
        first = first or place
        full = len(lines) == most and key not in lines
        if full or dates == _MOST_DATES or place.day - first.day >= _LONGEST:
            rest = place
            break
        lines.setdefault(key, []).append(entry)
        dates += 1
    if fold:
        entries = [_fold(line) for line in lines.values()]
    else:
        entries = [entry for line in lines.values() for entry in line]
    return Listing(entries, rest)


def _say(entry: Entry) -> object:
    """What two dates of a series have in common if one line can stand for both."""
    one = entry.occurrence
    moved = one.start if one.original not in (None, one.start) else None
    title, place = entry.summary, entry.location
    return entry.row.uid, title, place, one.status, entry.moved, moved


def _fold(entries: list[Entry]) -> Entry:
    first, *others = entries
    return replace(first, others=tuple(other.day for other in others))


def _make_entry(one: EventOccurrence, now: datetime, reader: Reader) -> Entry:
    return Entry(one.row, one.occurrence, reader, now)
