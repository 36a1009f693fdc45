"""Steps of migrations that encrypt columns, and remove the plain texts from the files."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

from calfeed.store.secrets.private_columns import is_sealed
from calfeed.store.secrets.resealing import rewrite
from calfeed.store.secrets.sealing import OPTION, Places, keyring_of

_BYTES = ("vevent", "body")

_ALL = 1_000_000_000


def begin_sealing(connection: sa.Connection) -> None:
    """Make the key file if there is none, and let SQLite overwrite replaced values."""
    keyring = connection.get_execution_options().get(OPTION)
    if keyring is not None:
        keyring.file.make(datetime.now(UTC))
    if connection.dialect.name == "sqlite":
        op.execute("PRAGMA secure_delete = ON")


def end_sealing(connection: sa.Connection) -> None:
    """Request a vacuum of a SQLite file, which clears its free pages.

    The request is `PRAGMA user_version`, which `migrate` reads.
    """
    if connection.dialect.name == "sqlite":
        op.execute("PRAGMA user_version = 1")


def make_anew(connection: sa.Connection, name: str, columns: tuple[str, ...]) -> None:
    """Rewrite a table on PostgreSQL, so that its files have nothing of the former rows."""
    if connection.dialect.name == "sqlite":
        return
    for column in columns:
        kind, empty = ("BYTEA", "''::bytea") if column in _BYTES else ("TEXT", "''")
        op.execute(f"ALTER TABLE {name} ALTER {column} TYPE {kind} USING {column} || {empty}")


def seal_column(
    connection: sa.Connection,
    name: str,
    key: tuple[str, ...],
    row: tuple[str, ...],
    column: str,
    which: Any,
) -> None:
    kind = sa.LargeBinary() if column in _BYTES else sa.Text()
    others: list[Any] = [sa.column(each) for each in key if each != column]
    table: Any = sa.table(name, *others, sa.column(column, kind))
    places = Places(table.c[column], row, [table.c[each] for each in key])
    wanted = sa.or_(which, is_sealed(table.c[column])) & (sa.func.length(table.c[column]) > 0)
    # If rows are ordered by an encrypted column, a second step would find some of them again.
    step = _ALL if column in key else None
    after: tuple[Any, ...] | None = None
    while True:
        after = rewrite(
            connection,
            table.c[column],
            places,
            wanted,
            lambda place, plain: keyring_of(connection).seal(place, plain),
            after,
            step,
        )
        if after is None or step is not None:
            return
