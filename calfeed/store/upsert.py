"""INSERT that meets a row which is there: the one statement the two databases spell alike."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def insert_new(connection: Connection, table: Table) -> Any:
    """An INSERT that leaves alone the rows that are there already."""
    return _insert(connection, table).on_conflict_do_nothing()


def upsert(connection: Connection, table: Table, where: Any = None) -> Any:
    """An INSERT that replaces what is given of a row with the same primary key, if `where`."""
    statement = _insert(connection, table)
    keys = [column.name for column in table.primary_key]
    given = {column.name: statement.excluded[column.name] for column in table.columns}
    kept = {name: value for name, value in given.items() if name not in [*keys, "planned_until"]}
    return statement.on_conflict_do_update(index_elements=keys, set_=kept, where=where)


def _insert(connection: Connection, table: Table) -> Any:
    if connection.dialect.name == "sqlite":
        return sqlite.insert(table)
    return postgresql.insert(table)
