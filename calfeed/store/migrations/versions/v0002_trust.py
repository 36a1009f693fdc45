"""The tables and columns that 0.2 adds to the catalog and the outbox."""

from __future__ import annotations

import json
from uuid import uuid4

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Give this installation an id, and add what 0.2 records about publishes and calendars."""
    serial = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    installation = op.create_table(
        "installation",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("since", serial, nullable=False),
        sa.Column("first_sequence", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_installation")),
    )
    last = op.get_bind().scalar(sa.text("SELECT max(id) FROM publishes"))
    op.bulk_insert(installation, [{"id": str(uuid4()), "since": last or 0, "first_sequence": 0}])
    op.add_column(
        "publishes",
        sa.Column("public", sa.Boolean(), server_default=sa.true(), nullable=False),
    )
    op.create_table(
        "readings",
        sa.Column("calendar", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("warnings", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("calendar", name=op.f("pk_readings")),
    )
    _add_announcements()
    _keep_time()
    _add_categories()


def _add_categories() -> None:
    """Add a table of categories, and fill it with every category in the ledger."""
    categories = op.create_table(
        "categories",
        sa.Column("calendar", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("calendar", "name", name=op.f("pk_categories")),
    )
    rows = op.get_bind().execute(sa.text("SELECT calendar, revision FROM revisions"))
    found = {
        (row.calendar, name)
        for row in rows
        for name in json.loads(row.revision)["event"].get("categories", ())
    }
    op.bulk_insert(categories, [{"calendar": one, "name": name} for one, name in sorted(found)])


def _add_announcements() -> None:
    """Add the table and columns of announcements; record all published changes as announced."""
    op.create_table(
        "announcements",
        sa.Column("uid", sa.String(length=255), nullable=False),
        sa.Column("base", sa.Integer(), nullable=True),
        sa.Column("due", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("uid", name=op.f("pk_announcements")),
    )
    op.create_index(op.f("ix_announcements_due"), "announcements", ["due"])
    op.add_column("revisions", sa.Column("announced_in", sa.BigInteger(), nullable=True))
    op.add_column("revisions", sa.Column("announced_as", sa.String(length=16), nullable=True))
    op.add_column("revisions", sa.Column("announced_from", sa.Integer(), nullable=True))
    op.execute(
        "UPDATE revisions SET announced_in = publish_id, announced_as = kind, "
        "announced_from = CASE WHEN sequence > 0 THEN sequence - 1 END"
    )
    op.create_index("ix_revisions_announced_in", "revisions", ["announced_in", "uid", "sequence"])
    op.add_column("reminders", sa.Column("send_from", sa.BigInteger(), nullable=True))
    held = sa.text("state = 'planned' AND send_from IS NOT NULL")
    op.create_index(
        "ix_reminders_send_from",
        "reminders",
        ["send_from"],
        sqlite_where=held,
        postgresql_where=held,
    )


def _keep_time() -> None:
    """Add a table for a worker's time, and indexes to find the effects of a wrong clock."""
    op.create_table(
        "clock",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clock")),
    )
    settled = sa.text("state <> 'planned'")
    op.create_index(
        "ix_reminders_until",
        "reminders",
        ["until"],
        sqlite_where=settled,
        postgresql_where=settled,
    )
    unsent = sa.text("state IN ('expired', 'failed', 'dropped')")
    op.create_index(
        "ix_deliveries_unsent",
        "deliveries",
        ["settled_at"],
        sqlite_where=unsent,
        postgresql_where=unsent,
    )
