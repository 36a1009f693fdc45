"""Fan-out: of each message a delivery for every endpoint that wants it, in steps."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache, partial
from typing import Any

from sqlalchemy import Connection, select, true, update

from calfeed.model.states import UNSETTLED, DeliveryState, EndpointState, ReminderState
from calfeed.reminders.filters import Subject
from calfeed.store.catalog import visibility
from calfeed.store.endpoints.endpoints import Endpoint, page_of_endpoints
from calfeed.store.json_rows import dump_rows, given_rows
from calfeed.store.outbox.subjects import read_subject
from calfeed.store.tables import deliveries, messages, reminders
from calfeed.store.transitions import Transition
from calfeed.store.upsert import upsert_by

FAN_OUT = 1000
"""How many endpoints are read at once, and about how many deliveries one transaction makes."""

_MESSAGES = 200
"""And of how many messages at the most."""

CORRECTIONS = ("event.moved", "event.cancelled")
"""What an endpoint hears of an event whose reminder it was sent before, asked for or not."""


_make = Transition([None, DeliveryState.SUPERSEDED], *UNSETTLED)


def fan_out(connection: Connection, now: datetime) -> bool:
    """Make deliveries of messages for the next endpoints that want them, oldest message first.

    It ends once there are `FAN_OUT` deliveries, so that no message makes a transaction that grows
    with the number of endpoints. Returns False where no message waited.
    """
    rows = connection.execute(_waiting(_MESSAGES).with_for_update(skip_locked=True)).all()
    pages: dict[str, list[Endpoint]] = {}
    made: list[dict[str, Any]] = []
    reached: dict[str, str | None] = {}
    is_public = cache(partial(visibility.is_public, connection))
    for row in rows:
        after = row.fanned_out_to
        if len(made) >= FAN_OUT or (pages and after not in pages):
            break
        if after not in pages:
            pages[after] = page_of_endpoints(connection, after, FAN_OUT)
        page = pages[after]
        subject = read_subject(row)
        corrected = _corrected(connection, row, subject, page)
        made += [
            {
                "message_id": row.id,
                "endpoint_id": endpoint.id,
                **_place(endpoint, subject, row, now),
            }
            for endpoint in page
            # An endpoint is not told what was said before it came.
            if endpoint.created <= row.at
            and (endpoint.filters.want(subject) or endpoint.id in corrected)
            # As it is now: the calendar may have been public when the endpoint came.
            and endpoint.filters.allow(is_public(subject.calendar))
        ]
        reached[row.id] = page[-1].id if len(page) == FAN_OUT else None
    if made:
        connection.execute(_making(connection), {"made": dump_rows(made)})
    if reached:
        rows_reached = [{"id": key, "last": last} for key, last in reached.items()]
        connection.execute(_noting(connection.dialect.name), {"reached": dump_rows(rows_reached)})
    return bool(rows)


def _waiting(most: int) -> Any:
    columns = messages.c
    return (
        select(
            *(columns.id, columns.subject, columns.categories, columns.at, columns.uid),
            *(columns.send_from, columns.until, columns.fanned_out_to),
        )
        .where(columns.fanned_out_to.is_not(None))
        .order_by(columns.at)
        .limit(most)
    )


def _making(connection: Connection) -> Any:
    """Make deliveries. Those that are there stay, but what was taken back is sent after all."""
    columns = ("message_id", "endpoint_id", "state", "next_at", "claim", "attempts")
    kinds = {name: deliveries.c[name].type for name in columns}
    made = select(given_rows(connection.dialect.name, "made", kinds)).where(true())
    statement = upsert_by(
        connection,
        deliveries,
        keys=("message_id", "endpoint_id"),
        names=("state", "next_at", "attempts", "settled_at"),
        where=_make.starts_in(),
    )
    return statement.from_select(columns, made)


@cache
def _noting(dialect: str) -> Any:
    kinds = {"id": messages.c.id.type, "last": messages.c.fanned_out_to.type}
    reached = given_rows(dialect, "reached", kinds)
    statement = update(messages).where(messages.c.id == reached.c.id)
    return statement.values(fanned_out_to=reached.c.last)


def _corrected(
    connection: Connection, row: Any, subject: Subject, page: Sequence[Endpoint]
) -> set[str]:
    """Endpoints that hear of a change whatever they want: they were told what is wrong now."""
    unasked = [endpoint.id for endpoint in page if not endpoint.filters.want(subject)]
    if subject.type not in CORRECTIONS or not unasked:
        return set()
    query = (
        select(deliveries.c.endpoint_id)
        .join(messages, messages.c.id == deliveries.c.message_id)
        .join(reminders, reminders.c.key == messages.c.reminder)
        .where(messages.c.uid == row.uid, reminders.c.state == ReminderState.RECALLED)
        .where(deliveries.c.endpoint_id.in_(unasked))
        # What was once in a worker's hands may have been received, whatever is known of it.
        .where((deliveries.c.claim > 0) | deliveries.c.digest.is_not(None))
    )
    return set(connection.scalars(query))


def _place(endpoint: Endpoint, subject: Subject, row: Any, now: datetime) -> dict[str, Any]:
    """Say where a new delivery begins: on its way, held, or gathered for a digest."""
    fresh = {"claim": 0, "attempts": 0}
    if endpoint.state is not EndpointState.ACTIVE:
        return {**fresh, "state": _make.to(DeliveryState.HELD), "next_at": now}
    digest = endpoint.options.digest_after(now) if subject.type == "reminder.due" else None
    # What cannot wait for the digest goes out by itself.
    if digest is not None and (row.until is None or digest < row.until):
        return {**fresh, "state": _make.to(DeliveryState.GATHERED), "next_at": digest}
    return {
        **fresh,
        "state": _make.to(DeliveryState.PENDING),
        "next_at": max(now, row.send_from or now),
    }
