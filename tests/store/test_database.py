"""Transactions and database errors."""

from __future__ import annotations

import socket
import threading
from contextlib import closing, suppress
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from calfeed.errors import DatabaseFileError, ReplacedError, StoreError
from calfeed.store.catalog.publishes import add_publish, latest_publish
from calfeed.store.database import Database
from calfeed.store.endpoints.records import count_endpoints, find_endpoint, list_endpoints
from calfeed.store.migrate import migrate
from tests.patience import PATIENCE
from tests.store.keeping import NOW, SECRET, keep_endpoints, make_endpoint


class DeathError(Exception):
    """Simulates a crash."""


def test_exclusive_writes_wait_for_each_other(database: Database) -> None:
    inside, after = threading.Event(), threading.Event()
    seen: list[int] = []

    def second() -> None:
        inside.wait(PATIENCE)
        with database.write_exclusive() as connection:
            seen.append(latest_publish(connection))
        after.set()

    thread = threading.Thread(target=second)
    thread.start()
    with database.write_exclusive() as connection:
        inside.set()
        # It has the time to come in, if anything lets it.
        assert not after.wait(0.3)
        number = add_publish(connection, NOW, "one", [])
    assert after.wait(PATIENCE)
    thread.join()
    assert seen == [number]


def test_a_read_transaction_sees_one_snapshot(database: Database) -> None:
    with database.read() as connection:
        assert latest_publish(connection) == 0
        with database.write_exclusive() as other:
            add_publish(other, NOW, "one", [])
        assert latest_publish(connection) == 0
    with database.read() as connection:
        assert latest_publish(connection) == 1


def test_a_failed_write_is_rolled_back(database: Database) -> None:
    with suppress(DeathError), database.write() as connection:
        keep_endpoints(connection, "end_1")
        raise DeathError
    with database.read() as connection:
        assert list_endpoints(connection) == []


def test_database_errors_become_store_errors_with_the_name(database: Database) -> None:
    with (
        pytest.raises(StoreError, match="cannot be used") as caught,
        database.write() as connection,
    ):
        connection.execute(text("SELECT nothing FROM nowhere"))
    assert database.name in str(caught.value)
    assert isinstance(caught.value.__cause__, SQLAlchemyError)


@pytest.mark.parametrize(
    "url",
    ["nonsense", "mysql://user:hunter2@localhost/x", "sqlite://", "sqlite:///:memory:"],
)
def test_an_invalid_url_is_refused_without_showing_its_password(url: str) -> None:
    with pytest.raises(StoreError) as caught:
        Database(url)
    assert "hunter2" not in str(caught.value)


def test_an_unreachable_server_is_an_error_without_the_password() -> None:
    with closing(socket.socket()) as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        database = Database(f"postgresql://user:hunter2@127.0.0.1:{port}/calfeed")
        with pytest.raises(StoreError, match="cannot be used") as caught:
            database.check()
    told = f"{caught.value} {caught.value.__cause__!r} {database.name} {database!r}"
    assert "hunter2" not in told
    assert f"127.0.0.1:{port}" in database.name


def test_a_folder_that_cannot_be_created_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    database = Database(f"sqlite:///{tmp_path / 'file' / 'calfeed.sqlite3'}")
    with pytest.raises(StoreError, match="cannot be made"):
        database.make()


def test_no_repr_shows_a_secret(database: Database) -> None:
    endpoint = make_endpoint("end_1", "https://example.org/hook/t0ken")
    with database.write() as connection:
        keep_endpoints(connection, "end_1")
        found = find_endpoint(connection, "end_1")
    for shown in (repr(endpoint), repr(found), repr([found]), str(found)):
        assert SECRET not in shown
        assert SECRET.removeprefix("whsec_") not in shown
        assert "t0ken" not in shown
    assert found.secret == SECRET


def test_sqlite_has_full_durability_and_foreign_keys(tmp_path: Path) -> None:
    """WAL mode, synchronous=FULL (2), and foreign key checks."""
    database = Database(f"sqlite:///{tmp_path / 'calfeed.sqlite3'}")
    database.make()
    with database.read() as connection:
        found = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
    database.close()
    assert found == ["wal", 2, 1]


def test_only_make_creates_a_sqlite_file_with_private_permissions(
    tmp_path: Path,
) -> None:
    """Even if other users may enter the folder."""
    path = tmp_path / "calfeed.sqlite3"
    with closing(Database(f"sqlite:///{path}")) as database:
        with pytest.raises(DatabaseFileError, match=f"{path} is gone"):
            database.check()
        assert not path.exists()
        migrate(database)
        assert path.stat().st_mode & 0o777 == 0o600
        database.check()


@pytest.mark.parametrize("pinned", [False, True])
def test_no_connection_writes_to_a_replaced_file(tmp_path: Path, pinned: bool) -> None:
    """The new file is opened, unless the database is pinned."""
    path, log = tmp_path / "calfeed.sqlite3", tmp_path / "calfeed.sqlite3-wal"
    with closing(Database(f"sqlite:///{tmp_path / 'other.sqlite3'}")) as other:
        migrate(other)
    with closing(Database(f"sqlite:///{path}", pinned=pinned)) as database:
        migrate(database)
        with database.write() as connection:
            keep_endpoints(connection, "end_1")
        path.rename(tmp_path / "aside.sqlite3")
        with pytest.raises(DatabaseFileError, match="is gone"), database.write():
            pass
        (tmp_path / "other.sqlite3").rename(path)
        with pytest.raises(DatabaseFileError, match="still beside it"), database.write():
            pass
        log.rename(tmp_path / "aside.sqlite3-wal")
        (tmp_path / "calfeed.sqlite3-shm").unlink()
        if pinned:
            with (
                pytest.raises(ReplacedError, match="was replaced by another file"),
                database.write(),
            ):
                pass
        else:
            with database.write() as connection:
                assert count_endpoints(connection) == 0
