"""Reports, and the number of their statements."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import event, update

from calfeed.delivery.due import LateReminderPacer, fan_out, fire_due
from calfeed.errors import NotFoundError
from calfeed.model.states import DeliveryState
from calfeed.store.database import Connection, Database
from calfeed.store.outbox.claims import Attempt, claim, record_attempts, settle
from calfeed.store.outbox.deliveries import list_deliveries, list_failed_ids, retry
from calfeed.store.outbox.messages import add_delivery
from calfeed.store.reports.history import find_uids, load_fired, load_history
from calfeed.store.tables import deliveries, messages
from tests.ical.defining import define
from tests.publish.desk import BASE, STAY, Desk
from tests.store.keeping import NOW, keep_endpoints, make_message

DAY = timedelta(days=1)
YEAR = 365 * DAY
SECOND = timedelta(seconds=1)


@contextmanager
def counting(database: Database) -> Iterator[list[str]]:
    """Record the statements of all transactions."""
    seen: list[str] = []

    def note(*given: str) -> None:
        seen.append(given[2])

    event.listen(database.engine, "after_cursor_execute", note)
    yield seen
    event.remove(database.engine, "after_cursor_execute", note)


def fire(desk: Desk, *names: str) -> None:
    """Send every reminder to endpoints with these names."""
    with desk.database.write() as connection:
        keep_endpoints(connection, *names)
    desk.now = NOW + 28 * DAY
    while fire_due(desk.database, desk.now, BASE, LateReminderPacer()):
        pass
    while fan_out(desk.database, desk.now):
        pass


def many(count: int) -> str:
    return "".join(
        f"e-{number}:\n  summary: E\n  start: 2025-06-30\n  reminders: [1 week, 2 days]\n"
        for number in range(count)
    )


REPORTS: list[Callable[[Connection], object]] = [
    lambda connection: load_fired(connection, NOW, NOW + YEAR),
    lambda connection: load_history(connection, find_uids(connection, "desk/e-0")),
    lambda connection: list_deliveries(connection, limit=1000),
    lambda connection: retry(connection, list_failed_ids(connection, "end_0", NOW), NOW),
]


@pytest.mark.parametrize("report", REPORTS)
def test_the_number_of_statements_does_not_depend_on_the_rows(
    database: Database, report: Callable[[Connection], object]
) -> None:
    def ask() -> int:
        with database.write() as connection:
            connection.execute(update(deliveries).values(state="failed", settled_at=NOW))
        with database.write() as connection, counting(database) as seen:
            report(connection)
        return len(seen)

    desk = Desk(database)
    desk.publish(many(1))
    fire(desk, "end_0")
    few = ask()
    desk.now = NOW
    desk.publish(many(30))
    fire(desk, "end_1", "end_2", "end_3")
    assert ask() == few


def test_a_digested_message_has_the_receipt_of_its_digest(database: Database) -> None:
    with database.write() as connection:
        keep_endpoints(connection, "end_1", "end_2")
        digest = add_delivery(connection, make_message("msg_digest"), "end_1")
        add_delivery(connection, make_message("msg_digest"), "end_2")
        (claimed,) = claim(connection, NOW, 1)
        assert claimed.delivery_id == digest
        number = add_delivery(connection, make_message("msg_member"), "end_1")
        connection.execute(update(messages).where(messages.c.id == "msg_member").values(uid="it"))
        told = {"state": "digested", "settled_at": NOW, "digest": "msg_digest"}
        connection.execute(update(deliveries).where(deliveries.c.id == number).values(told))
        made = [
            Attempt(digest, 1, NOW, 20, None, "no connection", ""),
            Attempt(digest, 2, NOW + SECOND, 500, 204, None, ""),
            Attempt(digest, 3, NOW + 9 * SECOND, 5, 204, None, ""),
        ]
        record_attempts(connection, made)
        settle(connection, [claimed], DeliveryState.DELIVERED, NOW)
        (message,) = load_history(connection, ["it"]).messages
    (receipt,) = message.receipts
    assert (receipt.delivery_id, receipt.digest) == (number, "msg_digest")
    assert receipt.attempts == 3
    assert receipt.received_at == NOW + 1.5 * SECOND


def test_a_fired_reminder_has_the_revision_at_its_due_time(database: Database) -> None:
    desk = Desk(database)
    desk.publish(STAY.format(start="2025-06-30"))
    fire(desk)
    desk.now = NOW + YEAR
    desk.publish(STAY.format(start="2025-06-30").replace("The stay", "Their stay"))
    with database.read() as connection:
        fired = load_fired(connection, NOW, NOW + YEAR)
    assert [one.revision.event.summary for one in fired] == [{"en": "The stay ends"}] * 2


def test_all_uids_of_an_event_are_found(database: Database) -> None:
    desk = Desk(database)
    desk.publish(STAY.format(start="2025-06-30"))
    desk.publish(STAY.format(start="2025-06-30") + "  uid: own@example.org\n", allow_removals=True)
    with database.read() as connection:
        uids = find_uids(connection, "desk/stay")
        assert len(uids) == 2
        assert "own@example.org" in uids
        kinds = [one.kind for one in load_history(connection, uids).changes]
    assert kinds[0] == "added"
    assert sorted(kinds[1:]) == ["added", "withdrawn"]


def test_events_with_similar_names_are_not_found(database: Database) -> None:
    desk = Desk(database)
    text = "stay-on:\n  summary: It\n  start: 2025-06-30\n"
    desk.publish_calendars(define(text), define("stay:\n  summary: It\n  start: 2025-07-01", "two"))
    with database.read() as connection:
        with pytest.raises(NotFoundError, match="desk/stay"):
            find_uids(connection, "desk/stay")
        assert find_uids(connection, "two/stay")


def test_a_message_in_fan_out_is_incomplete(database: Database) -> None:
    desk = Desk(database)
    desk.add_endpoint()
    desk.publish(STAY.format(start="2025-06-30"))
    with database.read() as connection:
        uids = find_uids(connection, "desk/stay")
        (told,) = load_history(connection, uids).messages
    assert (told.type, told.complete, told.receipts) == ("event.added", False, ())
    fan_out(database, desk.now)
    with database.read() as connection:
        (told,) = load_history(connection, uids).messages
    assert told.complete
    assert [one.state for one in told.receipts] == ["pending"]
