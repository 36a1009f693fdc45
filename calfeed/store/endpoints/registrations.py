"""Registrations: endpoints that anybody added, and that wait to be confirmed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from calfeed.store.tables import registrations


@dataclass(frozen=True)
class Registration:
    """An endpoint that waits to be confirmed since `at` (UTC).

    `origin` stands for the network that it was registered from.
    """

    endpoint_id: str
    origin: str
    at: datetime


def add_registration(connection: Connection, one: Registration) -> None:
    """Keep a registration, whose endpoint is there. It goes with the endpoint's being confirmed,
    or removed."""
    values = {"endpoint_id": one.endpoint_id, "origin": one.origin, "at": one.at}
    connection.execute(registrations.insert().values(values))


def list_registrations(connection: Connection) -> list[Registration]:
    """What waits to be confirmed, oldest first."""
    query = select(registrations).order_by(registrations.c.at, registrations.c.endpoint_id)
    return [Registration(row.endpoint_id, row.origin, row.at) for row in connection.execute(query)]


def choose_to_drop(waiting: Sequence[Registration], origin: str, most: int) -> list[Registration]:
    """What makes room for another registration from `origin`, so that at most `most` wait.

    `waiting` is oldest first. The oldest goes of the network that has most, so nobody who has
    a few places of their own loses them to somebody who takes many.
    """
    remaining, dropped = list(waiting), []
    counts = Counter([origin, *(one.origin for one in remaining)])
    while remaining and len(remaining) >= most:
        largest = max(counts[one.origin] for one in remaining)
        first = next(one for one in remaining if counts[one.origin] == largest)
        remaining.remove(first)
        counts[first.origin] -= 1
        dropped.append(first)
    return dropped
