"""The time of the workers, as noted in the database."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select

from calfeed.store.tables import clock
from calfeed.store.upsert import upsert


def note_time(connection: Connection, now: datetime) -> None:
    """Note that a worker works at this time."""
    connection.execute(upsert(connection, clock), [{"id": 1, "at": now}])


def last_time(connection: Connection) -> datetime | None:
    """The time (UTC) that a worker noted last; None where none has."""
    found: datetime | None = connection.scalar(select(clock.c.at))
    return found
