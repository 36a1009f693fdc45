"""INSERT statements that handle existing rows, for SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def insert_row(connection: Connection, table: Table, values: Mapping[str, Any]) -> int:
    """Insert a row and return its generated id."""
    key = connection.execute(table.insert().values(values)).inserted_primary_key
    return int(key[0]) if key else 0


def insert_new(connection: Connection, table: Table) -> Any:
    """Build an INSERT that skips rows that exist already."""
    return _insert(connection, table).on_conflict_do_nothing()


def upsert(connection: Connection, table: Table, where: Any = None) -> Any:
    """Build an upsert by primary key; existing rows that do not match `where` are unchanged."""
    keys = [column.name for column in table.primary_key]
    names = [column.name for column in table.columns if column.name not in [*keys, "planned_until"]]
    return upsert_by(connection, table, keys, names, where)


def upsert_by(
    connection: Connection, table: Table, keys: Sequence[str], names: Sequence[str], where: Any
) -> Any:
    """Build an upsert by unique `keys` that replaces the columns `names`.

    Existing rows that do not match `where` are unchanged. A column without a value becomes NULL.
    """
    statement = _insert(connection, table)
    values = {name: statement.excluded[name] for name in names}
    return statement.on_conflict_do_update(index_elements=keys, set_=values, where=where)


def upsert_adding(connection: Connection, table: Table, names: Sequence[str]) -> Any:
    """Build an upsert by primary key that adds the numbers in the columns `names`."""
    statement = _insert(connection, table)
    sums = {name: table.c[name] + statement.excluded[name] for name in names}
    keys = [column.name for column in table.primary_key]
    return statement.on_conflict_do_update(index_elements=keys, set_=sums)


def _insert(connection: Connection, table: Table) -> Any:
    if connection.dialect.name == "sqlite":
        return sqlite.insert(table)
    return postgresql.insert(table)
