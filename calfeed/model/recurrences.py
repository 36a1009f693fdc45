"""The starts that a recurrence rule gives, on the wall clock of the event's zone.

Nothing here walks further than a fixed number of steps, whatever the rule.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import islice, product, takewhile
from typing import Any, Literal, TypeAlias

from dateutil.rrule import DAILY, HOURLY, MONTHLY, WEEKLY, YEARLY, rrule, weekday

from calfeed.errors import InvalidInputError
from calfeed.model.years import LAST_YEAR

MOST_WALKED = 50_000
"""How many occurrences are walked to find one."""

MOST_STEPS = 1_000_000
"""How many occurrences are walked for the whole of a file that others made."""

_Frequency: TypeAlias = Literal[0, 1, 2, 3, 4]
FREQUENCIES: dict[str, _Frequency] = {
    "YEARLY": YEARLY,
    "MONTHLY": MONTHLY,
    "WEEKLY": WEEKLY,
    "DAILY": DAILY,
    "HOURLY": HOURLY,
}
_LENGTHS = {"WEEKLY": timedelta(weeks=1), "DAILY": timedelta(days=1), "HOURLY": timedelta(hours=1)}
_DAY_PARTS = ("BYMONTH", "BYWEEKNO", "BYYEARDAY", "BYMONTHDAY", "BYSETPOS")
# How far the first date of a rule is looked for, in periods of its frequency.
_HORIZON = 40
# An interval that ends every expansion after one period: the next lies past the year 9999.
_ONE_YEAR, _ONE_MONTH = 10_000, 120_000


class Steps:
    """Counts the occurrences that are walked for one purpose, such as reading a file.

    Raises InvalidInputError where they are more than `MOST_STEPS`: what asks for that was made to
    keep a machine busy.
    """

    def __init__(self) -> None:
        self._left = MOST_STEPS

    def take(self, number: int) -> None:
        """Count a number of occurrences."""
        self._left -= number
        if self._left < 0:
            raise InvalidInputError(
                f"finding its dates takes more than {MOST_STEPS:,} steps; split the file"
            )


def wall_time(moment: date | datetime) -> datetime:
    """What the wall clock shows at a moment of an event, midnight for a date; without a zone."""
    if isinstance(moment, datetime):
        return moment.replace(tzinfo=None, fold=0)
    return datetime.combine(moment, time())


@dataclass(frozen=True)
class Rule:
    """A checked rule. `text` is its RRULE value; `start` the wall time of the event's start.

    `until` is the last wall time that may still be an occurrence; `numbers` holds the BY parts by
    name, `days` BYDAY as pairs of the number before a weekday and the weekday (Monday is 0).
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

    def starts(self, last: datetime, most: int = MOST_WALKED) -> list[datetime]:
        """The wall times of the occurrences up to `last`, at most `most`."""
        return list(islice(takewhile(lambda start: start <= last, self.walk()), most))

    def walk(self, since: datetime | None = None) -> rrule:
        """The wall times of the occurrences in their order, as dateutil gives them.

        Those before `since` may be left out, so that an old rule takes no longer than a new one.
        """
        start, parts, numbers = self.start, self._day_parts(), self.numbers
        hour = None if self.frequency == "HOURLY" else start.hour
        # A rule with COUNT has to be counted from its beginning.
        if since is not None and since > start and self.count is None:
            parts = self._say_days(parts)
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
        """The beginning of the last period of the rule that begins at or before `since`."""
        start, interval = self.start, self.interval
        if self.frequency in ("MONTHLY", "YEARLY"):
            first = start.year * 12 + (start.month - 1 if self.frequency == "MONTHLY" else 0)
            step = interval if self.frequency == "MONTHLY" else 12 * interval
            months = first + (since.year * 12 + since.month - 1 - first) // step * step
            return datetime(months // 12, months % 12 + 1, 1)  # noqa: DTZ001 (a wall time)
        length = _LENGTHS[self.frequency] * interval
        return start + (since - start) // length * length

    def first_start(self) -> datetime | None:
        """The first wall time at or after `start` that the rule gives, if one is near."""
        if self.frequency == "HOURLY":
            return self._first_hour()
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

    def _first_hour(self) -> datetime | None:
        hours = self.numbers.get("BYHOUR", range(24))
        weekdays = [day for _, day in self.days] or range(7)
        steps = (self.start + timedelta(hours=self.interval * step) for step in range(24 * 7))
        return next((at for at in steps if at.hour in hours and at.weekday() in weekdays), None)

    def _days(self) -> Iterator[date]:
        """The days of the rule from the period of `start` on, one period after the other.

        A rule may give no date at all (30 February), which dateutil looks for until the year
        9999. So each period is expanded by itself; rules by the day and by the week, whose parts
        only leave days out, are expanded as years and then held against the interval.
        """
        first = self.start.date()
        parts = self._say_days(self._day_parts())
        if self.frequency in ("DAILY", "WEEKLY"):
            parts.setdefault(
                "byweekday", range(7) if self.frequency == "DAILY" else first.weekday()
            )
        period: tuple[_Frequency, int] = (YEARLY, _ONE_YEAR)
        if self.frequency == "MONTHLY":
            period = (MONTHLY, _ONE_MONTH)
        for begin in self._periods(first):
            for moment in rrule(period[0], wall_time(begin), interval=period[1], **parts):
                if self._in_step(moment.date()):
                    yield moment.date()

    def _say_days(self, parts: dict[str, Any]) -> dict[str, Any]:
        """The parts with the day that a rule by the month or year takes from its start."""
        named = parts.keys() & {"byweekno", "byyearday", "bymonthday", "byweekday"}
        if self.frequency not in ("MONTHLY", "YEARLY") or named:
            return parts
        month = {"bymonth": self.start.month} if self.frequency == "YEARLY" else {}
        return {**month, **parts, "bymonthday": self.start.day}

    def _periods(self, first: date) -> Iterator[date]:
        """The first days of the months or years in which dates are looked for."""
        step = self.interval if self.frequency in ("YEARLY", "MONTHLY") else 1
        for number in range(0, _HORIZON * step, step):
            months = number + first.month - 1 if self.frequency == "MONTHLY" else number * 12
            year = first.year + months // 12
            if year > LAST_YEAR:
                return
            yield date(year, months % 12 + 1, 1)

    def _in_step(self, day: date) -> bool:
        """True where the interval of a rule by the day or week comes out at `day`."""
        first = self.start.date()
        if self.frequency == "DAILY":
            return (day - first).days % self.interval == 0
        if self.frequency == "WEEKLY":
            weeks = [(each.toordinal() - 1 - self.week_start) // 7 for each in (first, day)]
            return (weeks[1] - weeks[0]) % self.interval == 0
        return True

    def _day_parts(self) -> dict[str, Any]:
        """The parts that choose days, and WKST, as dateutil's rrule takes them."""
        parts: dict[str, Any] = {
            name.lower(): self.numbers[name] for name in _DAY_PARTS if name in self.numbers
        }
        if self.days:
            parts["byweekday"] = tuple(weekday(day, nth) for nth, day in self.days)
        return {**parts, "wkst": self.week_start}
