"""The numbers to watch: what waits, for how long, and what became of the messages of a day.

Each query reads an index of what it counts, or only the messages of the last day, so that the cost
does not grow with the history.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import inf
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    FromClause,
    case,
    func,
    or_,
    select,
    text,
    type_coerce,
)

from calfeed.model.states import (
    UNSETTLED,
    DeliveryState,
    EndpointKind,
    EndpointState,
    ReminderState,
)
from calfeed.store.outbox.deliveries import next_pending_at
from calfeed.store.outbox.reminders import next_reminder_due
from calfeed.store.people.tables import HERE
from calfeed.store.tables import (
    SETTLED,
    attempts,
    deliveries,
    endpoints,
    messages,
    people,
    publishes,
    reminders,
)
from calfeed.store.watching.heartbeats import Heartbeat, list_heartbeats
from calfeed.store.watching.refusals import Refusal, load_refusal

RECENT = timedelta(days=1)
"""The period in which outcomes are counted."""

_LONGEST_OUTAGE = timedelta(days=30)
"""Missed reminders are counted only if they stopped being relevant (`until`) within this time."""

ATTEMPT_OUTCOMES = ("received", "refused", "error", "unreachable")
"""The outcomes of attempts, in this order: the receiver accepted the message, responded with 4xx,
responded with another status, or did not respond."""

DELAY_BOUNDS = (1, 2, 5, 10, 30, 60, 300, 900, 3600, 21600, 86400)
"""The delays, in seconds, up to which received deliveries are counted."""


@dataclass(frozen=True)
class Measures:
    """What waits and what happened in an installation; times are in UTC.

    `next_pending` is when the first pending delivery may be sent, or should have been;
    `oldest_message` is the time of the oldest message with a pending delivery. `unfinished` counts
    unsettled deliveries by state. The next counts are about the messages of the last day: `recent`
    counts their deliveries by the endpoint's kind and the state, `attempts` the attempts by
    outcome. `received` maps each of `DELAY_BOUNDS` to the number of deliveries that were received
    within so many seconds after the message's time, and infinity to the number of all that were
    received.
    """

    processes: tuple[Heartbeat, ...]
    last_publish: datetime | None
    next_reminder: datetime | None
    overdue_reminders: int
    missed_reminders: int
    next_pending: datetime | None
    oldest_message: datetime | None
    unfinished: Mapping[DeliveryState, int]
    recent: Mapping[tuple[EndpointKind, DeliveryState], int]
    attempts: Mapping[str, int]
    received: Mapping[float, int]
    endpoints: Mapping[tuple[EndpointKind, EndpointState], int]
    people: int
    refusal: Refusal | None


def load_measures(connection: Connection, now: datetime) -> Measures:
    """Read the numbers to watch."""
    return Measures(
        tuple(list_heartbeats(connection)),
        connection.scalar(select(func.max(publishes.c.at))),
        next_reminder_due(connection),
        _count_overdue_reminders(connection, now),
        _count_missed_reminders(connection, now),
        next_pending_at(connection),
        _find_oldest_message(connection),
        _count_unfinished(connection),
        _count_recent(connection, now),
        _count_attempts(connection, now),
        _count_received(connection, now),
        _count_endpoints(connection),
        _count(connection, people, text(HERE), people.c.confirmed_at.is_not(None)),
        load_refusal(connection),
    )


def _count(connection: Connection, table: FromClause, *conditions: Any) -> int:
    return connection.scalar(select(func.count()).select_from(table).where(*conditions)) or 0


def _count_overdue_reminders(connection: Connection, now: datetime) -> int:
    due = func.coalesce(reminders.c.send_from, reminders.c.due)
    planned = reminders.c.state == ReminderState.PLANNED
    return _count(connection, reminders, planned, reminders.c.due <= now, due <= now)


def _count_missed_reminders(connection: Connection, now: datetime) -> int:
    return _count(
        connection,
        reminders,
        text(SETTLED),
        reminders.c.state == ReminderState.MISSED,
        reminders.c.until > now - _LONGEST_OUTAGE,
        reminders.c.settled_at > now - RECENT,
    )


def _find_oldest_message(connection: Connection) -> datetime | None:
    at = func.min(func.coalesce(messages.c.send_from, messages.c.at), type_=messages.c.at.type)
    pending = deliveries.c.state == DeliveryState.PENDING
    query = select(at).join_from(deliveries, messages).where(pending)
    oldest: datetime | None = connection.scalar(query)
    return oldest


def _count_unfinished(connection: Connection) -> Mapping[DeliveryState, int]:
    state = deliveries.c.state
    return {one: _count(connection, deliveries, state == one) for one in UNSETTLED}


def _count_recent(
    connection: Connection, now: datetime
) -> Mapping[tuple[EndpointKind, DeliveryState], int]:
    query = (
        select(endpoints.c.kind, deliveries.c.state, func.count())
        .join_from(deliveries, endpoints)
        .where(_is_recent(now))
        .group_by(endpoints.c.kind, deliveries.c.state)
    )
    return {(kind, state): number for kind, state, number in connection.execute(query)}


def _count_attempts(connection: Connection, now: datetime) -> Mapping[str, int]:
    status, error = attempts.c.status, attempts.c.error
    received = error.is_(None) & or_(status.is_(None), status.between(200, 299))
    outcome = case(
        (received, ATTEMPT_OUTCOMES[0]),
        (status.between(400, 499), ATTEMPT_OUTCOMES[1]),
        (status.is_not(None), ATTEMPT_OUTCOMES[2]),
        else_=ATTEMPT_OUTCOMES[3],
    )
    made = attempts.c.delivery_id.in_(select(deliveries.c.id).where(_is_recent(now)))
    counted = select(outcome.label("outcome")).where(made).subquery()
    query = select(counted.c.outcome, func.count()).group_by(counted.c.outcome)
    return {row[0]: row[1] for row in connection.execute(query)}


def _count_received(connection: Connection, now: datetime) -> Mapping[float, int]:
    times = func.coalesce(messages.c.send_from, messages.c.at)
    begun = select(times).where(messages.c.id == deliveries.c.message_id).scalar_subquery()
    # Instants are whole microseconds, which both databases subtract as numbers.
    delay = type_coerce(deliveries.c.settled_at, BigInteger) - type_coerce(begun, BigInteger)
    delays = (
        select(delay.label("delay"))
        .where(deliveries.c.state == DeliveryState.DELIVERED, _is_recent(now))
        .subquery()
    )
    counts = [
        func.count(case((delays.c.delay <= seconds * 1_000_000, 1))) for seconds in DELAY_BOUNDS
    ]
    row = connection.execute(select(*counts, func.count()).select_from(delays)).one()
    return dict(zip((*DELAY_BOUNDS, inf), row, strict=True))


def _is_recent(now: datetime) -> ColumnElement[bool]:
    # Not a join, for which SQLite would scan all deliveries.
    recent = select(messages.c.id).where(messages.c.at > now - RECENT)
    return deliveries.c.message_id.in_(recent)


def _count_endpoints(connection: Connection) -> Mapping[tuple[EndpointKind, EndpointState], int]:
    kind, state = endpoints.c.kind, endpoints.c.state
    query = select(kind, state, func.count()).group_by(kind, state)
    return {(row[0], row[1]): row[2] for row in connection.execute(query)}
