"""An index of occurrences by time, for calendar pages and API queries.

Days are those of the reader's zone: `overlapping` returns the occurrences that may be on a range of
days, `by_day` those of each day, `following` those from a day on, `preceding` those that began
before it, and `beginning` those that begin between two instants. Only events that can occur in the
range are expanded, and recently used months are cached. A timeline is rebuilt when its calendar
changes.

An uncertain date is listed on its latest day, because it is not past before that day. `by_day` has
it on each of its possible days if these are at most a week. Without a date it is on no day.

    timeline = snapshot.timeline            # of all public calendars
    timeline = snapshot.timelines[slug]     # of one calendar
    for row, occurrence in timeline.overlapping(date(2027, 6, 1), date(2027, 6, 30), zone):
        ...
    first_sixty = list(islice(timeline.following(today, zone), 60))

`following` and `preceding` are lazy: a series without an end continues until the year 2200.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from itertools import chain
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from calfeed.ical.occurrences import Occurrence, expand
from calfeed.model.dates.years import LAST_YEAR
from calfeed.model.events import Event, length_of
from calfeed.store.rows import EventRow
from calfeed.web.published.bounded_cache import BoundedCache

_MONTH_MARGIN = timedelta(days=2)
"""Added on both sides of a month (UTC), so that the month is covered in every zone.

