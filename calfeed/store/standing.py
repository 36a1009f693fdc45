"""How an endpoint stands: active, paused, disabled or removed, and what that means for what is
still to be sent to it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import Connection, select, update

from calfeed.store.tables import deliveries, endpoints

_BURST = timedelta(seconds=1)
"""What an endpoint with a rate may get at once: a second's worth, and one in any case."""


def hold_endpoint(
    connection: Connection, endpoint_id: str, state: str, now: datetime, reason: str | None = None
) -> bool:
    """Pause or disable an active endpoint; what it has yet to get is held for it.

    Returns False where it is not active.
    """
    changed = connection.execute(
        update(endpoints)
        .where(endpoints.c.id == endpoint_id, endpoints.c.state == "active")
        .values(state=state, reason=reason, settled_at=now)
    )
    if changed.rowcount:
        connection.execute(
            update(deliveries)
            .where(deliveries.c.endpoint_id == endpoint_id)
            .where(deliveries.c.state.in_(["pending", "gathered"]))
            .values(state="held")
        )
    return changed.rowcount == 1


def resume_endpoint(connection: Connection, endpoint_id: str, now: datetime) -> int | None:
    """Make a paused or disabled endpoint active, and send what it missed.

    That is what was held for it, and what was given up since it began to fail. Returns how many
    deliveries are pending again; None where it was active all the time, or is gone.
    """
    row = connection.execute(
        select(endpoints.c.failing_since)
        .where(endpoints.c.id == endpoint_id, endpoints.c.state.in_(["paused", "disabled"]))
        .with_for_update()
    ).one_or_none()
    if row is None:
        return None
    connection.execute(
        update(endpoints)
        .where(endpoints.c.id == endpoint_id)
        .values(state="active", reason=None, settled_at=now, failing_since=None)
    )
    held = connection.execute(
        update(deliveries)
        .where(deliveries.c.endpoint_id == endpoint_id, deliveries.c.state == "held")
        .values(state="pending", next_at=now)
    )
    count = held.rowcount
    if row.failing_since is not None:
        again = connection.execute(
            update(deliveries)
            .where(
                deliveries.c.endpoint_id == endpoint_id,
                deliveries.c.state == "failed",
                deliveries.c.settled_at >= row.failing_since,
            )
            .values(state="pending", next_at=now, attempts=0, settled_at=None)
        )
        count += again.rowcount
    return count


def remove_endpoint(connection: Connection, endpoint_id: str, now: datetime) -> bool:
    """Remove an endpoint, and drop what it has yet to get. False where it is gone already."""
    changed = connection.execute(
        update(endpoints)
        .where(endpoints.c.id == endpoint_id, endpoints.c.state != "removed")
        .values(state="removed", settled_at=now)
    )
    connection.execute(
        update(deliveries)
        .where(deliveries.c.endpoint_id == endpoint_id, deliveries.c.settled_at.is_(None))
        .values(state="dropped", settled_at=now)
    )
    return changed.rowcount == 1


def note_failures(connection: Connection, failed: Collection[str], now: datetime) -> None:
    """Note that attempts failed for these endpoints, and since when all have."""
    if failed:
        connection.execute(
            update(endpoints)
            .where(endpoints.c.id.in_(sorted(failed)), endpoints.c.failing_since.is_(None))
            .values(failing_since=now)
        )


def note_successes(connection: Connection, answered: Collection[str]) -> None:
    """Note that these endpoints, which were failing, have taken a message."""
    if answered:
        connection.execute(
            update(endpoints)
            .where(endpoints.c.id.in_(sorted(answered)), endpoints.c.state == "active")
            .values(failing_since=None)
        )


def failing_before(
    connection: Connection, among: Collection[str], before: datetime
) -> dict[str, datetime]:
    """Which of these active endpoints have been failing since `before` or longer; since when."""
    query = select(endpoints.c.id, endpoints.c.failing_since).where(
        endpoints.c.id.in_(sorted(among)),
        endpoints.c.state == "active",
        endpoints.c.failing_since <= before,
    )
    return {row.id: row.failing_since for row in connection.execute(query)} if among else {}


def take_turns(
    connection: Connection, endpoint_id: str, rate: int, wanted: int, now: datetime
) -> list[datetime]:
    """When `wanted` posts to an endpoint of `rate` posts in a minute may leave, for all workers.

    Those at `now` are taken. The others are not: their moments are when it is worth to ask again.
    """
    interval = timedelta(minutes=1) / rate
    query = select(endpoints.c.paced_to).where(endpoints.c.id == endpoint_id).with_for_update()
    paced = connection.scalar(query)
    taken = ahead = max(paced, now) if paced is not None else now
    slack = max(_BURST - interval, timedelta(0))
    turns = []
    for _ in range(wanted):
        turn = max(now, ahead - slack)
        ahead += interval
        if turn == now:
            taken = ahead
        turns.append(turn)
    connection.execute(
        update(endpoints).where(endpoints.c.id == endpoint_id).values(paced_to=taken)
    )
    return turns
