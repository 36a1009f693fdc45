"""Push subscriptions of browsers and CalDAV clients."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add the tables of push subscriptions, and of this site's key."""
    op.create_table(
        "push_subscriptions",
        sa.Column("endpoint_id", sa.String(40), nullable=False),
        sa.Column("resource_hash", sa.String(64), nullable=False),
        sa.Column("collection", sa.String(64), nullable=False),
        sa.Column("client_key", sa.String(100), nullable=False),
        sa.Column("auth", sa.Text(), nullable=False),
        sa.Column("language", sa.String(16), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["endpoint_id"],
            ["endpoints.id"],
            name=op.f("fk_push_subscriptions_endpoint_id_endpoints"),
        ),
        sa.PrimaryKeyConstraint("endpoint_id", name=op.f("pk_push_subscriptions")),
    )
    op.create_index("ix_push_subscriptions_expires", "push_subscriptions", ["expires"])
    op.create_index(
        "uq_push_subscriptions_resource_hash_collection",
        "push_subscriptions",
        ["resource_hash", "collection"],
        unique=True,
    )
    op.create_table(
        "push_keys",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_push_keys")),
    )
