"""Dates as people write them: unambiguous ones are read, errors about others give the right
form."""

from __future__ import annotations

import re
from datetime import date, time, timedelta

import pytest

from calfeed.definitions.formats.times import parse_clock, parse_moment
from calfeed.definitions.hints.rules import suggest_rule

TODAY = date(2026, 11, 28)
DAY, FIVE = date(2030, 6, 14), time(17)


@pytest.mark.parametrize(
    ("text", "clock"),
    [
        ("14 June 2030", None),
        ("14 Jun 2030", None),
        ("14-Jun-2030", None),
        ("June 14, 2030", None),
        ("the 14th of June, 2030", None),
        ("Friday, June 14th 2030", None),
        ("2030 June 14", None),
        ("14 June 2030 17:00", FIVE),
        ("June 14, 2030 at 5:00 PM", FIVE),
        ("2030-06-14 5:00 PM", FIVE),
        ("2030-06-14 5 p.m.", FIVE),
        ("2030-06-14 05:00pm", FIVE),
        ("2030-06-14 12:30 AM", time(0, 30)),
        ("۲۰۳۰-۰۶-۱۴ ۱۷:۰۰", FIVE),
        ("٢٠٣٠-٠٦-١٤", None),
        ("२०३०-०६-१४", None),
        ("２０３０-０６-１４", None),
        ("2030-06-14\u00a0 17:00", FIVE),
        ("2030-06-14\u202f17:00", FIVE),
        ("\u200f2030-06-14\ufeff", None),
        ("2030-06-1\u200b4", None),
        ("2030–06–14", None),
        ("2030\u201106\u221214", None),
        ("2030-06-14T17:00:00", FIVE),
    ],
)
def test_what_can_mean_one_thing_only_is_read(text: str, clock: time | None) -> None:
    read = parse_moment(text, TODAY)
    assert (read.day, read.clock, read.offset) == (DAY, clock, None)


