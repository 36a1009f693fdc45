"""When events take place, as dateutil sees it too."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from dateutil.tz import resolve_imaginary
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from calfeed.errors import DefinitionError
from calfeed.ical.occurrences import expand, last_end
from calfeed.model.events import Event, Repeat, Status
from tests.ical.defining import define_event

BEGIN, END = datetime(2024, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC)
DAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
ZONES = ["America/New_York", "Asia/Karachi", "Europe/London", "Australia/Lord_Howe", "UTC"]


def starts(event: Event, begin: datetime = BEGIN, end: datetime = END) -> list[str]:
    return [f"{one.start:%Y-%m-%d %H:%M}" for one in expand(event, begin, end)]


def in_new_york(start: str, rule: str, more: str = "") -> Event:
    return define_event(
        f"time_zone: America/New_York\nstart: {start}\nrepeat: {{rule: '{rule}'{more}}}"
    )


def test_a_single_event_has_one_occurrence_without_a_name() -> None:
    event = define_event("start: 2024-09-27 10:30\nduration: 1 hour")
    (one,) = expand(event, BEGIN, END)
    assert (one.id, one.original) == ("", None)
    assert one.begins == datetime(2024, 9, 27, 5, 30, tzinfo=UTC)
    assert one.ends == one.begins + timedelta(hours=1)


def test_the_window_holds_its_beginning_but_not_its_end() -> None:
    event = define_event("start: 2024-09-27 10:30")
    begins = event.instant(event.start)
    second = timedelta(seconds=1)
    assert len(list(expand(event, begins, begins + second))) == 1
    assert list(expand(event, begins - second, begins)) == []
    assert list(expand(event, begins + second, END)) == []


def test_occurrences_keep_their_wall_time_across_a_change_of_the_clocks() -> None:
    event = in_new_york("2024-11-01 10:30", "FREQ=DAILY;COUNT=4")
    assert starts(event) == [f"2024-11-0{day} 10:30" for day in (1, 2, 3, 4)]
    hours = [one.begins.hour for one in expand(event, BEGIN, END)]
    assert hours == [14, 14, 15, 15]


def test_a_wall_time_that_the_clocks_skip_is_read_with_the_offset_before_the_gap() -> None:
    event = in_new_york("2024-03-09 02:30", "FREQ=DAILY;COUNT=3")
    assert starts(event) == ["2024-03-09 02:30", "2024-03-10 03:30", "2024-03-11 02:30"]


@pytest.mark.parametrize("written", ["02:30", "03:30", "03:30-04:00", "07:30Z"])
def test_an_occurrence_that_the_clocks_skip_can_be_excluded_and_changed(written: str) -> None:
    event = in_new_york(
        "2024-03-09 02:30", "FREQ=DAILY;COUNT=3", f", except: [2024-03-10 {written}]"
    )
    assert starts(event) == ["2024-03-09 02:30", "2024-03-11 02:30"]
    moved = f", changes: {{2024-03-10 {written}: {{start: 2024-03-10 12:00}}}}"
    event = in_new_york("2024-03-09 02:30", "FREQ=DAILY;COUNT=3", moved)
    assert starts(event) == ["2024-03-09 02:30", "2024-03-10 12:00", "2024-03-11 02:30"]
    with pytest.raises(DefinitionError, match="the last before it is 2024-03-10 02:30"):
        in_new_york("2024-03-09 02:30", "FREQ=DAILY;COUNT=3", ", except: [2024-03-10 02:45]")


def test_a_wall_time_that_comes_twice_is_the_first_of_the_two() -> None:
    event = in_new_york("2024-11-02 01:30", "FREQ=DAILY;COUNT=2")
    assert [one.begins.hour for one in expand(event, BEGIN, END)] == [5, 5]


def test_the_length_of_an_occurrence_is_time_on_the_timeline() -> None:
    """RFC 5545, 3.8.5.3: of 2 hours from midnight the clocks make 00:00 to 03:00."""
    event = define_event(
        """
        time_zone: America/New_York
        start: 2024-03-09 00:30
        duration: 2 hours
        repeat: {rule: FREQ=DAILY;COUNT=2}
        """
    )
    first, second = expand(event, BEGIN, END)
    assert first.ends - first.begins == second.ends - second.begins == timedelta(hours=2)
    assert f"{second.end:%H:%M}" == "03:30"


@pytest.mark.parametrize(
    ("until", "last"),
    [
        ("20250103", "2025-01-03 01:00"),
        ("20250103T010000", "2025-01-03 01:00"),
        ("20250103T005959", "2025-01-02 01:00"),
        ("20250103T060000Z", "2025-01-03 01:00"),
        ("20250103T055959Z", "2025-01-02 01:00"),
    ],
)
def test_the_last_occurrence_is_the_one_at_or_before_until(until: str, last: str) -> None:
    assert starts(in_new_york("2025-01-01 01:00", f"FREQ=DAILY;UNTIL={until}"))[-1] == last


def test_the_last_occurrence_east_of_greenwich_is_not_lost() -> None:
    event = define_event(
        "start: 2025-01-01 09:00\nrepeat: {rule: FREQ=DAILY;UNTIL=20250103T090000}"
    )
    assert starts(event)[-1] == "2025-01-03 09:00"


def test_an_all_day_rule_ends_on_the_day_of_until() -> None:
    event = define_event("start: 2025-01-01\nrepeat: {rule: FREQ=DAILY;UNTIL=20250103}")
    assert starts(event) == [f"2025-01-0{day} 00:00" for day in (1, 2, 3)]


def test_what_is_taken_out_added_and_changed() -> None:
    more = (
        ", except: [2024-10-04 10:30], also: [2024-10-05 12:00],"
        " changes: {2024-10-11 10:30: {start: 2024-10-12 08:00, summary: Late},"
        " 2024-10-18 10:30: {status: cancelled}}"
    )
    event = in_new_york("2024-09-27 10:30", "FREQ=WEEKLY;COUNT=4", more)
    found = list(expand(event, BEGIN, END))
    assert [(f"{one.start:%d %H:%M}", one.status) for one in found] == [
        ("27 10:30", Status.CONFIRMED),
        ("05 12:00", Status.CONFIRMED),
        ("12 08:00", Status.CONFIRMED),
        ("18 10:30", Status.CANCELLED),
    ]
    assert found[2].id == "20241011T143000Z", "a moved occurrence keeps its name"
    assert found[2].summary == {"en": "Late"}


def test_an_occurrence_moved_into_the_window_or_out_of_it_is_found_by_its_new_start() -> None:
    more = ", changes: {2024-10-04 10:30: {start: 2025-02-01 09:00}}"
    event = in_new_york("2024-09-27 10:30", "FREQ=WEEKLY;COUNT=3", more)
    autumn = starts(event, BEGIN, datetime(2025, 1, 1, tzinfo=UTC))
    assert autumn == ["2024-09-27 10:30", "2024-10-11 10:30"]
    assert starts(event, datetime(2025, 1, 1, tzinfo=UTC), END) == ["2025-02-01 09:00"]


def test_the_end_of_the_last_occurrence_is_that_of_the_latest_one_even_if_it_moved() -> None:
    more = ", changes: {2024-10-04 10:30: {start: 2025-02-01 09:00}}"
    event = in_new_york("2024-09-27 10:30", "FREQ=WEEKLY;COUNT=3", more)
    assert last_end(event) == datetime(2025, 2, 1, 14, tzinfo=UTC)
    assert last_end(in_new_york("2024-09-27 10:30", "FREQ=WEEKLY")) is None
    single = define_event("start: 2024-09-24\nend: 2024-09-28\ntime_zone: UTC")
    assert last_end(single) == datetime(2024, 9, 29, tzinfo=UTC)


# Generated rules, held against dateutil on the wall clock; what clients read is in test_corpus.py


@st.composite
def rules(draw: st.DrawFn, start: datetime, timed: bool) -> str:
    frequency = draw(st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]))
    parts = [f"FREQ={frequency}"]
    if draw(st.booleans()):
        parts.append(f"INTERVAL={draw(st.integers(2, 5))}")
    if frequency == "WEEKLY" and draw(st.booleans()):
        days = draw(st.sets(st.sampled_from(DAYS), max_size=3)) | {DAYS[start.weekday()]}
        parts.append("BYDAY=" + ",".join(sorted(days, key=DAYS.index)))
    if frequency == "MONTHLY" and draw(st.booleans()):
        nth = (start.day - 1) // 7 + 1
        parts.append(f"BYDAY={nth}{DAYS[start.weekday()]}")
    end = draw(st.sampled_from(["", "count", "until" if timed else "", "day"]))
    later = start + timedelta(days=draw(st.integers(1, 900)))
    if end == "count":
        parts.append(f"COUNT={draw(st.integers(1, 20))}")
    elif end == "until":
        parts.append(f"UNTIL={later:%Y%m%dT%H%M%S}")
    elif end == "day":
        parts.append(f"UNTIL={later:%Y%m%d}")
    return ";".join(parts)


@st.composite
def recurring(draw: st.DrawFn) -> Event:
    zone = draw(st.sampled_from(ZONES))
    day = draw(st.dates(date(2024, 1, 1), date(2025, 12, 31)))
    clock = time(draw(st.integers(0, 23)), draw(st.sampled_from([0, 30])))
    wall = datetime.combine(day, clock)
    timed = draw(st.booleans())
    aware = wall.replace(tzinfo=ZoneInfo(zone))
    # Written into a gap of the clocks, the start would not be what the rule gives.
    assume(aware == resolve_imaginary(aware))
    start = aware if timed else day
    length = timedelta(minutes=45) if timed else timedelta(days=1)
    return Event(
        calendar="desk",
        slug="it",
        uid="it@desk",
        summary={"en": "It"},
        start=start,
        end=start + length,
        time_zone=zone,
        language="en",
        repeat=Repeat(rule=draw(rules(wall, timed))),
    )


def begins_by_dateutil(event: Event, end: datetime) -> list[datetime]:
    assert event.repeat is not None
    assert event.repeat.rule is not None
    rule, *until = event.repeat.rule.split(";UNTIL=")
    wall = datetime.combine(event.start, time())
    if isinstance(event.start, datetime):
        wall = event.start.replace(tzinfo=None)
    last = end.replace(tzinfo=None) + timedelta(days=2)
    if until:
        written = datetime.fromisoformat(until[0])
        last = written if "T" in until[0] else written + timedelta(hours=23, minutes=59)
    found = []
    for moment in takewhile(lambda one: one <= last, rrulestr(rule, dtstart=wall)):
        aware = resolve_imaginary(moment.replace(tzinfo=event.zone))
        found.append(aware.astimezone(UTC))
    return [one for one in found if one < end]


@settings(max_examples=150)
@given(recurring())
def test_generated_rules_give_what_dateutil_gives_on_the_wall_clock(event: Event) -> None:
    end = datetime(2027, 1, 1, tzinfo=UTC)
    assert [one.begins for one in expand(event, BEGIN - timedelta(days=9), end)] == (
        begins_by_dateutil(event, end)
    )
