"""Durations in words: "1 month", "2 weeks", "1 hour 30 minutes"."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from dateutil.relativedelta import relativedelta

from calfeed.errors import InvalidValueError

_UNITS = {
    "year": (12, 0, 0),
    "month": (1, 0, 0),
    "week": (0, 7, 0),
    "day": (0, 1, 0),
    "hour": (0, 0, 60),
    "minute": (0, 0, 1),
}
_PART = re.compile(r"(\d{1,5})\s*([a-z]+)")
_MAX_MONTHS, _MAX_DAYS, _MAX_MINUTES = 120, 3660, 527040


@dataclass(frozen=True, order=True)
class Duration:
    """A duration with a calendar part and an exact part.

    `months` and `days` keep the wall clock time across clock changes (one day before 09:00 is
    09:00); `minutes` are elapsed time. All are zero or more.
    """

    months: int = 0
    days: int = 0
    minutes: int = 0

    @property
    def on_calendar(self) -> bool:
        """Whether there are no hours or minutes, so that a time of day can be chosen."""
        return self.minutes == 0

    @lru_cache(maxsize=1024)  # noqa: B019 (few distinct values, three numbers each)
    def __str__(self) -> str:
        """Format the duration in the largest units that fit ("1 week", "1 day 12 hours")."""
        years, months = divmod(self.months, 12)
        weeks, days = divmod(self.days, 7)
        if days:
            weeks, days = 0, self.days
        hours, minutes = divmod(self.minutes, 60)
        counts = zip(
            ("year", "month", "week", "day", "hour", "minute"),
            (years, months, weeks, days, hours, minutes),
            strict=True,
        )
        words = [f"{count} {unit}{'' if count == 1 else 's'}" for unit, count in counts if count]
        return " ".join(words) or "0 minutes"

    def before(self, moment: datetime) -> datetime:
        """Return the aware datetime this long before `moment`, in the zone of `moment`.

        30 June minus 1 month is 30 May; 31 March minus 1 month is the last day of February. A
        wall time in a gap uses the offset before the gap (RFC 5545, 3.3.5); an ambiguous one is
        the first.
        """
        wall = moment.replace(tzinfo=None) - self._calendar_part
        if self.months or self.days:
            moment = wall.replace(tzinfo=moment.tzinfo, fold=0)
        instant = moment.astimezone(UTC) - timedelta(minutes=self.minutes)
        return instant.astimezone(moment.tzinfo)

    def after(self, moment: datetime) -> datetime:
        """Return the aware datetime this long after `moment`, by the rules of `before`."""
        wall = moment.replace(tzinfo=None) + self._calendar_part
        if self.months or self.days:
            moment = wall.replace(tzinfo=moment.tzinfo, fold=0)
        instant = moment.astimezone(UTC) + timedelta(minutes=self.minutes)
        return instant.astimezone(moment.tzinfo)

    def after_day(self, day: date) -> date:
        """Return the day this long after `day`; requires `on_calendar`."""
        return day + self._calendar_part

    def before_day(self, day: date) -> date:
        """Return the day this long before `day`; requires `on_calendar`."""
        return day - self._calendar_part

    @property
    def _calendar_part(self) -> timedelta | relativedelta:
        """The months and days; a timedelta, which is faster, if there are no months."""
        days = timedelta(days=self.days)
        return relativedelta(months=self.months, days=self.days) if self.months else days


def parse_duration(text: str) -> Duration:
    """Parse "1 month", "2 weeks", "1 hour 30 minutes".

    Raises ValueError for anything else, and for more than ten years (one year of hours and
    minutes).
    """
    words = text.strip().lower()
    months = days = minutes = 0
    position = 0
    for part in _PART.finditer(words):
        if words[position : part.start()].strip(" ,"):
            break
        unit = _UNITS.get(part[2].removesuffix("s"))
        if unit is None:
            break
        count = int(part[1])
        months += unit[0] * count
        days += unit[1] * count
        minutes += unit[2] * count
        position = part.end()
    if position == 0 or words[position:].strip():
        raise InvalidValueError(
            text,
            'is not a valid duration; write a number and a unit, such as "1 month", '
            '"2 weeks", "3 days", "12 hours" or "45 minutes"',
        )
    if months > _MAX_MONTHS or days > _MAX_DAYS or minutes > _MAX_MINUTES:
        raise InvalidValueError(text, "is too long; the maximum is 10 years, or 8784 hours")
    return Duration(months, days, minutes)
