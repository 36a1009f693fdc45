"""INSERT that meets a row which is there: the one statement the two databases spell alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def insert_new(connection: Connection, table: Table) -> Any:
    """An INSERT that leaves alone the rows that are there already."""
    return _insert(connection, table).on_conflict_do_nothing()


def upsert(connection: Connection, table: Table, where: Any = None) -> Any:
    """An INSERT that replaces what is given of a row with the same primary key, if `where`."""
    keys = [column.name for column in table.primary_key]
    kept = [column.name for column in table.columns if column.name not in [*keys, "planned_until"]]
    return upsert_by(connection, table, keys, kept, where)


def upsert_by(
    connection: Connection, table: Table, keys: Sequence[str], names: Sequence[str], where: Any
) -> Any:
    """An INSERT that replaces the columns `names` of a row with the same unique `keys`, if `where`.

    One that is not given becomes NULL.
    """
    statement = _insert(connection, table)
    given = {name: statement.excluded[name] for name in names}
    return statement.on_conflict_do_update(index_elements=keys, set_=given, where=where)


def upsert_adding(connection: Connection, table: Table, names: Sequence[str]) -> Any:
    """An INSERT that adds the numbers in the columns `names` to those of a row that is there."""
    statement = _insert(connection, table)
    sums = {name: table.c[name] + statement.excluded[name] for name in names}
    keys = [column.name for column in table.primary_key]
    return statement.on_conflict_do_update(index_elements=keys, set_=sums)


def _insert(connection: Connection, table: Table) -> Any:
    if connection.dialect.name == "sqlite":
        return sqlite.insert(table)
    return postgresql.insert(table)
