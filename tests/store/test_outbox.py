"""The outbox: reminders on and off the list, messages fanned out in steps."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from calfeed.model.states import DeliveryState, EndpointState, ReminderState
from calfeed.reminders.filters import Filters
from calfeed.reminders.plan import Reminder, plan_reminders
from calfeed.store.database import Database
from calfeed.store.endpoints.endpoints import add_endpoint
from calfeed.store.endpoints.lifecycle import hold_endpoint, remove_endpoint
from calfeed.store.outbox import fanout, outbox
from calfeed.store.outbox.claims import claim, settle
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
    """A process ends here."""


def reminders() -> list[Reminder]:
    event = define_event("start: 2025-06-30\nreminders: [2 weeks, 1 week, 1 day]")
    return list(plan_reminders(event, NOW, LATER))


def states(database: Database) -> list[str]:
    with database.read() as connection:
        return [row.state for row in outbox.load_reminders(connection)]


def test_a_reminder_is_on_the_list_once_however_often_it_is_planned(database: Database) -> None:
    for _ in range(2):
        with database.write() as connection:
            outbox.plan(connection, reminders())
    with database.read() as connection:
        rows = outbox.load_reminders(connection)
        assert outbox.next_due(connection) == reminders()[0].due
    assert [(row.key, row.due, row.until) for row in rows] == [
        (one.key, one.due, one.until) for one in reminders()
    ]
    assert {row.state for row in rows} == {"planned"}


def test_what_was_withdrawn_is_revived_and_what_was_sent_or_missed_is_not_sent_again(
    database: Database,
) -> None:
    first, second, third = reminders()
    with database.write() as connection:
        outbox.plan(connection, reminders())
        outbox.settle_reminders(connection, [first.key], ReminderState.SENT, NOW)
        outbox.settle_reminders(connection, [second.key], ReminderState.MISSED, NOW)
        outbox.withdraw(connection, [first.key, second.key, third.key], NOW)
    assert states(database) == ["recalled", "missed", "withdrawn"]
    with database.write() as connection:
        outbox.plan(connection, reminders())
    assert states(database) == ["sent", "missed", "planned"]
    with database.read() as connection:
        (row,) = outbox.load_reminders(connection, window=(third.due, LATER))
    assert row.settled_at is None


def test_planning_again_with_another_due_time_moves_what_is_not_sent(database: Database) -> None:
    """A zone's new rules change the instant of a wall time, and nothing else."""
    hour = timedelta(hours=1)
    shifted = [replace(one, due=one.due + hour) for one in reminders()]
    with database.write() as connection:
        outbox.plan(connection, reminders())
        outbox.settle_reminders(connection, [reminders()[0].key], ReminderState.SENT, NOW)
        outbox.plan(connection, shifted)
        found = {row.key: row.due for row in outbox.load_reminders(connection)}
    assert [found[one.key] - one.due for one in reminders()] == [timedelta(0), hour, hour]


def of_three_days() -> list[Reminder]:
    """One reminder each of three occurrences, by due time."""
    event = define_event(
        "start: 2025-06-28 09:00\nreminders: [1 day]\nrepeat: {rule: FREQ=DAILY;COUNT=3}"
    )
    return list(plan_reminders(event, NOW, LATER))


def test_those_due_are_taken_latest_first(database: Database) -> None:
    """So what is on time is not behind what is late."""
    first, second, third = of_three_days()
    with database.write() as connection:
        outbox.plan(connection, of_three_days())
        assert outbox.take_due(connection, first.due - timedelta(seconds=1), 9) == []
        assert [row.key for row in outbox.take_due(connection, LATER, 2)] == [third.key, second.key]
        outbox.settle_reminders(connection, [second.key], ReminderState.SENT, second.due)
        assert [row.key for row in outbox.take_due(connection, second.due, 9)] == [first.key]


def test_those_of_one_occurrence_are_taken_together_whatever_the_limit(
    database: Database,
) -> None:
    first, second, third = reminders()
    with database.write() as connection:
        outbox.plan(connection, [*reminders(), *of_three_days()])
        taken = [row.key for row in outbox.take_due(connection, LATER, 2)]
        assert [key for key in taken if key == of_three_days()[2].key]
        assert {first.key, second.key, third.key} < set(taken)
        assert len(taken) == 4
        # What is not due yet does not go along.
        taken = [row.key for row in outbox.take_due(connection, second.due, 9)]
        assert set(taken) == {first.key, second.key}


def test_no_two_workers_take_the_same_reminders(database: Database) -> None:
    with database.write() as connection:
        outbox.plan(connection, [*reminders(), *of_three_days()])
    if database.is_sqlite:
        return  # there is one writer, whatever it does
    with database.write() as one, database.write() as other:
        # Nor some of the same occurrence.
        assert len(outbox.take_due(one, LATER, 2)) == 4
        taken = [row.key for row in outbox.take_due(other, LATER, 9)]
        assert taken == [reminder.key for reminder in reversed(of_three_days()[:2])]


def test_a_withdrawn_reminder_takes_its_undelivered_messages_with_it(database: Database) -> None:
    first, second, _ = reminders()
    with database.write() as connection:
        outbox.plan(connection, reminders())
        keep_endpoints(connection, "end_1", "end_2")
        for one, message in ((first, "msg_1"), (second, "msg_2")):
            told = make_message(message)
            outbox.add_messages(connection, [told], reminder_keys=[one.key])
            outbox.settle_reminders(connection, [one.key], ReminderState.SENT, NOW)
        while fanout.fan_out(connection, NOW):
            pass
        claims = claim(connection, NOW, 9)
        done = [one for one in claims if (one.message_id, one.endpoint_id) == ("msg_1", "end_1")]
        settle(connection, done, DeliveryState.DELIVERED, NOW)
        outbox.withdraw(connection, [first.key], NOW)
        # A worker that is just posting it has nothing more to say.
        settle(connection, claims, DeliveryState.DELIVERED, NOW)
    found = {(row.message_id, row.endpoint_id): row.state for row in read_deliveries(database)}
    assert found == {
        ("msg_1", "end_1"): "delivered",
        ("msg_1", "end_2"): "superseded",
        ("msg_2", "end_1"): "delivered",
        ("msg_2", "end_2"): "delivered",
    }