Offsets range from -12 to +14 hours, and an all-day date is the same day everywhere.
"""

_MAX_INDEXED_MONTHS = 24
"""Longer events are not indexed by month, but checked for each month, as series are."""

_CACHED_PER_EVENT = 3
"""The number of cached occurrences for each event of a timeline; each takes about 500 bytes."""

_MIN_CACHED = 1_000

_PRELOADED_MONTHS = 12


class EventOccurrence(NamedTuple):
    """An occurrence and its event."""

    row: EventRow
    occurrence: Occurrence


class _OccurrenceDays(NamedTuple):
    """An occurrence with its days in the reader's zone; pages sort by these fields.

    `first` and `last` are its days in a list, `earliest` is its first possible day.
    """

    first: date
    timed: bool
    begins: datetime
    uid: str
    id: str
    last: date
    earliest: date
    event: EventOccurrence


@dataclass(frozen=True, slots=True)
class Span:
    """An event with the first and last month (UTC) in which it can occur, as month numbers."""

    first: int
    last: int
    row: EventRow


class Timeline:
    """Occurrences by time; see the module's docstring."""

    def __init__(self, spans: Sequence[Span] = ()) -> None:
        max_size = _MIN_CACHED + _CACHED_PER_EVENT * len(spans)
        self._cache: BoundedCache[tuple[int, str], Sequence[Any]] = BoundedCache(max_size, _count)
        self._spans = spans
        self._single: dict[int, list[EventRow]] = {}
        self._series: list[Span] = []
        for span in spans:
            if (
                span.row.revision.event.repeat is not None
                or span.last - span.first > _MAX_INDEXED_MONTHS
            ):
                self._series.append(span)
            else:
                for number in range(span.first, span.last + 1):
                    self._single.setdefault(number, []).append(span.row)

    def choose(self, wanted: Callable[[EventRow], bool]) -> Timeline:
        """Return a timeline of the events that are `wanted`."""
        chosen = [span for span in self._spans if wanted(span.row)]
        if 2 * len(chosen) > len(self._spans):
            return _FilteredTimeline(self, chosen, wanted)
        return Timeline(chosen)

    def preload(self, today: date) -> None:
        """Cache the occurrences of this month and of the next twelve."""
        for number in range(_number(today), _number(today) + _PRELOADED_MONTHS + 1):
            self._month(number)

    def overlapping(self, first: date, last: date, zone: ZoneInfo) -> list[EventOccurrence]:
        """Return the occurrences that may be on the days from `first` to `last` in `zone`.

        They are sorted by their first possible day; all-day ones come first.
        """
        return [days.event for days in self._overlapping(first, last, zone, possible=True)]

    def by_day(self, first: date, last: date, zone: ZoneInfo) -> dict[date, list[EventOccurrence]]:
        """Return the occurrences on each of these days in `zone`, sorted."""
        found: dict[date, list[EventOccurrence]] = {}
        for days in self._overlapping(first, last, zone, possible=True):
            if not is_on_days(days.event.row.revision.event):
                continue
            day = max(days.first, first)
            while day <= min(days.last, last):
                found.setdefault(day, []).append(days.event)
                day += timedelta(days=1)
        return found

    def following(self, day: date, zone: ZoneInfo) -> Iterator[EventOccurrence]:
        """Iterate over the occurrences on `day` or later in `zone`, those in progress first."""
        for days in self._overlapping(day, _last_day(_number(day)), zone):
            yield days.event
        for number in self._numbers_after(_number(day)):
            first = _first_day(number)
            for days in self._overlapping(first, _last_day(number), zone):
                if days.first >= first:
                    yield days.event

    def preceding(self, day: date, zone: ZoneInfo) -> Iterator[EventOccurrence]:
        """Iterate over the occurrences that began before `day` in `zone`, the latest first."""
        number = _number(day)
        for month in chain([number], self._numbers_before(number)):
            first, last = _first_day(month), min(_last_day(month), day - timedelta(days=1))
            for days in reversed(self._overlapping(first, last, zone)):
                if days.first >= first:
                    yield days.event

    def beginning(self, after: datetime, before: datetime) -> Iterator[EventOccurrence]:
        """Iterate over occurrences with `after <= begins < before` (UTC).

        An all-day occurrence begins at midnight in its event's zone.
        """
        last = before - timedelta(microseconds=1)
        for number in range(_number(after), _number(last) + 1):
            for event in self._month(number):
                begins = event.occurrence.begins
                if after <= begins < before and _number(begins) == number:
                    yield event

    def candidates(self, after: datetime, before: datetime) -> list[EventRow]:
        """Return the events that may have an occurrence overlapping a window (UTC)."""
        first, last = _number(after), _number(before)
        return [span.row for span in self._spans if span.first <= last and span.last >= first]

    def _overlapping(
        self, first: date, last: date, zone: ZoneInfo, *, possible: bool = False
    ) -> list[_OccurrenceDays]:
        """Return the occurrences on some days; with `possible`, those that may be on these days."""
        numbers = range(_number(first), _number(last) + 1)
        return sorted(
            days
            for number in numbers
            for listed in self._days_of_month(number, zone)
            for days in (listed._replace(first=listed.earliest) if possible else listed,)
            if days.first <= last
            and days.last >= first
            # An occurrence in several of these months is returned for the first of them only.
            and number == max(_number(days.first), numbers[0])
        )

    def _days_of_month(self, number: int, zone: ZoneInfo) -> Sequence[_OccurrenceDays]:
        """Return the occurrences that overlap a month, with their days in `zone`, sorted."""
        return self._cache.get_or_make(
            (number, zone.key), lambda: sorted(_place(event, zone) for event in self._month(number))
        )

    def _month(self, number: int) -> Sequence[EventOccurrence]:
        """Return the occurrences that overlap a month (UTC), including its margins."""
        rows = [span.row for span in self._series if span.first <= number <= span.last]
        rows += self._single.get(number, ())
        if not rows:
            return ()
        return self._cache.get_or_make((number, ""), lambda: _expand(rows, number))

    @cached_property
    def _months_with_single_events(self) -> list[int]:
        return sorted(self._single)

    def _numbers_after(self, number: int) -> Iterator[int]:
        last = max((span.last for span in self._series), default=0)
        later = self._months_with_single_events[
            bisect_right(self._months_with_single_events, number) :
        ]
        yield from sorted({*range(number + 1, last + 1), *later})

    def _numbers_before(self, number: int) -> Iterator[int]:
        """Iterate over earlier months in which anything can occur, the latest first."""
        first = min((span.first for span in self._series), default=number)
        earlier = self._months_with_single_events[
            : bisect_left(self._months_with_single_events, number)
        ]
        yield from sorted({*range(first, number), *earlier}, reverse=True)


class CombinedTimeline(Timeline):
    """Several timelines as one; it uses the caches of its parts."""

    def __init__(self, parts: Sequence[Timeline]) -> None:
        super().__init__([span for part in parts for span in part._spans])
        self._parts = parts

    def _month(self, number: int) -> Sequence[EventOccurrence]:
        return [event for part in self._parts for event in part._month(number)]


