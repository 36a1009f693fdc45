"""How often feeds are asked for, and by which families of clients: sums by day, for a year.

There is nothing here that tells of one client or reader: no address, no User-Agent, no token.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime, time, timedelta

from sqlalchemy import Connection, delete, func, select

from calfeed.store.reports.poll_counts import Polls
from calfeed.store.tables import polls
from calfeed.store.upsert import upsert_adding

KEPT = timedelta(days=365)
"""For how long the sums of a day are kept."""


def add_polls(connection: Connection, counted: Sequence[Polls], now: datetime) -> None:
    """Add requests (one or more) to the sums of the day of `now` (UTC); forget days of long ago."""
    connection.execute(delete(polls).where(polls.c.day < now - KEPT))
    today = _begin_of_day(now)
    # In one order, so that two processes that add at once do not wait for each other.
    rows = [{"day": today, **asdict(one)} for one in sorted(counted)]
    connection.execute(upsert_adding(connection, polls, ["sent", "unchanged", "bytes"]), rows)


def load_polls(connection: Connection, now: datetime, days: int) -> list[Polls]:
    """The requests of the last `days` days (UTC), that of `now` among them, by feed and family."""
    sums = [func.sum(polls.c[name]).label(name) for name in ("sent", "unchanged", "bytes")]
    query = (
        select(polls.c.feed, polls.c.family, *sums)
        .where(polls.c.day > _begin_of_day(now) - timedelta(days=days))
        .group_by(polls.c.feed, polls.c.family)
        .order_by(polls.c.feed, polls.c.family)
    )
    return [
        # PostgreSQL's sums of whole numbers are decimals.
        Polls(row.feed, row.family, int(row.sent), int(row.unchanged), int(row.bytes))
        for row in connection.execute(query)
    ]


def _begin_of_day(moment: datetime) -> datetime:
    return datetime.combine(moment.astimezone(UTC).date(), time(), UTC)
