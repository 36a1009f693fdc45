"""Sealing rows that are there already: for the first time, or with a newer key, in steps."""

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

STEP = 500
"""Rows in a transaction."""

_SETTLED = timedelta(minutes=1)
"""How long a key has to be the current one until the one before it is surely not used any more."""


def rewrite(
    connection: Connection,
    column: Any,
    places: Places,
    which: ColumnElement[bool],
    convert: Callable[[str, Any], Any],
    after: tuple[Any, ...] | None = None,
    step: int | None = None,
) -> tuple[Any, ...] | None:
    """Rewrite a column of the next rows, `STEP` unless said, behind `after`, by the primary key.

    `convert` makes the new value of the place and the old one, or raises SealError to leave it.
    What changed meanwhile is left too. Returns the last row's key; None: there are no more rows.
    """
    key = [raw(each) for each in places.key]
    query = select(*key, raw(column)).where(which).order_by(*key).limit(step or STEP)
    rows = connection.execute(
        query if after is None else query.where(tuple_(*key) > tuple_(*after))
    ).all()
    new = []
    for *row, old in rows:
        named = dict(zip((each.name for each in places.key), row, strict=True))
        try:
            made = convert(places.of(*(named[name] for name in places.row)), old)
        except SealError:
            continue
        new.append({f"key_{name}": value for name, value in named.items()})
        new[-1] |= {"old": old, "new": made}
    if new:
        mine = [
            each == bindparam(f"key_{own.name}", type_=each.type)
            for own, each in zip(places.key, key, strict=True)
        ]
        same = raw(column) == bindparam("old", type_=raw(column).type)
        made_new = {column.name: bindparam("new", type_=raw(column).type)}
        connection.execute(update(column.table).where(*mine, same).values(made_new), new)
    return tuple(rows[-1])[:-1] if rows else None


def seal_again(database: Database) -> int:
    """Encrypt with the current key what older ones have encrypted; return in how many steps.

    It may be ended at any time and begun again. What cannot be read is left as it is.
    """
    steps = 0
    for column in _sealed_columns():
        places = places_of(column)
        after: tuple[Any, ...] | None = None
        while True:
            with database.write() as connection:
                keys = keyring_of(connection)
                which = is_sealed(column) & (head(column, PREFIX_LENGTH) != keys.look()[0])
                after = rewrite(connection, column, places, which, keys.seal_again, after)
            if after is None:
                break
            steps += 1
    return steps


def count_by_key(connection: Connection) -> Counter[str]:
    """How many texts each key has encrypted, by its id."""
    found: Counter[str] = Counter()
    for column in _sealed_columns():
        begins = head(column, PREFIX_LENGTH)
        query = select(begins, func.count()).where(is_sealed(column)).group_by(text("1"))
        for prefix, count in connection.execute(query):
            found[prefix[len(VERSION) : -1]] += count
    return found


def drop_key(database: Database, key_id: str, now: datetime) -> None:
    """Take a key out of the file that nothing is encrypted with any more.

    Raises InvalidInputError where something is, or may be in a moment, and for the current key.
    """
    with database.write_alone() as connection:
        file = keyring_of(connection).file
        file.check_former(key_id)
        if not database.is_sqlite:
            for table in {column.table.name for column in _sealed_columns()}:
                connection.execute(text(f"LOCK TABLE {table} IN SHARE MODE"))
        used = count_by_key(connection)[key_id]
        if used:
            raise InvalidInputError(
                f"{used:,} texts are encrypted with key {key_id} still; "
                "`calfeed keys encrypt` encrypts them with the current one"
            )
        # Another process may have taken the key for what it is just about to write.
        if file.load()[0].made > now - _SETTLED:
            raise InvalidInputError(
                "the current key was made less than a minute ago, and another process may be using "
                "the one before it; try again in a minute"
            )
        file.drop(key_id)


def _sealed_columns() -> Iterator[Any]:
    """Each column in which something is sealed."""
    for table in metadata.sorted_tables:
        for column in table.columns:
            if column.info.get("sealed") or is_private(column):
                yield column
