"""The tables of people who follow dates by mail.

The address itself is the URL of the person's endpoint (`mailto:`); it is sealed, and is deleted
when the person leaves. These tables have a keyed hash of the address, by which a person is found,
and the proof of consent.
"""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, String, Table, Text, text

from calfeed.store.columns import Instant, metadata
from calfeed.store.secrets.sealing import SEALED

HERE = "left_at IS NULL"
"""The condition of the partial index of people who have not left."""

people = Table(
    "people",
    metadata,
    Column("endpoint_id", String(40), ForeignKey("endpoints.id"), primary_key=True),
    # HMAC-SHA256 of the address in its normal form, with the key in `people_keys`, as hex.
    Column("address_hash", String(64), nullable=False),
    # The language of the mails.
    Column("language", String(16), nullable=False),
    # Whether mails contain calendar entries.
    Column("entries", Boolean, nullable=False),
    # The proof of consent: the version of the wording, the times of the request and the
    # confirmation.
    Column("wording", String(16), nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("confirmed_at", Instant),
    Column("left_at", Instant),
    # The number of consecutive permanent bounces.
    Column("bounces", Integer, nullable=False, server_default=text("0")),
    Index(
        "uq_people_address_hash",
        "address_hash",
        unique=True,
        sqlite_where=text(HERE),
        postgresql_where=text(HERE),
    ),
)

# Requests that were mailed to their address in the last days, one for each address.
follow_requests = Table(
    "follow_requests",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("address_hash", String(64), nullable=False, unique=True),
    # A keyed hash of the network from which it came.
    Column("origin", String(64), nullable=False),
    # The wish, as JSON; None after the confirmation.
    Column("wish", Text),
    Column("mailed_at", Instant, nullable=False),
    Index("ix_follow_requests_mailed_at", "mailed_at"),
)

# New sign-ups, which a worker turns into requests.
sign_ups = Table(
    "sign_ups",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("address", Text, nullable=False, info=SEALED),
    Column("address_hash", String(64), nullable=False),
    Column("origin", String(64), nullable=False),
    Column("wish", Text, nullable=False),
    Column("at", Instant, nullable=False),
    # When a worker processes the sign-up next; later if the mail for it must wait.
    Column("ready_at", Instant, nullable=False),
    Index("ix_sign_ups_ready_at", "ready_at"),
)

# One row: the key of the hashes and of the links in mails, made when it is first needed.
people_keys = Table(
    "people_keys",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("key", Text, nullable=False, info=SEALED),
)
