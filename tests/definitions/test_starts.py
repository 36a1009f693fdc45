"""Starts as people write them: uncertain, postponed, counted; and what is refused."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calfeed.definitions.formats.starts import (
    PostponedDate,
    RelativeDate,
    UncertainDate,
    parse_start,
)
from calfeed.definitions.formats.times import ParsedMoment
from calfeed.ical.wording.dates_text import format_span
from calfeed.model.dates.offsets import Offset
from calfeed.model.dates.uncertainty import (
    Precision,
    Span,
    make_half,
    make_month,
    make_part,
    make_quarter,
    make_range,
    make_season,
    make_year,
    write_edtf,
)

JUNE = make_month(2030, 6)
THIRD_QUARTER = make_quarter(2030, 3)
FIRST_HALF = make_half(2030, 1)
FIVE_DAYS = make_range(date(2030, 6, 3), date(2030, 6, 7))
TIME_OPEN = Span(date(2030, 6, 15), date(2030, 6, 15), Precision.TIME)

UNCERTAIN = {
    "2030": make_year(2030),
    "2030-06": JUNE,
    "June 2030": JUNE,
    "june, 2030": JUNE,
    "Jun. 2030": JUNE,
    "June of 2030": JUNE,
    "2030 June": JUNE,
    "early June 2030": make_part(2030, 6, "early"),
    "mid-June 2030": make_part(2030, 6, "mid"),
    "Mid June 2030": make_part(2030, 6, "mid"),
    "late February 2028": make_part(2028, 2, "late"),
    "2030-Q3": THIRD_QUARTER,
    "2030 q3": THIRD_QUARTER,
    "Q3 2030": THIRD_QUARTER,
    "third quarter of 2030": THIRD_QUARTER,
    "the third quarter of the year 2030": THIRD_QUARTER,
    "3rd quarter 2030": THIRD_QUARTER,
    "2030-H1": FIRST_HALF,
    "H1 2030": FIRST_HALF,
    "first half of 2030": FIRST_HALF,
    "the 2nd half of 2030": make_half(2030, 2),
    "spring 2030": make_season(2030, "spring"),
    "summer of 2030": make_season(2030, "summer"),
    "fall 2030": make_season(2030, "autumn"),
    "winter 2030": make_season(2030, "winter"),
    "2030-22": make_season(2030, "summer"),
    "2030-06-03..2030-06-07": FIVE_DAYS,
    "2030-06-03 .. 7 June 2030": FIVE_DAYS,
    "2030-06..2030-07": make_range(date(2030, 6, 1), date(2030, 7, 31)),
    "mid-June 2030 .. 2030-Q3": make_range(date(2030, 6, 11), date(2030, 9, 30)),
    "2030-06-15 time to be confirmed": TIME_OPEN,
    "2030-06-15 (time TBC)": TIME_OPEN,
    "15 June 2030, time t.b.a.": TIME_OPEN,
    "2030-06-15 time open": TIME_OPEN,
}

SPANS = {
    "2030": ("2030-01-01", "2030-12-31", "2030"),
    "2028-02": ("2028-02-01", "2028-02-29", "2028-02"),
    "early June 2030": ("2030-06-01", "2030-06-10", "[2030-06-01..2030-06-10]"),
    "mid-June 2030": ("2030-06-11", "2030-06-20", "[2030-06-11..2030-06-20]"),
    "late February 2028": ("2028-02-21", "2028-02-29", "[2028-02-21..2028-02-29]"),
    "2030-Q1": ("2030-01-01", "2030-03-31", "2030-33"),
    "2030-Q2": ("2030-04-01", "2030-06-30", "2030-34"),
    "2030-Q3": ("2030-07-01", "2030-09-30", "2030-35"),
    "2030-Q4": ("2030-10-01", "2030-12-31", "2030-36"),
    "2030-H1": ("2030-01-01", "2030-06-30", "2030-40"),
    "2030-H2": ("2030-07-01", "2030-12-31", "2030-41"),
    "spring 2030": ("2030-03-01", "2030-05-31", "2030-21"),
    "summer 2030": ("2030-06-01", "2030-08-31", "2030-22"),
    "autumn 2030": ("2030-09-01", "2030-11-30", "2030-23"),
    # The whole of one winter, and not the month of December.
    "winter 2030": ("2030-12-01", "2031-02-28", "2030-24"),
    "2030-06-03..2030-06-07": ("2030-06-03", "2030-06-07", "[2030-06-03..2030-06-07]"),
    "2030-06-15 time to be confirmed": ("2030-06-15", "2030-06-15", "2030-06-15"),
}

OFFSETS = {
    "14 days after ruling": Offset(direction=1, days=14),
    "fourteen days after ruling": None,
    "1 day after the ruling": Offset(direction=1, days=1),
    "Two Weeks After Ruling": Offset(direction=1, days=14),
    "2 months before court/hearing": Offset(direction=-1, months=2),
    "one year after ruling": Offset(direction=1, months=12),
    "1 month 2 days after ruling": Offset(direction=1, months=1, days=2),
    "10 calendar days after ruling": Offset(direction=1, days=10),
    "3 working days after ruling": Offset(direction=1, working=3),
    "3 business days after ruling": Offset(direction=1, working=3),
    "three clear working days before hearing": Offset(direction=-1, working=3, clear=True),
    "7 clear days before hearing": Offset(direction=-1, days=7, clear=True),
    "monday before hearing": Offset(direction=-1, weekday=0),
    "the Sunday after hearing": Offset(direction=1, weekday=6),
    "2 hours after ruling": None,
    "after ruling": None,
    "soon after ruling": None,
    "3 days after the final ruling": None,
    "3 days after court/the/ruling": None,
    "3 days after ruling/": None,
    "3 days after": None,
}

REFUSED = {
    "2030-06-07..2030-06-03": "is a range that ends before it begins",
    "2030-06-03..2030-06-03": "is a range of one day; write 2030-06-03",
    "2030-06-03 10:00..2030-06-07": "is a range of times; a range for a date has days only",
    "2030-06-03..": "is not a range; write its first and last day",
    "..2030-06-03": "is not a range",
    "2030-06-03..2030-06-04..2030-06-05": "is not a range",
    "2030-06-15 10:00 time to be confirmed": "has a time that is to be confirmed; write 2030-06-15",
    "1850": "is not a date (",
    "2530-06": "is not a date (",
    "2030-13": "is not a date",
    "2030-Q5": "is not a date",
    "2030-H3": "is not a date",
    "middle of June 2030": "is written as mid-June 2030",
    "June": "is not a date",
    "time to be confirmed": "is not a date",
    "postponed from": "is not a date",
    "postponed from soon": "is not a date",
    "postponed from postponed": "is not a date",
    "postponed from 3 days after ruling": '"postponed from 3 days" is not a valid duration',
    "2 hours after ruling": "counts hours or minutes; a date is counted in days, weeks or months",
    "11 years after ruling": "is too long",
    "0 working days after ruling": "a count goes from 1 to 2000",
    "2001 clear working days before ruling": "a count goes from 1 to 2000",
}


@pytest.mark.parametrize("text", UNCERTAIN)
def test_an_uncertain_date_is_read_as_its_span(text: str) -> None:
    start = parse_start(text)
    assert isinstance(start, UncertainDate)
    assert (start.text, start.span) == (text, UNCERTAIN[text])


@pytest.mark.parametrize("text", SPANS)
def test_a_span_has_its_first_and_last_day_and_its_form_in_edtf(text: str) -> None:
    start = parse_start(text)
    assert isinstance(start, UncertainDate)
    span = start.span
    assert (f"{span.earliest}", f"{span.latest}", write_edtf(span)) == SPANS[text]


@pytest.mark.parametrize("text", OFFSETS)
def test_a_counted_date_is_read_as_its_offset_and_cause(text: str) -> None:
    offset = OFFSETS[text]
    if offset is None:
        with pytest.raises(ValueError, match=f'^"{text.split(" after")[0]}'):
            parse_start(text)
        return
    start = parse_start(text)
    assert isinstance(start, RelativeDate)
    assert start.offset == offset
    assert start.cause == text.split()[-1].lower()


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_no_start_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(ValueError, match=r'^"') as caught:
        parse_start(text)
    assert REFUSED[text] in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "fourteen days after ruling",
        "thirty days after ruling",
        "ninety days after ruling",
        "sixty working days before ruling",
        "thirteen months after ruling",
        "half a year after ruling",
        "6 weeks to the day after ruling",
        "two and a half weeks after ruling",
        "one month and one day after ruling",
        "end of year after ruling",
        "last day of the month after ruling",
        "every other day after ruling",
        "a dozen days after ruling",
        "fourteen days after the big hearing",
    ],
)
def test_a_distance_that_is_not_understood_has_no_suggestion_of_another_one(text: str) -> None:
    with pytest.raises(ValueError, match=r'^"') as caught:
        parse_start(text)
    distance = re.split(" (?:after|before) ", text)[0]
    assert "is written as" not in str(caught.value)
    assert f": {distance}" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("within 14 days of ruling", "14 days after ruling"),
        ("within 10 court days of ruling", "10 working days after ruling"),
        ("the day following ruling", "1 day after ruling"),
        ("next working day after ruling", "1 working day after ruling"),
        ("7 full calendar days prior to ruling", "7 days before ruling"),
    ],
)
def test_a_distance_in_other_words_is_suggested_as_it_is_written(text: str, written: str) -> None:
    with pytest.raises(ValueError, match=f"is written as {written}"):
        parse_start(text)


def test_a_postponed_date_may_have_its_former_date() -> None:
    assert parse_start("Postponed") == PostponedDate("Postponed")
    certain = parse_start("postponed from 2030-06-12")
    assert isinstance(certain, PostponedDate)
    assert isinstance(certain.was, ParsedMoment)
    assert certain.was.day == date(2030, 6, 12)
    vague = parse_start("postponed, from mid-June 2030")
    assert isinstance(vague, PostponedDate)
    assert isinstance(vague.was, UncertainDate)
    assert vague.was.span == make_part(2030, 6, "mid")


@pytest.mark.parametrize(
    "text", ["2030-06-12", "2030-06-12 17:00", "12 June 2030", "June 12, 2030"]
)
def test_a_day_or_time_is_still_a_moment(text: str) -> None:
    start = parse_start(text)
    assert isinstance(start, ParsedMoment)
    assert start.day == date(2030, 6, 12)


_DAYS = st.dates(date(1900, 1, 1), date(2190, 12, 31))


@given(_DAYS, st.sampled_from(["month", "part", "quarter", "half", "season", "year"]))
def test_a_span_holds_its_day_and_neighbours_touch(day: date, unit: str) -> None:
    def find(of: date) -> Span:
        part = ("early", "mid", "late")[min(2, (of.day - 1) // 10)]
        season = ("winter", "spring", "summer", "autumn")[of.month % 12 // 3]
        return {
            "month": make_month(of.year, of.month),
            "part": make_part(of.year, of.month, part),
            "quarter": make_quarter(of.year, (of.month + 2) // 3),
            "half": make_half(of.year, (of.month + 5) // 6),
            "season": make_season(of.year - (of.month < 3), season),
            "year": make_year(of.year),
        }[unit]

    span = find(day)
    assert span.earliest <= day <= span.latest
    assert find(span.latest + timedelta(days=1)).earliest == span.latest + timedelta(days=1)
    assert find(span.earliest) == find(span.latest) == span


@given(_DAYS, st.sampled_from(["month", "part", "quarter", "half", "year", "range", "time"]))
def test_a_span_is_read_as_it_is_written_for_people(day: date, unit: str) -> None:
    span = {
        "month": make_month(day.year, day.month),
        "part": make_part(day.year, day.month, "late"),
        "quarter": make_quarter(day.year, (day.month + 2) // 3),
        "half": make_half(day.year, (day.month + 5) // 6),
        "year": make_year(day.year),
        "range": make_range(day, day + timedelta(days=4)),
        "time": Span(day, day, Precision.TIME),
    }[unit]
    text = f"{span.earliest}..{span.latest}" if unit == "range" else format_span(span)
    start = parse_start(text)
    assert isinstance(start, UncertainDate)
    assert start.span == span
