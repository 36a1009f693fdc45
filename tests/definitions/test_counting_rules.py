"""Dates are counted as rules of law count them, and as the library of holidays does.

`data/legal-vectors.json` has rules with the dates that their texts or commentaries give, and
`data/working-days.csv` periods that the library `holidays` 0.109 counted.
"""

from __future__ import annotations

import csv
import json
from datetime import date, timedelta
from itertools import groupby
from pathlib import Path

import pytest

from calfeed.model.dates.holiday_library import HOLIDAY_LIBRARY
from tests.definitions.counted import (
    count_from,
    problems_of,
    read,
    resolve,
    use_holidays,
    write_calendar,
)

DATA = Path(__file__).parent / "data"

# For each rule: the day counted from, the rule, the region of its holidays, and further keys.
RULES = {
    "FRCP note 2009: 10 days after 2007-08-22": (
        *("2007-08-22", "10 days after", "US", "roll: next"),
    ),
    "FRCP note: 10 days before 2007-09-11": (
        "2007-09-11",
        "10 days before",
        "US",
        "roll: previous",
    ),
    "CPR 2.8(3)(i) 3 clear days before Fri": (
        *("2017-10-20", "3 clear working days before", "GB-ENG", ""),
    ),
    "CPR 2.8(4) 3 clear days before Mon": (
        *("2014-10-20", "3 clear working days before", "GB-ENG", ""),
    ),
    "CPR 2.8(3)(iii) within 14 days": ("2014-10-02", "14 days after", "GB-ENG", ""),
    "CPR 2.8(3)(ii) at least 28 clear days": ("2014-10-01", "28 clear days after", "GB-ENG", ""),
    "Clarion: 7 clear days": ("2017-03-30", "7 clear days before", "GB-ENG", ""),
    "Clarion: 5 days before": ("2017-03-14", "five clear working days before", "GB-ENG", ""),
    "Dodds v Walker": ("1978-09-30", "4 months after", "GB-ENG", ""),
    "31 Jan + 1 month": ("2030-01-31", "1 month after", "GB-ENG", ""),
    "31 Jul 2017 + 2 months": ("2017-07-31", "2 months after", "GB-ENG", ""),
}
VECTORS = [
    (vector["rule"], vector["answer"])
    for vector in json.loads((DATA / "legal-vectors.json").read_text())
]


def _region_of(row: dict[str, str]) -> str:
    return "-".join(filter(None, (row["country"], row["subdivision"])))


with (DATA / "working-days.csv").open() as file:
    PERIODS = {
        region: list(rows)
        for region, rows in groupby(sorted(csv.DictReader(file), key=_region_of), _region_of)
    }


@pytest.mark.parametrize(("rule", "answer"), VECTORS, ids=[rule for rule, _ in VECTORS])
def test_a_rule_of_law_gives_the_date_that_its_commentary_gives(rule: str, answer: str) -> None:
    (found,) = [value for start, value in RULES.items() if rule.startswith(start)]
    day, distance, region, keys = found
    event = count_from(day, distance, use_holidays(region), keys)
    assert event.start.isoformat() == answer


@pytest.mark.parametrize("region", PERIODS)
def test_periods_end_on_the_day_that_the_library_gives_provisional_if_a_day_is_estimated(
    region: str,
) -> None:
    rows = PERIODS[region]
    lines = []
    for number, row in enumerate(rows):
        count = int(row["working_days"])
        side = "after" if count > 0 else "before"
        lines += [
            f"cause-{number}: {{summary: C, start: {row['start']}}}",
            f"it-{number}: {{summary: I, start: {abs(count)} working days {side} cause-{number}}}",
        ]
    events = resolve("\n".join(lines), use_holidays(region))
    counted = [events[f"it-{number}"] for number in range(len(rows))]
    assert [
        (event.start.isoformat(), event.derivation is not None and event.derivation.provisional)
        for event in counted
    ] == [(row["answer"], row["crosses_estimated"] == "True") for row in rows]


def test_an_estimated_holiday_on_the_day_counted_from_makes_the_date_provisional() -> None:
    # Ashura of 2027 is estimated for 15 June; proclaimed for the 14th it moves the date.
    derivation = count_from("2027-06-15", "12 working days before", use_holidays("PK")).derivation
    assert derivation is not None
    assert derivation.provisional
    assert "Ashura" not in str(derivation.sums[0].count.skipped)


