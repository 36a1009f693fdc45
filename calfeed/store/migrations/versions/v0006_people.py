"""People who follow dates by mail, as endpoints of a kind of their own."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_HERE = sa.text("left_at IS NULL")


def upgrade() -> None:
    """Record the kind of each endpoint, and add the tables of people's hashes and consent."""
    kind = sa.Column("kind", sa.String(16), nullable=False, server_default="webhook")
    op.add_column("endpoints", kind)
    op.create_table(
        "people",
        sa.Column("endpoint_id", sa.String(40), nullable=False),
        sa.Column("address_hash", sa.String(64), nullable=False),
        sa.Column("language", sa.String(16), nullable=False),
        sa.Column("entries", sa.Boolean(), nullable=False),
        sa.Column("wording", sa.String(16), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("confirmed_at", sa.BigInteger(), nullable=True),
        sa.Column("left_at", sa.BigInteger(), nullable=True),
        sa.Column("bounces", sa.Integer(), nullable=False, server_default=sa.text("0")),
        sa.ForeignKeyConstraint(
            ["endpoint_id"], ["endpoints.id"], name=op.f("fk_people_endpoint_id_endpoints")
        ),
        sa.PrimaryKeyConstraint("endpoint_id", name=op.f("pk_people")),
    )
    op.create_index(
        "uq_people_address_hash",
        "people",
        ["address_hash"],
        unique=True,
        sqlite_where=_HERE,
        postgresql_where=_HERE,
    )
    op.create_table(
        "people_keys",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people_keys")),
    )
    _add_requests()


def _add_requests() -> None:
    op.create_table(
        "follow_requests",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("address_hash", sa.String(64), nullable=False),
        sa.Column("origin", sa.String(64), nullable=False),
        sa.Column("wish", sa.Text(), nullable=True),
        sa.Column("mailed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_follow_requests")),
        sa.UniqueConstraint("address_hash", name=op.f("uq_follow_requests_address_hash")),
    )
    op.create_index("ix_follow_requests_mailed_at", "follow_requests", ["mailed_at"])
    op.create_table(
        "sign_ups",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("address_hash", sa.String(64), nullable=False),
        sa.Column("origin", sa.String(64), nullable=False),
        sa.Column("wish", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("ready_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_ups")),
    )
    op.create_index("ix_sign_ups_ready_at", "sign_ups", ["ready_at"])
