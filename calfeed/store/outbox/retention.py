"""Retention: delete old message bodies and responses, and drop deliveries held for too long.

Messages, deliveries and attempts are kept as a record.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, String, delete, exists, or_, select, tuple_, update

from calfeed.model.states import DeliveryState, EndpointState
from calfeed.store.bulk_parameters import bulk_rows, dump_rows
from calfeed.store.tables import attempts, deliveries, endpoints, messages, translations
from calfeed.store.transitions import Transition

BATCH_SIZE = 1000
"""The maximum number of deliveries in one transaction."""

_MAX_MESSAGES = 100
"""The maximum number of messages in one transaction."""

_drop = Transition([DeliveryState.HELD], DeliveryState.DROPPED)
_expire = Transition([DeliveryState.HELD], DeliveryState.EXPIRED)


@dataclass(frozen=True)
class RetentionPosition:
    """The position of `delete_old_bodies`: a message, and the last endpoint it has dealt with.

    `at` is the time of the message. If `endpoint_id` is "", it continues with all endpoints of the
    message.
    """

    at: datetime
    message_id: str
    endpoint_id: str


def delete_old_bodies(
    connection: Connection, before: datetime, position: RetentionPosition | None
) -> RetentionPosition | None:
    """Delete the next bodies of messages older than `before`, oldest first, and the responses.

    A body is kept if a delivery is unsettled, or if the message is in a digest that has a body. It
    is also kept if the message's `until` is not before `before`: a reminder that was recalled is
    sent after all if its event moves back to the former date. Returns the position to continue
    from, or None at the end.
    """
    rows = connection.execute(_select_old(before, position)).all()
    left = BATCH_SIZE
    message_ids: list[str] = []
    delivery_ids: list[int] = []
    reached: RetentionPosition | None = None
    for row in rows:
        after = position.endpoint_id if position and row.id == position.message_id else ""
        page = connection.execute(
            select(deliveries.c.id, deliveries.c.endpoint_id)
            .where(deliveries.c.message_id == row.id, deliveries.c.endpoint_id > after)
            .order_by(deliveries.c.endpoint_id)
            .limit(left)
        ).all()
        delivery_ids += [delivery.id for delivery in page]
        left -= len(page)
        if not left:
            reached = RetentionPosition(row.at, row.id, page[-1].endpoint_id)
            break
        message_ids.append(row.id)
    else:
        if len(rows) == _MAX_MESSAGES:
            reached = RetentionPosition(rows[-1].at, rows[-1].id, "")
    _delete(connection, message_ids, delivery_ids)
    return reached


def drop_held(connection: Connection, since: datetime, now: datetime) -> int:
    """Drop deliveries held for endpoints that have been paused or disabled since `since`.

    Returns the number of deliveries, at most `BATCH_SIZE`.
    """
    inactive = select(endpoints.c.id).where(
        endpoints.c.state.in_([EndpointState.PAUSED, EndpointState.DISABLED]),
        endpoints.c.settled_at <= since,
    )
    held = (
        select(deliveries.c.id)
        .where(deliveries.c.endpoint_id.in_(inactive), _drop.starts_in())
        .limit(BATCH_SIZE)
        .with_for_update(skip_locked=True)
    )
    dropped = connection.execute(
        _drop.update().where(deliveries.c.id.in_(held.scalar_subquery())).values(settled_at=now)
    )
    return dropped.rowcount


def end_unfetched(connection: Connection, since: datetime, now: datetime) -> int:
    """End held deliveries of active (hence polled) endpoints that were not fetched in time.

    Deliveries that are no longer relevant expire; those of messages made before `since` are
    dropped. Returns the number of deliveries, at most twice `BATCH_SIZE`.
    """
    active = select(endpoints.c.id).where(endpoints.c.state == EndpointState.ACTIVE)
    held = (
        select(deliveries.c.id)
        .join(messages, messages.c.id == deliveries.c.message_id)
        .where(deliveries.c.endpoint_id.in_(active), _drop.starts_in())
        .limit(BATCH_SIZE)
        .with_for_update(of=deliveries, skip_locked=True)
    )
    ended = 0
    for ending, late in ((_expire, messages.c.until <= now), (_drop, messages.c.at <= since)):
        ids = held.where(late).scalar_subquery()
        statement = ending.update().where(deliveries.c.id.in_(ids)).values(settled_at=now)
        ended += connection.execute(statement).rowcount
    return ended


def _select_old(before: datetime, position: RetentionPosition | None) -> Select[Any]:
    query = (
        select(messages.c.id, messages.c.at)
        .where(
            messages.c.body.is_not(None),
            messages.c.at < before,
            messages.c.fanned_out_to.is_(None),
            or_(messages.c.until.is_(None), messages.c.until < before),
        )
        .order_by(messages.c.at, messages.c.id)
        .limit(_MAX_MESSAGES)
        # The lock keeps others from making a delivery of these messages pending again.
        .with_for_update(skip_locked=True)
    )
    if position is None:
        return query
    return query.where(tuple_(messages.c.at, messages.c.id) >= (position.at, position.message_id))


def _delete(
    connection: Connection, message_ids: Sequence[str], delivery_ids: Sequence[int]
) -> None:
    """Delete the responses of settled deliveries, and the bodies of messages where allowed."""
    dialect = connection.dialect.name
    given = bulk_rows(dialect, "deliveries", {"id": deliveries.c.id.type})
    settled = (
        select(deliveries.c.id)
        .join(given, given.c.id == deliveries.c.id)
        .where(deliveries.c.settled_at.is_not(None))
    )
    connection.execute(
        update(attempts)
        .where(attempts.c.delivery_id.in_(settled), attempts.c.response.is_not(None))
        .values(response=None),
        {"deliveries": dump_rows([{"id": delivery_id} for delivery_id in delivery_ids])},
    )
    names = bulk_rows(dialect, "messages", {"id": String(40)})
    digest = messages.alias("digest")
    # A digest that has a body may be rewritten from the bodies of its members.
    in_digest = exists().where(digest.c.id == deliveries.c.digest, digest.c.body.is_not(None))
    is_needed = exists().where(
        deliveries.c.message_id == messages.c.id,
        or_(deliveries.c.settled_at.is_(None), in_digest),
    )
    connection.execute(
        update(messages).where(messages.c.id.in_(select(names.c.id)), ~is_needed).values(body=None),
        {"messages": dump_rows([{"id": message_id} for message_id in message_ids])},
    )
    bodiless = select(messages.c.id).join(names, names.c.id == messages.c.id)
    connection.execute(
        delete(translations).where(
            translations.c.message_id.in_(bodiless.where(messages.c.body.is_(None)))
        ),
        {"messages": dump_rows([{"id": message_id} for message_id in message_ids])},
    )
