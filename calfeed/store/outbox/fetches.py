"""Fetches: the held deliveries of polled endpoints, which their receivers fetch and acknowledge.

A delivery that was fetched stays held until it is acknowledged, and every poll until then returns
it again. Its `claim` is then more than 0, because the receiver may have the message.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, Select, or_, select, update

from calfeed.model.states import DeliveryState
from calfeed.store.bulk_parameters import bulk_rows, dump_rows
from calfeed.store.outbox.claims import Attempt, Claim, record_attempts
from calfeed.store.tables import deliveries, messages
from calfeed.store.transitions import Transition, in_states

_acknowledge = Transition([DeliveryState.HELD], DeliveryState.DELIVERED)

_is_held = in_states(deliveries.c.state, DeliveryState.HELD)


def has_fetchable(connection: Connection, endpoint_id: str, now: datetime) -> bool:
    """Whether an endpoint has a delivery to fetch."""
    return connection.execute(_select_fetchable(endpoint_id, now, 1)).first() is not None


def take_fetchable(
    connection: Connection, endpoint_id: str, now: datetime, limit: int, after: int = 0
) -> list[Claim]:
    """Lock the deliveries of an endpoint that can be fetched, oldest first, and mark them.

    They have ids greater than `after`. Deliveries that another poll is taking are skipped.
    """
    query = _select_fetchable(endpoint_id, now, limit).where(deliveries.c.id > after)
    locked = query.with_for_update(of=deliveries, skip_locked=True)
    found = [Claim._make(row) for row in connection.execute(locked)]
    fresh = [claim.delivery_id for claim in found if not claim.number]
    if fresh:
        marked = update(deliveries).where(deliveries.c.id.in_(fresh))
        connection.execute(marked.values(claim=1))
    return [claim._replace(number=max(claim.number, 1)) for claim in found]


def acknowledge(
    connection: Connection, endpoint_id: str, ids: Collection[int], now: datetime
) -> int:
    """Mark fetched deliveries of an endpoint as delivered, and record the attempts.

    Deliveries that were not fetched, or have ended otherwise, stay as they are. Returns how many
    were marked.
    """
    given = bulk_rows(connection.dialect.name, "given", {"id": deliveries.c.id.type})
    # In a fixed order, so that two polls cannot deadlock.
    query = (
        select(deliveries.c.id, deliveries.c.claim)
        .where(deliveries.c.endpoint_id == endpoint_id, _is_held, deliveries.c.claim > 0)
        .where(deliveries.c.id.in_(select(given.c.id)))
        .order_by(deliveries.c.id)
        .with_for_update()
    )
    rows = connection.execute(query, {"given": dump_rows([{"id": one} for one in ids])}).all()
    if rows:
        ended = _acknowledge.update().where(deliveries.c.id.in_([row.id for row in rows]))
        connection.execute(ended.values(settled_at=now, attempts=deliveries.c.attempts + 1))
        record_attempts(
            connection, [Attempt(row.id, row.claim, now, 0, None, None, "") for row in rows]
        )
    return len(rows)


def _select_fetchable(
    endpoint_id: str, now: datetime, limit: int
) -> Select[tuple[int, int, str, str, int, str | None]]:
    return (
        select(
            deliveries.c.id,
            deliveries.c.claim,
            deliveries.c.message_id,
            deliveries.c.endpoint_id,
            deliveries.c.attempts,
            deliveries.c.language,
        )
        .join(messages, messages.c.id == deliveries.c.message_id)
        .where(deliveries.c.endpoint_id == endpoint_id, _is_held, messages.c.body.is_not(None))
        .where(or_(messages.c.until.is_(None), messages.c.until > now))
        .order_by(deliveries.c.id)
        .limit(limit)
    )