def test_months_are_added_in_one_step_and_not_one_by_one() -> None:
    in_one = count_from("2030-01-31", "2 months after")
    by_steps = resolve(
        """
        cause: {summary: C, start: 2030-01-31}
        first: {summary: F, start: 1 month after cause}
        second: {summary: S, start: 1 month after first}
        """
    )["second"]
    assert (in_one.start.isoformat(), by_steps.start.isoformat()) == ("2030-03-31", "2030-03-28")


def test_a_period_that_ends_on_a_closed_day_goes_on_in_its_own_direction() -> None:
    head = use_holidays("US")
    # Each ends on Saturday, 1 September 2007, before Labor Day.
    after = count_from("2007-08-22", "10 days after", head, "roll: next")
    before = count_from("2007-09-11", "10 days before", head, "roll: previous")
    plain = count_from("2007-08-22", "10 days after", head)
    assert [event.start.isoformat() for event in (after, before, plain)] == [
        *("2007-09-04", "2007-08-31", "2007-09-01")
    ]
    assert after.derivation is not None
    (counted,) = after.derivation.sums
    assert counted.rolled is not None
    assert [day.date.isoformat() for day in counted.rolled.skipped] == [
        *("2007-09-01", "2007-09-02", "2007-09-03")
    ]
    assert before.derivation is not None
    assert plain.derivation is not None
    assert plain.derivation.sums[0].rolled is None


def test_clear_days_leave_out_the_days_at_both_ends() -> None:
    head = use_holidays("GB-ENG")
    assert count_from("2017-03-30", "7 clear days before").start.isoformat() == "2017-03-22"
    assert count_from("2017-03-30", "7 days before").start.isoformat() == "2017-03-23"
    three = count_from("2014-10-20", "3 working days before", head)
    clear = count_from("2014-10-20", "3 clear working days before", head)
    assert (three.start.isoformat(), clear.start.isoformat()) == ("2014-10-15", "2014-10-14")


@pytest.mark.parametrize("start", ["3 working days before", "3 clear working days before"])
def test_years_of_which_no_holidays_are_known_are_refused(start: str) -> None:
    events = f"cause: {{summary: C, start: 2150-03-01}}\nit: {{summary: I, start: {start} cause}}"
    (problem,) = problems_of({"desk": write_calendar(events, use_holidays("PK"))})
    assert problem.startswith("events/desk.yaml:6:")
    assert "the holidays of PK are known from" in problem
    assert "not for 2150" in problem


def test_a_year_of_which_the_library_knows_some_holidays_only_is_refused_each_time() -> None:
    events = """
        cause: {summary: C, start: 2040-03-01}
        it: {summary: I, start: 3 working days after cause}
        other: {summary: O, start: 4 working days after cause}
        """
    problems = problems_of({"desk": write_calendar(events, use_holidays("IN"))})
    assert len(problems) == 2
    assert all("the holidays of IN are not known for 2040" in problem for problem in problems)


@pytest.mark.parametrize("start", ["2150-03-01", "2150-03-01..2150-03-03", "1 day after cause"])
def test_a_reminder_in_working_days_is_refused_in_a_year_of_which_no_holidays_are_known(
    start: str,
) -> None:
    events = f"""
        it:
          summary: It
          start: {start}
          reminders: [3 working days]
        cause: {{summary: C, start: 2150-03-01}}
        """
    (problem,) = problems_of({"desk": write_calendar(events, use_holidays("PK"))})
    assert problem.startswith("events/desk.yaml:8:")
    assert "the holidays of PK are known from" in problem


EID = date(2030, 2, 6)


def test_holidays_are_named_in_english_and_in_the_languages_that_the_library_has() -> None:
    # A language that the library lacks for a country would silently be English.
    eid, dari = (HOLIDAY_LIBRARY.find_holiday(region, EID) for region in ("PK", "AF"))
    assert eid is not None
    assert dari is not None
    assert eid.name == {"en": "Eid al-Fitr", "ur": "عید الفطر"}
    assert dari.name == {"en": "Eid al-Fitr", "fa": "عید فطر", "ps": "عید فطر"}
    # The remark is translated too, and is no part of a name.
    assert (eid.estimated, dari.estimated) == (True, True)


