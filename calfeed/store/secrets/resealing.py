"""Seal stored rows, for the first time or with a newer key, in batches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, func, select, text, tuple_, update

from calfeed.errors import InvalidInputError, SealError
from calfeed.store.database import Database
from calfeed.store.secrets.private_columns import head, is_private, is_sealed, places_of, raw
from calfeed.store.secrets.sealing import PREFIX_LENGTH, VERSION, Places, keyring_of
from calfeed.store.tables import metadata

BATCH_SIZE = 500
"""Rows in one transaction."""

_KEY_PROPAGATION = timedelta(minutes=1)
"""How long after a rotation another process may still encrypt with the previous key."""


def rewrite(
    connection: Connection,
    column: Any,
    places: Places,
    condition: ColumnElement[bool],
    convert: Callable[[str, Any], Any],
    after: tuple[Any, ...] | None = None,
    step: int | None = None,
) -> tuple[Any, ...] | None:
    """Rewrite a column in the next `step` rows (by default `BATCH_SIZE`) that match `condition`.

    Rows are ordered by primary key; they begin after the key `after`. `convert` gets the place and
    the old value, and returns the new value, or raises SealError to skip the row. Rows that have
    changed meanwhile are skipped too. Returns the primary key of the last row, or None if there are
    no more rows.
    """
    key = [raw(part) for part in places.key]
    query = select(*key, raw(column)).where(condition).order_by(*key).limit(step or BATCH_SIZE)
    rows = connection.execute(
        query if after is None else query.where(tuple_(*key) > tuple_(*after))
    ).all()
    changes = []
    for *row, old in rows:
        named = dict(zip((part.name for part in places.key), row, strict=True))
        try:
            new = convert(places.of(*(named[name] for name in places.row)), old)
        except SealError:
            continue
        changes.append({f"key_{name}": value for name, value in named.items()})
        changes[-1] |= {"old": old, "new": new}
    if changes:
        is_row = [
            stored == bindparam(f"key_{part.name}", type_=stored.type)
            for part, stored in zip(places.key, key, strict=True)
        ]
        is_unchanged = raw(column) == bindparam("old", type_=raw(column).type)
        statement = update(column.table).where(*is_row, is_unchanged)
        values = {column.name: bindparam("new", type_=raw(column).type)}
        connection.execute(statement.values(values), changes)
    return tuple(rows[-1])[:-1] if rows else None


def reseal_all(database: Database) -> int:
    """Encrypt everything again with the current key, and return the number of transactions.

    It may be interrupted and run again. Values that cannot be decrypted are skipped.
    """
    steps = 0
    for column in _list_sealed_columns():
        places = places_of(column)
        after: tuple[Any, ...] | None = None
        while True:
            with database.write() as connection:
                keys = keyring_of(connection)
                is_current = head(column, PREFIX_LENGTH) == keys.refresh()[0]
                is_older = is_sealed(column) & ~is_current
                after = rewrite(connection, column, places, is_older, keys.reseal, after)
            if after is None:
                break
            steps += 1
    return steps


def count_by_key(connection: Connection) -> Counter[str]:
    """Count the encrypted values by the id of their key."""
    counts: Counter[str] = Counter()
    for column in _list_sealed_columns():
        prefix = head(column, PREFIX_LENGTH)
        query = select(prefix, func.count()).where(is_sealed(column)).group_by(text("1"))
        for key_prefix, count in connection.execute(query):
            counts[key_prefix[len(VERSION) : -1]] += count
    return counts


def find_keys_in_use(connection: Connection, rows: int) -> frozenset[str]:
    """Return the ids of the keys in use, judged by at most `rows` values of each column."""
    found: set[str] = set()
    for column in _list_sealed_columns():
        prefix = head(column, PREFIX_LENGTH)
        some = select(prefix.label("prefix")).where(is_sealed(column)).limit(rows).subquery()
        prefixes = connection.scalars(select(some.c.prefix).distinct())
        found |= {key_prefix[len(VERSION) : -1] for key_prefix in prefixes}
    return frozenset(found)


def drop_key(database: Database, key_id: str, now: datetime) -> None:
    """Remove an unused key from the key file.

    Raises InvalidInputError if it is the current key, if something is encrypted with it, or if
    another process may still encrypt with it.
    """
    with database.write_exclusive() as connection:
        file = keyring_of(connection).file
        file.check_former(key_id)
        if not database.is_sqlite:
            for table in {column.table.name for column in _list_sealed_columns()}:
                connection.execute(text(f"LOCK TABLE {table} IN SHARE MODE"))
        used = count_by_key(connection)[key_id]
        if used:
            raise InvalidInputError(
                f"{used:,} texts are still encrypted with key {key_id}; "
                "`calfeed keys encrypt` encrypts them with the current one"
            )
        # Another process may be about to write values that it has encrypted with this key.
        if file.load()[0].made > now - _KEY_PROPAGATION:
            raise InvalidInputError(
                "the current key was made less than a minute ago, and another process may be using "
                "the one before it; try again in a minute"
            )
        file.drop(key_id)


def _list_sealed_columns() -> Iterator[Any]:
    """List the columns that can have sealed values."""
    for table in metadata.sorted_tables:
        for column in table.columns:
            if column.info.get("sealed") or is_private(column):
                yield column
