"""Word of a change reaches every process on PostgreSQL, once it is committed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from calfeed.errors import StoreError
from calfeed.store.database import Database
from calfeed.store.notices import Listener, announce
from tests.keys import KEYS


class Ear:
    """Counts what it hears."""

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
    """PostgreSQL alone: SQLite has no notices."""
    with closing(Database(postgresql, KEYS)) as found:
        yield found


def announce_and_fail(database: Database) -> None:
    with database.write() as connection:
        announce(connection)
        connection.execute(text("SELECT nothing"))


def test_a_listener_hears_of_a_committed_change_and_of_no_other(database: Database) -> None:
    ear = Ear()
    with Listener(database, ear):
        ear.wait_for(1)  # the connection is there
        with pytest.raises(StoreError):
            announce_and_fail(database)
        with database.write() as connection:
            announce(connection)
        ear.wait_for(2)
    assert ear.count == 2


def test_a_listener_whose_connection_is_cut_connects_again_and_looks(database: Database) -> None:
    ear = Ear()
    with Listener(database, ear):
        ear.wait_for(1)
        with database.write() as connection:
            cut = "pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN %'"
            assert connection.execute(text(f"SELECT {cut}")).all() == [(True,)]
        ear.wait_for(2)
        with database.write() as connection:
            announce(connection)
        ear.wait_for(3)


def test_a_connection_that_listened_is_closed_and_not_lent_again(database: Database) -> None:
    with database.listen("calfeed") as connection:
        assert connection is not None
        assert not connection.closed
    assert connection.closed


def test_on_sqlite_there_is_nothing_to_hear_and_nothing_to_fail(tmp_path: Path) -> None:
    ear = Ear()
    database = Database(f"sqlite:///{tmp_path / 'calfeed.sqlite3'}")
    database.make()
    with Listener(database, ear), database.write() as connection:
        announce(connection)
    assert ear.count == 0
    database.close()
