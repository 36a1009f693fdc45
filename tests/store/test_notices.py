"""Notifications of committed changes on PostgreSQL."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from calfeed.errors import StoreError
from calfeed.store.database import Database
from calfeed.store.notices import Listener, notify_listeners
from tests.keys import KEYS


class Ear:
    """Counts notifications."""

    def __init__(self) -> None:
        self.count = 0
        self._changed = threading.Condition()

    def __call__(self) -> None:
        with self._changed:
            self.count += 1
            self._changed.notify_all()

    def wait_for(self, count: int) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: self.count >= count, 20), f"heard {self.count}"


@pytest.fixture
def database(postgresql: str) -> Iterator[Database]:
    """PostgreSQL only: SQLite has no notifications."""
    with closing(Database(postgresql, KEYS)) as found:
        yield found


def announce_and_fail(database: Database) -> None:
    with database.write() as connection:
        notify_listeners(connection)
        connection.execute(text("SELECT nothing"))


def test_listeners_are_notified_of_committed_changes_only(database: Database) -> None:
    ear = Ear()
    with Listener(database, ear):
        ear.wait_for(1)  # the connection is there
        with pytest.raises(StoreError):
            announce_and_fail(database)
        with database.write() as connection:
            notify_listeners(connection)
        ear.wait_for(2)
    assert ear.count == 2


def test_a_listener_reconnects_and_notifies_once(database: Database) -> None:
    ear = Ear()
    with Listener(database, ear):
        ear.wait_for(1)
        with database.write() as connection:
            cut = "pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN %'"
            assert connection.execute(text(f"SELECT {cut}")).all() == [(True,)]
        ear.wait_for(2)
        with database.write() as connection:
            notify_listeners(connection)
        ear.wait_for(3)


def test_a_listening_connection_is_closed_and_not_returned_to_the_pool(database: Database) -> None:
    with database.listen("calfeed") as connection:
        assert connection is not None
        assert not connection.closed
    assert connection.closed


def test_a_listener_does_nothing_on_sqlite(tmp_path: Path) -> None:
    ear = Ear()
    database = Database(f"sqlite:///{tmp_path / 'calfeed.sqlite3'}")
    database.make()
    with Listener(database, ear), database.write() as connection:
        notify_listeners(connection)
    assert ear.count == 0
    database.close()