def test_a_time_in_utc_is_read_with_the_name_of_a_month_too() -> None:
    assert parse_moment("14 June 2030 17:00 UTC").offset == timedelta()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        # The order of day and month.
        ("14/06/2030", "has the day first; write 2030-06-14"),
        ("14.06.2030 17:00", "has the day first; write 2030-06-14 17:00"),
        ("06/14/2030", "has the month first; write 2030-06-14"),
        ("11/02/2030", "write 2030-02-11 (the day first) or 2030-11-02 (the month first)"),
        ("11-02-2030 10:30", "write 2030-02-11 10:30 (the day first) or 2030-11-02 10:30"),
        ("14/6/30", "write 2030-06-14 (the day first) or 2014-06-30 (the year first)"),
        ("6/6/2030", "write 2030-06-06"),
        ("٠٥/٠٦/٢٠٣٠", "write 2030-06-05 (the day first) or 2030-05-06 (the month first)"),
        ("2030-14-06 17:00", "the month comes second, from 01 to 12); write 2030-06-14 17:00"),
        # The year first, and not as it has to be.
        ("2030/06/14", "write 2030-06-14"),
        ("2030.6.14", "write 2030-06-14"),
        ("2030-6-14", "write 2030-06-14"),
        ("20300614", "write 2030-06-14"),
        ("20300614T170000Z", "write 2030-06-14 17:00Z"),
        ("2030-06-14T17:00:00.000Z", "write 2030-06-14 17:00Z"),
        ("2030-06-14 17:00 GMT+5", "write 2030-06-14 17:00+05:00"),
        # Times.
        ("2030-06-14 17h00", "write 2030-06-14 17:00"),
        ("2030-06-14 17.00", "write 2030-06-14 17:00"),
        ("2030-06-14 1700 hrs", "write 2030-06-14 17:00"),
        ("2030-06-14, 9:00", "write 2030-06-14 09:00"),
        ("17:00 14/06/2030", "write 2030-06-14 17:00"),
        ("2030-06-14 noon", "write 2030-06-14 12:00"),
        ("2030-06-14 24:00", "write 2030-06-15 00:00"),
        ("2030-06-14 midnight", "2030-06-14 00:00 (the day begins) or 2030-06-15 00:00"),
        ("2030-06-14 12:00 PM", "write 2030-06-14 12:00 (noon) or 2030-06-14 00:00 (midnight)"),
        ("2030-06-14 9", "write 2030-06-14 09:00 if that is the hour"),
        # Zones.
        ("2030-06-14 17:00 PKT", '2030-06-14 17:00, with "time_zone: Asia/Karachi"'),
        ("2030-06-14 5 PM Pakistan time", '2030-06-14 17:00, with "time_zone: Asia/Karachi"'),
        ("2030-06-14 17:00 Asia/Karachi", '2030-06-14 17:00, with "time_zone: Asia/Karachi"'),
        ("14 June 2030 17:00 PST", "with time_zone: America/Los_Angeles or Asia/Manila,"),
        ("2030-06-14 17:00 AFT", '"AFT" next to the date (a time zone goes under time_zone)'),
        # Quotes, numbers of programs.
        ("“2030-06-14”", "has “ around it, which is not a quote in YAML; write 2030-06-14"),
        ("'2030-06-14 17:00'", "write 2030-06-14 17:00"),
        ("47648", "Excel and other spreadsheets store it; write 2030-06-14"),
        ("47648.708333", "spreadsheets store it; write 2030-06-14 17:00"),
        ("1907686800", "a Unix time in seconds; write 2030-06-14 17:00Z"),
        # More than a day, less than one, none.
        ("Q3 2030", "a quarter of a year, not a day; write the day, such as 2030-09-30, or"),
        ("2030-Q1", '"start: 2030-01-01" and "end: 2030-03-31"'),
        ("2030-06", 'is a month, not a day; write the day, such as 2030-06-30, or for all of it '
         '"start: 2030-06-01" and "end: 2030-06-30"'),
        ("mid June 2030", "is a month, not a day"),
        ("06/2030", "is a month, not a day"),
        ("2030", "is a year, not a day"),
        ("2030-W24", "is more than a day; write the day, such as 2027-06-14"),
        ("2030-W24-5", "write 2030-06-14"),
        ("2030-165", "write 2030-06-14"),
        ("2030-06-14 17 Uhr", 'has "17 Uhr" next to the date; write a date and a time as year-'),
        ("2030-06-14 17:00 EST5EDT", 'has "EST5EDT" next to the date; write a date and a time as '),
        ("summer 2030", "is more than a day"),
        ("14 June", "has no year; write the day with its year, such as 2027-06-14"),
        ("14/06", "has no year"),
        ("17:00", "is a time without a day; write both, such as 2027-06-14 17:00"),
        ("tomorrow", "write 2026-11-29"),
        ("next Friday", "write the day itself, such as 2027-06-14"),
        ("TBD", "is not a date yet; leave it out until there is one"),
        ("to be confirmed", "is not a date yet"),
        # A start and an end.
        ("14-16 June 2030", 'write "start: 2030-06-14" and "end: 2030-06-16"'),
        ("June 14 to 16, 2030", 'write "start: 2030-06-14" and "end: 2030-06-16"'),
        ("2030-06-14 to 2030-06-16", 'write "start: 2030-06-14" and "end: 2030-06-16"'),
        ("2030-06-14 – 2030-06-16", 'write "start: 2030-06-14" and "end: 2030-06-16"'),
        ("2030-06-14 17:00-19:00", '"start: 2030-06-14 17:00" and "end: 2030-06-14 19:00"'),
        ("2030-06-14 5 PM to 7 PM", '"start: 2030-06-14 17:00" and "end: 2030-06-14 19:00"'),
        # No such day.
        ("Mon 14 June 2030", "2030-06-14 is a Friday"),
        ("31/06/2030", "June has 30 days"),
        ("June 31, 2030", "June has 30 days"),
        ("1409-03-24", "the year must be from 1900 to 2200, in the Gregorian calendar"),
        # Other languages, and what else stands there.
        ("14 juin 2030", "write 2030-06-14"),
        ("14. Juni 2030", "write 2030-06-14"),
        ("14 جون 2030", "write 2030-06-14"),
        ("2030-06-14 (tentative)", 'has "tentative" next to the date; write 2030-06-14'),
        ("sometime", "is not a date or time; write 2027-06-14, or with a time 2027-06-14 17:00"),
        ("x" * 10_000, "is not a date or time"),
    ],
)  # fmt: skip
def test_what_is_no_date_has_the_line_to_write(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)) as caught:
        parse_moment(text, TODAY)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("9:00", "write 09:00"),
        ("17.00", "write 17:00"),
        ("noon", "write 12:00"),
        ("12 pm", "write 12:00 (noon) or 00:00 (midnight)"),
        ("early", "write hours:minutes, as 09:00"),
    ],
)
def test_what_is_no_time_of_day_has_the_one_to_write(text: str, words: str) -> None:
    assert parse_clock("5:00 PM") == FIVE
    with pytest.raises(ValueError, match=re.escape(words)):
        parse_clock(text)


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        ("monthly", "FREQ=MONTHLY"),
        ("every year", "FREQ=YEARLY"),
        ("every other week", "FREQ=WEEKLY;INTERVAL=2"),
        ("quarterly", "FREQ=MONTHLY;INTERVAL=3"),
        ("every 3 days", "FREQ=DAILY;INTERVAL=3"),
        ("Mondays", "FREQ=WEEKLY;BYDAY=MO"),
        ("Thursdays and Tuesdays", "FREQ=WEEKLY;BYDAY=TU,TH"),
        ("weekly on Friday", "FREQ=WEEKLY;BYDAY=FR"),
        ("every second Monday", "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO"),
        ("weekdays", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"),
        ("last Thursday of the month", "FREQ=MONTHLY;BYDAY=-1TH"),
        ("the 2nd Tuesday of each month", "FREQ=MONTHLY;BYDAY=2TU"),
        ("monthly on the last Friday", "FREQ=MONTHLY;BYDAY=-1FR"),
        ("15th of every month", "FREQ=MONTHLY;BYMONTHDAY=15"),
        ("last day of the month", "FREQ=MONTHLY;BYMONTHDAY=-1"),
        ("first Monday of September", "FREQ=YEARLY;BYMONTH=9;BYDAY=1MO"),
        ("daily, 10 times", "FREQ=DAILY;COUNT=10"),
        ("every Monday until 31 December 2030", "FREQ=WEEKLY;BYDAY=MO;UNTIL=20301231"),
        ("biweekly", None),
        ("twice a month", None),
        ("last Friday", None),
        ("1st and 3rd Monday of the month", None),
        ("sometimes", None),
    ],
)
def test_rules_in_words_lead_to_the_rule_where_they_have_one_meaning(
    words: str, rule: str | None
) -> None:
    assert suggest_rule(words) == rule
