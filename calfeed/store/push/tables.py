"""The tables of push subscriptions. The push resource itself is the URL of their endpoint."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, Text

from calfeed.store.columns import Instant, metadata
from calfeed.store.secrets.sealing import SEALED

push_subscriptions = Table(
    "push_subscriptions",
    metadata,
    Column("endpoint_id", String(40), ForeignKey("endpoints.id"), primary_key=True),
    # SHA-256 of the push resource, as hex. The resource is random, so it cannot be guessed.
    Column("resource_hash", String(64), nullable=False),
    # The calendar about whose updates a CalDAV client gets pushes; empty: a browser.
    Column("collection", String(64), nullable=False),
    # The client's public key, and the secret that it shares with this site (RFC 8291), base64url.
    Column("client_key", String(100), nullable=False),
    Column("auth", Text, nullable=False, info=SEALED),
    # The language of pushes to a browser.
    Column("language", String(16), nullable=False),
    Column("expires", Instant, nullable=False, index=True),
    Index(
        "uq_push_subscriptions_resource_hash_collection",
        "resource_hash",
        "collection",
        unique=True,
    ),
)

# One row: the private key of this site (VAPID, RFC 8292), made when it is first needed.
push_keys = Table(
    "push_keys",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("key", Text, nullable=False, info=SEALED),
)
