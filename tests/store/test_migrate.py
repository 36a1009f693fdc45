"""Migrations create the tables, even if processes start concurrently."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import AbstractContextManager, closing, suppress

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect, text

from calfeed.errors import SchemaError, StoreError
from calfeed.store.database import Database
from calfeed.store.migrate import HEAD, check_schema, migrate, schema_revision
from calfeed.store.migrations.compatibility import is_compatible
from calfeed.store.tables import metadata
from tests.acceptance.site import until
from tests.keys import KEYS


class DeathError(Exception):
    """Simulates a crash."""


def test_migrations_create_the_tables_of_the_code(database: Database) -> None:
    with database.read() as connection:
        options = {"compare_type": True, "compare_server_default": True}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, metadata) == []


def test_migrating_again_changes_nothing(database: Database) -> None:
    with database.read() as connection:
        revision = schema_revision(connection)
    migrate(database)
    check_schema(database)
    with database.read() as connection:
        assert schema_revision(connection) == revision is not None


def test_concurrent_threads_migrate_once(empty_url: str) -> None:
    database = Database(empty_url, KEYS)
    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(migrate, database) for _ in range(4)]:
            done.result()
    check_schema(database)
    database.close()


def _migrate(url: str) -> list[str]:
    database = Database(url, KEYS)
    migrate(database)
    tables = inspect(database.engine).get_table_names()
    database.close()
    return tables


def test_concurrent_processes_migrate_once(empty_url: str) -> None:
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
        found = list(pool.map(_migrate, [empty_url] * 2))
    assert all({*metadata.tables, "alembic_version"} == set(tables) for tables in found)


def test_empty_and_outdated_databases_are_distinguished(empty_url: str) -> None:
    database = Database(empty_url, KEYS)
    with pytest.raises(StoreError, match="nothing is published"):
        check_schema(database)
    migrate(database)
    with database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'later'"))
    with pytest.raises(StoreError, match="another version's schema"):
        check_schema(database)
    with pytest.raises(StoreError, match="newer calfeed"):
        migrate(database)
    database.close()


def test_a_migration_is_rolled_back_if_the_process_dies(empty_url: str) -> None:
    """DDL is part of the transaction, on both databases."""
    database = Database(empty_url, KEYS)
    database.make()

    with suppress(DeathError), database.write_exclusive() as connection:
        connection.execute(text("CREATE TABLE half (id INTEGER)"))
        raise DeathError
    assert inspect(database.engine).get_table_names() == []
    migrate(database)
    database.close()


def _set_schema(database: Database, revision: str) -> None:
    with database.write_migration() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :now"), {"now": revision})


def test_no_transaction_begins_after_a_newer_version_has_migrated(empty_url: str) -> None:
    """Neither reads nor writes; if the schema comes back, they go on."""
    with closing(Database(empty_url, KEYS)) as database, closing(Database(empty_url)) as newer:
        migrate(database)
        _set_schema(newer, "9999")
        for opened in (database.read, database.write, database.write_exclusive):
            with pytest.raises(SchemaError, match="another version's schema now"), opened():
                pass
        _set_schema(newer, HEAD)
        with database.write():
            pass


def test_a_step_of_the_same_number_disturbs_nobody(empty_url: str) -> None:
    """Processes of the version before it run on, also those that start; none takes it back."""
    with closing(Database(empty_url, KEYS)) as database, closing(Database(empty_url, KEYS)) as late:
        migrate(database)
        _set_schema(database, f"{HEAD}.1")
        with database.write():
            pass
        check_schema(late)
        migrate(late)
        with late.read() as connection:
            assert schema_revision(connection) == f"{HEAD}.1"


@pytest.mark.parametrize(
    ("found", "needed", "is_so"),
    [
        ("0012", "0012", True),
        ("0012.1", "0012", True),
        ("0012.10", "0012.9", True),
        ("0012", "0012.1", False),
        ("0013", "0012", False),
        ("0013.1", "0012.1", False),
        ("0011", "0012", False),
    ],
)
def test_a_process_may_use_later_steps_of_its_number(found: str, needed: str, is_so: bool) -> None:
    assert is_compatible(found, needed) is is_so


@pytest.mark.parametrize("engine", ["postgresql"])
def test_a_migration_waits_for_transactions_and_they_for_it(empty_url: str) -> None:
    """So none can have begun before a migration and write after it."""
    waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    with closing(Database(empty_url, KEYS)) as database, closing(Database(empty_url)) as newer:
        migrate(database)
        with ThreadPoolExecutor(3) as pool, closing(Database(empty_url)) as watching:

            def wait(count: int) -> None:
                def look() -> bool:
                    with watching.read() as connection:
                        return bool(connection.scalar(waiting) == count)

                until(look, f"{count} to wait")

            with database.write() as connection:
                migration = pool.submit(_set_schema, newer, "9999")
                wait(1)
                later = [pool.submit(_open, one) for one in (database.write, database.read)]
                wait(3)
                connection.execute(text("DELETE FROM polls"))
            migration.result()
            for one in later:
                with pytest.raises(SchemaError):
                    one.result()


def _open(transaction: Callable[[], AbstractContextManager[Connection]]) -> None:
    with transaction():
        pass
