"""Polls of feeds by family of clients: daily sums, kept for a year.

Nothing identifies a client or reader: no address, no User-Agent, no token.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime, time, timedelta

from sqlalchemy import Connection, delete, func, select

from calfeed.store.reports.poll_counts import PollCounts
from calfeed.store.tables import polls
from calfeed.store.upsert import upsert_adding

RETENTION = timedelta(days=365)
"""How long daily sums are kept."""


def add_polls(connection: Connection, counted: Sequence[PollCounts], now: datetime) -> None:
    """Add polls to the sums of today (UTC), and delete sums older than `RETENTION`."""
    connection.execute(delete(polls).where(polls.c.day < now - RETENTION))
    today = _start_of_day(now)
    # In a fixed order, so that two processes cannot deadlock.
    rows = [{"day": today, **asdict(counts)} for counts in sorted(counted)]
    connection.execute(upsert_adding(connection, polls, ["sent", "unchanged", "bytes"]), rows)


def load_polls(connection: Connection, now: datetime, days: int) -> list[PollCounts]:
    """Load the polls of the last `days` days (UTC), including today, by feed and family."""
    sums = [func.sum(polls.c[name]).label(name) for name in ("sent", "unchanged", "bytes")]
    query = (
        select(polls.c.feed, polls.c.family, *sums)
        .where(polls.c.day > _start_of_day(now) - timedelta(days=days))
        .group_by(polls.c.feed, polls.c.family)
        .order_by(polls.c.feed, polls.c.family)
    )
    return [
        # PostgreSQL returns sums of integers as decimals.
        PollCounts(row.feed, row.family, int(row.sent), int(row.unchanged), int(row.bytes))
        for row in connection.execute(query)
    ]


def _start_of_day(moment: datetime) -> datetime:
    return datetime.combine(moment.astimezone(UTC).date(), time(), UTC)
