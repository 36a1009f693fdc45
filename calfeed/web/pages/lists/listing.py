"""Paginated lists of occurrences, forwards and backwards; on a page, a series is one line.

A page begins or ends at a place: a day, and a number of occurrences to skip on it. The next page
begins after the last occurrence, so a reader who pages through sees each occurrence once: as a
line, or folded into the line of its series. Which occurrences are after a place does not depend
on the time of the request.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import groupby, islice
from typing import TypeAlias

from calfeed.model.values import start_of
from calfeed.web.pages.lists.entries import Entry, by_month
from calfeed.web.pages.lists.months import FIRST_YEAR, LAST_YEAR
from calfeed.web.pages.reader.languages import Reader
from calfeed.web.published.timeline import EventOccurrence, Timeline

_MAX_PAGE_SPAN = timedelta(days=365)
"""The maximum span of a page; there has to be one, because a series may have no end."""

_MAX_OCCURRENCES = 1_000
"""The maximum number of occurrences on a page, including folded ones."""

Keep: TypeAlias = Callable[[Entry], bool]


@dataclass(frozen=True)
class Place:
    """A position in a list: a day in the reader's zone, and how many occurrences to skip on it.

    `skip` counts only occurrences that begin on the day. Those that began earlier and are still in
    progress are not after the place, unless `begun` says how many of them to skip.
    """

    day: date
    skip: int = 0
    begun: int | None = None


@dataclass(frozen=True)
class PageRequest:
    """A page of a list: the occurrences after a place (`forward`), or before it."""

    place: Place
    forward: bool


@dataclass(frozen=True)
class Listing:
    """A page of a list; `rest` is the place where the next page begins, None on the last one."""

    entries: list[Entry]
    rest: Place | None

    @property
    def months(self) -> list[tuple[str, list[Entry]]]:
        return by_month(self.entries)


def list_upcoming(
    timeline: Timeline,
    now: datetime,
    reader: Reader,
    max_lines: int,
    place: Place | None = None,
    *,
    fold: bool = True,
) -> Listing:
    """Return the occurrences after a place, soonest first; by default those that are not over.

    `fold` joins equal occurrences of a series into one line.
    """
    start = place or Place(reader.today(now), begun=0)
    wanted: Keep = (lambda _: True) if place else (lambda entry: not entry.over)
    return _fill(_walk_forward(timeline, start, now, reader), wanted, max_lines, fold)


def list_past(
    timeline: Timeline,
    now: datetime,
    reader: Reader,
    max_lines: int,
    place: Place | None = None,
    *,
    fold: bool = True,
) -> Listing:
    """Return the occurrences before a place, the latest first; by default those that are over."""
    start = place or Place(reader.today(now) + timedelta(days=1))
    wanted: Keep = (lambda _: True) if place else (lambda entry: entry.over)
    return _fill(_walk_backward(timeline, start, now, reader), wanted, max_lines, fold)


def list_requested(
    timeline: Timeline,
    now: datetime,
    reader: Reader,
    max_lines: int,
    page_request: PageRequest,
    *,
    fold: bool = True,
) -> Listing:
    list_page = list_upcoming if page_request.forward else list_past
    return list_page(timeline, now, reader, max_lines, page_request.place, fold=fold)


def read_place(day: str, skip: str, begun: str = "") -> Place | None:
    """Parse a place from a URL: a date, and numbers or ""; return None if it is not valid."""
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", day, re.ASCII):
        return None
    if not all(re.fullmatch(r"\d{0,6}", number, re.ASCII) for number in (skip, begun)):
        return None
    try:
        place = Place(date.fromisoformat(day), int(skip or 0), int(begun) if begun else None)
    except ValueError:
        return None
    return place if FIRST_YEAR <= place.day.year <= LAST_YEAR else None


_EntriesWithPlaces: TypeAlias = Iterator[tuple[Place, Entry]]


def _walk_forward(
    timeline: Timeline, start: Place, now: datetime, reader: Reader
) -> _EntriesWithPlaces:
    """Iterate over the occurrences after a place, each with the place before it."""
    if start.begun is not None:
        in_progress = enumerate(_list_in_progress(timeline, start.day, now, reader))
        for number, entry in islice(in_progress, start.begun, None):
            yield Place(start.day, begun=number), entry
    found = timeline.following(start.day, reader.zone)
    entries = (_make_entry(occurrence, now, reader) for occurrence in found)
    for day, same in groupby(entries, lambda entry: entry.day):
        if day >= start.day:
            skip = start.skip if day == start.day else 0
            for number, entry in islice(enumerate(same), skip, None):
                yield Place(day, number), entry


def _list_in_progress(
    timeline: Timeline, day: date, now: datetime, reader: Reader
) -> Iterator[Entry]:
    """Iterate over the occurrences that begin before a day, and are not over when it begins."""
    midnight = start_of(day, reader.zone)
    # In its own zone, the deadline of the day before may not be over yet.
    for occurrence in timeline.following(day - timedelta(days=1), reader.zone):
        entry = _make_entry(occurrence, midnight, reader)
        if entry.day >= day:
            break
        if not entry.over:
            yield _make_entry(occurrence, now, reader)


def _walk_backward(
    timeline: Timeline, start: Place, now: datetime, reader: Reader
) -> _EntriesWithPlaces:
    """Iterate over the occurrences before a place in reverse, each with the place after it."""
    found = timeline.preceding(start.day + timedelta(days=1), reader.zone)
    entries = (_make_entry(occurrence, now, reader) for occurrence in found)
    for day, same in groupby(entries, lambda entry: entry.day):
        ascending = list(same)[::-1]
        end = start.skip if day == start.day else len(ascending)
        for number, entry in reversed(list(enumerate(ascending[:end]))):
            yield Place(day, number + 1), entry


def _fill(found: _EntriesWithPlaces, wanted: Keep, max_lines: int, fold: bool) -> Listing:
    """Collect a page of at most `max_lines` lines."""
    lines: dict[object, list[Entry]] = {}
    first: Place | None = None
    rest, dates = None, 0
    for place, entry in found:
        if not wanted(entry):
            continue
        key = _fold_key(entry) if fold else place
        first = first or place
        full = len(lines) == max_lines and key not in lines
        if full or dates == _MAX_OCCURRENCES or place.day - first.day >= _MAX_PAGE_SPAN:
            rest = place
            break
        lines.setdefault(key, []).append(entry)
        dates += 1
    if fold:
        entries = [_fold(line) for line in lines.values()]
    else:
        entries = [entry for line in lines.values() for entry in line]
    return Listing(entries, rest)


def _fold_key(entry: Entry) -> object:
    """Return what occurrences must have in common to share a line."""
    occurrence = entry.occurrence
    start, original = occurrence.start, occurrence.original
    moved = start if original not in (None, start) else None
    title, place = entry.summary, entry.location
    return entry.row.uid, title, place, occurrence.status, entry.moved, moved


def _fold(entries: list[Entry]) -> Entry:
    first, *others = entries
    return replace(first, others=tuple(other.day for other in others))


def _make_entry(found: EventOccurrence, now: datetime, reader: Reader) -> Entry:
    return Entry(found.row, found.occurrence, reader, now)
