"""Working days: the rules for them, and counting them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Protocol

from pydantic import BaseModel, ConfigDict

Day = date  # a field called `date` hides the type of that name

MAX_WORKING_DAYS = 2_000
"""The maximum number of working days that a rule counts: about eight years."""

_MAX_CLOSED_DAYS = 400
"""The maximum number of consecutive days that are not working days.

After that many, it is assumed that a calendar has no working days.
"""


class NoWorkingDayError(ValueError):
    """A calendar has no working days, or too few to count."""


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Closure(_Value):
    """A closed day in addition to weekends and holidays; `title` is the reason, by language."""

    date: Day
    title: dict[str, str] = {}


class WorkingDayRules(_Value):
    """The working days of a calendar.

    `holidays` are the regions (ISO 3166: `PK`, `GB-SCT`) whose holidays are not working days.
    `weekend` has days of the week (0 is Monday); None means the weekends of the regions. `closed`
    and `open` are the calendar's own exceptions.
    """

    holidays: tuple[str, ...] = ()
    weekend: tuple[int, ...] | None = None
    closed: tuple[Closure, ...] = ()
    open: tuple[Day, ...] = ()


@dataclass(frozen=True)
class Holiday:
    """A holiday's name by language; an estimated holiday may be proclaimed for another day."""

    name: Mapping[str, str]
    estimated: bool = False


class HolidayData(Protocol):
    """Holidays and weekends of regions, from one release of a library."""

    @property
    def release(self) -> str:
        """The library and its version: "holidays 0.109"."""

    def find_holiday(self, region: str, day: date) -> Holiday | None:
        """Return the holiday of a region on a day. Raises ValueError for a year without data."""

    def is_weekend(self, region: str, day: date) -> bool:
        """Return whether a day is a weekend day without work in a region."""


class SkippedDay(_Value):
    """A day that was not counted, because it is not a working day.

    `name` is that of the holiday or closed day, by language; it is empty for a weekend. `closed`
    means that the day is one of the calendar's own closed days, which may have no name either.
    """

    date: Day
    name: dict[str, str] = {}
    estimated: bool = False
    closed: bool = False


class Count(_Value):
    """The result of counting: the day reached, and the days that were not counted, in order.

    `estimated` means that an estimated holiday is in the counted period, or on its first day. Such
    a holiday may be proclaimed for another day, so the result is provisional.
    """

    day: Day
    skipped: tuple[SkippedDay, ...] = ()
    estimated: bool = False


ALWAYS_NAMED = ("ur", "ps", "fa")
"""The languages in which every counted date has the names of skipped holidays.

English and the calendar's own language are added. More languages here would change events that are
already published.
"""


class WorkingDays:
    """The working days of a calendar, by its rules and by data about holidays.

    `language` (BCP 47 tag) is that of the calendar; holidays are named in it too.
    """

    def __init__(self, rules: WorkingDayRules, data: HolidayData, language: str = "en") -> None:
        self.rules = rules
        self._named = {"en", *ALWAYS_NAMED, language.split("-")[0]}
        self._data = data
        self._known: dict[date, SkippedDay | None] = {}
        self._counts: dict[tuple[date, int], Count] = {}

    @cached_property
    def _closed(self) -> Mapping[date, Mapping[str, str]]:
        return {closure.date: closure.title for closure in self.rules.closed}

    @cached_property
    def _open(self) -> frozenset[date]:
        return frozenset(self.rules.open)

    def find_reason(self, day: date) -> SkippedDay | None:
        """Return why a day is not a working day, None if it is a working day."""
        if day not in self._known:
            self._known[day] = self._find_reason(day)
        return self._known[day]

    def _find_reason(self, day: date) -> SkippedDay | None:
        if day in self._open:
            return None
        if day in self._closed:
            return SkippedDay(date=day, name=dict(self._closed[day]), closed=True)
        regions = self.rules.holidays
        for region in regions:
            holiday = self._data.find_holiday(region, day)
            if holiday is not None:
                name = {tag: text for tag, text in holiday.name.items() if tag in self._named}
                return SkippedDay(date=day, name=name, estimated=holiday.estimated)
        if self.rules.weekend is not None or not regions:
            weekend = (5, 6) if self.rules.weekend is None else self.rules.weekend
            return SkippedDay(date=day) if day.weekday() in weekend else None
        closed = any(self._data.is_weekend(region, day) for region in regions)
        return SkippedDay(date=day) if closed else None

    def count(self, day: date, number: int) -> Count:
        """Count working days after `day`, or before it if `number` is negative.

        The day itself does not count: counting 1 returns the first working day after `day`.
        """
        if (day, number) not in self._counts:
            self._counts[day, number] = self._count(day, number)
        return self._counts[day, number]

    def _count(self, day: date, number: int) -> Count:
        # The first day itself is not counted, but an estimated holiday may move from there to a
        # counted day.
        start = self.find_reason(day)
        uncertain = start is not None and start.estimated
        skipped, left = [], abs(number)
        for each in _walk(day, 1 if number > 0 else -1):
            reason = self.find_reason(each)
            if reason is None:
                left -= 1
            else:
                skipped.append(reason)
            if left == 0:
                return _make_count(each, skipped, uncertain)
            _check_length(each, day, number)
        raise AssertionError

    def roll(self, day: date, step: int) -> Count:
        """Return the day if it is a working day, else the next (1) or the previous one (-1)."""
        skipped = []
        while (reason := self.find_reason(day)) is not None:
            skipped.append(reason)
            day += timedelta(days=step)
            _check_length(day, skipped[0].date, 1)
        return _make_count(day, skipped)


def _walk(day: date, step: int) -> Iterator[date]:
    while True:
        day += timedelta(days=step)
        yield day


def max_distance(number: int) -> timedelta:
    """Return the longest time in which this number of working days is searched."""
    return timedelta(days=_MAX_CLOSED_DAYS + 8 * abs(number))


def _check_length(day: date, start: date, number: int) -> None:
    if abs(day - start) > max_distance(number):
        raise NoWorkingDayError(f"there are no working days around {start}")


def _make_count(day: date, skipped: list[SkippedDay], uncertain: bool = False) -> Count:
    in_order = tuple(sorted(skipped, key=lambda each: each.date))
    estimated = uncertain or any(each.estimated for each in skipped)
    return Count(day=day, skipped=in_order, estimated=estimated)
