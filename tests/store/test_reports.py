"""Reports: read from the record, in as many statements for a million rows as for one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import event, update

from calfeed.delivery.due import Pace, fan_out, fire_due
from calfeed.errors import NotFoundError
from calfeed.model.states import DeliveryState
from calfeed.store.database import Connection, Database
from calfeed.store.outbox import outbox
from calfeed.store.outbox.claims import Attempt, claim, record_attempts, settle
from calfeed.store.outbox.deliveries import list_deliveries, list_failed, retry
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
    """What is asked of the database meanwhile, by its own transactions."""
    seen: list[str] = []

    def note(*given: str) -> None:
        seen.append(given[2])

    event.listen(database.engine, "after_cursor_execute", note)
    yield seen
    event.remove(database.engine, "after_cursor_execute", note)


def fire(desk: Desk, *names: str) -> None:
    """Let every reminder fall due, and have it told to endpoints of these names."""
    with desk.database.write() as connection:
        keep_endpoints(connection, *names)
    desk.now = NOW + 28 * DAY
    while fire_due(desk.database, desk.now, BASE, Pace()):
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
    lambda connection: retry(connection, list_failed(connection, "end_0", NOW), NOW),
]


@pytest.mark.parametrize("report", REPORTS)
def test_a_report_asks_as_much_for_many_rows_as_for_one(
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


def test_what_was_told_in_a_digest_was_received_with_it(database: Database) -> None:
    with database.write() as connection:
        keep_endpoints(connection, "end_1", "end_2")
        digest = outbox.add_delivery(connection, make_message("msg_digest"), "end_1")
        outbox.add_delivery(connection, make_message("msg_digest"), "end_2")
        (claimed,) = claim(connection, NOW, 1)
        assert claimed.delivery_id == digest
        number = outbox.add_delivery(connection, make_message("msg_member"), "end_1")
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
        (message,) = load_history(connection, ["it"]).told
    (receipt,) = message.receipts
    assert (receipt.delivery_id, receipt.digest) == (number, "msg_digest")
    assert receipt.attempts == 3
    assert receipt.received_at == NOW + 1.5 * SECOND


def test_the_event_is_shown_as_it_was_when_its_reminder_was_due(database: Database) -> None:
    desk = Desk(database)
    desk.publish(STAY.format(start="2025-06-30"))
    fire(desk)
    desk.now = NOW + YEAR
    desk.publish(STAY.format(start="2025-06-30").replace("The stay", "Their stay"))
    with database.read() as connection:
        fired = load_fired(connection, NOW, NOW + YEAR)
    assert [one.revision.event.summary for one in fired] == [{"en": "The stay ends"}] * 2


def test_an_event_is_found_under_every_uid_it_had(database: Database) -> None:
    desk = Desk(database)
    desk.publish(STAY.format(start="2025-06-30"))
    desk.publish(STAY.format(start="2025-06-30") + "  uid: own@example.org\n", allow_removals=True)
    with database.read() as connection:
        uids = find_uids(connection, "desk/stay")
        assert len(uids) == 2
        assert "own@example.org" in uids
        kinds = [one.kind for one in load_history(connection, uids).published]
    assert kinds[0] == "added"
    assert sorted(kinds[1:]) == ["added", "withdrawn"]


def test_events_of_another_calendar_or_of_a_longer_name_are_others(database: Database) -> None:
    desk = Desk(database)
    text = "stay-on:\n  summary: It\n  start: 2025-06-30\n"
    desk.publish_calendars(define(text), define("stay:\n  summary: It\n  start: 2025-07-01", "two"))
    with database.read() as connection:
        with pytest.raises(NotFoundError, match="desk/stay"):
            find_uids(connection, "desk/stay")
        assert find_uids(connection, "two/stay")


def test_a_message_whose_deliveries_are_being_made_says_so(database: Database) -> None:
    desk = Desk(database)
    desk.add_endpoint()
    desk.publish(STAY.format(start="2025-06-30"))
    with database.read() as connection:
        uids = find_uids(connection, "desk/stay")
        (told,) = load_history(connection, uids).told
    assert (told.type, told.complete, told.receipts) == ("event.added", False, ())
    fan_out(database, desk.now)
    with database.read() as connection:
        (told,) = load_history(connection, uids).told
    assert told.complete
    assert [one.state for one in told.receipts] == ["pending"]
