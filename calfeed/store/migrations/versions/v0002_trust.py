"""What 0.2 keeps beside the catalog and the outbox."""

from __future__ import annotations

from uuid import uuid4

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Give this installation an id of its own, and note which publishes anybody may know of."""
    serial = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    installation = op.create_table(
        "installation",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("since", serial, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_installation")),
    )
    last = op.get_bind().scalar(sa.text("SELECT max(id) FROM publishes"))
    op.bulk_insert(installation, [{"id": str(uuid4()), "since": last or 0}])
    op.add_column(
        "publishes",
        sa.Column("public", sa.Boolean(), server_default=sa.true(), nullable=False),
    )
