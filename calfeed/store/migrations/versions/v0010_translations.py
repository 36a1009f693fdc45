"""Messages in the languages that endpoints want."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Add a table of the bodies of messages in other languages, and the language of a delivery."""
    op.create_table(
        "translations",
        sa.Column("message_id", sa.String(40), nullable=False),
        sa.Column("language", sa.String(35), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"],
            ["messages.id"],
            name=op.f("fk_translations_message_id_messages"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("message_id", "language", name=op.f("pk_translations")),
    )
    op.add_column("deliveries", sa.Column("language", sa.String(35)))
