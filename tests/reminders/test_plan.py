"""The due times and the keys of reminders."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calfeed.model.dates.durations import parse_duration
from calfeed.model.dates.reminder_rules import ReminderRule
from calfeed.model.events import Event
from calfeed.reminders.plan import GRACE, Reminder, pending_reminders, plan_reminders
from tests.ical.defining import define_event

BEGIN, END = datetime(2023, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC)
IN_NEW_YORK = "time_zone: America/New_York\n"
HORIZON = timedelta(days=400)


def plan(event: Event, begin: datetime = BEGIN, end: datetime = END) -> list[Reminder]:
    return list(plan_reminders(event, begin, end))


def due(text: str) -> list[str]:
    """The due times of an event's reminders, on its own wall clock."""
    event = define_event(text)
    return [f"{one.due.astimezone(event.zone):%Y-%m-%d %H:%M %Z}" for one in plan(event)]


def keys(text: str) -> set[str]:
    return {one.key for one in plan(define_event(text))}


@pytest.mark.parametrize(
    ("start", "rule", "expected"),
    [
        ("2025-06-30", "1 month", "2025-05-30 09:00 PKT"),
        ("2025-03-31", "1 month", "2025-02-28 09:00 PKT"),
        ("2024-03-31", "1 month", "2024-02-29 09:00 PKT"),
        ("2024-02-29", "1 year", "2023-02-28 09:00 PKT"),
        ("2025-06-30 17:00", "1 month", "2025-05-30 17:00 PKT"),
        ("2025-06-30", "1 week", "2025-06-23 09:00 PKT"),
        ("2025-06-30", "0 days", "2025-06-30 09:00 PKT"),
        ("2025-06-30", "12 hours", "2025-06-29 12:00 PKT"),
        ("2025-06-30", "{before: 1 day, at: '18:30'}", "2025-06-29 18:30 PKT"),
        ("2025-06-30 17:00", "{before: 1 day, at: '09:00'}", "2025-06-29 09:00 PKT"),
        ("2025-06-30 17:00", "{before: 0 days, at: '09:00'}", "2025-06-30 09:00 PKT"),
        ("2025-06-30 17:00", "90 minutes", "2025-06-30 15:30 PKT"),
    ],
)
def test_a_reminder_is_due_on_the_wall_clock_of_the_event(
    start: str, rule: str, expected: str
) -> None:
    assert due(f"start: {start}\nreminders: [{rule}]") == [expected]


@pytest.mark.parametrize(
    ("start", "rule", "expected"),
    [
        # The clocks go back on 3 November 2024, and forward on 9 March 2025.
        ("2024-11-03 10:00", "1 day", "2024-11-02 10:00 EDT"),
        ("2024-11-03 10:00", "24 hours", "2024-11-02 11:00 EDT"),
        ("2024-11-03 10:00", "1 day 2 hours", "2024-11-02 08:00 EDT"),
        ("2025-03-09 10:00", "1 day", "2025-03-08 10:00 EST"),
        ("2025-03-09 10:00", "24 hours", "2025-03-08 09:00 EST"),
        ("2025-03-10 02:30", "1 day", "2025-03-09 03:30 EDT"),
        ("2024-11-04 01:30", "1 day", "2024-11-03 01:30 EDT"),
        ("2024-11-04", "1 month", "2024-10-04 09:00 EDT"),
    ],
)
def test_days_keep_the_time_of_day_and_hours_are_counted_on_the_timeline(
    start: str, rule: str, expected: str
) -> None:
    assert due(f"{IN_NEW_YORK}start: {start}\nreminders: [{rule}]") == [expected]


def test_reminders_come_in_the_order_of_their_due_times_within_the_window() -> None:
    event = define_event("start: 2025-06-30\nreminders: [1 day, 1 month, 1 week]")
    assert [str(one.rule) for one in plan(event)] == [
        "1 month before",
        "1 week before",
        "1 day before",
    ]
    week = plan(event)[1].due
    assert len(plan(event, week, week + timedelta(seconds=1))) == 1
    assert plan(event, week + timedelta(seconds=1), week + timedelta(days=1)) == []
    assert plan(event, week - timedelta(days=1), week) == []


def test_planning_twice_gives_the_same_keys() -> None:
    text = "start: 2025-06-30\nreminders: [1 week, 1 day]\nrepeat: {rule: FREQ=YEARLY}"
    assert plan(define_event(text)) == plan(define_event(text))
    assert len(keys(text)) == 2 * 5


@pytest.mark.parametrize(
    "edit",
    [
        "description: a longer one",
        "location: elsewhere",
        "end: 2025-07-02",
        "note: why",
        "categories: [a]",
        "kind: deadline",
    ],
)
def test_editing_anything_but_the_date_leaves_the_keys_as_they_are(edit: str) -> None:
    text = "start: 2025-06-30\nreminders: [1 week]\n"
    assert keys(text) == keys(text + edit)


