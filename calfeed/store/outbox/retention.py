"""Retention: what is forgotten after a time, so that nothing grows without end.

The record stays: which message, for whom, when, what came of each attempt. What goes is what was
said at length: the bodies of messages, and what receivers answered.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, String, exists, or_, select, tuple_, update

from calfeed.model.states import DeliveryState, EndpointState
from calfeed.store.json_rows import dump_rows, given_rows
from calfeed.store.tables import attempts, deliveries, endpoints, messages
from calfeed.store.transitions import Transition

STEP = 1000
"""How many deliveries one transaction looks at."""

_MESSAGES = 100
"""And how many messages."""

_drop = Transition([DeliveryState.HELD], DeliveryState.DROPPED)


@dataclass(frozen=True)
class Place:
    """How far a walk through old messages has come: the message, and the endpoint within it."""

    at: datetime
    message_id: str
    endpoint_id: str


def forget_bodies(connection: Connection, before: datetime, place: Place | None) -> Place | None:
    """Forget the next bodies of messages from before `before`, oldest first, and their answers.

    Those are kept that have deliveries still to come, that are in a digest which is kept, or that
    were of use until a later moment than `before`: their date can move back to where it was.
    Returns where to go on from, None at the end.
    """
    rows = connection.execute(_old(before, place)).all()
    left = STEP
    done: list[str] = []
    told: list[int] = []
    reached: Place | None = None
    for row in rows:
        after = place.endpoint_id if place is not None and row.id == place.message_id else ""
        page = connection.execute(
            select(deliveries.c.id, deliveries.c.endpoint_id)
            .where(deliveries.c.message_id == row.id, deliveries.c.endpoint_id > after)
            .order_by(deliveries.c.endpoint_id)
            .limit(left)
        ).all()
        told += [one.id for one in page]
        left -= len(page)
        if not left:
            reached = Place(row.at, row.id, page[-1].endpoint_id)
            break
        done.append(row.id)
    else:
        if len(rows) == _MESSAGES:
            reached = Place(rows[-1].at, rows[-1].id, "")
    _forget(connection, done, told)
    return reached


def drop_held(connection: Connection, since: datetime, now: datetime) -> int:
    """Drop what is held for endpoints that have not been active since `since` or longer.

    At most `STEP` deliveries; returns how many.
    """
    gone = select(endpoints.c.id).where(
        endpoints.c.state.in_([EndpointState.PAUSED, EndpointState.DISABLED]),
        endpoints.c.settled_at <= since,
    )
    held = (
        select(deliveries.c.id)
        .where(deliveries.c.endpoint_id.in_(gone), _drop.starts_in())
        .limit(STEP)
        .with_for_update(skip_locked=True)
    )
    dropped = connection.execute(
        _drop.update().where(deliveries.c.id.in_(held.scalar_subquery())).values(settled_at=now)
    )
    return dropped.rowcount


def _old(before: datetime, place: Place | None) -> Select[Any]:
    query = (
        select(messages.c.id, messages.c.at)
        .where(
            messages.c.body.is_not(None),
            messages.c.at < before,
            messages.c.fanned_out_to.is_(None),
            or_(messages.c.until.is_(None), messages.c.until < before),
        )
        .order_by(messages.c.at, messages.c.id)
        .limit(_MESSAGES)
        # Nobody makes one of their deliveries pending again until this is committed.
        .with_for_update(skip_locked=True)
    )
    if place is None:
        return query
    return query.where(tuple_(messages.c.at, messages.c.id) >= (place.at, place.message_id))


def _forget(connection: Connection, done: Sequence[str], told: Sequence[int]) -> None:
    """Forget the answers of the deliveries `told`, and the bodies of the messages `done`."""
    dialect = connection.dialect.name
    given = given_rows(dialect, "told", {"id": deliveries.c.id.type})
    settled = (
        select(deliveries.c.id)
        .join(given, given.c.id == deliveries.c.id)
        .where(deliveries.c.settled_at.is_not(None))
    )
    connection.execute(
        update(attempts)
        .where(attempts.c.delivery_id.in_(settled), attempts.c.response.is_not(None))
        .values(response=None),
        {"told": dump_rows([{"id": number} for number in told])},
    )
    names = given_rows(dialect, "done", {"id": String(40)})
    digest = messages.alias("digest")
    # As long as a digest can be written anew, it needs what its members say.
    in_digest = exists().where(digest.c.id == deliveries.c.digest, digest.c.body.is_not(None))
    open_still = exists().where(
        deliveries.c.message_id == messages.c.id,
        or_(deliveries.c.settled_at.is_(None), in_digest),
    )
    connection.execute(
        update(messages)
        .where(messages.c.id.in_(select(names.c.id)), ~open_still)
        .values(body=None),
        {"done": dump_rows([{"id": name} for name in done])},
    )
