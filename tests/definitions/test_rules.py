"""A recurrence rule is taken only where RFC 5545 allows it and the start is one of its dates."""

from __future__ import annotations

import re
import time
from datetime import UTC, date, datetime, timedelta
from itertools import dropwhile, islice
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from hypothesis import assume, given
from hypothesis import strategies as st
from icalendar import vRecur

from calfeed.definitions.recurrence.rules import read_rule
from calfeed.model.dates.wall_times import wall_time
from calfeed.model.recurrences import Rule

FRIDAY = datetime(2024, 9, 27, 10, 30, tzinfo=ZoneInfo("America/New_York"))
FRIDAY_ALL_DAY = date(2024, 9, 27)

GOOD = [
    "FREQ=YEARLY",
    "FREQ=YEARLY;INTERVAL=4;COUNT=3",
    "FREQ=YEARLY;BYMONTH=9;BYDAY=4FR",
    "FREQ=YEARLY;BYDAY=-14FR",
    "FREQ=YEARLY;BYYEARDAY=271",
    "FREQ=YEARLY;BYWEEKNO=39;BYDAY=FR",
    "FREQ=MONTHLY;BYDAY=-1FR",
    "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=25,26,27",
    "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2",
    "FREQ=WEEKLY;BYDAY=MO,WE,FR;UNTIL=20301231",
    "FREQ=WEEKLY;INTERVAL=2;WKST=SU",
    "FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR",
    "FREQ=DAILY;INTERVAL=10;UNTIL=20240927",
    "FREQ=DAILY;BYMONTH=9;BYMONTHDAY=27",
]
GOOD_TIMED = [
    "FREQ=HOURLY;INTERVAL=6;COUNT=4",
    "FREQ=HOURLY;BYHOUR=9,10,11;BYDAY=FR",
    "FREQ=DAILY;BYHOUR=8,10;BYMINUTE=30",
    "FREQ=WEEKLY;UNTIL=20251231T235959Z",
    "FREQ=WEEKLY;UNTIL=20240927T143000Z",
    "FREQ=WEEKLY;UNTIL=20240927T103000",
]


@pytest.mark.parametrize("text", GOOD + GOOD_TIMED)
def test_a_rule_that_is_right_is_taken_and_icalendar_reads_it_too(text: str) -> None:
    rule = read_rule(text, FRIDAY)
    assert rule.text == text
    assert vRecur.from_ical(rule.text)["FREQ"] == [text.split(";")[0].removeprefix("FREQ=")]
    assert rule.starts(rule.start) == [rule.start]


@pytest.mark.parametrize("text", GOOD)
def test_rules_without_times_go_with_all_day_events(text: str) -> None:
    assert read_rule(text, FRIDAY_ALL_DAY).text == text


def test_a_rule_is_written_in_one_way() -> None:
    assert read_rule("rrule: count=3; freq=yearly", FRIDAY).text == "FREQ=YEARLY;COUNT=3"


