"""The worker, with a real sender and a real receiver, on both databases."""

from __future__ import annotations

import json
import logging
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, text

from calfeed.delivery.due import FIRE_AHEAD
from calfeed.delivery.engine.attempts import prepare_requests
from calfeed.delivery.engine.worker import Agenda, Worker
from calfeed.delivery.scheduler import WorkerScheduler
from calfeed.reminders.filters import Filters
from calfeed.reminders.retry import SCHEDULE
from calfeed.reminders.signing import verify
from calfeed.store.endpoints.records import find_endpoint
from calfeed.store.outbox import claims
from calfeed.store.outbox.claims import LEASE
from calfeed.store.outbox.deliveries import load_attempts
from calfeed.store.outbox.reminders import next_reminder_due
from tests.delivery.office import SECRET, Office, check_signature, wait_until, working
from tests.delivery.receiver import PatientSender, Post, collect
from tests.patience import PATIENCE, longer_and_longer
from tests.publish.desk import BASE, NOW, STAY

JUNE = STAY.format(start="2025-06-30")
AUGUST = STAY.format(start="2025-08-31")
WEEK_BEFORE = datetime(2025, 6, 23, 4, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def wait_until_posted(office: Office, count: int) -> None:
    wait_until(lambda: len(office.receiver.posts) == count)


def body(post: Post) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(post.body)
    return read


def publish_and_announce(office: Office, text: str = JUNE) -> None:
    """Publish for an endpoint that wants reminders only."""
    office.subscribe(filters=Filters(types=("reminder.due",)))
    office.publish(text)


def test_a_due_reminder_arrives_signed(office: Office) -> None:
    publish_and_announce(office)
    office.now = WEEK_BEFORE
    (row,) = office.deliver()
    assert (row.type, row.state, row.attempts) == ("reminder.due", "delivered", 1)
    (post,) = office.receiver.posts
    check_signature(post)
    assert post.headers["webhook-timestamp"] == str(int(WEEK_BEFORE.timestamp()))
    assert post.headers["content-type"] == "application/json"
    data = body(post)["data"]
    assert data["text"] == "The stay ends: 30 June 2025, in 7 days"
    assert data["event"]["page"] == f"{BASE}/calendars/desk/stay/"
    assert [state for _, state in office.states()] == ["sent", "planned"]
    with office.database.read() as connection:
        (attempt,) = load_attempts(connection, row.id)
    assert (attempt.status, attempt.error) == (204, None)


def test_nothing_goes_out_before_its_time(office: Office) -> None:
    publish_and_announce(office)
    office.now = WEEK_BEFORE - SECOND
    assert office.deliver() == []
    assert office.make_worker().agenda().next_at == WEEK_BEFORE - FIRE_AHEAD


def test_a_late_reminder_says_how_late_it_is(office: Office) -> None:
    publish_and_announce(office)
    office.now = WEEK_BEFORE + timedelta(days=2)
    office.deliver()
    (post,) = office.receiver.posts
    assert body(post)["data"]["text"] == (
        "The stay ends: 30 June 2025, in 5 days (this reminder is 2 days late)"
    )
    assert body(post)["data"]["reminder"]["late_seconds"] == 2 * 24 * 3600


def test_what_is_found_after_the_date_is_recorded_as_missed_and_not_sent(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    publish_and_announce(office)
    office.now = datetime(2025, 7, 2, tzinfo=UTC)
    with caplog.at_level(logging.ERROR, "calfeed"):
        assert office.deliver() == []
    assert [state for _, state in office.states()] == ["missed", "missed"]
    assert office.receiver.posts == []
    assert "missed: 1 week before of desk/stay was due 8 days ago" in caplog.text


def test_a_change_is_told_to_every_endpoint_that_wants_it(office: Office) -> None:
    office.subscribe(name="end_1")
    office.subscribe(name="end_2", filters=Filters(types=("event.moved",)))
    office.subscribe(name="end_3", filters=Filters(calendars=("other",)))
    office.publish(JUNE)
    office.publish(AUGUST + "  note: extended\n")
    office.deliver()
    told = sorted((row.endpoint_id, row.type) for row in office.deliveries())
    assert told == [("end_1", "event.added"), ("end_1", "event.moved"), ("end_2", "event.moved")]
    moved = {
        post.headers["webhook-id"]: body(post)["data"]
        for post in office.receiver.posts
        if body(post)["type"] == "event.moved"
    }
    (data,) = moved.values()
    assert (data["previous"]["start"], data["event"]["start"]) == ("2025-06-30", "2025-08-31")
    assert data["note"] == "extended"


def test_a_failed_attempt_is_made_again_on_the_schedule_with_the_same_bytes(
    office: Office,
) -> None:
    publish_and_announce(office)
    office.redirect("/status/500")
    office.now = WEEK_BEFORE
    (row,) = office.deliver()
    assert (row.state, row.attempts, row.next_at) == ("pending", 1, WEEK_BEFORE + SCHEDULE[1])
    office.now = row.next_at - SECOND
    office.deliver()
    assert len(office.receiver.posts) == 1
    office.now = row.next_at
    (row,) = office.deliver()
    assert (row.attempts, row.next_at) == (2, office.now + SCHEDULE[2])
    office.redirect("/status/204")
    office.now = row.next_at
    (row,) = office.deliver()
    assert (row.state, row.attempts, row.settled_at) == ("delivered", 3, office.now)
    assert len({(post.headers["webhook-id"], post.body) for post in office.receiver.posts}) == 1
    assert len({post.headers["webhook-timestamp"] for post in office.receiver.posts}) == 3
    for post in office.receiver.posts:
        check_signature(post)
    with office.database.read() as connection:
        assert [one.status for one in load_attempts(connection, row.id)] == [500, 500, 204]


def test_it_is_given_up_when_the_message_would_no_longer_matter(office: Office) -> None:
    publish_and_announce(office)
    office.redirect("/closed")
    office.now = datetime(2025, 6, 30, 18, 59, 57, tzinfo=UTC)
    (row,) = office.deliver()
    assert row.state == "failed"
    with office.database.read() as connection:
        (attempt,) = load_attempts(connection, row.id)
    assert attempt.status is None
    assert attempt.error


def test_what_waited_too_long_expires_without_an_attempt(office: Office) -> None:
    publish_and_announce(office)
    office.redirect("/status/500")
    office.now = WEEK_BEFORE
    office.deliver()
    office.now = datetime(2025, 7, 1, tzinfo=UTC)
    rows = office.deliver()
    assert [(row.state, row.attempts) for row in rows] == [("expired", 1)]
    assert len(office.receiver.posts) == 1


def test_a_receiver_that_is_gone_is_not_written_to_again(office: Office) -> None:
    office.subscribe("/status/410")
    office.publish(JUNE)
    (row,) = office.deliver()
    assert (row.state, row.attempts) == ("failed", 1)
    with office.database.read() as connection:
        assert find_endpoint(connection, "end_1").state == "disabled"
    office.publish(AUGUST)
    office.now = WEEK_BEFORE + timedelta(days=100)
    office.deliver()
    assert len(office.receiver.posts) == 1


def test_a_reminder_of_a_date_that_moved_is_not_sent_again(office: Office) -> None:
    publish_and_announce(office)
    office.redirect("/status/500")
    office.now = WEEK_BEFORE
    (row,) = office.deliver()
    office.publish(AUGUST)
    office.now = row.next_at + timedelta(hours=2)
    reminder, moved = office.deliver()
    assert (reminder.state, reminder.attempts) == ("superseded", 1)
    # It may have been received, whatever was answered, so it is put right.
    assert moved.type == "event.moved"
    assert [body(post)["type"] for post in office.receiver.posts] == ["reminder.due", "event.moved"]


def test_a_reminder_that_its_definition_no_longer_asks_for_is_not_sent(office: Office) -> None:
    """Published while the reminder was already in a worker's hands: it looks once more."""
    publish_and_announce(office)
    due = office.reminders()[0]
    office.publish(AUGUST)
    with office.database.write() as connection:
        revive = text("UPDATE reminders SET state = 'planned' WHERE key = :key")
        connection.execute(revive, {"key": due.key})
    office.now = WEEK_BEFORE
    assert office.deliver() == []
    assert {row.key: row.state for row in office.reminders()}[due.key] == "withdrawn"


def test_a_worker_that_dies_after_posting_costs_a_second_post_under_the_same_id(
    office: Office,
) -> None:
    publish_and_announce(office)
    office.now = WEEK_BEFORE
    office.make_worker()._fire()
    with office.database.write() as connection:
        taken = claims.claim(connection, office.now, 9)
        requests = prepare_requests(connection, taken, lambda: office.now)
    office.sender.submit(requests)
    assert [outcome.status for outcome in collect(office.sender, 1)] == [204]
    # Here it dies: nothing was recorded.
    office.now = WEEK_BEFORE + LEASE - SECOND
    office.deliver()
    assert len(office.receiver.posts) == 1
    office.now = WEEK_BEFORE + LEASE
    (row,) = office.deliver()
    assert (row.state, row.attempts) == ("delivered", 1)
    first, second = office.receiver.posts
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body


def test_two_workers_beside_each_other_post_everything_once(office: Office) -> None:
    events = "".join(
        f"event-{number}:\n  summary: E\n  start: 2025-06-30\n  reminders: [1 week]\n"
        for number in range(60)
    )
    for number in range(3):
        office.subscribe(name=f"end_{number}", filters=Filters(types=("reminder.due",)))
    office.publish(events)
    office.now = WEEK_BEFORE
    with (
        PatientSender(allow_private=True) as sender,
        working(office.make_worker()),
        working(Worker(office.database, sender, BASE, lambda: office.now, lambda: 0.5)),
    ):
        wait_until(lambda: len(office.receiver.posts) >= 180)
        wait_until(lambda: all(row.state == "delivered" for row in office.deliveries()))
    assert len(office.deliveries()) == len(office.receiver.posts) == 180
    assert len({post.headers["webhook-id"] for post in office.receiver.posts}) == 60


def test_stopping_waits_for_what_is_in_flight_and_records_it(office: Office) -> None:
    publish_and_announce(office)
    office.redirect("/hang")
    office.now = WEEK_BEFORE
    with working(office.make_worker()):
        wait_until(lambda: len(office.receiver.posts) == 1)
        threading.Timer(0.2, office.receiver.released.set).start()
    (row,) = office.deliveries()
    assert row.attempts == 1


def test_a_worker_outlives_its_database(
    office: Office, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_and_announce(office)
    office.now = WEEK_BEFORE
    monkeypatch.setattr("calfeed.delivery.engine.recorder._RETRY_SECONDS", 0.01)
    with office.database.write() as connection:
        _rename(connection, "deliveries", "gone")
    with caplog.at_level(logging.ERROR, "calfeed"), working(office.make_worker()):
        wait_until(lambda: "retrying" in caplog.text)
        with office.database.write() as connection:
            _rename(connection, "gone", "deliveries")
        wait_until(lambda: len(office.receiver.posts) == 1)
        wait_until(lambda: office.deliveries()[0].state == "delivered")


def _rename(connection: Connection, old: str, new: str) -> None:
    connection.execute(text(f"ALTER TABLE {old} RENAME TO {new}"))


def test_the_clock_wakes_a_worker_at_the_due_time(office: Office) -> None:
    """In real time: a reminder that comes due while everything waits."""
    office.subscribe(filters=Filters(types=("reminder.due",)))

    def clock() -> datetime:
        return datetime.now(UTC)

    worker = Worker(office.database, office.sender, BASE, clock, lambda: 0.5)
    ticking = WorkerScheduler(worker, clock)
    events = ""
    with working(worker):
        ticking.start()
        for number, seconds in enumerate(longer_and_longer(2), 1):
            office.now = clock()
            start = office.now.replace(microsecond=0) + timedelta(hours=1, seconds=seconds)
            events += f"in-{seconds:g}:\n  summary: It\n  start: {start:%Y-%m-%d %H:%M:%SZ}\n"
            events += "  reminders: [1 hour]\n"
            office.publish(events)
            wait_until_posted(office, number)
            post = office.receiver.posts[-1]
            verify(post.headers, post.body, SECRET)
            timestamp = datetime.fromisoformat(body(post)["timestamp"])
            assert timestamp >= start - timedelta(hours=1), "never before its time"
            late = body(post)["data"]["reminder"]["late_seconds"]
            if late == 0:
                break
        ticking.stop()
    assert late == 0


def test_the_clock_does_the_duties_when_it_starts(office: Office) -> None:
    office.publish(
        "yearly:\n  summary: Y\n  start: 2025-01-01\n  reminders: [1 day]\n"
        "  repeat: {rule: FREQ=MONTHLY}\n"
    )
    planned = len(office.reminders())
    office.now = NOW + timedelta(days=300)
    worker = office.make_worker()
    ticking = WorkerScheduler(worker, lambda: datetime.now(UTC))
    ticking.start()
    wait_until(lambda: len(office.reminders()) > planned)
    ticking.stop()
    with office.database.read() as connection:
        assert next_reminder_due(connection) is not None


def test_the_clock_stops_while_a_tick_is_about_to_put_its_job_on_the_list(
    office: Office,
) -> None:
    """APScheduler waits for what runs with the lock in its hand that a tick needs."""
    publish_and_announce(office)
    looking, go = threading.Event(), threading.Event()

    class Hesitant(Worker):
        def agenda(self) -> Agenda:
            looking.set()
            assert go.wait(PATIENCE)
            return super().agenda()

    worker = Hesitant(office.database, office.sender, BASE, lambda: office.now, lambda: 0.5)
    ticking = WorkerScheduler(worker, lambda: office.now)
    ticking.start()
    assert looking.wait(PATIENCE)
    stopping = threading.Thread(target=ticking.stop, daemon=True)
    stopping.start()
    go.set()
    stopping.join(PATIENCE)
    assert not stopping.is_alive()
