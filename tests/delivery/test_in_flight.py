"""Deliveries in flight: leases are renewed, released on stop, revalidated after a publish."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from calfeed.delivery.engine import concurrency, recorder
from calfeed.delivery.engine import worker as workers
from calfeed.delivery.engine.attempts import prepare_requests
from calfeed.delivery.engine.concurrency import ConcurrencyLimits
from calfeed.delivery.engine.recorder import Recorder
from calfeed.delivery.engine.worker import Worker
from calfeed.delivery.transport.sender import Request
from calfeed.errors import StoreError
from calfeed.store import tables
from calfeed.store.catalog.publishes import add_publish
from calfeed.store.database import Connection, Database
from calfeed.store.endpoints.records import add_endpoint
from calfeed.store.outbox import claims
from calfeed.store.outbox.deliveries import load_attempts, next_pending_at
from calfeed.store.outbox.messages import add_delivery, add_messages
from tests.delivery.office import Office, wait_until, working
from tests.delivery.receiver import PatientSender, Receiver
from tests.patience import PATIENCE
from tests.publish.desk import BASE
from tests.store.keeping import make_endpoint, make_message, read_deliveries

_BEGIN = datetime(2030, 1, 1, tzinfo=UTC)


def test_a_worker_renews_the_leases_of_deliveries_in_flight(database: Database) -> None:
    """The receiver hangs for longer than a lease; no other worker gets the delivery."""
    now = _BEGIN
    with Receiver() as receiver, PatientSender(allow_private=True) as sender:
        with database.write() as connection:
            add_endpoint(connection, make_endpoint("end_1", receiver.url("/hang")))
            add_delivery(connection, make_message("msg_1"), "end_1")
        worker = Worker(database, sender, "http://calendar.example", lambda: now, lambda: 0.5)
        thread = threading.Thread(target=worker.run, daemon=True)
        thread.start()
        wait_for_lease(database, _BEGIN + claims.LEASE)
        now = _BEGIN + timedelta(seconds=20)
        wait_for_lease(database, now + claims.LEASE)
        now = _BEGIN + timedelta(seconds=35)
        with database.write() as connection:
            assert claims.claim(connection, now, 10) == []
        worker.stop()
        sender.close()
        thread.join(PATIENCE)
        assert not thread.is_alive()


def test_a_stopped_worker_does_not_wait_for_the_queue_of_a_hanging_receiver(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its deliveries stay pending for other workers once the leases expire."""
    monkeypatch.setattr(recorder, "_SHUTDOWN_SECONDS", 0.1)
    with Receiver() as receiver, PatientSender(allow_private=True) as sender:
        with database.write() as connection:
            add_endpoint(connection, make_endpoint("end_1", receiver.url("/hang")))
            add_delivery(connection, make_message("msg_1"), "end_1")
        worker = Worker(database, sender, "http://calendar.example", lambda: _BEGIN, lambda: 0.5)
        thread = threading.Thread(target=worker.run, daemon=True)
        thread.start()
        wait_for_lease(database, _BEGIN + claims.LEASE)
        worker.stop()
        thread.join(PATIENCE)
        assert not thread.is_alive()
    assert [row.state for row in read_deliveries(database)] == ["pending"]


