"""Access: sessions of the console, tokens that expire, registrations."""

from __future__ import annotations

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add tables of console sessions and registrations, and the time at which a token expires."""
    _add_sessions()
    op.add_column("tokens", sa.Column("expires", sa.BigInteger(), nullable=True))
    op.create_table(
        "registrations",
        sa.Column("endpoint_id", sa.String(length=40), nullable=False),
        sa.Column("origin", sa.String(length=64), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["endpoint_id"],
            ["endpoints.id"],
            name=op.f("fk_registrations_endpoint_id_endpoints"),
        ),
        sa.PrimaryKeyConstraint("endpoint_id", name=op.f("pk_registrations")),
    )
    op.execute(
        "INSERT INTO registrations (endpoint_id, origin, at) "
        "SELECT id, '', created FROM endpoints WHERE state = 'unverified'"
    )


def _add_sessions() -> None:
    serial = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    keys = op.create_table(
        "session_keys",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_session_keys")),
    )
    op.bulk_insert(keys, [{"id": 1, "key": secrets.token_bytes(32)}])
    op.create_table(
        "sessions",
        sa.Column("id", serial, nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("door", sa.String(length=64), nullable=False),
        sa.Column("method", sa.String(length=16), nullable=False),
        sa.Column("begun", sa.BigInteger(), nullable=False),
        sa.Column("used", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
        sa.UniqueConstraint("digest", name=op.f("uq_sessions_digest")),
    )
