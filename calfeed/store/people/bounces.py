"""Bounces: count a person's bounces, and record a bounce with its delivery."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, select, update

from calfeed.store.outbox.claims import Attempt, record_attempts
from calfeed.store.tables import attempts, deliveries, people

_BOUNCE = 0
"""The number of the attempt that stands for a bounce; claims are numbered from 1."""


def count_bounces(connection: Connection, endpoint_ids: Sequence[str]) -> dict[str, int]:
    """Count one more bounce for each person who has not left, and return the counts."""
    counts: dict[str, int] = {}
    for endpoint_id, number in Counter(endpoint_ids).items():
        statement = update(people).where(
            people.c.endpoint_id == endpoint_id, people.c.left_at.is_(None)
        )
        counted = statement.values(bounces=people.c.bounces + number).returning(people.c.bounces)
        if (count := connection.scalar(counted)) is not None:
            counts[endpoint_id] = int(count)
    return counts


def record_bounce(
    connection: Connection, delivery_id: int, now: datetime, error: str
) -> str | None:
    """Record that a delivery bounced, and return its endpoint.

    Returns None if that is already recorded, or if there is no such delivery. `error` must not
    contain an address.
    """
    query = select(deliveries.c.endpoint_id).where(deliveries.c.id == delivery_id)
    endpoint_id: str | None = connection.scalar(query.with_for_update())
    known = select(attempts.c.claim).where(
        attempts.c.delivery_id == delivery_id, attempts.c.claim == _BOUNCE
    )
    if endpoint_id is None or connection.scalar(known) is not None:
        return None
    record_attempts(connection, [Attempt(delivery_id, _BOUNCE, now, 0, None, error, "")])
    return endpoint_id
