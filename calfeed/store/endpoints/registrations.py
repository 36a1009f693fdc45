"""Registrations: endpoints that anybody may add, until they are confirmed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from calfeed.store.tables import registrations


@dataclass(frozen=True)
class Registration:
    """An endpoint that waits for confirmation since `at` (UTC).

    `origin` is a hash of the network from which it was registered.
    """

    endpoint_id: str
    origin: str
    at: datetime


def add_registration(connection: Connection, registration: Registration) -> None:
    """Store a registration until its endpoint is confirmed or removed."""
    connection.execute(registrations.insert().values(asdict(registration)))


def list_registrations(connection: Connection) -> list[Registration]:
    """List the registrations that wait for confirmation, oldest first."""
    query = select(registrations).order_by(registrations.c.at, registrations.c.endpoint_id)
    return [Registration(row.endpoint_id, row.origin, row.at) for row in connection.execute(query)]


def choose_evictions(
    waiting: Sequence[Registration], origin: str, limit: int
) -> list[Registration]:
    """Choose registrations to evict so that another one from `origin` fits into `limit`.

    `waiting` is oldest first. The oldest registration of the network with the most registrations is
    evicted, so that a network with many cannot displace one with few.
    """
    remaining, evicted = list(waiting), []
    counts = Counter([origin, *(entry.origin for entry in remaining)])
    while remaining and len(remaining) >= limit:
        largest = max(counts[entry.origin] for entry in remaining)
        oldest = next(entry for entry in remaining if counts[entry.origin] == largest)
        remaining.remove(oldest)
        counts[oldest.origin] -= 1
        evicted.append(oldest)
    return evicted
