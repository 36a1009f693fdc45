"""The site's own name, languages and look."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add the table for the content of `site.yaml`."""
    op.create_table(
        "sites",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column(
            "publish_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["publish_id"], ["publishes.id"], name=op.f("fk_sites_publish_id_publishes")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sites")),
    )