def test_a_message_that_is_withdrawn_before_its_fan_out_reaches_nobody(
    database: Database,
) -> None:
    first = reminders()[0]
    with database.write() as connection:
        outbox.plan(connection, [first])
        keep_endpoints(connection, "end_1")
        outbox.add_messages(connection, [make_message()], reminder_keys=[first.key])
        outbox.withdraw(connection, [first.key], NOW)
        assert not outbox.is_waiting(connection)
        assert not fanout.fan_out(connection, NOW)


def test_a_message_reaches_each_endpoint_once_in_steps_of_a_few(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fanout, "FAN_OUT", 3)
    with database.write() as connection:
        keep_endpoints(connection, *[f"end_{number}" for number in range(7)])
        outbox.add_messages(connection, [make_message()])
        assert outbox.is_waiting(connection)
    steps = 0
    waiting = True
    while waiting:
        with database.write() as connection:
            assert fanout.fan_out(connection, NOW)
            waiting = outbox.is_waiting(connection)
        steps += 1
        assert len(read_deliveries(database)) == min(3 * steps, 7)
    assert steps == 3
    with database.write() as connection:
        assert not fanout.fan_out(connection, NOW)
    assert sorted(row.endpoint_id for row in read_deliveries(database)) == [
        f"end_{number}" for number in range(7)
    ]


def test_a_fan_out_that_fails_is_done_again_without_a_second_delivery(
    database: Database,
) -> None:
    with database.write() as connection:
        keep_endpoints(connection, "end_1", "end_2")
        outbox.add_messages(connection, [make_message()])
    with suppress(DeathError), database.write() as connection:
        fanout.fan_out(connection, NOW)
        raise DeathError
    with database.write() as connection:
        assert fanout.fan_out(connection, NOW)
    assert len(read_deliveries(database)) == 2


def test_an_endpoint_is_not_told_what_was_said_before_it_came(database: Database) -> None:
    with database.write() as connection:
        outbox.add_messages(connection, [make_message(at=NOW - timedelta(seconds=1))])
        late = replace(make_endpoint("end_2"), created=NOW)
        add_endpoint(connection, late)
        keep_endpoints(connection, "end_1")
        while fanout.fan_out(connection, NOW):
            pass
    assert [row.endpoint_id for row in read_deliveries(database)] == ["end_1"]


def test_endpoints_that_want_it_get_a_message_and_a_disabled_one_when_it_is_resumed(
    database: Database,
) -> None:
    with database.write() as connection:
        keep_endpoints(connection, "end_1", "end_2", "end_3")
        filters = Filters(calendars=("other",))
        add_endpoint(connection, make_endpoint("end_4", filters=filters))
        hold_endpoint(connection, "end_1", EndpointState.DISABLED, NOW)
        remove_endpoint(connection, "end_2", NOW)
        outbox.add_messages(connection, [make_message()])
        while fanout.fan_out(connection, NOW):
            pass
    assert [(row.endpoint_id, row.state) for row in read_deliveries(database)] == [
        ("end_1", "held"),
        ("end_3", "pending"),
    ]


def test_a_message_for_one_endpoint_reaches_no_other(database: Database) -> None:
    with database.write() as connection:
        keep_endpoints(connection, "end_1", "end_2")
        outbox.add_delivery(connection, make_message(), "end_2")
        assert not fanout.fan_out(connection, NOW)
    assert [row.endpoint_id for row in read_deliveries(database)] == ["end_2"]


def test_times_are_kept_to_the_microsecond_whatever_their_offset(database: Database) -> None:
    odd = datetime(1969, 7, 20, 20, 17, 40, 123457, tzinfo=UTC)
    with database.write() as connection:
        keep_endpoints(connection, "end_1")
        number = outbox.add_delivery(connection, make_message(at=odd), "end_1")
    (row,) = read_deliveries(database)
    assert (row.id, row.next_at) == (number, odd)
    assert row.next_at.tzinfo is UTC


def test_a_reminder_recalled_while_it_was_sent_goes_on_when_the_date_moves_back(
    database: Database,
) -> None:
    """Who had it does not get it twice; who had not gets it after all, under the same id."""
    reminder = reminders()[0]
    with database.write() as connection:
        keep_endpoints(connection, "end_1", "end_2")
        outbox.plan(connection, [reminder])
        outbox.settle_reminders(connection, [reminder.key], ReminderState.SENT, NOW)
        outbox.add_messages(connection, [make_message()], reminder_keys=[reminder.key])
        assert fanout.fan_out(connection, NOW)
        (one, _) = claim(connection, NOW, 10)
        settle(connection, [one], DeliveryState.DELIVERED, NOW)
        outbox.withdraw(connection, [reminder.key], NOW)
    assert sorted(row.state for row in read_deliveries(database)) == ["delivered", "superseded"]
    with database.write() as connection:
        assert [row.state for row in outbox.load_reminders(connection)] == ["recalled"]
        outbox.plan(connection, [reminder])
        assert fanout.fan_out(connection, NOW)
    rows = read_deliveries(database)
    assert sorted(row.state for row in rows) == ["delivered", "pending"]
    assert {row.message_id for row in rows} == {"msg_1"}
