"""The tables for access and for polls of feeds; `tables.py` has the others."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, LargeBinary, String, Table, Text

from calfeed.store.columns import Instant, Serial, metadata

# Tokens for feeds of private calendars and for the API; only hashes are stored.
tokens = Table(
    "tokens",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("digest", String(64), nullable=False, unique=True),
    # The calendar of a feed token; None: an API token.
    Column("calendar", String(64)),
    # The scopes of an API token, as a JSON list; empty for a feed token.
    Column("scopes", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("created", Instant, nullable=False),
    Column("revoked", Instant),
    # None: it does not expire.
    Column("expires", Instant),
)

# Responses by idempotency key, kept for a day.
answers = Table(
    "answers",
    metadata,
    # Hashes: of the client and its idempotency key, and of the request.
    Column("key", String(64), primary_key=True),
    Column("request", String(64), nullable=False),
    # NULL only within the transaction that inserts the row.
    Column("body", Text),
    Column("at", Instant, nullable=False, index=True),
)

# Links for a single sign-in to the console; only the hashes of their secrets are stored.
sign_in_links = Table(
    "sign_in_links",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("expires", Instant, nullable=False),
)

# One row: the random key of this installation's console sessions.
session_keys = Table(
    "session_keys",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("key", LargeBinary, nullable=False),
)

# Console sessions; only the hash of the id in the browser is stored.
sessions = Table(
    "sessions",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("digest", String(64), nullable=False, unique=True),
    # Derived from the admin token at sign-in: the session ends when the token is changed.
    Column("door", String(64), nullable=False),
    # How the operator signed in: token or link.
    Column("method", String(16), nullable=False),
    Column("begun", Instant, nullable=False),
    Column("used", Instant, nullable=False),
)

# Endpoints from public registrations that are not confirmed yet.
registrations = Table(
    "registrations",
    metadata,
    Column("endpoint_id", String(40), ForeignKey("endpoints.id"), primary_key=True),
    # A hash of the network of the client, with a key that is not stored.
    Column("origin", String(64), nullable=False),
    Column("at", Instant, nullable=False),
)

# Polls of feeds, counted by day (UTC) and family of clients. Nothing identifies a client.
polls = Table(
    "polls",
    metadata,
    # The start of the day.
    Column("day", Instant, primary_key=True),
    # The path of a feed, without the token of a private one.
    Column("feed", String(128), primary_key=True),
    Column("family", String(32), primary_key=True),
    # The numbers of 200 and 304 responses.
    Column("sent", BigInteger, nullable=False),
    Column("unchanged", BigInteger, nullable=False),
    # Bytes of response bodies as sent, after compression.
    Column("bytes", BigInteger, nullable=False),
)
