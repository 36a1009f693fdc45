"""Encrypt the secrets of endpoints."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from calfeed.store.migrations.sealing import begin_sealing, end_sealing, make_anew, seal_column

revision = "0004"
down_revision = "0003"

# Each table with its primary key, and the columns that become encrypted.
_SECRETS = (
    ("endpoints", ("id",), ("url", "headers", "secret", "former_secret")),
    ("attempts", ("delivery_id", "claim"), ("response",)),
)


def upgrade() -> None:
    """Encrypt secrets, and remove the plain texts from the file."""
    connection = op.get_bind()
    begin_sealing(connection)
    op.execute("UPDATE endpoints SET headers = '' WHERE headers = '{}'")
    op.execute("UPDATE endpoints SET url = '' WHERE state = 'removed'")
    for name, key, columns in _SECRETS:
        for column in columns:
            seal_column(connection, name, key, (), column, sa.true())
        make_anew(connection, name, columns)
    end_sealing(connection)
