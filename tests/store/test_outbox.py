"""The outbox: scheduling and withdrawing reminders, and fan-out of messages."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from calfeed.model.states import DeliveryState, EndpointState, ReminderState
from calfeed.reminders.filters import Filters
from calfeed.reminders.plan import Reminder, plan_reminders
from calfeed.store.database import Database
from calfeed.store.endpoints.lifecycle import pause_or_disable_endpoint, remove_endpoint
from calfeed.store.endpoints.records import add_endpoint
from calfeed.store.outbox import fanout
from calfeed.store.outbox.claims import claim, settle
from calfeed.store.outbox.messages import add_delivery, add_messages, has_pending_fan_out
from calfeed.store.outbox.reminders import (
    load_reminders,
    lock_due_reminders,
    next_reminder_due,
    schedule_reminders,
    settle_reminders,
    withdraw_reminders,
)
from tests.ical.defining import define_event
from tests.store.keeping import (
    NOW,
    keep_endpoints,
    make_endpoint,
    make_message,
    read_deliveries,
)

LATER = NOW + timedelta(days=60)


class DeathError(Exception):
    """Simulates a crash."""


def reminders() -> list[Reminder]:
    event = define_event("start: 2025-06-30\nreminders: [2 weeks, 1 week, 1 day]")
    return list(plan_reminders(event, NOW, LATER))


def states(database: Database) -> list[str]:
    with database.read() as connection:
        return [row.state for row in load_reminders(connection)]


def test_scheduling_a_reminder_again_adds_nothing(database: Database) -> None:
    for _ in range(2):
        with database.write() as connection:
            schedule_reminders(connection, reminders())
    with database.read() as connection:
        rows = load_reminders(connection)
        assert next_reminder_due(connection) == reminders()[0].due
    assert [(row.key, row.due, row.until) for row in rows] == [
        (one.key, one.due, one.until) for one in reminders()
    ]
    assert {row.state for row in rows} == {"planned"}


def test_withdrawn_reminders_are_scheduled_again_but_not_sent_or_missed_ones(
    database: Database,
) -> None:
    first, second, third = reminders()
    with database.write() as connection:
        schedule_reminders(connection, reminders())
        settle_reminders(connection, [first.key], ReminderState.SENT, NOW)
        settle_reminders(connection, [second.key], ReminderState.MISSED, NOW)
        withdraw_reminders(connection, [first.key, second.key, third.key], NOW)
    assert states(database) == ["recalled", "missed", "withdrawn"]
    with database.write() as connection:
        schedule_reminders(connection, reminders())
    assert states(database) == ["sent", "missed", "planned"]
    with database.read() as connection:
        (row,) = load_reminders(connection, window=(third.due, LATER))
    assert row.settled_at is None


def test_scheduling_again_updates_the_due_time_of_planned_reminders(database: Database) -> None:
    """New zone rules change the instant of a wall time."""
    hour = timedelta(hours=1)
    shifted = [replace(one, due=one.due + hour) for one in reminders()]
    with database.write() as connection:
        schedule_reminders(connection, reminders())
        settle_reminders(connection, [reminders()[0].key], ReminderState.SENT, NOW)
        schedule_reminders(connection, shifted)
        found = {row.key: row.due for row in load_reminders(connection)}
    assert [found[one.key] - one.due for one in reminders()] == [timedelta(0), hour, hour]


def of_three_days() -> list[Reminder]:
    """One reminder each of three occurrences, by due time."""
    event = define_event(
        "start: 2025-06-28 09:00\nreminders: [1 day]\nrepeat: {rule: FREQ=DAILY;COUNT=3}"
    )
    return list(plan_reminders(event, NOW, LATER))


def test_due_reminders_are_locked_latest_first(database: Database) -> None:
    """So late reminders do not delay those that are on time."""
    first, second, third = of_three_days()
    with database.write() as connection:
        schedule_reminders(connection, of_three_days())
        assert lock_due_reminders(connection, first.due - timedelta(seconds=1), 9) == []
        assert [row.key for row in lock_due_reminders(connection, LATER, 2)] == [
            third.key,
            second.key,
        ]
        settle_reminders(connection, [second.key], ReminderState.SENT, second.due)
        assert [row.key for row in lock_due_reminders(connection, second.due, 9)] == [first.key]


def test_reminders_of_an_occurrence_are_locked_together_despite_the_limit(
    database: Database,
) -> None:
    first, second, third = reminders()
    with database.write() as connection:
        schedule_reminders(connection, [*reminders(), *of_three_days()])
        taken = [row.key for row in lock_due_reminders(connection, LATER, 2)]
        assert [key for key in taken if key == of_three_days()[2].key]
        assert {first.key, second.key, third.key} < set(taken)
        assert len(taken) == 4
        # What is not due yet does not go along.
        taken = [row.key for row in lock_due_reminders(connection, second.due, 9)]
        assert set(taken) == {first.key, second.key}


def test_two_workers_never_lock_the_same_reminders(database: Database) -> None:
    with database.write() as connection:
        schedule_reminders(connection, [*reminders(), *of_three_days()])
    if database.is_sqlite:
        return  # there is one writer, whatever it does
    with database.write() as one, database.write() as other:
        # Nor some of the same occurrence.
        assert len(lock_due_reminders(one, LATER, 2)) == 4
        taken = [row.key for row in lock_due_reminders(other, LATER, 9)]
        assert taken == [reminder.key for reminder in reversed(of_three_days()[:2])]


def test_withdrawing_a_reminder_supersedes_its_undelivered_messages(database: Database) -> None:
    first, second, _ = reminders()
    with database.write() as connection:
        schedule_reminders(connection, reminders())
        keep_endpoints(connection, "end_1", "end_2")
        for one, message in ((first, "msg_1"), (second, "msg_2")):
            told = make_message(message)
            add_messages(connection, [told], reminder_keys=[one.key])
            settle_reminders(connection, [one.key], ReminderState.SENT, NOW)
        while fanout.fan_out(connection, NOW):
            pass
        claims = claim(connection, NOW, 9)
        done = [one for one in claims if (one.message_id, one.endpoint_id) == ("msg_1", "end_1")]
        settle(connection, done, DeliveryState.DELIVERED, NOW)
        withdraw_reminders(connection, [first.key], NOW)
        # A worker that is just posting it has nothing more to say.
        settle(connection, claims, DeliveryState.DELIVERED, NOW)
    found = {(row.message_id, row.endpoint_id): row.state for row in read_deliveries(database)}
    assert found == {
        ("msg_1", "end_1"): "delivered",
        ("msg_1", "end_2"): "superseded",
        ("msg_2", "end_1"): "delivered",
        ("msg_2", "end_2"): "delivered",
    }


def test_a_message_withdrawn_before_fan_out_has_no_deliveries(
    database: Database,
) -> None:
    first = reminders()[0]
    with database.write() as connection:
        schedule_reminders(connection, [first])
        keep_endpoints(connection, "end_1")
        add_messages(connection, [make_message()], reminder_keys=[first.key])
        withdraw_reminders(connection, [first.key], NOW)
        assert not has_pending_fan_out(connection)
        assert not fanout.fan_out(connection, NOW)


def test_fan_out_makes_one_delivery_per_endpoint_in_steps(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fanout, "PAGE_SIZE", 3)
    with database.write() as connection:
        keep_endpoints(connection, *[f"end_{number}" for number in range(7)])
        add_messages(connection, [make_message()])
        assert has_pending_fan_out(connection)
    steps = 0
    waiting = True
    while waiting:
        with database.write() as connection:
            assert fanout.fan_out(connection, NOW)
            waiting = has_pending_fan_out(connection)
        steps += 1
        assert len(read_deliveries(database)) == min(3 * steps, 7)
    assert steps == 3
    with database.write() as connection:
        assert not fanout.fan_out(connection, NOW)
    assert sorted(row.endpoint_id for row in read_deliveries(database)) == [
        f"end_{number}" for number in range(7)
    ]


def test_a_failed_fan_out_is_repeated_without_duplicates(
    database: Database,
) -> None:
    with database.write() as connection:
        keep_endpoints(connection, "end_1", "end_2")
        add_messages(connection, [make_message()])
    with suppress(DeathError), database.write() as connection:
        fanout.fan_out(connection, NOW)
        raise DeathError
    with database.write() as connection:
        assert fanout.fan_out(connection, NOW)
    assert len(read_deliveries(database)) == 2


def test_an_endpoint_gets_no_message_older_than_itself(database: Database) -> None:
    with database.write() as connection:
        add_messages(connection, [make_message(at=NOW - timedelta(seconds=1))])
        late = replace(make_endpoint("end_2"), created=NOW)
        add_endpoint(connection, late)
        keep_endpoints(connection, "end_1")
        while fanout.fan_out(connection, NOW):
            pass
    assert [row.endpoint_id for row in read_deliveries(database)] == ["end_1"]


def test_disabled_endpoints_get_their_messages_on_resume(
    database: Database,
) -> None:
    with database.write() as connection:
        keep_endpoints(connection, "end_1", "end_2", "end_3")
        filters = Filters(calendars=("other",))
        add_endpoint(connection, make_endpoint("end_4", filters=filters))
        pause_or_disable_endpoint(connection, "end_1", EndpointState.DISABLED, NOW)
        remove_endpoint(connection, "end_2", NOW)
        add_messages(connection, [make_message()])
        while fanout.fan_out(connection, NOW):
            pass
    assert [(row.endpoint_id, row.state) for row in read_deliveries(database)] == [
        ("end_1", "held"),
        ("end_3", "pending"),
    ]


def test_a_message_for_one_endpoint_reaches_no_other(database: Database) -> None:
    with database.write() as connection:
        keep_endpoints(connection, "end_1", "end_2")
        add_delivery(connection, make_message(), "end_2")
        assert not fanout.fan_out(connection, NOW)
    assert [row.endpoint_id for row in read_deliveries(database)] == ["end_2"]


def test_times_are_stored_with_microseconds_in_utc(database: Database) -> None:
    odd = datetime(1969, 7, 20, 20, 17, 40, 123457, tzinfo=UTC)
    with database.write() as connection:
        keep_endpoints(connection, "end_1")
        number = add_delivery(connection, make_message(at=odd), "end_1")
    (row,) = read_deliveries(database)
    assert (row.id, row.next_at) == (number, odd)
    assert row.next_at.tzinfo is UTC


def test_a_recalled_reminder_is_resumed_when_the_date_moves_back(
    database: Database,
) -> None:
    """Endpoints that have not received it get it with the same id; the others get nothing."""
    reminder = reminders()[0]
    with database.write() as connection:
        keep_endpoints(connection, "end_1", "end_2")
        schedule_reminders(connection, [reminder])
        settle_reminders(connection, [reminder.key], ReminderState.SENT, NOW)
        add_messages(connection, [make_message()], reminder_keys=[reminder.key])
        assert fanout.fan_out(connection, NOW)
        (one, _) = claim(connection, NOW, 10)
        settle(connection, [one], DeliveryState.DELIVERED, NOW)
        withdraw_reminders(connection, [reminder.key], NOW)
    assert sorted(row.state for row in read_deliveries(database)) == ["delivered", "superseded"]
    with database.write() as connection:
        assert [row.state for row in load_reminders(connection)] == ["recalled"]
        schedule_reminders(connection, [reminder])
        assert fanout.fan_out(connection, NOW)
    rows = read_deliveries(database)
    assert sorted(row.state for row in rows) == ["delivered", "pending"]
    assert {row.message_id for row in rows} == {"msg_1"}