def test_a_date_that_an_estimated_holiday_moves_is_provisional_and_names_it() -> None:
    event = count_from("2030-02-08", "3 working days before", use_holidays("PK"))
    assert event.start == date(2030, 1, 31)
    assert event.derivation is not None
    assert event.derivation.provisional
    (counted,) = event.derivation.sums
    assert [day.date for day in counted.count.skipped if day.estimated] == [
        date(2030, 2, day) for day in (5, 6, 7)
    ]
    certain = count_from("2030-03-15", "3 working days before", use_holidays("PK"))
    assert certain.derivation is not None
    assert not certain.derivation.provisional


@pytest.mark.parametrize(
    ("regions", "answer"),
    [
        (["GB-ENG"], date(2030, 3, 29)),
        (["GB-ENG", "GB-NIR", "GB-SCT", "GB-WLS"], date(2030, 4, 1)),
        (["GB"], date(2030, 3, 29)),
    ],
)
def test_a_holiday_of_one_part_of_a_country_counts_only_if_the_part_is_named(
    regions: list[str], answer: date
) -> None:
    head = use_holidays(*regions)
    assert count_from("2030-03-01", "20 working days after", head).start == answer


def test_the_weekends_of_several_regions_are_all_left_out() -> None:
    # From a Thursday: Friday is Afghanistan's weekend, Saturday and Sunday are that of the US.
    both = count_from("2030-05-16", "1 working day after", use_holidays("US", "AF"))
    assert both.start == date(2030, 5, 20)
    assert count_from("2030-05-16", "1 working day after", use_holidays("US")).start == date(
        2030, 5, 17
    )


def test_a_weekend_of_the_desk_replaces_that_of_the_library() -> None:
    head = "working_days: {holidays: [AF], weekend: [thursday, friday]}"
    assert count_from("2030-05-15", "1 working day after", head).start == date(2030, 5, 18)


def test_a_day_that_is_made_up_for_on_a_weekend_is_a_working_day() -> None:
    # China worked on Saturday, 11 October 2025, in exchange for a day of its National Day week.
    head = use_holidays("CN")
    assert count_from("2025-10-10", "1 working day after", head).start == date(2025, 10, 11)


def test_the_own_closures_of_the_desk_come_before_weekends_and_holidays() -> None:
    head = """
        working_days:
          holidays: [PK]
          closed: [{date: 2030-03-20, title: Gazetted}, 2030-03-21]
          open: [2030-03-23, 2030-02-06]
        """
    after = count_from("2030-03-19", "2 working days after", head)
    assert after.start == date(2030, 3, 23)
    assert after.derivation is not None
    assert [(day.date, day.name) for day in after.derivation.sums[0].count.skipped] == [
        (date(2030, 3, 20), {"en": "Gazetted"}),
        (date(2030, 3, 21), {}),
    ]
    assert count_from("2030-02-07", "1 working day before", head).start == date(2030, 2, 6)


def test_no_working_days_are_not_counted_for_ever() -> None:
    closed = ", ".join(
        (date(2030, 1, 1) + timedelta(days=number)).isoformat() for number in range(900)
    )
    events = """
        cause: {summary: C, start: 2030-01-01}
        it: {summary: I, start: 1 working day after cause}
        """
    head = f"working_days: {{closed: [{closed}]}}"
    (problem,) = problems_of({"desk": write_calendar(events, head)})
    assert "there are no working days around 2030-01-01" in problem


@pytest.mark.parametrize("count", ["0", "2001", "99999"])
def test_a_count_of_no_or_of_too_many_working_days_is_refused(count: str) -> None:
    # The library moves a Saturday to Monday for a count of zero.
    events = f"""
        cause: {{summary: C, start: 2030-01-05}}
        it: {{summary: I, start: {count} working days after cause}}
        """
    (problem,) = problems_of({"desk": write_calendar(events, use_holidays("PK"))})
    assert f"counts {count} working days; a count goes from 1 to 2000" in problem


def test_a_working_day_of_a_folder_is_that_of_each_calendar_without_its_own() -> None:
    events = """
        cause: {summary: C, start: 2030-02-04}
        it: {summary: I, start: 1 working day after cause}
        """
    files = {
        "working_days": b"holidays: [PK]\n",
        "lahore": write_calendar(events),
        "london": write_calendar(events, use_holidays("GB-ENG")),
    }
    lahore, london = read(files).calendars
    assert [event.start for event in (lahore.events[1], london.events[1])] == [
        date(2030, 2, 8),
        date(2030, 2, 5),
    ]