def test_a_moved_date_has_other_keys_and_moved_back_the_old_ones() -> None:
    text = "start: 2025-06-30\nreminders: [1 week, 1 day]"
    assert keys(text).isdisjoint(keys(text.replace("06-30", "07-31")))


def test_a_week_is_seven_days_and_the_same_reminder() -> None:
    text = "start: 2025-06-30\nreminders: [%s]"
    assert keys(text % "1 week") == keys(text % "7 days")
    assert keys(text % "1 day") != keys(text % "24 hours")
    assert keys(text % "1 day") != keys(text % "{before: 1 day, at: '10:00'}")


def test_each_occurrence_has_reminders_of_its_own() -> None:
    text = "start: 2025-06-30 10:00\nreminders: [1 hour]\nrepeat: {rule: FREQ=DAILY;COUNT=5}"
    found = plan(define_event(text))
    assert len({one.key for one in found}) == 5
    assert [one.occurrence.begins - one.due for one in found] == [timedelta(hours=1)] * 5


def test_a_moved_occurrence_moves_its_reminders_and_no_others() -> None:
    text = "start: 2025-06-30 10:00\nreminders: [1 hour]\nrepeat: {rule: FREQ=DAILY;COUNT=3%s}"
    change = ", changes: {2025-07-01 10:00: {start: 2025-07-05 18:00}}"
    change = text.replace("COUNT=3%s", "COUNT=3" + change)
    before, after = keys(text % ""), keys(change)
    assert len(before & after) == 2
    moved = next(one for one in plan(define_event(change)) if one.key not in before)
    assert moved.due == datetime(2025, 7, 5, 12, tzinfo=UTC)


def test_nothing_reminds_of_what_is_cancelled() -> None:
    assert keys("start: 2025-06-30\nstatus: cancelled\nreminders: [1 day]") == set()
    text = "start: 2025-06-30\nreminders: [1 day]\nrepeat: {rule: FREQ=DAILY;COUNT=2%s}"
    cancelled = text % ", changes: {2025-07-01: {status: cancelled}}"
    assert len(keys(cancelled)) == 1


def test_a_reminder_is_of_use_until_its_occurrence_begins() -> None:
    (timed,) = plan(define_event("start: 2025-06-30 10:00\nreminders: [1 day]"))
    assert timed.until == timed.occurrence.begins
    (at_once,) = plan(define_event("start: 2025-06-30 10:00\nreminders: [0 minutes]"))
    assert at_once.until == at_once.due + GRACE


def test_a_day_has_begun_when_it_is_over() -> None:
    (reminder,) = plan(define_event("start: 2025-06-30\nend: 2025-07-05\nreminders: [1 day]"))
    assert reminder.until == datetime(2025, 7, 1, tzinfo=ZoneInfo("Asia/Karachi"))


def test_pending_are_those_to_come_and_those_overdue_that_are_still_of_use() -> None:
    event = define_event("start: 2025-06-30\nreminders: [1 year, 1 month, 1 day]")

    def pending(now: datetime) -> list[str]:
        return [str(one.rule) for one in pending_reminders(event, now, HORIZON)]

    every = ["1 year before", "1 month before", "1 day before"]
    assert pending(datetime(2025, 6, 1, tzinfo=UTC)) == every
    assert pending(datetime(2023, 6, 1, tzinfo=UTC)) == every[:1]
    assert pending(datetime(2025, 6, 30, 18, tzinfo=UTC)) == every
    assert pending(datetime(2025, 6, 30, 19, tzinfo=UTC)) == []


@given(
    rule=st.sampled_from(["3 months", "1 week", "1 day", "36 hours", "20 minutes", "0 days"]),
    start=st.datetimes(datetime(2024, 1, 1), datetime(2027, 12, 31)),  # noqa: DTZ001 - wall times
    zone=st.sampled_from(["America/New_York", "Australia/Lord_Howe", "Asia/Karachi"]),
)
def test_the_windows_of_two_neighbours_hold_each_reminder_once(
    rule: str, start: datetime, zone: str
) -> None:
    event = Event(
        calendar="desk",
        slug="it",
        uid="it@desk",
        summary={"en": "It"},
        start=start.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC),
        time_zone=zone,
        language="en",
        reminders=(ReminderRule(before=parse_duration(rule)),),
    )
    (whole,) = plan(event)
    middle = whole.due
    for border in (middle, middle + timedelta(microseconds=1), middle - timedelta(hours=1)):
        assert plan(event, BEGIN, border) + plan(event, border, END) == [whole]
