"""Migrations create the tables, even if processes start concurrently."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import suppress

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

from calfeed.errors import StoreError
from calfeed.store.database import Database
from calfeed.store.migrate import check_schema, migrate, schema_revision
from calfeed.store.tables import metadata
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