class _FilteredTimeline(Timeline):
    """A timeline of most events of `whole`, which filters the months that `whole` has cached."""

    def __init__(
        self, whole: Timeline, chosen: Sequence[Span], wanted: Callable[[EventRow], bool]
    ) -> None:
        self._whole, self._spans, self._wanted = whole, chosen, wanted

    def _days_of_month(self, number: int, zone: ZoneInfo) -> Sequence[_OccurrenceDays]:
        days = self._whole._days_of_month(number, zone)
        return [each for each in days if self._wanted(each.event.row)]

    def _month(self, number: int) -> Sequence[EventOccurrence]:
        return [event for event in self._whole._month(number) if self._wanted(event.row)]

    def _numbers_after(self, number: int) -> Iterator[int]:
        return self._whole._numbers_after(number)

    def _numbers_before(self, number: int) -> Iterator[int]:
        return self._whole._numbers_before(number)


def is_on_days(event: Event) -> bool:
    """Whether a table of days shows an event: it has a date, known to within a week."""
    return event.on_hold is None and not event.day_open


def list_days_of(found: EventOccurrence, zone: ZoneInfo) -> tuple[date, date]:
    """Return an occurrence's first and last day in a list; both the latest if it is uncertain."""
    first, last = days_of(found.occurrence, zone)
    return (last, last) if found.row.revision.event.precision is not None else (first, last)


def days_of(occurrence: Occurrence, zone: ZoneInfo) -> tuple[date, date]:
    """Return the first and last day of an occurrence in `zone`.

    An all-day date is the same day everywhere. An occurrence that ends at midnight is not on the
    day that begins then.
    """
    start, end = occurrence.start, occurrence.end
    if not isinstance(start, datetime):
        return start, max(start, end - timedelta(days=1)) if end is not None else start
    first = occurrence.begins.astimezone(zone).date()
    if occurrence.ends <= occurrence.begins:
        return first, first
    return first, (occurrence.ends - timedelta(microseconds=1)).astimezone(zone).date()


def _count(_: object, occurrences: Sequence[Any]) -> int:
    return len(occurrences) + 1


def _place(event: EventOccurrence, zone: ZoneInfo) -> _OccurrenceDays:
    occurrence = event.occurrence
    first, last = list_days_of(event, zone)
    earliest, _ = days_of(occurrence, zone)
    timed = isinstance(occurrence.start, datetime)
    return _OccurrenceDays(
        first, timed, occurrence.begins, event.row.uid, occurrence.id, last, earliest, event
    )


def make_span(row: EventRow) -> Span:
    """Return an event with the months in which it can occur."""
    event = row.revision.event
    ends = event.instant(event.end or event.start)
    if event.repeat is not None:
        year = min(row.last_year, LAST_YEAR)  # the last one shown, if the series has no end
        ends = datetime(year, 12, 31, tzinfo=UTC)
    return Span(_number(first_start(event) - _MONTH_MARGIN), _number(ends + _MONTH_MARGIN), row)


def first_start(event: Event) -> datetime:
    """Return when the first occurrence of an event starts (UTC)."""
    starts = [event.start]
    if event.repeat is not None:
        starts += event.repeat.also
        starts += [change.start for change in event.repeat.changes if change.start is not None]
    return min(event.instant(start) for start in starts)


def _expand(rows: Iterable[EventRow], number: int) -> tuple[EventOccurrence, ...]:
    """Return the occurrences of events that overlap a month and its margins."""
    after = datetime.combine(_first_day(number), datetime.min.time(), UTC) - _MONTH_MARGIN
    before = datetime.combine(_last_day(number), datetime.min.time(), UTC) + 2 * _MONTH_MARGIN
    return tuple(
        EventOccurrence(row, occurrence)
        for row in rows
        for occurrence in expand(
            row.revision.event, after - longest_duration(row.revision.event), before
        )
        if occurrence.ends >= after
    )


def longest_duration(event: Event) -> timedelta:
    """Return the length of the longest occurrence of an event."""
    changes = event.repeat.changes if event.repeat else ()
    lengths = [
        event.instant(change.end) - event.instant(change.start or change.original)
        for change in changes
        if change.end is not None
    ]
    return max([length_of(event), *lengths])


def _number(day: date) -> int:
    """Return the number of months from the year 0 to a day."""
    return day.year * 12 + day.month - 1


def _first_day(number: int) -> date:
    return date(number // 12, number % 12 + 1, 1)


def _last_day(number: int) -> date:
    return _first_day(number + 1) - timedelta(days=1)