BAD = {
    "FREQ=MINUTELY": "is not supported; the most frequent is HOURLY",
    "FREQ=SECONDLY": "is not supported; the most frequent is HOURLY",
    "FREQ=DAILY;BYMINUTE=0,30": "more frequent than hourly",
    "FREQ=DAILY;BYHOUR=10;BYSECOND=0,1": "more frequent than hourly",
    "FREQ=HOURLY;BYMINUTE=30": "BYMINUTE cannot be combined with FREQ=HOURLY",
    "FREQ=HOURLY;BYMONTH=9": "BYMONTH cannot be combined with FREQ=HOURLY",
    "FREQ=FORTNIGHTLY": '"FORTNIGHTLY" is not a frequency; write FREQ= with YEARLY',
    "COUNT=3": "needs a frequency",
    "yearly": '"yearly" is not a recurrence rule (RFC 5545); write rule: "FREQ=YEARLY"',
    "": "is not a recurrence rule",
    "FREQ=YEARLY;": "is not a part of a rule",
    "FREQ=YEARLY;BYMONHT=9": "did you mean BYMONTH?",
    "FREQ=YEARLY;BYEASTER=0": 'there is no part "BYEASTER"',
    "FREQ=YEARLY;FREQ=DAILY": "FREQ is listed twice",
    "FREQ=YEARLY;COUNT=3;UNTIL=20301231": "COUNT and UNTIL cannot both",
    "FREQ=YEARLY;COUNT=0": "must be from 1 to 10000",
    "FREQ=YEARLY;INTERVAL=-1": "must be from 1 to 1000",
    "FREQ=YEARLY;BYMONTH=13": "must be from 1 to 12",
    "FREQ=MONTHLY;BYMONTHDAY=0": "must be from 1 to 31 or -31 to -1",
    "FREQ=YEARLY;BYMONTHDAY=1e1": "must be from 1 to 31",
    "FREQ=MONTHLY;BYDAY=FRI": '"FRI" is not a weekday',
    "FREQ=MONTHLY;BYDAY=0FR": '"0FR" is not a weekday',
    "FREQ=MONTHLY;BYDAY=6FR": "at most five of each weekday",
    "FREQ=YEARLY;BYMONTH=9;BYDAY=6FR": "at most five of each weekday",
    "FREQ=WEEKLY;BYDAY=1FR": "BYDAY cannot have numbers (as in 1MO) with FREQ=WEEKLY",
    "FREQ=YEARLY;BYWEEKNO=39;BYDAY=1FR": "BYDAY cannot have numbers (as in 1MO) with BYWEEKNO",
    "FREQ=YEARLY;BYWEEKNO=39": "BYWEEKNO needs the weekday",
    "FREQ=MONTHLY;BYWEEKNO=39;BYDAY=FR": "BYWEEKNO cannot be combined with FREQ=MONTHLY, only "
    "with YEARLY",
    "FREQ=MONTHLY;BYYEARDAY=271": "BYYEARDAY cannot be combined with FREQ=MONTHLY",
    "FREQ=WEEKLY;BYMONTHDAY=27": "BYMONTHDAY cannot be combined with FREQ=WEEKLY",
    "FREQ=WEEKLY;BYDAY=FR;BYSETPOS=1": "only with YEARLY and MONTHLY",
    "FREQ=MONTHLY;BYSETPOS=1": "BYSETPOS needs another part that selects days",
    "FREQ=WEEKLY;WKST=XX": '"XX" is not a weekday',
    "FREQ=YEARLY;UNTIL=2030-12-31": "must be written as 20261231",
    "FREQ=YEARLY;UNTIL=20300231": "February 2030 has 28 days",
    "FREQ=YEARLY;UNTIL=20240926": "UNTIL=20240926 is before the start",
    "FREQ=WEEKLY;UNTIL=20240927T142959Z": "is before the start",
    "FREQ=WEEKLY;BYDAY=TU": "the first is 2024-10-01 10:30",
    "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU": "the first is 2024-10-08 10:30",
    "FREQ=MONTHLY;BYDAY=2MO": "the first is 2024-10-14 10:30",
    "FREQ=YEARLY;BYMONTH=11;BYDAY=4TH": "the first is 2024-11-28 10:30",
    "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1": "the first is 2024-09-30 10:30",
    "FREQ=DAILY;BYDAY=SA,SU": "the first is 2024-09-28 10:30",
    "FREQ=DAILY;BYHOUR=9,17": "the first is 2024-09-27 17:30",
    "FREQ=DAILY;BYMINUTE=15": "the first is 2024-09-28 10:15",
    "FREQ=HOURLY;INTERVAL=4;BYHOUR=14,16": "the first is 2024-09-27 14:30",
    "FREQ=HOURLY;INTERVAL=24;BYHOUR=9": "has none",
    "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30": "has none",
    "FREQ=DAILY;INTERVAL=7;BYDAY=TU": "has none",
    "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30": "has none",
    "FREQ=MONTHLY;BYMONTH=4;BYMONTHDAY=31": "has none",
    "FREQ=YEARLY;INTERVAL=1000;BYMONTH=1": "has none",
}


