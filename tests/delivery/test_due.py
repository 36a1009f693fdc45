"""Due work, without a worker."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from sqlalchemy import select, update

from calfeed.delivery import due
from calfeed.delivery.due import (
    FIRE_AHEAD,
    LateReminderPacer,
    extend_plans,
    fan_out,
    fire_due,
    retire_events,
)
from calfeed.model.states import ReminderState
from calfeed.publish.compare import KEEP_WITHDRAWN
from calfeed.publish.plan import HORIZON
from calfeed.reminders.filters import Filters
from calfeed.store.catalog.calendars import load_calendars
from calfeed.store.endpoints.records import add_endpoint
from calfeed.store.outbox.claims import claim
from calfeed.store.outbox.messages import load_messages
from calfeed.store.tables import messages, reminders
from tests.ical.defining import define
from tests.publish.desk import BASE, NOW, OTHERS, STAY, Desk
from tests.store.keeping import make_endpoint, read_deliveries

REMINDERS = Filters(types=("reminder.due",))
JUNE = STAY.format(start="2025-06-30")
MONTHLY = (
    "monthly:\n  summary: M\n  start: 2025-01-15\n  reminders: [1 day]\n"
    "  repeat: {rule: FREQ=MONTHLY}\n"
)
WEEKLY = (
    "weekly:\n  summary: W\n  start: 2025-06-29 20:00\n  reminders: [1 day]\n"
    "  repeat: {rule: FREQ=WEEKLY;COUNT=2}\n"
)


def test_a_reminder_fires_once(desk: Desk) -> None:
    desk.publish(JUNE)
    due = desk.reminders()[0].due
    assert fire_due(desk.database, due - timedelta(seconds=1), BASE, LateReminderPacer()) == 0
    assert fire_due(desk.database, due, BASE, LateReminderPacer()) == 1
    assert fire_due(desk.database, due, BASE, LateReminderPacer()) == 0
    assert [subject.type for subject in desk.told()] == ["reminder.due"]


@pytest.mark.parametrize(
    ("definition", "due", "message_type"),
    [
        # Over a weekend and a holiday: further away than the days that are counted.
        ("start: 2026-03-25, reminders: [3 working days]", "2026-03-18T04:00", "reminder.due"),
        ("start: 2026-06-15, reminders: [60 working days]", "2026-03-13T04:00", "reminder.due"),
        (
            "start: 2026-03-25 10:00, repeat: {rule: FREQ=YEARLY;COUNT=2}, "
            "reminders: [3 working days]",
            *("2026-03-18T05:00", "reminder.due"),
        ),
        # After the occurrence has begun, by more than the plan looks back.
        (
            "start: 2026-03-16, end: 2026-03-25, reminders: [the last hour]",
            *("2026-03-25T18:00", "reminder.due"),
        ),
        ("start: 2026-05, reminders: [1 day]", "2026-03-02T04:00", "event.date_open"),
    ],
)
def test_a_reminder_is_found_again_however_far_it_is_from_its_occurrence(
    desk: Desk, definition: str, due: str, message_type: str
) -> None:
    desk.publish_calendars(
        define(f"it: {{summary: It, {definition}}}", head="working_days: {holidays: [PK]}")
    )
    planned = desk.reminders()[0]
    assert planned.due == datetime.fromisoformat(due).replace(tzinfo=UTC)
    assert fire_due(desk.database, planned.due, BASE, LateReminderPacer()) == 1
    assert desk.reminders()[0].state == ReminderState.SENT
    assert [subject.type for subject in desk.told()] == [message_type]


def test_a_reminder_is_ready_a_moment_before_and_leaves_when_it_is_due(desk: Desk) -> None:
    with desk.database.write() as connection:
        add_endpoint(connection, make_endpoint("end_1", filters=REMINDERS))
    desk.publish(JUNE)
    due = desk.reminders()[0].due
    assert fire_due(desk.database, due - FIRE_AHEAD, BASE, LateReminderPacer()) == 1
    while fan_out(desk.database, due - FIRE_AHEAD):
        pass
    with desk.database.write() as connection:
        assert claim(connection, due - timedelta(microseconds=1), 10) == []
        (taken,) = claim(connection, due, 10)
        (message,) = load_messages(connection, [taken.message_id]).values()
    body = json.loads(message.body)
    assert datetime.fromisoformat(body["timestamp"]) == due
    assert body["data"]["reminder"]["late_seconds"] == 0
    assert (desk.reminders()[0].state, desk.reminders()[0].settled_at) == ("sent", due)


def test_what_is_ready_is_taken_back_by_a_publish_that_comes_before_it_is_due(desk: Desk) -> None:
    with desk.database.write() as connection:
        add_endpoint(connection, make_endpoint("end_1", filters=REMINDERS))
    desk.publish(JUNE)
    due = desk.reminders()[0].due
    fire_due(desk.database, due - FIRE_AHEAD, BASE, LateReminderPacer())
    while fan_out(desk.database, due - FIRE_AHEAD):
        pass
    desk.now = due - FIRE_AHEAD / 2 - timedelta(hours=1)
    desk.publish(STAY.format(start="2025-08-31"))
    with desk.database.write() as connection:
        assert claim(connection, due, 10) == []
    assert [row.state for row in read_deliveries(desk.database)] == ["superseded"]


def test_overdue_reminders_of_one_occurrence_collapse_into_the_nearest(desk: Desk) -> None:
    desk.publish(JUNE, OTHERS)
    assert (
        fire_due(desk.database, datetime(2025, 6, 29, 12, tzinfo=UTC), BASE, LateReminderPacer())
        == 2
    )
    assert [(row.rule, row.state) for row in desk.reminders()] == [
        ("1 week before", "collapsed"),
        ("1 day before", "sent"),
    ]
    assert [subject.type for subject in desk.told()] == ["reminder.due"]
    # What was collapsed is not told by a later publish.
    desk.publish(JUNE.replace("The stay", "It"), OTHERS)
    assert [state for _, state in desk.states()] == ["collapsed", "sent"]


def test_they_collapse_across_the_bound_of_a_transaction(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(due, "_BATCH_SIZE", 1)
    desk.publish(JUNE, WEEKLY)
    now = datetime(2025, 6, 29, 12, tzinfo=UTC)
    while fire_due(desk.database, now, BASE, LateReminderPacer()):
        pass
    assert [row.state for row in desk.reminders() if row.rule == "1 week before"] == ["collapsed"]
    assert [row.state for row in desk.reminders() if row.due <= now].count(ReminderState.SENT) == 2


def test_two_rules_of_the_same_minute_make_one_message(desk: Desk) -> None:
    desk.publish("soon:\n  summary: S\n  start: 2025-06-30 10:00\n  reminders: [1 day, 24 hours]\n")
    fire_due(desk.database, desk.reminders()[0].due, BASE, LateReminderPacer())
    assert sorted(row.state for row in desk.reminders()) == ["collapsed", "sent"]


def test_they_collapse_only_into_one_that_is_sent(desk: Desk) -> None:
    """The nearest is on the list but no longer asked for: the one before it is sent."""
    desk.publish(JUNE, OTHERS)
    week, day = desk.reminders()
    desk.publish(JUNE.replace("1 week, 1 day", "1 week"), OTHERS)
    with desk.database.write() as connection:
        connection.execute(
            update(reminders).where(reminders.c.key == day.key).values(state="planned")
        )
    fire_due(desk.database, datetime(2025, 6, 29, 12, tzinfo=UTC), BASE, LateReminderPacer())
    assert {row.key: row.state for row in desk.reminders()} == {
        week.key: "sent",
        day.key: "withdrawn",
    }


def test_what_is_all_too_late_is_missed_and_told_of_in_the_log(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    desk.publish(JUNE)
    fire_due(desk.database, datetime(2025, 7, 1, 12, tzinfo=UTC), BASE, LateReminderPacer())
    assert [state for _, state in desk.states()] == ["missed", "missed"]
    told = [record.message.split(",")[0] for record in caplog.records]
    assert sorted(told) == [
        "missed: 1 day before of desk/stay was due 2 days ago",
        "missed: 1 week before of desk/stay was due 8 days ago",
    ]
    assert [subject.type for subject in desk.told()] == ["reminder.missed"]


def test_what_is_late_is_spread_and_what_is_on_time_is_not(desk: Desk) -> None:
    desk.add_endpoint()
    texts = [
        f"day-{number}:\n  summary: D\n  start: 2025-07-{number}\n  reminders: [{number} days]\n"
        for number in (10, 11, 12)
    ]
    on_time = "now:\n  summary: N\n  start: 2025-07-01 14:00\n  reminders: [1 hour]\n"
    desk.publish(*texts, on_time)
    now = datetime(2025, 7, 1, 8, tzinfo=UTC)
    pacer = LateReminderPacer()
    assert fire_due(desk.database, now, BASE, pacer) == 4
    while fan_out(desk.database, now):
        pass
    rows = [row for row in read_deliveries(desk.database) if row.type == "reminder.due"]
    step = timedelta(seconds=1) / 50
    waits = sorted(row.next_at - now for row in rows)
    assert waits == [timedelta(0), timedelta(0), step, 2 * step]
    with desk.database.read() as connection:
        query = select(messages.c.send_from, messages.c.until)
        told = connection.execute(query.where(messages.c.reminder.is_not(None))).all()
    # The nearest first; and the one that is on time waits for none of them.
    turns = sorted((row.send_from, row.until) for row in told if row.send_from is not None)
    assert turns == sorted(turns, key=lambda turn: turn[1])
    assert len(turns) == 3


def test_turns_go_on_from_one_transaction_to_the_next_and_never_beyond_the_use() -> None:
    pacer, later = LateReminderPacer(), NOW + timedelta(days=1)
    turns = [pacer.next_slot(NOW, later) for _ in range(3)]
    assert turns == [NOW + timedelta(seconds=number) / 50 for number in range(3)]
    second = timedelta(seconds=1)
    assert pacer.next_slot(NOW + second, later) == NOW + second, "the flood is over"
    # It would not be of use for long any more.
    assert pacer.next_slot(NOW + second, NOW + timedelta(minutes=5)) is None
    # A clock that is put back makes nobody wait.
    back = NOW - timedelta(hours=2)
    assert pacer.next_slot(back, later) == back


def test_a_flood_is_spread_over_an_hour_at_the_most() -> None:
    pacer, later = LateReminderPacer(), NOW + timedelta(days=1)
    turns = [pacer.next_slot(NOW, later) for _ in range(50 * 3600 + 10)]
    assert max(turn for turn in turns if turn) <= NOW + timedelta(hours=1)


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_clock_that_is_put_tells_nothing_twice_and_loses_nothing(desk: Desk, hours: int) -> None:
    desk.add_endpoint()
    desk.publish(JUNE, OTHERS)
    for row in desk.reminders():
        for now in (row.due, row.due + timedelta(hours=hours), row.due, row.due):
            fire_due(desk.database, now, BASE, LateReminderPacer())
            while fan_out(desk.database, now):
                pass
    assert [state for _, state in desk.states()] == ["sent", "sent"]
    rows = [row for row in read_deliveries(desk.database) if row.type == "reminder.due"]
    assert len({row.message_id for row in rows}) == len(rows) == 2


def test_without_endpoints_a_message_waits_for_nobody(desk: Desk) -> None:
    desk.publish(JUNE)
    assert fire_due(desk.database, desk.reminders()[0].due, BASE, LateReminderPacer()) == 1
    assert fan_out(desk.database, NOW)
    assert not fan_out(desk.database, NOW)


def test_plans_are_extended_as_time_goes_by_without_gap_or_repetition(desk: Desk) -> None:
    desk.publish(MONTHLY)
    first = {row.key for row in desk.reminders()}
    assert extend_plans(desk.database, NOW + timedelta(days=1)) == 0, "it is far enough"
    now = NOW
    while now < NOW + timedelta(days=800):
        now += timedelta(days=30)
        while extend_plans(desk.database, now):
            pass
        last = max(row.due for row in desk.reminders())
        assert last > now + HORIZON / 2 - timedelta(days=35)
    rows = desk.reminders()
    assert first < {row.key for row in rows}
    days = [row.begins for row in rows]
    assert len(days) == len(set(days))
    gaps = {(late - early).days for early, late in pairwise(days)}
    assert gaps <= {28, 29, 30, 31}


def test_what_has_an_end_is_planned_to_its_end_and_then_left_alone(desk: Desk) -> None:
    desk.publish(MONTHLY.replace("FREQ=MONTHLY", "FREQ=MONTHLY;COUNT=30"))
    now = NOW
    for _ in range(40):
        now += timedelta(days=30)
        extend_plans(desk.database, now)
    assert len(desk.reminders()) == 30 - 5
    assert extend_plans(desk.database, now + timedelta(days=4000)) == 0


def test_withdrawn_events_are_retired_after_their_time(desk: Desk) -> None:
    desk.publish(JUNE, OTHERS)
    desk.publish(OTHERS)
    withdrawn = desk.now
    assert retire_events(desk.database, withdrawn + KEEP_WITHDRAWN - timedelta(seconds=1)) == 0
    assert retire_events(desk.database, withdrawn + KEEP_WITHDRAWN) == 1
    assert retire_events(desk.database, withdrawn + KEEP_WITHDRAWN) == 0
    assert "stay" not in desk.vevents()
    with desk.database.read() as connection:
        assert load_calendars(connection)["desk"].publish_id == 3
