"""Retention: bodies and responses are deleted in steps, and the record is kept."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, update

from calfeed.delivery.due import fan_out
from calfeed.delivery.retention import Retention
from calfeed.model.states import DeliveryState, EndpointState
from calfeed.store.database import Database
from calfeed.store.endpoints.lifecycle import pause_or_disable_endpoint, resume_endpoint
from calfeed.store.outbox import retention
from calfeed.store.outbox.claims import Attempt, claim, record_attempts, settle
from calfeed.store.outbox.deliveries import load_attempts, retry
from calfeed.store.outbox.messages import add_delivery, add_messages
from calfeed.store.outbox.retention import RetentionPosition, delete_old_bodies, drop_held
from calfeed.store.tables import deliveries, messages
from tests.store.keeping import (
    NOW,
    keep_deliveries,
    keep_endpoints,
    make_message,
    read_deliveries,
)

DAY = timedelta(days=1)
LATER = NOW + 100 * DAY


def settle_all(database: Database, state: DeliveryState = DeliveryState.DELIVERED) -> None:
    """Settle all pending deliveries, each with an attempt and a response."""
    with database.write() as connection:
        claims = claim(connection, NOW, 10_000)
        made = [Attempt(one.delivery_id, one.number, NOW, 7, 200, None, "thanks") for one in claims]
        record_attempts(connection, made)
        settle(connection, claims, state, NOW)


def bodies(database: Database) -> dict[str, bool]:
    """Return the messages that have a body."""
    query = select(messages.c.id, messages.c.body).order_by(messages.c.id)
    with database.read() as connection:
        return {row.id: row.body is not None for row in connection.execute(query)}


def walk(database: Database, before: datetime = NOW + DAY) -> int:
    """Delete all old bodies in steps, and return the number of steps."""
    place: RetentionPosition | None = None
    for count in range(1, 1000):
        with database.write() as connection:
            place = delete_old_bodies(connection, before, place)
        if place is None:
            return count
    raise AssertionError("it does not end")


def test_bodies_and_responses_are_deleted_and_the_record_is_kept(database: Database) -> None:
    numbers = keep_deliveries(database, 3)
    settle_all(database)
    assert walk(database) == 1
    assert set(bodies(database).values()) == {False}
    with database.read() as connection:
        for number in numbers:
            (attempt,) = load_attempts(connection, number)
            assert (attempt.status, attempt.milliseconds, attempt.response) == (200, 7, "")
    assert [row.state for row in read_deliveries(database)] == ["delivered"] * 3


def test_newer_messages_are_kept(database: Database) -> None:
    keep_deliveries(database, 3)  # of the last three seconds before NOW
    settle_all(database)
    walk(database, NOW - timedelta(seconds=2))
    assert list(bodies(database).values()) == [False, True, True]


def test_a_message_keeps_its_body_until_all_deliveries_are_settled(
    database: Database,
) -> None:
    keep_deliveries(database, 1)
    settle_all(database)
    with database.write() as connection:
        keep_endpoints(connection, "end_2", "end_3")
        add_messages(connection, [make_message("msg_waiting")])
    walk(database)
    assert bodies(database) == {"msg_0": False, "msg_waiting": True}
    fan_out(database, NOW)
    walk(database)
    assert bodies(database)["msg_waiting"]
    settle_all(database, DeliveryState.FAILED)
    walk(database)
    assert not bodies(database)["msg_waiting"]


def test_a_reminder_keeps_its_body_until_its_date_has_passed(database: Database) -> None:
    """The event can move back to this date, and then the reminder is resumed."""
    with database.write() as connection:
        keep_endpoints(connection, "end_1")
        add_delivery(connection, make_message(until=NOW + 50 * DAY), "end_1")
    settle_all(database)
    walk(database, NOW + 49 * DAY)
    assert bodies(database) == {"msg_1": True}
    walk(database, NOW + 51 * DAY)
    assert bodies(database) == {"msg_1": False}


def test_a_message_with_many_deliveries_is_deleted_in_steps(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"end_{number:02}" for number in range(10)]
    with database.write() as connection:
        keep_endpoints(connection, *names)
        add_messages(connection, [make_message(f"msg_{number}") for number in range(5)])
    while fan_out(database, NOW):
        pass
    settle_all(database)
    monkeypatch.setattr(retention, "BATCH_SIZE", 4)
    monkeypatch.setattr(retention, "_MAX_MESSAGES", 2)
    with database.write() as connection:
        place = delete_old_bodies(connection, LATER, None)
        assert place is not None
        assert place.endpoint_id == "end_03"
    assert set(bodies(database).values()) == {True}
    with database.read() as connection:
        answers = [
            load_attempts(connection, row.id)[0].response for row in read_deliveries(database)
        ]
    assert answers.count("") == 4
    assert walk(database, LATER) >= 50 // 4
    assert set(bodies(database).values()) == {False}


def test_messages_that_must_be_kept_are_skipped(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_deliveries(database, 7)
    with database.write() as connection:
        pause_or_disable_endpoint(connection, "end_1", EndpointState.PAUSED, NOW)
        keep_endpoints(connection, "end_2")
        add_delivery(connection, make_message("msg_last"), "end_2")
    settle_all(database)
    monkeypatch.setattr(retention, "_MAX_MESSAGES", 2)
    walk(database)
    assert [name for name, kept in bodies(database).items() if not kept] == ["msg_last"]


def test_deliveries_held_for_thirty_days_are_dropped(
    database: Database,
) -> None:
    numbers = keep_deliveries(database, 2)
    with database.write() as connection:
        pause_or_disable_endpoint(connection, "end_1", EndpointState.DISABLED, NOW, "gone")
        keep_endpoints(connection, "end_2")
        add_delivery(connection, make_message("msg_other"), "end_2")
    retention_run = Retention(database)
    retention_run.run(NOW + 29 * DAY)
    assert [row.state for row in read_deliveries(database)] == ["held", "held", "pending"]
    retention_run.run(NOW + 30 * DAY)
    rows = read_deliveries(database)
    assert [row.state for row in rows] == ["dropped", "dropped", "pending"]
    assert rows[0].settled_at == NOW + 30 * DAY
    with database.write() as connection:
        assert list(retry(connection, numbers, NOW).refused) == numbers
        resume_endpoint(connection, "end_1", NOW + 31 * DAY)
    assert read_deliveries(database) == rows


def test_pausing_again_restarts_the_thirty_days(database: Database) -> None:
    keep_deliveries(database, 1)
    with database.write() as connection:
        pause_or_disable_endpoint(connection, "end_1", EndpointState.PAUSED, NOW)
        resume_endpoint(connection, "end_1", NOW + DAY)
        pause_or_disable_endpoint(connection, "end_1", EndpointState.PAUSED, NOW + DAY)
        assert drop_held(connection, NOW, NOW + 30 * DAY) == 0
        assert drop_held(connection, NOW + DAY, NOW + 31 * DAY) == 1


def test_a_message_without_a_body_cannot_be_retried(database: Database) -> None:
    (number,) = keep_deliveries(database, 1)
    settle_all(database, DeliveryState.FAILED)
    with database.write() as connection:
        connection.execute(update(messages).values(body=None))
        assert "was deleted" in retry(connection, [number], LATER).refused[number]


def test_retention_continues_where_it_stopped(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_deliveries(database, 6)
    settle_all(database)
    monkeypatch.setattr(retention, "_MAX_MESSAGES", 2)
    monkeypatch.setattr("calfeed.delivery.retention._MAX_TRANSACTIONS", 1)
    retention_run = Retention(database, 30 * DAY)
    kept = []
    for _ in range(4):
        retention_run.run(LATER)
        kept.append(sum(bodies(database).values()))
    assert kept == [4, 2, 0, 0]


def test_bodies_of_digest_members_are_kept_as_long_as_the_digest(database: Database) -> None:
    with database.write() as connection:
        keep_endpoints(connection, "end_1")
        add_delivery(connection, make_message("msg_digest", NOW + DAY), "end_1")
        number = add_delivery(connection, make_message("msg_member"), "end_1")
        told = {"state": "digested", "settled_at": NOW, "digest": "msg_digest"}
        connection.execute(update(deliveries).where(deliveries.c.id == number).values(told))
    walk(database)
    assert bodies(database) == {"msg_digest": True, "msg_member": True}
    with database.write() as connection:
        settle(connection, claim(connection, LATER, 1), DeliveryState.DELIVERED, NOW)
    walk(database, LATER)
    walk(database, LATER)
    assert set(bodies(database).values()) == {False}