def test_a_worker_sends_a_backlog_without_being_woken(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More is due than may be in flight at once."""
    monkeypatch.setattr(concurrency, "_MAX_IN_FLIGHT", 4)
    with Receiver() as receiver, PatientSender(allow_private=True) as sender:
        with database.write() as connection:
            add_endpoint(connection, make_endpoint("end_1", receiver.url("/status/204")))
            for number in range(20):
                add_delivery(connection, make_message(f"msg_{number}"), "end_1")
        worker = Worker(database, sender, "http://calendar.example", lambda: _BEGIN, lambda: 0.5)
        thread = threading.Thread(target=worker.run, daemon=True)
        thread.start()
        deadline = time.monotonic() + PATIENCE
        while any(row.state != "delivered" for row in read_deliveries(database)):
            assert time.monotonic() < deadline
        worker.stop()
        thread.join(PATIENCE)
    assert len(receiver.posts) == 20


def test_outcomes_are_recorded_during_a_long_fan_out(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fanning a message out to a million endpoints takes minutes; here it does not end."""
    monkeypatch.setattr(workers, "fan_out", lambda *_: True)
    with Receiver() as receiver, PatientSender(allow_private=True) as sender:
        with database.write() as connection:
            add_endpoint(connection, make_endpoint("end_1", receiver.url("/status/204")))
            add_messages(connection, [make_message("msg_many")])
            for number in range(20):
                add_delivery(connection, make_message(f"msg_{number}"), "end_1")
        worker = Worker(database, sender, "http://calendar.example", lambda: _BEGIN, lambda: 0.5)
        with working(worker):
            wait_until(lambda: {row.state for row in read_deliveries(database)} == {"delivered"})


def wait_for_lease(database: Database, until: datetime) -> None:
    """Return once the delivery is claimed until then."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with database.read() as connection:
            found = next_pending_at(connection)
        if found is not None and found >= until:
            return
    raise AssertionError(f"the delivery was never claimed until {until}")


def test_queued_requests_are_recalled_after_a_publish_supersedes_them(
    database: Database,
) -> None:
    """The receiver hangs: the first requests are being sent, the others are queued."""
    with Receiver() as receiver, PatientSender(allow_private=True) as sender:
        with database.write() as connection:
            add_endpoint(connection, make_endpoint("end_1", receiver.url("/hang")))
            for number in range(10):
                add_delivery(connection, make_message(f"msg_{number}"), "end_1")
        worker = Worker(database, sender, "http://calendar.example", lambda: _BEGIN, lambda: 0.5)
        with working(worker):
            wait_until(lambda: len(receiver.posts) == 4)
            with database.write() as connection:
                add_publish(connection, _BEGIN, "moved", [])
                values = {"state": "superseded", "settled_at": _BEGIN}
                connection.execute(update(tables.deliveries).values(values))
            worker.wake()
            wait_until(lambda: worker._recorder.in_flight == 4)
            receiver.released.set()
            wait_until(lambda: not worker._recorder.in_flight)
        assert len(receiver.posts) == 4
    assert {row.state for row in read_deliveries(database)} == {"superseded"}


class Breaking(Database):
    """The same database, with a connection that breaks in some of the writes.

    It breaks before the commit, or after it without a response.
    """

    def __init__(self, other: Database, breaks: Callable[[int], bool], *, late: bool) -> None:
        assert other.keyring is not None
        url = other.engine.url.render_as_string(hide_password=False)
        super().__init__(url, other.keyring.file.path)
        self._breaks = breaks
        self._late = late
        self.writes = 0

    @contextmanager
    def write(self, *, any_schema: bool = False) -> Iterator[Connection]:
        self.writes += 1
        broken = self._breaks(self.writes)
        with super().write(any_schema=any_schema) as connection:
            yield connection
            if broken and not self._late:
                raise StoreError("the connection broke")
        if broken:
            raise StoreError("the connection broke")


@pytest.mark.parametrize("late", [False, True], ids=["before", "after"])
def test_a_connection_that_breaks_at_a_commit_loses_and_repeats_nothing(
    office: Office, monkeypatch: pytest.MonkeyPatch, late: bool
) -> None:
    """Claims of a commit without a response come back when their leases expire."""
    monkeypatch.setattr(recorder, "_RETRY_SECONDS", 0.0)
    office.subscribe()
    office.subscribe("/status/500", "end_2")
    with office.database.write() as connection:
        for number in range(30):
            add_delivery(connection, make_message(f"msg_{number}"), "end_1")
        for number in range(5):
            add_delivery(connection, make_message(f"bad_{number}"), "end_2")
    with closing(Breaking(office.database, lambda number: number % 3 == 1, late=late)) as breaking:
        worker = Worker(breaking, office.sender, BASE, lambda: office.now, lambda: 0.5)
        with working(worker):
            wait_until(lambda: office.is_idle() and not worker._recorder.in_flight)
            while any(row.attempts == 0 for row in office.deliveries()):
                office.now += claims.LEASE
                worker.wake()
                wait_until(lambda: office.is_idle() and not worker._recorder.in_flight)
        assert worker._limits.outstanding == 0
    rows = office.deliveries()
    assert {row.state for row in rows if row.endpoint_id == "end_1"} == {"delivered"}
    with office.database.read() as connection:
        made = [len(load_attempts(connection, row.id)) for row in rows]
    assert made == [row.attempts for row in rows]
    assert len(office.receiver.posts) == sum(made)
    assert made[:30] == [1] * 30


def test_revalidation_is_repeated_after_a_broken_connection(office: Office) -> None:
    """The receiver hangs; six of ten are still queued when they are superseded."""
    office.subscribe("/hang")
    with office.database.write() as connection:
        for number in range(10):
            add_delivery(connection, make_message(f"msg_{number}"), "end_1")
    broken = False
    with closing(Breaking(office.database, lambda _: broken, late=False)) as breaking:
        worker = Worker(breaking, office.sender, BASE, lambda: office.now, lambda: 0.5)
        with working(worker):
            wait_until(lambda: len(office.receiver.posts) == 4)
            broken = True
            with office.database.write() as connection:
                add_publish(connection, office.now, "moved", [])
                values = {"state": "superseded", "settled_at": office.now}
                connection.execute(update(tables.deliveries).values(values))
            before = breaking.writes
            worker.wake()
            wait_until(lambda: breaking.writes > before)
            broken = False
            wait_until(lambda: worker._recorder.in_flight == 4)
            office.receiver.released.set()
    assert len(office.receiver.posts) == 4


def test_a_publish_during_a_claim_leads_to_another_revalidation(office: Office) -> None:
    """An earlier revalidation did not include these deliveries."""
    office.subscribe("/hang")
    with office.database.write() as connection:
        for number in range(10):
            add_delivery(connection, make_message(f"msg_{number}"), "end_1")
    limits = ConcurrencyLimits()
    recording = Recorder(
        office.database, office.sender, limits, lambda: office.now, lambda: 0.5, lambda: None
    )
    before = recording.revalidations
    with office.database.write() as connection:
        kept, _ = limits.admit(claims.claim(connection, office.now, 10), time.monotonic())
        requests = prepare_requests(connection, kept, lambda: office.now)
    with office.database.write() as connection:
        values = {"state": "superseded", "settled_at": office.now}
        connection.execute(update(tables.deliveries).values(values))
    recording.revalidate()
    recording._record()  # nothing is in flight yet
    recording.start()
    try:
        recording.add(requests, before, office.now)
        # At most the initial limit of requests was being sent already.
        wait_until(lambda: recording.in_flight == len(office.receiver.posts) <= 4)
    finally:
        office.receiver.released.set()
        recording.stop()
    assert len(office.receiver.posts) <= 4


@pytest.mark.parametrize("engine", ["postgresql"])
def test_outcomes_are_recorded_while_more_is_claimed(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite has one writer at a time."""
    office.subscribe()
    go_on, claimed = threading.Event(), 0

    def prepare_slowly(*given: Any, **options: Any) -> list[Request]:
        nonlocal claimed
        requests = prepare_requests(*given, **options)
        claimed += len(requests)
        assert claimed < 2 or go_on.wait(PATIENCE)
        return requests

    def say(name: str) -> None:
        with office.database.write() as connection:
            add_delivery(connection, make_message(name), "end_1")
        worker.wake()

    monkeypatch.setattr(workers, "prepare_requests", prepare_slowly)
    worker = office.make_worker()
    with working(worker):
        # The first post is answered, at the earliest, when the second is being claimed.
        office.redirect("/hang")
        say("msg_1")
        wait_until(lambda: len(office.receiver.posts) == 1)
        say("msg_2")
        wait_until(lambda: claimed == 2)
        office.receiver.released.set()
        wait_until(lambda: [row.attempts for row in office.deliveries()] == [1, 0])
        go_on.set()
        wait_until(lambda: not worker._recorder.in_flight)


def test_a_worker_ends_where_its_recorder_ends_by_a_fault(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And is started anew by whoever runs it, instead of claiming what nobody records."""
    office.subscribe()
    with office.database.write() as connection:
        add_delivery(connection, make_message("msg_1"), "end_1")

    def break_down(*_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(recorder, "record_outcomes", break_down)
    with pytest.raises(ZeroDivisionError):
        office.make_worker().run()
