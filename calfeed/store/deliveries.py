"""Deliveries: one message for one endpoint, claimed under a lease, each attempt recorded.

A pending delivery whose `next_at` has come may be claimed; claiming puts `next_at` past the
attempt. So a worker that dies gives its deliveries back by doing nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import (
    Connection,
    FromClause,
    Integer,
    String,
    Update,
    bindparam,
    func,
    literal_column,
    select,
    true,
    update,
)

from calfeed.errors import NotFoundError
from calfeed.reminders.filters import Subject
from calfeed.store.given import dump_rows, given_rows
from calfeed.store.tables import attempts, deliveries, messages
from calfeed.store.upsert import insert_new

LEASE = timedelta(seconds=30)
"""How long a claim keeps a delivery from other workers, unless it is renewed meanwhile."""

# Written out, not given: only so a plan that is kept can use the index of what is pending.
_pending = deliveries.c.state == literal_column("'pending'")

# The same, for rows that are found by their number: with `state` PostgreSQL may think that
# reading all that is pending is the shorter way.
_unsettled = deliveries.c.settled_at.is_(None)

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
    given = {
        "now": now,
        "most": limit,
        "lease": now + LEASE,
        "busy": dump_rows([{"id": endpoint_id} for endpoint_id in passed_over]),
    }
    rows = connection.execute(_claiming(connection.dialect.name), given)
    return [Claim(*row) for row in rows]


def claim_one(connection: Connection, delivery_id: int, now: datetime) -> list[Claim]:
    """Claim one delivery by its number, if it is pending."""
    rows = connection.execute(_claim(delivery_id), {"lease": now + LEASE})
    return [Claim(*row) for row in rows]


@cache
def _claiming(dialect: str) -> Any:
    busy = given_rows(dialect, "busy", {"id": String(40)})
    ripe = (
        select(deliveries.c.id)
        .where(_pending, deliveries.c.next_at <= bindparam("now"))
        .where(deliveries.c.endpoint_id.not_in(select(busy.c.id)))
        .order_by(deliveries.c.next_at)
        .limit(bindparam("most"))
        .with_for_update(skip_locked=True)
    )
    return _claim(ripe.scalar_subquery())


def _claim(ids: Any) -> Any:
    which = deliveries.c.id == ids if isinstance(ids, int) else deliveries.c.id.in_(ids)
    return (
        update(deliveries)
        .where(which, _unsettled)
        .values(next_at=bindparam("lease"), claim=deliveries.c.claim + 1)
        .returning(
            deliveries.c.id,
            deliveries.c.claim,
            deliveries.c.message_id,
            deliveries.c.endpoint_id,
            deliveries.c.attempts,
        )
    )


def renew(connection: Connection, claims: Sequence[Claim], now: datetime) -> None:
    """Keep deliveries from other workers for another `LEASE`, those that are still this one's."""
    if claims:
        held = [{"id": one.delivery_id, "claim": one.number} for one in claims]
        given = {"held": dump_rows(held), "lease": now + LEASE}
        connection.execute(_renewing(connection.dialect.name), given)


@cache
def _renewing(dialect: str) -> Any:
    held = given_rows(dialect, "held", {"id": deliveries.c.id.type, "claim": Integer()})
    return _held(held).values(next_at=bindparam("lease"))


def load_messages(connection: Connection, ids: Sequence[str]) -> dict[str, StoredMessage]:
    """Messages by id."""
    given = {"ids": dump_rows([{"id": message_id} for message_id in set(ids)])}
    rows = connection.execute(_loading(connection.dialect.name), given)
    return {key: StoredMessage(bytes(body), until) for key, body, until in rows}


@cache
def _loading(dialect: str) -> Any:
    wanted = given_rows(dialect, "ids", {"id": String(40)})
    query = select(messages.c.id, messages.c.body, messages.c.until)
    return query.where(messages.c.id.in_(select(wanted.c.id)))


def record_attempts(connection: Connection, made: Sequence[Attempt]) -> None:
    """Keep attempts. They happened, whoever holds the delivery by now."""
    if made:
        rows = [
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
        names, source = _recording(connection.dialect.name)
        statement = insert_new(connection, attempts).from_select(names, source)
        connection.execute(statement, {"made": dump_rows(rows)})


@cache
def _recording(dialect: str) -> tuple[list[str], Any]:
    kinds = {each.name: each.type for each in attempts.columns}
    # SQLite takes ON CONFLICT for a join's condition where a SELECT has no WHERE before it.
    return list(kinds), select(given_rows(dialect, "made", kinds)).where(true())


def settle(
    connection: Connection,
    claims: Sequence[Claim],
    state: str,
    now: datetime,
    *,
    attempted: bool = True,
) -> None:
    """Bring deliveries to their end, those of them that are still this process's."""
    if claims:
        ends = [{"id": one.delivery_id, "claim": one.number} for one in claims]
        values = {"ends": dump_rows(ends), "to": state, "at": now, "made": int(attempted)}
        connection.execute(_settling(connection.dialect.name), values)


@cache
def _settling(dialect: str) -> Any:
    ends = given_rows(dialect, "ends", {"id": deliveries.c.id.type, "claim": Integer()})
    return _held(ends).values(
        state=bindparam("to"),
        settled_at=bindparam("at"),
        attempts=deliveries.c.attempts + bindparam("made"),
    )


def put_off(connection: Connection, until: Mapping[Claim, datetime]) -> None:
    """Give deliveries back that were attempted in vain, each to be tried again at its time."""
    if until:
        again = [
            {"id": one.delivery_id, "claim": one.number, "at": at} for one, at in until.items()
        ]
        connection.execute(_putting_off(connection.dialect.name), {"again": dump_rows(again)})


@cache
def _putting_off(dialect: str) -> Any:
    kinds = {"id": deliveries.c.id.type, "claim": Integer(), "at": deliveries.c.next_at.type}
    again = given_rows(dialect, "again", kinds)
    return _held(again).values(next_at=again.c.at, attempts=deliveries.c.attempts + 1)


def _held(given: FromClause) -> Update:
    # A claim that ran out and was taken by another worker is theirs to finish.
    mine = (deliveries.c.id == given.c.id) & (deliveries.c.claim == given.c.claim)
    return update(deliveries).where(mine, _unsettled)


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
