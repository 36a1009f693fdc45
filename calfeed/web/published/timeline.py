"""What takes place when: an index of events by time, made once for each published state.

A page asks for days as its reader counts them: `touching` gives what is on some days, such as
those of a month, `by_day` the same for each of them, `following` what comes from a day on,
`preceding` what began before it, and `beginning` what begins between two moments. Only the events
that can be there are expanded, and the months that were asked for last are kept, so that the next
page finds them ready. A timeline lives as long as its calendar does not change.

    timeline = snapshot.timeline            # of all public calendars
    timeline = snapshot.timelines[slug]     # of one calendar
    for one in timeline.touching(date(2027, 6, 1), date(2027, 6, 30), zone):
        one.row, one.occurrence
    first_sixty = list(islice(timeline.following(today, zone), 60))

`choose` gives a timeline of some of the events, for a category or a search. `following` and
`preceding` are lazy, and an endless series goes on until the year 2200: take as many as are shown.
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
from calfeed.model.events import Event, length_of
from calfeed.model.years import LAST_YEAR
from calfeed.store.rows import EventRow
from calfeed.web.published.bounded_cache import Kept

_ROOM = timedelta(days=2)
"""Around a month (UTC), so that it holds all that is in it anywhere: zones reach from -12 to +14
hours, and a date without a time is the same day everywhere."""

_LONG = 24
"""Months. What may be in more is looked through for each month, as series are."""

_KEPT = 3
"""Occurrences that a timeline keeps for each of its events; each takes about 500 bytes."""

_KEPT_AT_LEAST = 1_000

_PREPARED = 12
"""Months that are expanded ahead."""


class EventOccurrence(NamedTuple):
    """An occurrence, and the event that it is one of."""

    row: EventRow
    occurrence: Occurrence


class _Placed(NamedTuple):
    """An occurrence on the days of a reader; as tuples, they sort in the order of a page."""

    first: date
    timed: bool
    begins: datetime
    uid: str
    id: str
    last: date
    one: EventOccurrence


@dataclass(frozen=True, slots=True)
class Span:
    """An event, with the first and the last month (UTC) in which it can be, as numbers."""

    first: int
    last: int
    row: EventRow


class Timeline:
    """Events by the time at which they take place; see the module's docstring."""

    def __init__(self, spans: Sequence[Span] = ()) -> None:
        most = _KEPT_AT_LEAST + _KEPT * len(spans)
        self._months: Kept[tuple[int, str], Sequence[Any]] = Kept(most, _count)
        self._spans = spans
        self._single: dict[int, list[EventRow]] = {}
        self._series: list[Span] = []
        for span in spans:
            if span.row.revision.event.repeat is not None or span.last - span.first > _LONG:
                self._series.append(span)
            else:
                for number in range(span.first, span.last + 1):
                    self._single.setdefault(number, []).append(span.row)

    def choose(self, wanted: Callable[[EventRow], bool]) -> Timeline:
        """The timeline of some of the events."""
        chosen = [span for span in self._spans if wanted(span.row)]
        if 2 * len(chosen) > len(self._spans):
            return _Most(self, chosen, wanted)
        return Timeline(chosen)

    def prepare(self, today: date) -> None:
        """Expand the year that begins with a day, before anybody asks for it."""
        for number in range(_number(today), _number(today) + _PREPARED + 1):
            self._month(number)

    def touching(self, first: date, last: date, zone: ZoneInfo) -> list[EventOccurrence]:
        """What takes place on the days from `first` to `last` of a reader in `zone`, in order.

        By the first of its days; what takes all day comes before what has a time.
        """
        return [placed.one for placed in self._touching(first, last, zone)]

    def by_day(self, first: date, last: date, zone: ZoneInfo) -> dict[date, list[EventOccurrence]]:
        """What takes place on each of these days of a reader in `zone`, in order."""
        found: dict[date, list[EventOccurrence]] = {}
        for placed in self._touching(first, last, zone):
            day = max(placed.first, first)
            while day <= min(placed.last, last):
                found.setdefault(day, []).append(placed.one)
                day += timedelta(days=1)
        return found

    def following(self, day: date, zone: ZoneInfo) -> Iterator[EventOccurrence]:
        """What is on `day` or later, for a reader in `zone`, in order; what is under way first."""
        yield from self.touching(day, _last_day(_number(day)), zone)
        for number in self._numbers_after(_number(day)):
            first = _first_day(number)
            for placed in self._touching(first, _last_day(number), zone):
                if placed.first >= first:
                    yield placed.one

    def preceding(self, day: date, zone: ZoneInfo) -> Iterator[EventOccurrence]:
        """What began before `day`, for a reader in `zone`, the latest first."""
        number = _number(day)
        for each in chain([number], self._numbers_before(number)):
            first, last = _first_day(each), min(_last_day(each), day - timedelta(days=1))
            for placed in reversed(self._touching(first, last, zone)):
                if placed.first >= first:
                    yield placed.one

    def beginning(self, after: datetime, before: datetime) -> Iterator[EventOccurrence]:
        """What begins in `after <= begins < before` (UTC), a date at midnight in its own zone."""
        last = before - timedelta(microseconds=1)
        for number in range(_number(after), _number(last) + 1):
            for one in self._month(number):
                begins = one.occurrence.begins
                if after <= begins < before and _number(begins) == number:
                    yield one

    def candidates(self, after: datetime, before: datetime) -> list[EventRow]:
        """The events that may have an occurrence, or a part of one, in a window (UTC)."""
        first, last = _number(after), _number(before)
        return [span.row for span in self._spans if span.first <= last and span.last >= first]

    def _touching(self, first: date, last: date, zone: ZoneInfo) -> list[_Placed]:
        numbers = range(_number(first), _number(last) + 1)
        return sorted(
            placed
            for number in numbers
            for placed in self._placed(number, zone)
            if placed.first <= last
            and placed.last >= first
            # Whatever is in two of the months is taken in the first of them.
            and number == max(_number(placed.first), numbers[0])
        )

    def _placed(self, number: int, zone: ZoneInfo) -> Sequence[_Placed]:
        """What touches a month, on the days of a reader in `zone`, in order."""
        return self._months.get(
            (number, zone.key), lambda: sorted(_place(one, zone) for one in self._month(number))
        )

    def _month(self, number: int) -> Sequence[EventOccurrence]:
        """What touches a month (UTC), with room before and after it."""
        rows = [span.row for span in self._series if span.first <= number <= span.last]
        rows += self._single.get(number, ())
        if not rows:
            return ()
        return self._months.get((number, ""), lambda: _expand(rows, number))

    @cached_property
    def _filled(self) -> list[int]:
        """The months that have single events, in order."""
        return sorted(self._single)

    def _numbers_after(self, number: int) -> Iterator[int]:
        """The months after one in which anything can be, in order."""
        last = max((span.last for span in self._series), default=0)
        later = self._filled[bisect_right(self._filled, number) :]
        yield from sorted({*range(number + 1, last + 1), *later})

    def _numbers_before(self, number: int) -> Iterator[int]:
        """The months before one in which anything can be, the latest first."""
        first = min((span.first for span in self._series), default=number)
        earlier = self._filled[: bisect_left(self._filled, number)]
        yield from sorted({*range(first, number), *earlier}, reverse=True)


