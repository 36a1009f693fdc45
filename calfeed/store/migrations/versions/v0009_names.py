"""The names that events ever had."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add a table of the names of events of public calendars, with the names in the ledger."""
    names = op.create_table(
        "event_names",
        sa.Column("calendar", sa.String(64), nullable=False),
        sa.Column("slug", sa.String(64), nullable=False),
        sa.Column("uid", sa.String(255), nullable=False),
        sa.PrimaryKeyConstraint("calendar", "slug", name=op.f("pk_event_names")),
    )
    rows = op.get_bind().execute(
        sa.text(
            "SELECT calendar, uid, revision FROM revisions WHERE calendar NOT IN "
            "(SELECT slug FROM calendars WHERE private) ORDER BY publish_id, uid, sequence"
        )
    )
    found = {
        (row.calendar, json.loads(row.revision)["event"]["slug"]): row.uid
        for row in rows
        if row.revision.startswith("{")  # others are sealed: their calendar was private
    }
    values = [
        {"calendar": calendar, "slug": slug, "uid": uid}
        for (calendar, slug), uid in sorted(found.items())
    ]
    op.bulk_insert(names, values)
