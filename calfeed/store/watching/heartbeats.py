"""Heartbeats: each web server and worker writes regularly that it is running."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Connection, delete, or_, select

from calfeed.store.tables import heartbeats
from calfeed.store.upsert import upsert

BEAT_INTERVAL = timedelta(seconds=15)
"""How often a process writes its heartbeat."""

SILENT_AFTER = timedelta(minutes=2)
"""A process with an older heartbeat has ended, hangs, or cannot reach the database.

This is more than the tolerated difference between the clocks of machines that share a database.
"""

_KEEP = timedelta(days=1)


class ProcessKind(StrEnum):
    """What a process does."""

    WEB = "web"
    WORKER = "worker"


@dataclass(frozen=True)
class Heartbeat:
    """A process that runs, or ended without recording it; times are in UTC."""

    id: str
    kind: ProcessKind
    host: str
    pid: int
    version: str
    started: datetime
    beaten: datetime

    def is_alive(self, now: datetime) -> bool:
        """Whether its last heartbeat is recent."""
        return abs(now - self.beaten) <= SILENT_AFTER


def write_heartbeat(connection: Connection, beat: Heartbeat) -> None:
    """Write the heartbeat of a process, and delete those that are a day older or newer."""
    connection.execute(upsert(connection, heartbeats), [asdict(beat)])
    at = heartbeats.c.beaten
    connection.execute(
        delete(heartbeats).where(or_(at < beat.beaten - _KEEP, at > beat.beaten + _KEEP))
    )


def delete_heartbeat(connection: Connection, id_: str) -> None:
    """Delete the heartbeat of a process that stops."""
    connection.execute(delete(heartbeats).where(heartbeats.c.id == id_))


def delete_heartbeats(connection: Connection) -> None:
    """Delete all heartbeats: after a restore, their processes ran when the backup was made."""
    connection.execute(delete(heartbeats))


def list_heartbeats(connection: Connection) -> Sequence[Heartbeat]:
    """List all heartbeats, by kind and start."""
    columns = heartbeats.c
    query = select(heartbeats).order_by(columns.kind, columns.started, columns.id)
    return [Heartbeat(row.id, ProcessKind(row.kind), *row[2:]) for row in connection.execute(query)]
