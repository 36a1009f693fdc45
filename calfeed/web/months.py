"""Months and years as tables, and the occurrences that the calendar of the browser asks for."""

from __future__ import annotations

import re
from calendar import Calendar as Weeks
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from calfeed.definitions.colors import COLORS
from calfeed.store.catalog import EventRow
from calfeed.web.agenda import Entry, entries_between
from calfeed.web.dates import write_part
from calfeed.web.languages import Language, Reader

FIRST_YEAR, LAST_YEAR = 1900, 2199
"""The years that can be looked at."""

_LONGEST_WINDOW = timedelta(days=800)
_MOST_OCCURRENCES = 2_000


@dataclass(frozen=True)
class Day:
    """One cell of a month; `number` is empty for the days of the months beside it."""

    day: date
    inside: bool
    today: bool
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class Month:
    """A month as weeks of days, with the names of the weekdays, short and in full."""

    name: str
    key: str
    weekdays: tuple[tuple[str, str], ...]
    weeks: tuple[tuple[Day, ...], ...]


def make_month(
    rows: Iterable[EventRow], first: date, now: datetime, reader: Reader, pattern: str = "LLLL y"
) -> Month:
    """The month that begins on `first`; the week begins as it does where the language is at home.

    `pattern` is how its name is written (CLDR). "Today" is the day in UTC.
    """
    language = reader.language
    weeks = Weeks(language.locale.first_week_day).monthdatescalendar(first.year, first.month)
    inside = [day for week in weeks for day in week if day.month == first.month]
    by_day: dict[date, list[Entry]] = {}
    for entry in entries_between(rows, inside[0], inside[-1], now, reader):
        day = max(entry.day, inside[0])
        while day <= min(entry.until, inside[-1]):
            by_day.setdefault(day, []).append(entry)
            day += timedelta(days=1)
    today = now.astimezone(UTC).date()
    return Month(
        name=write_part(first, pattern, language),
        key=f"{first:%Y-%m}",
        weekdays=tuple(
            (write_part(day, "EEE", language), write_part(day, "EEEE", language))
            for day in weeks[1]
        ),
        weeks=tuple(
            tuple(
                Day(day, day.month == first.month, day == today, tuple(by_day.get(day, ())))
                for day in week
            )
            for week in weeks
        ),
    )


@dataclass(frozen=True)
class Look:
    """What a month or a year view shows, with the keys of the ones beside it.

    `before` and `after` are empty at the ends of what there is; `key` is the first day shown.
    """

    name: str
    key: str
    months: tuple[Month, ...]
    before: str
    after: str
    week_begins: int


def look_at_month(rows: Sequence[EventRow], first: date, now: datetime, reader: Reader) -> Look:
    """A month, and the ones before and after it."""
    month = make_month(rows, first, now, reader)
    before, after = step_month(first, -1), step_month(first, 1)
    return Look(
        name=month.name,
        key=f"{first}",
        months=(month,),
        before=f"{before:%Y-%m}" if before.year >= FIRST_YEAR else "",
        after=f"{after:%Y-%m}" if after.year <= LAST_YEAR else "",
        week_begins=weekday_of(reader.language),
    )


def look_at_year(rows: Sequence[EventRow], year: int, now: datetime, reader: Reader) -> Look:
    """The twelve months of a year, and the years before and after it."""
    months = (make_month(rows, date(year, month, 1), now, reader, "LLLL") for month in range(1, 13))
    return Look(
        name=write_part(date(year, 1, 1), "y", reader.language),
        key=f"{year}-01-01",
        months=tuple(months),
        before=str(year - 1) if year > FIRST_YEAR else "",
        after=str(year + 1) if year < LAST_YEAR else "",
        week_begins=weekday_of(reader.language),
    )


def read_month(text: str, now: datetime) -> date | None:
    """The first day of "2027-06", of this month where nothing is given; None for anything else."""
    if not text:
        return now.astimezone(UTC).date().replace(day=1)
    found = re.fullmatch(r"(\d{4})-(0[1-9]|1[0-2])", text, re.ASCII)
    if found is None or not FIRST_YEAR <= int(found[1]) <= LAST_YEAR:
        return None
    return date(int(found[1]), int(found[2]), 1)


def read_year(text: str, now: datetime) -> int | None:
    """The year "2027", this year where nothing is given; None for anything else."""
    if not text:
        return now.astimezone(UTC).year
    if re.fullmatch(r"\d{4}", text, re.ASCII) is None:
        return None
    return year if FIRST_YEAR <= (year := int(text)) <= LAST_YEAR else None


def step_month(first: date, months: int) -> date:
    """The first day of a month so many months later."""
    number = first.year * 12 + first.month - 1 + months
    return date(number // 12, number % 12 + 1, 1)


def read_window(start: str, end: str, now: datetime) -> tuple[date, date] | None:
    """The days that a calendar in the browser shows, from `start` until before `end` (ISO 8601).

    Without them a year back and a year ahead; None where they are no days or too many.
    """
    if not start and not end:
        today = now.astimezone(UTC).date()
        return date(today.year - 1, 1, 1), date(today.year + 2, 1, 1)
    try:
        first, last = date.fromisoformat(start[:10]), date.fromisoformat(end[:10])
    except ValueError:
        return None
    inside = first.year > FIRST_YEAR and last.year < LAST_YEAR
    fits = inside and timedelta() <= last - first <= _LONGEST_WINDOW
    return (first, last) if fits else None


def list_occurrences(
    rows: Iterable[EventRow],
    window: tuple[date, date],
    now: datetime,
    reader: Reader,
    color: str | None,
) -> list[dict[str, Any]]:
    """What happens in a window as FullCalendar reads it; `end` is exclusive."""
    found = []
    first, last = window[0], window[1] - timedelta(days=1)
    for entry in entries_between(rows, first, last, now, reader)[:_MOST_OCCURRENCES]:
        start, end = entry.occurrence.start, entry.occurrence.end
        marks = ("cancelled", "tentative", "deadline")
        found.append(
            {
                "title": entry.summary.text,
                "lang": entry.summary.language,
                "start": start.isoformat(),
                "end": end.isoformat() if end is not None else None,
                "allDay": not isinstance(start, datetime),
                "url": entry.address,
                "color": COLORS.get(color or ""),
                "classNames": [name for name in marks if getattr(entry, name)],
            }
        )
    return found


def weekday_of(language: Language) -> int:
    """The day a week begins with as JavaScript counts: Sunday is 0."""
    return (language.locale.first_week_day + 1) % 7
