"""Retention: bodies and answers go after a time, the record stays, and no step is long."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, update

from calfeed.delivery.due import fan_out
from calfeed.delivery.retention import Retention
from calfeed.model.states import DeliveryState, EndpointState
from calfeed.store.database import Database
from calfeed.store.endpoints.lifecycle import hold_endpoint, resume_endpoint
from calfeed.store.outbox import outbox, retention
from calfeed.store.outbox.claims import Attempt, claim, record_attempts, settle
from calfeed.store.outbox.deliveries import load_attempts, retry
from calfeed.store.outbox.retention import Place, drop_held, forget_bodies
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
    """Let every pending delivery come to its end, with an attempt that was answered."""
    with database.write() as connection:
        claims = claim(connection, NOW, 10_000)
        made = [Attempt(one.delivery_id, one.number, NOW, 7, 200, None, "thanks") for one in claims]
        record_attempts(connection, made)
        settle(connection, claims, state, NOW)


def bodies(database: Database) -> dict[str, bool]:
    """Which messages still have their body."""
    query = select(messages.c.id, messages.c.body).order_by(messages.c.id)
    with database.read() as connection:
        return {row.id: row.body is not None for row in connection.execute(query)}


def walk(database: Database, before: datetime = NOW + DAY) -> int:
    """Forget step by step to the end, and return how many steps it took."""
    place: Place | None = None
    for count in range(1, 1000):
        with database.write() as connection:
            place = forget_bodies(connection, before, place)
        if place is None:
            return count
    raise AssertionError("it does not end")


def test_bodies_and_answers_are_forgotten_and_the_record_stays(database: Database) -> None:
    numbers = keep_deliveries(database, 3)
    settle_all(database)
    assert walk(database) == 1
    assert set(bodies(database).values()) == {False}
    with database.read() as connection:
        for number in numbers:
            (attempt,) = load_attempts(connection, number)
            assert (attempt.status, attempt.milliseconds, attempt.response) == (200, 7, "")
    assert [row.state for row in read_deliveries(database)] == ["delivered"] * 3


def test_what_is_younger_than_that_is_kept(database: Database) -> None:
    keep_deliveries(database, 3)  # of the last three seconds before NOW
    settle_all(database)
    walk(database, NOW - timedelta(seconds=2))
    assert list(bodies(database).values()) == [False, True, True]


def test_a_message_keeps_its_body_while_anything_of_it_is_still_to_come(
    database: Database,
) -> None:
    keep_deliveries(database, 1)
    settle_all(database)
    with database.write() as connection:
        keep_endpoints(connection, "end_2", "end_3")
        outbox.add_messages(connection, [make_message("msg_waiting")])
    walk(database)
    assert bodies(database) == {"msg_0": False, "msg_waiting": True}
    fan_out(database, NOW)
    walk(database)
    assert bodies(database)["msg_waiting"]
    settle_all(database, DeliveryState.FAILED)
    walk(database)
    assert not bodies(database)["msg_waiting"]


def test_a_reminder_keeps_its_body_until_its_date_is_past(database: Database) -> None:
    """It may move away and back, and then it goes on to those who have not got it."""
    with database.write() as connection:
        keep_endpoints(connection, "end_1")
        outbox.add_delivery(connection, make_message(until=NOW + 50 * DAY), "end_1")
    settle_all(database)
    walk(database, NOW + 49 * DAY)
    assert bodies(database) == {"msg_1": True}
    walk(database, NOW + 51 * DAY)
    assert bodies(database) == {"msg_1": False}


def test_a_message_for_many_is_forgotten_in_steps(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"end_{number:02}" for number in range(10)]
    with database.write() as connection:
        keep_endpoints(connection, *names)
        outbox.add_messages(connection, [make_message(f"msg_{number}") for number in range(5)])
    while fan_out(database, NOW):
        pass
    settle_all(database)
    monkeypatch.setattr(retention, "STEP", 4)
    monkeypatch.setattr(retention, "_MESSAGES", 2)
    with database.write() as connection:
        place = forget_bodies(connection, LATER, None)
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


def test_those_that_cannot_be_forgotten_do_not_stop_the_walk(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_deliveries(database, 7)
    with database.write() as connection:
        hold_endpoint(connection, "end_1", EndpointState.PAUSED, NOW)
        keep_endpoints(connection, "end_2")
        outbox.add_delivery(connection, make_message("msg_last"), "end_2")
    settle_all(database)
    monkeypatch.setattr(retention, "_MESSAGES", 2)
    walk(database)
    assert [name for name, kept in bodies(database).items() if not kept] == ["msg_last"]


def test_what_is_held_for_an_endpoint_that_stays_away_is_dropped_after_thirty_days(
    database: Database,
) -> None:
    numbers = keep_deliveries(database, 2)
    with database.write() as connection:
        hold_endpoint(connection, "end_1", EndpointState.DISABLED, NOW, "gone")
        keep_endpoints(connection, "end_2")
        outbox.add_delivery(connection, make_message("msg_other"), "end_2")
    duty = Retention(database)
    duty.work(NOW + 29 * DAY)
    assert [row.state for row in read_deliveries(database)] == ["held", "held", "pending"]
    duty.work(NOW + 30 * DAY)
    rows = read_deliveries(database)
    assert [row.state for row in rows] == ["dropped", "dropped", "pending"]
    assert rows[0].settled_at == NOW + 30 * DAY
    with database.write() as connection:
        assert list(retry(connection, numbers, NOW).refused) == numbers
        resume_endpoint(connection, "end_1", NOW + 31 * DAY)
    assert read_deliveries(database) == rows


def test_holding_again_begins_the_thirty_days_again(database: Database) -> None:
    keep_deliveries(database, 1)
    with database.write() as connection:
        hold_endpoint(connection, "end_1", EndpointState.PAUSED, NOW)
        resume_endpoint(connection, "end_1", NOW + DAY)
        hold_endpoint(connection, "end_1", EndpointState.PAUSED, NOW + DAY)
        assert drop_held(connection, NOW, NOW + 30 * DAY) == 0
        assert drop_held(connection, NOW + DAY, NOW + 31 * DAY) == 1


def test_a_message_without_its_body_is_not_sent_again(database: Database) -> None:
    (number,) = keep_deliveries(database, 1)
    settle_all(database, DeliveryState.FAILED)
    with database.write() as connection:
        connection.execute(update(messages).values(body=None))
        assert "no longer kept" in retry(connection, [number], LATER).refused[number]


def test_a_duty_goes_on_where_the_one_before_it_ended(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_deliveries(database, 6)
    settle_all(database)
    monkeypatch.setattr(retention, "_MESSAGES", 2)
    monkeypatch.setattr("calfeed.delivery.retention._STEPS", 1)
    duty = Retention(database, 30 * DAY)
    kept = []
    for _ in range(4):
        duty.work(LATER)
        kept.append(sum(bodies(database).values()))
    assert kept == [4, 2, 0, 0]


def test_what_a_digest_may_still_need_is_kept_until_the_digest_goes(database: Database) -> None:
    with database.write() as connection:
        keep_endpoints(connection, "end_1")
        outbox.add_delivery(connection, make_message("msg_digest", NOW + DAY), "end_1")
        number = outbox.add_delivery(connection, make_message("msg_member"), "end_1")
        told = {"state": "digested", "settled_at": NOW, "digest": "msg_digest"}
        connection.execute(update(deliveries).where(deliveries.c.id == number).values(told))
    walk(database)
    assert bodies(database) == {"msg_digest": True, "msg_member": True}
    with database.write() as connection:
        settle(connection, claim(connection, LATER, 1), DeliveryState.DELIVERED, NOW)
    walk(database, LATER)
    walk(database, LATER)
    assert set(bodies(database).values()) == {False}
