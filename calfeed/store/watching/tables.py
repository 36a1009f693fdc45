"""The tables of processes that are running, and of the refusal of the last publish."""

from __future__ import annotations

from sqlalchemy import Column, Integer, String, Table

from calfeed.store.columns import Instant, metadata

# One row for each start of a web server or worker, deleted when it stops.
heartbeats = Table(
    "heartbeats",
    metadata,
    # Random, made at each start.
    Column("id", String(32), primary_key=True),
    # web or worker
    Column("kind", String(16), nullable=False),
    Column("host", String(255), nullable=False),
    Column("pid", Integer, nullable=False),
    Column("version", String(32), nullable=False),
    Column("started", Instant, nullable=False),
    Column("beaten", Instant, nullable=False),
)

# One row: why the last publish was refused; none if it succeeded.
refusals = Table(
    "refusals",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    # Since when it has been refused for this reason.
    Column("at", Instant, nullable=False),
    # A hash of all problems.
    Column("digest", String(64), nullable=False),
    # problems, removals or error
    Column("why", String(16), nullable=False),
    Column("problems", Integer, nullable=False),
)
