"""The tables of what readers, programs and people come with; `tables.py` has the others."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, LargeBinary, String, Table, Text

from calfeed.store.columns import Instant, Serial, metadata

# What lets a reader at a private calendar, or a program at the API; the token itself is not kept.
tokens = Table(
    "tokens",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("digest", String(64), nullable=False, unique=True),
    # The calendar whose feed it is for; None: it is for the API.
    Column("calendar", String(64)),
    # What it lets at in the API, as JSON; an empty list for that of a feed.
    Column("scopes", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("created", Instant, nullable=False),
    Column("revoked", Instant),
    # From when on it is not valid; None: it does not expire.
    Column("expires", Instant),
)

# What was answered to requests that must not be done twice, for a day.
answers = Table(
    "answers",
    metadata,
    # Hashes: of who asked and the key they gave, and of what they asked for.
    Column("key", String(64), primary_key=True),
    Column("request", String(64), nullable=False),
    # NULL only within the transaction that makes it.
    Column("body", Text),
    Column("at", Instant, nullable=False, index=True),
)

# Links that sign one person in to the console, once; what they carry is not kept.
sign_in_links = Table(
    "sign_in_links",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("expires", Instant, nullable=False),
)

# One row: the random key of this installation's sessions of the console.
session_keys = Table(
    "session_keys",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("key", LargeBinary, nullable=False),
)

# Who is signed in to the console; what their browsers carry is not kept.
sessions = Table(
    "sessions",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("digest", String(64), nullable=False, unique=True),
    # Made of the admin token that was in force when it began: with another one it is over.
    Column("door", String(64), nullable=False),
    # How somebody signed in: token, link
    Column("method", String(16), nullable=False),
    Column("begun", Instant, nullable=False),
    Column("used", Instant, nullable=False),
)

# Endpoints that were registered by anybody and are not confirmed yet.
registrations = Table(
    "registrations",
    metadata,
    Column("endpoint_id", String(40), ForeignKey("endpoints.id"), primary_key=True),
    # A hash of the network that it came from, under a key that is not kept.
    Column("origin", String(64), nullable=False),
    Column("at", Instant, nullable=False),
)

# How often feeds were asked for, by day (UTC) and family of clients. Nothing tells who asked.
polls = Table(
    "polls",
    metadata,
    # The day's beginning.
    Column("day", Instant, primary_key=True),
    # The path of a feed, without the token of a private one.
    Column("feed", String(128), primary_key=True),
    Column("family", String(32), primary_key=True),
    # How many got the feed, how many were told that they have it (304).
    Column("sent", BigInteger, nullable=False),
    Column("unchanged", BigInteger, nullable=False),
    # Of the bodies that were sent, as they went over the wire.
    Column("bytes", BigInteger, nullable=False),
)