class Joined(Timeline):
    """Several timelines as one, which uses what these have expanded."""

    def __init__(self, parts: Sequence[Timeline]) -> None:
        super().__init__([span for part in parts for span in part._spans])
        self._parts = parts

    def _month(self, number: int) -> Sequence[EventOccurrence]:
        return [one for part in self._parts for one in part._month(number)]


class _Most(Timeline):
    """Most of the events of a timeline, which uses what this one has expanded."""

    def __init__(
        self, whole: Timeline, chosen: Sequence[Span], wanted: Callable[[EventRow], bool]
    ) -> None:
        self._whole, self._spans, self._wanted = whole, chosen, wanted

    def _placed(self, number: int, zone: ZoneInfo) -> Sequence[_Placed]:
        return [one for one in self._whole._placed(number, zone) if self._wanted(one.one.row)]

    def _month(self, number: int) -> Sequence[EventOccurrence]:
        return [one for one in self._whole._month(number) if self._wanted(one.row)]

    def _numbers_after(self, number: int) -> Iterator[int]:
        return self._whole._numbers_after(number)

    def _numbers_before(self, number: int) -> Iterator[int]:
        return self._whole._numbers_before(number)


def days_of(occurrence: Occurrence, zone: ZoneInfo) -> tuple[date, date]:
    """The first and the last day of an occurrence for a reader in `zone`.

    A date without a time is the same day for everybody. What ends at midnight is not on the day
    that begins then.
    """
    start, end = occurrence.start, occurrence.end
    if not isinstance(start, datetime):
        return start, max(start, end - timedelta(days=1)) if end is not None else start
    first = occurrence.begins.astimezone(zone).date()
    if occurrence.ends <= occurrence.begins:
        return first, first
    return first, (occurrence.ends - timedelta(microseconds=1)).astimezone(zone).date()


def _count(_: object, found: Sequence[Any]) -> int:
    return len(found) + 1


def _place(one: EventOccurrence, zone: ZoneInfo) -> _Placed:
    occurrence = one.occurrence
    first, last = days_of(occurrence, zone)
    timed = isinstance(occurrence.start, datetime)
    return _Placed(first, timed, occurrence.begins, one.row.uid, occurrence.id, last, one)


def span_of(row: EventRow) -> Span:
    """When an event can take place."""
    event = row.revision.event
    starts = [event.start]
    ends = event.instant(event.end or event.start)
    if event.repeat is not None:
        starts += event.repeat.also
        starts += [change.start for change in event.repeat.changes if change.start is not None]
        year = min(row.last_year, LAST_YEAR)  # of a series without an end, the last that is shown
        ends = datetime(year, 12, 31, tzinfo=UTC)
    begins = min(event.instant(start) for start in starts)
    return Span(_number(begins - _ROOM), _number(ends + _ROOM), row)


def _expand(rows: Iterable[EventRow], number: int) -> tuple[EventOccurrence, ...]:
    """The occurrences of some events that touch a month with its room."""
    after = datetime.combine(_first_day(number), datetime.min.time(), UTC) - _ROOM
    before = datetime.combine(_last_day(number), datetime.min.time(), UTC) + 2 * _ROOM
    return tuple(
        EventOccurrence(row, occurrence)
        for row in rows
        for occurrence in expand(row.revision.event, after - _longest(row.revision.event), before)
        if occurrence.ends >= after
    )


def _longest(event: Event) -> timedelta:
    """The length of the longest occurrence."""
    changes = event.repeat.changes if event.repeat else ()
    lengths = [
        event.instant(change.end) - event.instant(change.start or change.original)
        for change in changes
        if change.end is not None
    ]
    return max([length_of(event), *lengths])


def _number(day: date) -> int:
    """The month of a day, or of a moment on its own clock: months are counted from the year 0."""
    return day.year * 12 + day.month - 1


def _first_day(number: int) -> date:
    return date(number // 12, number % 12 + 1, 1)


def _last_day(number: int) -> date:
    return _first_day(number + 1) - timedelta(days=1)
