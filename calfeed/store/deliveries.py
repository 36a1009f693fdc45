"""Deliveries: one message for one endpoint, claimed under a lease, each attempt recorded.

A pending delivery whose `next_at` has come may be claimed; claiming puts `next_at` past the
attempt. So a worker that dies gives its deliveries back by doing nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, select, tuple_, update

from calfeed.errors import NotFoundError
from calfeed.reminders.filters import Subject
from calfeed.store.tables import attempts, deliveries, messages
from calfeed.store.upsert import insert_new

LEASE = timedelta(seconds=30)
"""How long a claim keeps a delivery from other workers; an attempt takes 15 seconds at most."""

STATES = ("pending", "delivered", "failed", "expired", "superseded", "dropped")
"""What a delivery can be: `expired` came too late to be of use, `superseded` was no longer true,
`dropped` lost its endpoint."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A delivery in this process's hands; `number` tells its claim from any later one."""

    delivery_id: int
    number: int
    message_id: str
    endpoint_id: str
    attempts: int


@dataclass(frozen=True, slots=True)
class Attempt:
    """One post and what came of it; `at` is when it began (UTC)."""

    delivery_id: int
    claim: int
    at: datetime
    milliseconds: int
    status: int | None
    error: str | None
    response: str


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


@dataclass(frozen=True)
class StoredMessage:
    """A message's bytes, and until when they matter."""

    body: bytes
    until: datetime | None


def claim(
    connection: Connection, now: datetime, limit: int, passed_over: Sequence[str] = ()
) -> list[Claim]:
    """Claim up to `limit` deliveries whose time has come, those that waited longest first.

    Those for the endpoints in `passed_over` are left alone.
    """
    ripe = select(deliveries.c.id).where(
        deliveries.c.state == "pending", deliveries.c.next_at <= now
    )
    if passed_over:
        ripe = ripe.where(deliveries.c.endpoint_id.not_in(passed_over))
    ripe = ripe.order_by(deliveries.c.next_at).limit(limit).with_for_update(skip_locked=True)
    return _claim(connection, ripe.scalar_subquery(), now)


def claim_one(connection: Connection, delivery_id: int, now: datetime) -> list[Claim]:
    """Claim one delivery by its number, if it is pending."""
    return _claim(connection, [delivery_id], now)


def _claim(connection: Connection, ids: Any, now: datetime) -> list[Claim]:
    statement = (
        update(deliveries)
        .where(deliveries.c.id.in_(ids), deliveries.c.state == "pending")
        .values(next_at=now + LEASE, claim=deliveries.c.claim + 1)
        .returning(
            deliveries.c.id,
            deliveries.c.claim,
            deliveries.c.message_id,
            deliveries.c.endpoint_id,
            deliveries.c.attempts,
        )
    )
    return [Claim(*row) for row in connection.execute(statement)]


def load_messages(connection: Connection, ids: Sequence[str]) -> dict[str, StoredMessage]:
    """Messages by id."""
    query = select(messages.c.id, messages.c.body, messages.c.until)
    rows = connection.execute(query.where(messages.c.id.in_(ids)))
    return {row.id: StoredMessage(bytes(row.body), row.until) for row in rows}


def record_attempts(connection: Connection, made: Sequence[Attempt]) -> None:
    """Keep attempts. They happened, whoever holds the delivery by now."""
    if made:
        values = [
            {
                "delivery_id": attempt.delivery_id,
                "claim": attempt.claim,
                "at": attempt.at,
                "milliseconds": attempt.milliseconds,
                "status": attempt.status,
                "error": attempt.error,
                "response": attempt.response or None,
            }
            for attempt in made
        ]
        connection.execute(insert_new(connection, attempts), values)


def settle(
    connection: Connection,
    claims: Sequence[Claim],
    state: str,
    now: datetime,
    *,
    attempted: bool = True,
) -> None:
    """Bring deliveries to their end, those of them that are still this process's."""
    _finish(connection, claims, attempted, state=state, settled_at=now)


def put_off(connection: Connection, claimed: Claim, until: datetime) -> None:
    """Give a delivery back, to be tried again at `until`."""
    _finish(connection, [claimed], True, next_at=until)


def _finish(
    connection: Connection, claims: Sequence[Claim], attempted: bool, **values: Any
) -> None:
    if not claims:
        return
    # A claim that ran out and was taken by another worker is theirs to finish.
    held = tuple_(deliveries.c.id, deliveries.c.claim).in_(
        [(claimed.delivery_id, claimed.number) for claimed in claims]
    )
    connection.execute(
        update(deliveries)
        .where(held, deliveries.c.state == "pending")
        .values(attempts=deliveries.c.attempts + int(attempted), **values)
    )


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
    """Make a delivery that has ended without success pending again, with all its attempts.

    Returns False for one that was delivered or is pending.
    """
    changed = connection.execute(
        update(deliveries)
        .where(deliveries.c.id == delivery_id)
        .where(deliveries.c.state.not_in(["pending", "delivered"]))
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
