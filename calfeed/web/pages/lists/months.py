"""Month and year views: grids of days in the reader's time zone."""

from __future__ import annotations

import re
from calendar import Calendar as Weeks
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import NamedTuple

from calfeed.web.pages.lists.entries import Entry
from calfeed.web.pages.lists.marks import find_marks
from calfeed.web.pages.reader.dates import write_month, write_number, write_part, write_year
from calfeed.web.pages.reader.languages import Reader
from calfeed.web.pages.reader.wording import ngettext
from calfeed.web.published.timeline import EventOccurrence, Timeline

FIRST_YEAR, LAST_YEAR = 1900, 2199

_MAX_TITLES = 4
"""The maximum number of titles for a day in a year view; further dates are only counted."""


@dataclass(frozen=True)
class Day:
    """A cell of a month, empty if it is not `inside` the month."""

    day: date
    inside: bool
    found: Sequence[EventOccurrence]
    reader: Reader
    now: datetime

    @property
    def today(self) -> bool:
        return self.day == self.reader.today(self.now)

    @property
    def anchor(self) -> str:
        return f"d{self.day}"

    @cached_property
    def entries(self) -> list[Entry]:
        return self._show(len(self.found))

    @cached_property
    def titles(self) -> str:
        titles = [entry.summary.text for entry in self._show(_MAX_TITLES)]
        if more := len(self.found) - len(titles):
            count = write_number(more, self.reader.language)
            titles.append(ngettext("%(count)s more", "%(count)s more", more, count=count))
        return " · ".join(titles)

    @cached_property
    def kinds(self) -> frozenset[str]:
        return frozenset().union(*self._marks)

    @property
    def cancelled(self) -> bool:
        return all("cancelled" in marks for marks in self._marks)

    @cached_property
    def _marks(self) -> list[frozenset[str]]:
        return [find_marks(row, occurrence) for row, occurrence in self.found]

    def _show(self, count: int) -> list[Entry]:
        return [
            Entry(row, occurrence, self.reader, self.now) for row, occurrence in self.found[:count]
        ]


class Weekday(NamedTuple):
    """The name of a day of the week: "M", "Mon", "Monday"."""

    letter: str
    short: str
    name: str


@dataclass(frozen=True)
class Month:
    """A month as weeks of days; `key` is "2027-06"."""

    name: str
    key: str
    weekdays: Sequence[Weekday]
    weeks: Sequence[Sequence[Day]]


@dataclass(frozen=True)
class DateGrid:
    """A month or year view, with the keys of the previous and next one.

    The keys are empty at the limits of the range. `current` is true if the view contains
    today. `open` are the dates that may be on its days, but are not shown on any day, because they
    are not known to within a week.
    """

    name: str
    months: Sequence[Month]
    before: str
    after: str
    current: bool
    open: Sequence[Entry]

    @cached_property
    def kinds(self) -> frozenset[str]:
        beside = (entry.marks for entry in self.open)
        return frozenset().union(*beside, *(day.kinds for day in self._days))

    @property
    def empty(self) -> bool:
        return not self.open and not any(day.found for day in self._days)

    @property
    def _days(self) -> list[Day]:
        return [day for month in self.months for week in month.weeks for day in week]


def make_month_grid(timeline: Timeline, first: date, now: datetime, reader: Reader) -> DateGrid:
    before, after = step_month(first, -1), step_month(first, 1)
    last = after - timedelta(days=1)
    by_day = timeline.by_day(first, last, reader.zone)
    month = _make_month(by_day, first, now, reader)
    return DateGrid(
        name=month.name,
        months=[month],
        before=f"{before:%Y-%m}" if before.year >= FIRST_YEAR else "",
        after=f"{after:%Y-%m}" if after.year <= LAST_YEAR else "",
        current=first == reader.today(now).replace(day=1),
        open=_list_open(timeline, first, last, now, reader),
    )


def make_year_grid(timeline: Timeline, year: int, now: datetime, reader: Reader) -> DateGrid:
    first = date(year, 1, 1)
    by_day = timeline.by_day(first, date(year, 12, 31), reader.zone)
    return DateGrid(
        name=write_year(first, reader.language),
        months=[
            _make_month(by_day, date(year, month, 1), now, reader, year=False)
            for month in range(1, 13)
        ],
        before=str(year - 1) if year > FIRST_YEAR else "",
        after=str(year + 1) if year < LAST_YEAR else "",
        current=year == reader.today(now).year,
        open=_list_open(timeline, first, date(year, 12, 31), now, reader),
    )


def _list_open(
    timeline: Timeline, first: date, last: date, now: datetime, reader: Reader
) -> list[Entry]:
    """Return dates that may be in a period, and are not known to within a week, by last day."""
    found = [
        Entry(row, occurrence, reader, now)
        for row, occurrence in timeline.overlapping(first, last, reader.zone)
        if row.revision.event.day_open and row.revision.event.on_hold is None
    ]
    return sorted(found, key=lambda entry: entry.until)


def _make_month(
    by_day: Mapping[date, Sequence[EventOccurrence]],
    first: date,
    now: datetime,
    reader: Reader,
    *,
    year: bool = True,
) -> Month:
    """Return a month; its name has the year if `year` is true.

    The first weekday is that of the site, or else of the language's locale.
    """
    language = reader.language
    weeks = Weeks(language.first_weekday).monthdatescalendar(first.year, first.month)
    return Month(
        name=write_month(first, language, year=year),
        key=f"{first:%Y-%m}",
        weekdays=[
            Weekday(*(write_part(day, width, language) for width in ("EEEEE", "EEE", "EEEE")))
            for day in weeks[1]
        ],
        weeks=[
            [
                Day(day, inside, by_day.get(day, ()) if inside else (), reader, now)
                for day in week
                for inside in [day.month == first.month]
            ]
            for week in weeks
        ],
    )


def read_month(text: str, today: date) -> date | None:
    """Parse "2027-06" as the first day of the month; "" means this month; None if not valid."""
    if not text:
        return today.replace(day=1)
    found = re.fullmatch(r"(\d{4})-(0[1-9]|1[0-2])", text, re.ASCII)
    if found is None or not FIRST_YEAR <= int(found[1]) <= LAST_YEAR:
        return None
    return date(int(found[1]), int(found[2]), 1)


def read_year(text: str, today: date) -> int | None:
    """Parse "2027"; "" means this year; None if not valid."""
    if not text:
        return today.year
    if re.fullmatch(r"\d{4}", text, re.ASCII) is None:
        return None
    return year if FIRST_YEAR <= (year := int(text)) <= LAST_YEAR else None


def step_month(first: date, months: int) -> date:
    """Return the first day of the month that is `months` later; it is earlier if negative."""
    number = first.year * 12 + first.month - 1 + months
    return date(number // 12, number % 12 + 1, 1)
