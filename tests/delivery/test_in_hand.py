"""What a worker has in hand: renewed while it lasts, left at its end, taken until none is left."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from calfeed.delivery import shares
from calfeed.delivery import worker as workers
from calfeed.delivery.sender import Sender
from calfeed.delivery.worker import Worker
from calfeed.store import claims, outbox, tables
from calfeed.store.catalog import add_publish
from calfeed.store.database import Database
from calfeed.store.deliveries import next_pending
from calfeed.store.endpoints import add_endpoint
from tests.delivery.office import wait_until, working
from tests.delivery.receiver import Receiver
from tests.store.keeping import make_endpoint, make_message, read_deliveries

_BEGIN = datetime(2030, 1, 1, tzinfo=UTC)


def test_a_worker_renews_what_it_still_has_in_hand(database: Database) -> None:
    """The receiver hangs for longer than a claim lasts; no other worker gets the delivery."""
    now = _BEGIN
    with Receiver() as receiver, Sender(allow_private=True, timeout=60) as sender:
        with database.write() as connection:
            add_endpoint(connection, make_endpoint("end_1", receiver.url("/hang")))
            outbox.add_delivery(connection, make_message("msg_1"), "end_1")
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
        thread.join(30)
        assert not thread.is_alive()


def test_a_worker_that_is_stopped_does_not_wait_for_a_line_before_a_receiver_that_hangs(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it had in hand is still pending, for whoever comes when the claims run out."""
    monkeypatch.setattr(workers, "_LAST", 0.1)
    with Receiver() as receiver, Sender(allow_private=True, timeout=60) as sender:
        with database.write() as connection:
            add_endpoint(connection, make_endpoint("end_1", receiver.url("/hang")))
            outbox.add_delivery(connection, make_message("msg_1"), "end_1")
        worker = Worker(database, sender, "http://calendar.example", lambda: _BEGIN, lambda: 0.5)
        thread = threading.Thread(target=worker.run, daemon=True)
        thread.start()
        wait_for_lease(database, _BEGIN + claims.LEASE)
        worker.stop()
        thread.join(30)
        assert not thread.is_alive()
    assert [row.state for row in read_deliveries(database)] == ["pending"]


def test_a_worker_goes_on_until_nothing_is_left_without_being_woken(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More is due than it takes in hand at once."""
    monkeypatch.setattr(shares, "_HANDS", 4)
    with Receiver() as receiver, Sender(allow_private=True) as sender:
        with database.write() as connection:
            add_endpoint(connection, make_endpoint("end_1", receiver.url("/status/204")))
            for number in range(20):
                outbox.add_delivery(connection, make_message(f"msg_{number}"), "end_1")
        worker = Worker(database, sender, "http://calendar.example", lambda: _BEGIN, lambda: 0.5)
        thread = threading.Thread(target=worker.run, daemon=True)
        thread.start()
        deadline = time.monotonic() + 30
        while any(row.state != "delivered" for row in read_deliveries(database)):
            assert time.monotonic() < deadline
        worker.stop()
        thread.join(30)
    assert len(receiver.posts) == 20


def wait_for_lease(database: Database, until: datetime) -> None:
    """Return once the delivery is claimed until then."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with database.read() as connection:
            found = next_pending(connection)
        if found is not None and found >= until:
            return
    raise AssertionError(f"the delivery was never claimed until {until}")


def test_what_a_publish_made_untrue_is_not_posted_any_more_though_it_stands_in_line(
    database: Database,
) -> None:
    """The receiver hangs: the first few are on their way, the others wait behind them."""
    with Receiver() as receiver, Sender(allow_private=True, timeout=60) as sender:
        with database.write() as connection:
            add_endpoint(connection, make_endpoint("end_1", receiver.url("/hang")))
            for number in range(10):
                outbox.add_delivery(connection, make_message(f"msg_{number}"), "end_1")
        worker = Worker(database, sender, "http://calendar.example", lambda: _BEGIN, lambda: 0.5)
        with working(worker):
            wait_until(lambda: len(receiver.posts) == 4)
            with database.write() as connection:
                add_publish(connection, _BEGIN, "moved", [])
                values = {"state": "superseded", "settled_at": _BEGIN}
                connection.execute(update(tables.deliveries).values(values))
            worker.wake()
            wait_until(lambda: len(worker._claims) == 4)
            receiver.released.set()
            wait_until(lambda: not worker._claims)
        assert len(receiver.posts) == 4
    assert {row.state for row in read_deliveries(database)} == {"superseded"}
