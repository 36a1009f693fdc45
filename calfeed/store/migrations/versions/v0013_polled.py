"""Endpoints whose receivers fetch their messages."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Add an index of an endpoint's held deliveries, in the order in which they are fetched."""
    held = sa.text("state = 'held'")
    op.create_index(
        "ix_deliveries_held",
        "deliveries",
        ["endpoint_id", "id"],
        unique=False,
        sqlite_where=held,
        postgresql_where=held,
    )
