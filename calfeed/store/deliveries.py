"""Deliveries: one message for one endpoint each, and the record of what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select, update

from calfeed.errors import NotFoundError
from calfeed.reminders.filters import Subject
from calfeed.store.claims import Attempt
from calfeed.store.tables import attempts, deliveries, messages

STATES = (
    *("pending", "held", "gathered"),
    *("delivered", "digested", "failed", "expired", "superseded", "dropped"),
)
"""What a delivery can be. Still to come: `held` waits for its endpoint to be resumed, `gathered`
for a digest. At its end: `digested` was told in one, `expired` came too late to be of use,
`superseded` was no longer true, `dropped` lost its endpoint."""


@dataclass(frozen=True)
class DeliveryRow:
    """A delivery as kept."""

    id: int
    message_id: str
    endpoint_id: str
    type: str
    state: str
    next_at: datetime
    attempts: int
    settled_at: datetime | None


def list_deliveries(
    connection: Connection,
    *,
    endpoint_id: str | None = None,
    states: Sequence[str] = (),
    limit: int = 50,
) -> list[DeliveryRow]:
    """Deliveries, newest first."""
    query = _query().order_by(deliveries.c.id.desc()).limit(limit)
    if endpoint_id is not None:
        query = query.where(deliveries.c.endpoint_id == endpoint_id)
    if states:
        query = query.where(deliveries.c.state.in_(states))
    return [_to_delivery(row) for row in connection.execute(query)]


def find_delivery(connection: Connection, delivery_id: int) -> DeliveryRow:
    """One delivery. Raises NotFoundError where there is none."""
    row = connection.execute(_query().where(deliveries.c.id == delivery_id)).one_or_none()
    if row is None:
        raise NotFoundError(
            f"there is no delivery {delivery_id}; `calfeed delivery list` shows those there are"
        )
    return _to_delivery(row)


def next_pending(connection: Connection) -> datetime | None:
    """When the next delivery may be claimed."""
    query = select(func.min(deliveries.c.next_at)).where(deliveries.c.state == "pending")
    found: datetime | None = connection.scalar(query)
    return found


def load_attempts(connection: Connection, delivery_id: int) -> list[Attempt]:
    """The attempts of a delivery, first to last."""
    query = select(attempts).where(attempts.c.delivery_id == delivery_id)
    rows = connection.execute(query.order_by(attempts.c.at, attempts.c.claim))
    return [
        Attempt(
            row.delivery_id,
            row.claim,
            row.at,
            row.milliseconds,
            row.status,
            row.error,
            row.response or "",
        )
        for row in rows
    ]


def retry(connection: Connection, delivery_id: int, now: datetime) -> bool:
    """Make a delivery that was given up pending again, with all its attempts.

    Returns False for any other: what was superseded is not true any more, what expired is of no
    use, and what was dropped has no endpoint.
    """
    changed = connection.execute(
        update(deliveries)
        .where(deliveries.c.id == delivery_id, deliveries.c.state == "failed")
        .values(state="pending", next_at=now, attempts=0, settled_at=None)
    )
    return changed.rowcount == 1


def count_by_state(connection: Connection) -> dict[str, int]:
    """How many deliveries there are in each state."""
    query = select(deliveries.c.state, func.count()).group_by(deliveries.c.state)
    return {row.state: row[1] for row in connection.execute(query)}


def _query() -> Any:
    return select(
        deliveries.c.id,
        deliveries.c.message_id,
        deliveries.c.endpoint_id,
        deliveries.c.state,
        deliveries.c.next_at,
        deliveries.c.attempts,
        deliveries.c.settled_at,
        messages.c.subject,
    ).join(messages, messages.c.id == deliveries.c.message_id)


def _to_delivery(row: Any) -> DeliveryRow:
    return DeliveryRow(
        id=row.id,
        message_id=row.message_id,
        endpoint_id=row.endpoint_id,
        type=Subject.model_validate_json(row.subject).type,
        state=row.state,
        next_at=row.next_at,
        attempts=row.attempts,
        settled_at=row.settled_at,
    )
