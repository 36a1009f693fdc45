"""Expansion of recurrence rules, in wall times of the event's zone.

Every expansion is limited to a fixed number of steps, whatever the rule.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import islice, product, takewhile
from typing import Any, Literal, TypeAlias

from dateutil.rrule import DAILY, HOURLY, MONTHLY, WEEKLY, YEARLY, rrule, weekday

from calfeed.errors import InvalidInputError
from calfeed.model.dates.wall_times import wall_time
from calfeed.model.dates.years import LAST_YEAR

MAX_OCCURRENCES_WALKED = 50_000
"""The maximum number of occurrences that are expanded to find one."""

MAX_STEPS = 1_000_000
"""The maximum number of occurrences that are expanded for one imported file."""

_Frequency: TypeAlias = Literal[0, 1, 2, 3, 4]
FREQUENCIES: dict[str, _Frequency] = {
    "YEARLY": YEARLY,
    "MONTHLY": MONTHLY,
    "WEEKLY": WEEKLY,
    "DAILY": DAILY,
    "HOURLY": HOURLY,
}
_PERIODS = {"WEEKLY": timedelta(weeks=1), "DAILY": timedelta(days=1), "HOURLY": timedelta(hours=1)}
_DAY_PARTS = ("BYMONTH", "BYWEEKNO", "BYYEARDAY", "BYMONTHDAY", "BYSETPOS")
# How many periods (such as months, if FREQ=MONTHLY) are searched for the first date of a rule.
_MAX_SEARCH_PERIODS = 40
# Intervals that end an expansion after one period, because the next period is after the year 9999.
_ONE_YEAR_INTERVAL, _ONE_MONTH_INTERVAL = 10_000, 120_000


class StepBudget:
    """A budget of `MAX_STEPS` expanded occurrences, for example to import one file.

    It protects against hostile files.
    """

    def __init__(self) -> None:
        self._remaining = MAX_STEPS

    def spend(self, number: int) -> None:
        """Spend a number of steps; raise InvalidInputError if the budget is exhausted."""
        self._remaining -= number
        if self._remaining < 0:
            raise InvalidInputError(
                f"finding its dates takes more than {MAX_STEPS:,} steps; split the file"
            )


@dataclass(frozen=True)
class Rule:
    """A validated rule: `text` is its RRULE value, `start` the wall time of the event's start.

    `until` is inclusive. `numbers` holds the numeric BY parts by name. `days` holds BYDAY as pairs:
    the ordinal, which may be None, and the weekday (0 is Monday).
    """

    text: str
    start: datetime
    frequency: str
    interval: int = 1
    count: int | None = None
    until: datetime | None = None
    week_start: int = 0
    numbers: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    days: tuple[tuple[int | None, int], ...] = ()

    def starts(self, last: datetime, limit: int = MAX_OCCURRENCES_WALKED) -> list[datetime]:
        """Return the wall times of the occurrences up to `last`, at most `limit`."""
        return list(islice(takewhile(lambda start: start <= last, self.walk()), limit))

    def walk(self, since: datetime | None = None) -> rrule:
        """Return an iterable of the occurrences' wall times, in order.

        Occurrences before `since` may be omitted, so that old rules are as fast as new ones.
        """
        start, parts, numbers = self.start, self._day_parts(), self.numbers
        hour = None if self.frequency == "HOURLY" else start.hour
        # A rule with COUNT must be expanded from its start.
        if since is not None and since > start and self.count is None:
            parts = self._with_start_day(parts)
            start = self._last_period(since)
        return rrule(
            FREQUENCIES[self.frequency],
            dtstart=start,
            interval=self.interval,
            count=self.count,
            until=self.until,
            byhour=numbers.get("BYHOUR", hour),
            byminute=numbers.get("BYMINUTE", self.start.minute),
            bysecond=numbers.get("BYSECOND", self.start.second),
            **parts,
        )

    def _last_period(self, since: datetime) -> datetime:
        """Return the start of the rule's last period that begins at or before `since`."""
        start, interval = self.start, self.interval
        if self.frequency in ("MONTHLY", "YEARLY"):
            first = start.year * 12 + (start.month - 1 if self.frequency == "MONTHLY" else 0)
            step = interval if self.frequency == "MONTHLY" else 12 * interval
            months = first + (since.year * 12 + since.month - 1 - first) // step * step
            return datetime(months // 12, months % 12 + 1, 1)  # noqa: DTZ001 (a wall time)
        length = _PERIODS[self.frequency] * interval
        return start + (since - start) // length * length

    def first_start(self) -> datetime | None:
        """Return the wall time of the first occurrence from `start` on, None if none is found."""
        if self.frequency == "HOURLY":
            return self._first_hourly_start()
        numbers, start = self.numbers, self.start
        times = sorted(
            time(hour, minute, second)
            for hour, minute, second in product(
                numbers.get("BYHOUR", (start.hour,)),
                numbers.get("BYMINUTE", (start.minute,)),
                numbers.get("BYSECOND", (start.second,)),
            )
        )
        moments = (datetime.combine(day, at) for day in self._days() for at in times)
        return next((moment for moment in moments if moment >= start), None)

    def _first_hourly_start(self) -> datetime | None:
        hours = self.numbers.get("BYHOUR", range(24))
        weekdays = [day for _, day in self.days] or range(7)
        steps = (self.start + timedelta(hours=self.interval * step) for step in range(24 * 7))
        return next((at for at in steps if at.hour in hours and at.weekday() in weekdays), None)

    def _days(self) -> Iterator[date]:
        """Yield the days of the rule, period by period, from the period of `start` on.

        dateutil would search until the year 9999 for the dates of a rule that has none, such as 30
        February, so each period is expanded separately. Daily and weekly rules, whose parts only
        filter days, are expanded by year and then checked against the interval.
        """
        first = self.start.date()
        parts = self._with_start_day(self._day_parts())
        if self.frequency in ("DAILY", "WEEKLY"):
            parts.setdefault(
                "byweekday", range(7) if self.frequency == "DAILY" else first.weekday()
            )
        period: tuple[_Frequency, int] = (YEARLY, _ONE_YEAR_INTERVAL)
        if self.frequency == "MONTHLY":
            period = (MONTHLY, _ONE_MONTH_INTERVAL)
        for begin in self._periods(first):
            for moment in rrule(period[0], wall_time(begin), interval=period[1], **parts):
                if self._matches_interval(moment.date()):
                    yield moment.date()

    def _with_start_day(self, parts: dict[str, Any]) -> dict[str, Any]:
        """Add the day that a monthly or yearly rule inherits from its start."""
        named = parts.keys() & {"byweekno", "byyearday", "bymonthday", "byweekday"}
        if self.frequency not in ("MONTHLY", "YEARLY") or named:
            return parts
        month = {"bymonth": self.start.month} if self.frequency == "YEARLY" else {}
        return {**month, **parts, "bymonthday": self.start.day}

    def _periods(self, first: date) -> Iterator[date]:
        """Yield the first days of the months or years to search."""
        step = self.interval if self.frequency in ("YEARLY", "MONTHLY") else 1
        for number in range(0, _MAX_SEARCH_PERIODS * step, step):
            months = number + first.month - 1 if self.frequency == "MONTHLY" else number * 12
            year = first.year + months // 12
            if year > LAST_YEAR:
                return
            yield date(year, months % 12 + 1, 1)

    def _matches_interval(self, day: date) -> bool:
        """Return whether `day` matches the interval of a daily or weekly rule."""
        first = self.start.date()
        if self.frequency == "DAILY":
            return (day - first).days % self.interval == 0
        if self.frequency == "WEEKLY":
            first_week, week = (
                (date.toordinal() - 1 - self.week_start) // 7 for date in (first, day)
            )
            return (week - first_week) % self.interval == 0
        return True

    def _day_parts(self) -> dict[str, Any]:
        """Return the parts that select days, and WKST, as arguments of dateutil's rrule."""
        parts: dict[str, Any] = {
            name.lower(): self.numbers[name] for name in _DAY_PARTS if name in self.numbers
        }
        if self.days:
            parts["byweekday"] = tuple(weekday(day, nth) for nth, day in self.days)
        return {**parts, "wkst": self.week_start}
