"""A database is looked at without changing it, on both engines."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from calfeed.errors import StoreError
from calfeed.store.database import Database
from calfeed.store.migrate import HEAD, migrate
from calfeed.store.outbox.clock_skew import record_time
from calfeed.store.reports.database_condition import load_condition
from tests.keys import KEYS

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)


def look(url: str) -> Database:
    return Database(url, KEYS, looking=True)


def test_the_condition_of_a_new_database_and_of_one_in_use(empty_url: str) -> None:
    with closing(Database(empty_url, KEYS)) as database:
        if not database.is_sqlite:
            with closing(look(empty_url)) as looking:
                assert load_condition(looking).revision is None
        migrate(database)
        with database.write() as connection:
            record_time(connection, NOW)
        with closing(look(empty_url)) as looking:
            found = load_condition(looking)
    assert (found.revision, found.is_current, found.writable) == (HEAD, True, True)
    assert (found.last_worker, found.last_publish, found.due) == (NOW, None, None)
    assert len(found.mark) == 8
    if found.clock is not None:
        assert abs(datetime.now(UTC) - found.clock) < timedelta(minutes=5)


def state_of(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    return {
        path.name: (path.stat().st_mode, path.stat().st_mtime_ns, path.read_bytes())
        for path in folder.iterdir()
        if not path.name.endswith("-shm")
    }


@pytest.mark.parametrize("in_use", [True, False])
def test_looking_at_a_file_changes_nothing_beside_it(tmp_path: Path, in_use: bool) -> None:
    """Its mode is too open, its journal may not be a write-ahead log; others may have it open."""
    file = tmp_path / "calfeed.sqlite3"
    url = f"sqlite:///{file}"
    with closing(Database(url, KEYS)) as database:
        migrate(database)
        if not in_use:
            database.close()
            with closing(sqlite3.connect(file)) as connection:
                connection.execute("PRAGMA journal_mode = DELETE")
        file.chmod(0o644)
        before = state_of(tmp_path)
        with closing(look(url)) as looking:
            assert load_condition(looking).is_current
            with pytest.raises(StoreError, match="readonly"), looking.write() as connection:
                record_time(connection, NOW)
        assert state_of(tmp_path) == before
    assert file.stat().st_mode & 0o777 == 0o644


def test_a_missing_or_damaged_file_is_not_made(tmp_path: Path) -> None:
    file = tmp_path / "calfeed.sqlite3"
    with closing(look(f"sqlite:///{file}")) as looking:
        assert not looking.exists
        with pytest.raises(StoreError):
            load_condition(looking)
    assert list(tmp_path.iterdir()) == []
    file.write_text("not a database, but long enough to look like one" * 100)
    with closing(look(f"sqlite:///{file}")) as looking, pytest.raises(StoreError, match="file is"):
        load_condition(looking)
