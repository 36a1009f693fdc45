"""What 0.2 keeps so that a copy of the database gives no secret away."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

from calfeed.store.secrets.resealing import rewrite
from calfeed.store.secrets.sealing import OPTION, keyring_of

revision = "0004"
down_revision = "0003"

# Each table with its primary key, and what is encrypted from now on.
_SEALED = (
    ("endpoints", ("id",), ("url", "headers", "secret", "former_secret")),
    ("attempts", ("delivery_id", "claim"), ("response",)),
)


def upgrade() -> None:
    """Encrypt secrets, and leave nothing of the plain ones in the file."""
    _seal_secrets(op.get_bind())


def _seal_secrets(connection: sa.Connection) -> None:
    keyring = connection.get_execution_options().get(OPTION)
    if keyring is not None:
        keyring.file.make(datetime.now(UTC))
    sqlite = connection.dialect.name == "sqlite"
    if sqlite:
        op.execute("PRAGMA secure_delete = ON")
    op.execute("UPDATE endpoints SET headers = '' WHERE headers = '{}'")
    op.execute("UPDATE endpoints SET url = '' WHERE state = 'removed'")
    for name, key, columns in _SEALED:
        for column in columns:
            _seal_column(connection, name, key, column)
        if not sqlite:
            # A table that is made anew has nothing of the rows before.
            op.execute(f"ALTER TABLE {name} ALTER {column} TYPE TEXT USING {column} || ''")
    if sqlite:
        # What was in pages that are free now is left to `migrate`, which reads this.
        op.execute("PRAGMA user_version = 1")


def _seal_column(connection: sa.Connection, name: str, key: tuple[str, ...], column: str) -> None:
    table: Any = sa.table(name, *(sa.column(each) for each in (*key, column)))
    wanted = table.c[column] != ""
    after: tuple[Any, ...] | None = None
    while True:
        after = rewrite(
            connection,
            table.c[column],
            [table.c[each] for each in key],
            wanted,
            lambda place, plain: keyring_of(connection).seal(place, plain),
            after,
        )
        if after is None:
            return
