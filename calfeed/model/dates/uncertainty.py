"""Uncertain dates: a date falls within a span of days, known with some precision.

A span has the earliest and the latest possible day. Its precision says how the date was written (as
a month, a quarter and so on), and determines the text of the span and its EDTF form (Extended
Date/Time Format, Library of Congress, 2019).
"""

from __future__ import annotations

from datetime import date, timedelta
from enum import StrEnum
from typing import NamedTuple

MAX_SHORT_SPAN = 7
"""The maximum number of days of a span that calendars show on all of its days.

The day of an event with a longer span is called open.
"""


class Precision(StrEnum):
    """How precisely a date is known: `time` means that the day is certain, but not its time."""

    TIME = "time"
    RANGE = "range"
    PART = "part"
    MONTH = "month"
    QUARTER = "quarter"
    HALF = "half"
    SEASON = "season"
    YEAR = "year"


class Span(NamedTuple):
    """The earliest and the latest possible day of a date."""

    earliest: date
    latest: date
    precision: Precision

    @property
    def days(self) -> int:
        """The number of days in the span."""
        return (self.latest - self.earliest).days + 1


PARTS = ("early", "mid", "late")
"""The parts of a month: days 1 to 10, 11 to 20, and the rest."""

SEASONS = ("spring", "summer", "autumn", "winter")
"""The seasons of the northern hemisphere, three whole months each; winter begins in December."""


def make_year(year: int) -> Span:
    """Return the span of a year."""
    return Span(date(year, 1, 1), date(year, 12, 31), Precision.YEAR)


def make_half(year: int, half: int) -> Span:
    """Return the span of a half of a year, 1 or 2."""
    return Span(*_months(year, 6 * half - 5, 6), Precision.HALF)


def make_quarter(year: int, quarter: int) -> Span:
    """Return the span of a quarter of a year, from 1 to 4."""
    return Span(*_months(year, 3 * quarter - 2, 3), Precision.QUARTER)


def make_season(year: int, season: str) -> Span:
    """Return the span of a season; the winter of a year ends in the next year."""
    return Span(*_months(year, 3 * SEASONS.index(season) + 3, 3), Precision.SEASON)


def make_month(year: int, month: int) -> Span:
    """Return the span of a month."""
    return Span(*_months(year, month, 1), Precision.MONTH)


def make_part(year: int, month: int, part: str) -> Span:
    """Return the span of a part of a month."""
    first, last = _months(year, month, 1)
    number = PARTS.index(part)
    begin = first + timedelta(days=10 * number)
    return Span(begin, last if number == 2 else begin + timedelta(days=9), Precision.PART)


def make_range(earliest: date, latest: date) -> Span:
    """Return the span of a date that falls on one of these days."""
    return Span(earliest, latest, Precision.RANGE)


def name_part(span: Span) -> str:
    """Return the part of the month that a span covers."""
    return PARTS[min(2, (span.earliest.day - 1) // 10)]


def name_season(span: Span) -> str:
    """Return the season that a span covers."""
    return SEASONS[span.earliest.month // 3 - 1]


def write_edtf(span: Span) -> str:
    """Return the span in EDTF, level 2: `2030-06`, `2030-35`, `[2030-06-03..2030-06-07]`.

    EDTF has no form for early, mid- and late months, so they are written as a range.
    """
    first, year = span.earliest, f"{span.earliest.year:04}"
    match span.precision:
        case Precision.YEAR:
            return year
        case Precision.HALF:
            return f"{year}-{40 + first.month // 7}"
        case Precision.QUARTER:
            return f"{year}-{33 + first.month // 3}"
        case Precision.SEASON:
            return f"{year}-{21 + SEASONS.index(name_season(span))}"
        case Precision.MONTH:
            return f"{year}-{first.month:02}"
        case Precision.TIME:
            return first.isoformat()
    return f"[{first}..{span.latest}]"


def _months(year: int, month: int, count: int) -> tuple[date, date]:
    """Return the first and the last day of `count` months, the first of which is `month`."""
    after = year * 12 + month - 1 + count
    return date(year, month, 1), date(after // 12, after % 12 + 1, 1) - timedelta(days=1)