@pytest.mark.parametrize(("text", "words"), BAD.items())
def test_a_rule_that_is_wrong_is_explained_at_once(text: str, words: str) -> None:
    began = time.process_time()
    with pytest.raises(ValueError, match=re.escape(words)):
        read_rule(text, FRIDAY)
    assert time.process_time() - began < 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("FREQ=HOURLY", "FREQ=HOURLY is for events with a time of day"),
        ("FREQ=DAILY;BYHOUR=9", "BYHOUR is for events with a time of day"),
        ("FREQ=DAILY;UNTIL=20301231T000000Z", "write the last day, UNTIL=20301231"),
        (
            "FREQ=WEEKLY;BYDAY=TU",
            "the start 2024-09-27 is not one of the rule's dates; the first is 2024-10-01",
        ),
    ],
)
def test_times_do_not_go_with_all_day_events(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        read_rule(text, FRIDAY_ALL_DAY)


@st.composite
def rules(draw: st.DrawFn) -> str:
    frequency = draw(st.sampled_from(["YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY"]))
    parts = {
        "INTERVAL": st.integers(1, 6).map(str),
        "BYMONTH": st.lists(st.integers(1, 12), min_size=1, max_size=3),
        "BYMONTHDAY": st.lists(
            st.sampled_from([1, 15, 27, 30, 31, -1, -4]), min_size=1, max_size=3
        ),
        "BYDAY": st.lists(
            st.sampled_from(["MO", "FR", "SU", "1MO", "-1FR", "4FR"]), min_size=1, max_size=3
        ),
        "BYYEARDAY": st.lists(st.sampled_from([1, 271, -1, 366]), min_size=1, max_size=2),
        "BYSETPOS": st.sampled_from(["1", "-1", "2"]),
        "BYHOUR": st.lists(st.integers(8, 12), min_size=1, max_size=3),
        "WKST": st.sampled_from(["MO", "SU"]),
    }
    text = f"FREQ={frequency}"
    for name in draw(st.lists(st.sampled_from(sorted(parts)), unique=True, max_size=3)):
        value = draw(parts[name])
        text += f";{name}={','.join(map(str, value)) if isinstance(value, list) else value}"
    return text


@given(rules(), st.integers(0, 800))
def test_the_start_is_an_occurrence_exactly_where_dateutil_says_so(text: str, days: int) -> None:
    start = datetime.fromordinal(FRIDAY.toordinal() + days).replace(hour=10, tzinfo=UTC)
    wall = wall_time(start)
    try:
        rule = read_rule(text, start)
    except ValueError as error:
        # Where the message names the first date, dateutil finds it; else it might look for ever.
        named = str(error).partition("; the first is ")[2]
        first = named and next(iter(rrulestr(text, dtstart=wall)))
        assert not first or f"{first:%Y-%m-%d %H:%M}" == named
    else:
        assert next(iter(rrulestr(rule.text, dtstart=wall))) == wall
        assert vRecur.from_ical(rule.text)


@given(rules(), st.integers(0, 800), st.timedeltas(timedelta(0), timedelta(days=1500)))
def test_a_rule_walked_from_a_later_time_gives_what_it_gives_from_its_start(
    text: str, days: int, later: timedelta
) -> None:
    start = datetime.fromordinal(FRIDAY.toordinal() + days).replace(hour=10, tzinfo=UTC)
    rule = read_from_its_first(text, start)
    assume(rule is not None)
    assert rule is not None
    since = rule.start + later
    whole = rrulestr(rule.text, dtstart=rule.start)
    expected = list(islice(dropwhile(lambda wall: wall < since, whole), 5))
    assert list(islice(dropwhile(lambda wall: wall < since, rule.walk(since)), 5)) == expected


def read_from_its_first(text: str, start: datetime) -> Rule | None:
    """A rule that starts with the first date that it gives from `start` on, if one is near."""
    try:
        return read_rule(text, start)
    except ValueError as error:
        named = str(error).partition("; the first is ")[2]
        return read_rule(text, datetime.fromisoformat(named).replace(tzinfo=UTC)) if named else None
