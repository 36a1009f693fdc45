"""Working days are counted as numpy counts them, and as a plain loop does."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import date, timedelta
from functools import cache

import numpy as np
import pytest

from calfeed.model.dates.holiday_library import HOLIDAY_LIBRARY
from calfeed.model.dates.working_days import Closure, WorkingDayRules, WorkingDays

COUNTRIES = ("PK", "AF", "IR", "SA", "US", "GB-ENG", "GB-SCT", "DE-BY", "FR", "JP", "ID", "BR")
WEEKENDS = ((5, 6), (4, 5), (3, 4), (4,), (6,))
FIRST, LAST = date(2023, 1, 1), date(2037, 12, 31)
COUNTS = 10_000
_DAY = timedelta(days=1)


@cache
def find_holidays(region: str) -> Mapping[date, str]:
    """All holidays of a region in the years of the test."""
    days = (FIRST + number * _DAY for number in range((LAST - FIRST).days + 1))
    found = ((day, HOLIDAY_LIBRARY.find_holiday(region, day)) for day in days)
    return {day: holiday.name["en"] for day, holiday in found if holiday is not None}


def count_by_numpy(rules: WorkingDayRules, day: date, number: int) -> date:
    weekmask = "".join("0" if each in (rules.weekend or ()) else "1" for each in range(7))
    reached = np.busday_offset(
        np.datetime64(day, "D"),
        number,
        # The day counted from does not count, so a closed one is left against the direction.
        roll="backward" if number > 0 else "forward",
        weekmask=weekmask,
        holidays=list_closed_days(rules),
    )
    return date.fromisoformat(str(reached))


def list_closed_days(rules: WorkingDayRules) -> list[date]:
    closed = {day for region in rules.holidays for day in find_holidays(region)}
    closed |= {closure.date for closure in rules.closed}
    return sorted(closed)


def count_by_loop(rules: WorkingDayRules, day: date, number: int) -> date:
    closed, left = set(list_closed_days(rules)), abs(number)
    while left:
        day += _DAY if number > 0 else -_DAY
        if day.weekday() not in (rules.weekend or ()) and day not in closed:
            left -= 1
    return day


@pytest.mark.parametrize("weekend", WEEKENDS, ids=str)
def test_counts_agree_with_numpy_and_with_a_loop(weekend: tuple[int, ...]) -> None:
    chance = random.Random(f"working days {weekend}")
    cases = COUNTS // len(WEEKENDS) // len(COUNTRIES) + 1
    for region in COUNTRIES:
        extra = tuple(
            Closure(date=FIRST + chance.randrange(5000) * _DAY) for _ in range(chance.randrange(20))
        )
        rules = WorkingDayRules(holidays=(region,), weekend=weekend, closed=extra)
        counting = WorkingDays(rules, HOLIDAY_LIBRARY)
        for _ in range(cases):
            day = date(2025, 1, 1) + chance.randrange(4000) * _DAY
            number = chance.choice((-1, 1)) * chance.randrange(1, 60)
            count = counting.count(day, number)
            assert count.day == count_by_loop(rules, day, number), (region, day, number)
            assert count.day == count_by_numpy(rules, day, number), (region, day, number)


def test_the_days_that_a_count_skips_and_the_days_that_it_counts_are_all_days_between() -> None:
    chance = random.Random("skipped")
    counting = WorkingDays(WorkingDayRules(holidays=("PK",)), HOLIDAY_LIBRARY)
    for _ in range(300):
        day = date(2025, 1, 1) + chance.randrange(4000) * _DAY
        number = chance.choice((-1, 1)) * chance.randrange(1, 60)
        count = counting.count(day, number)
        assert len(count.skipped) + abs(number) == abs((count.day - day).days)
        skipped = [each.date for each in count.skipped]
        assert skipped == sorted(set(skipped))
        assert counting.find_reason(count.day) is None
        assert counting.roll(count.day, 1).day == count.day


def test_several_regions_are_closed_whenever_one_of_them_is() -> None:
    each = [
        WorkingDays(WorkingDayRules(holidays=(region,)), HOLIDAY_LIBRARY)
        for region in ("PK", "AF", "US")
    ]
    together = WorkingDays(WorkingDayRules(holidays=("AF", "PK", "US")), HOLIDAY_LIBRARY)
    for number in range(1500):
        day = date(2027, 1, 1) + number * _DAY
        closed = any(one.find_reason(day) is not None for one in each)
        assert (together.find_reason(day) is not None) == closed, day


@pytest.mark.parametrize("step", [1, -1])
def test_a_day_rolls_to_the_nearest_working_day_of_its_direction(step: int) -> None:
    rules = WorkingDayRules(holidays=("GB-ENG",), weekend=(5, 6))
    counting = WorkingDays(rules, HOLIDAY_LIBRARY)
    closed = set(list_closed_days(rules))
    for number in range(1000):
        day = expected = date(2027, 1, 1) + number * _DAY
        while expected.weekday() in (5, 6) or expected in closed:
            expected += step * _DAY
        rolled = counting.roll(day, step)
        assert rolled.day == expected
        assert len(rolled.skipped) == abs((expected - day).days)
