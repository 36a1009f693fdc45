"""Deliveries by the million: rows that are copies of one that calfeed itself has made.

So nothing here knows which columns there are, but for those in which the copies differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    LargeBinary,
    String,
    Subquery,
    Table,
    cast,
    func,
    insert,
    literal,
    select,
    true,
    type_coerce,
)

from benchmarks.messages import MESSAGE_ID, SECRET, make_body, make_message_id
from calfeed.reminders.filters import Filters, Subject
from calfeed.reminders.messages import Message
from calfeed.store import tables
from calfeed.store.database import Database
from calfeed.store.endpoints.records import Endpoint, add_endpoint
from calfeed.store.migrate import migrate
from calfeed.store.outbox.messages import add_delivery

_FIRST = 10**9
"""The number of the first of many, so that all have as many digits."""


def fill(
    database: Database,
    sink: str,
    due: datetime,
    *,
    messages: int,
    endpoints: int,
    spread: timedelta = timedelta(0),
) -> None:
    """Put a pending delivery of each message for each endpoint into a new database.

    Endpoints post to `sink`, a URL, each to a path of its own. The first delivery is due at
    `due`, each other one `spread` later than the one before it.
    """
    migrate(database)
    with database.write() as connection:
        add_endpoints(connection, sink, endpoints, due)
        number = add_message(connection, due)
        _copy(connection, tables.messages, _numbers(_FIRST + 1, messages - 1), _message_changes)
        _multiply(connection, number, due, spread)


def add_endpoints(connection: Connection, sink: str, count: int, now: datetime) -> None:
    """Add endpoints that want everything, each with a path of its own below `sink`."""
    # Each by itself, as its URL and secret are encrypted for its own row.
    for number in range(_FIRST, _FIRST + count):
        url = f"{sink}/{number}"
        add_endpoint(connection, Endpoint(_endpoint_id(number), url, Filters(), SECRET, now))


def add_message(connection: Connection, now: datetime) -> int:
    """Add the first message, for the first endpoint alone: the number of its delivery."""
    subject = Subject(type="reminder.due", calendar="measured", event="measured")
    message = Message(make_message_id(_FIRST), subject, now, make_body(_FIRST))
    return add_delivery(connection, message, _endpoint_id(_FIRST))


def mark_delivered(connection: Connection, at: datetime, last: int) -> None:
    """Make history of deliveries up to a number: settled, with one attempt that was answered."""
    deliveries, attempts = tables.deliveries, tables.attempts
    past = deliveries.c.id <= last
    connection.execute(
        deliveries.update()
        .where(past)
        .values(state="delivered", settled_at=at, claim=1, attempts=1)
    )
    made = {
        "delivery_id": deliveries.c.id,
        "claim": literal(1),
        "at": literal(at, attempts.c.at.type),
        "milliseconds": literal(3),
        "status": literal(204),
    }
    connection.execute(insert(attempts).from_select(list(made), select(*made.values()).where(past)))


def _message_changes(number: Any) -> dict[str, Any]:
    digits = cast(number, String)
    body = func.replace(literal(make_body(_FIRST).decode()), str(_FIRST), digits, type_=String)
    return {"id": literal(MESSAGE_ID) + digits, "body": cast(body, LargeBinary)}


def _multiply(connection: Connection, number: int, due: datetime, spread: timedelta) -> None:
    """Copy one delivery for every other pair of a message and an endpoint."""
    table, messages, endpoints = tables.deliveries, tables.messages, tables.endpoints
    place = func.row_number().over(order_by=(messages.c.id, endpoints.c.id)) - 1
    pairs = (
        select(
            messages.c.id.label("message_id"),
            endpoints.c.id.label("endpoint_id"),
            place.label("place"),
        )
        .select_from(messages.join(endpoints, true()))
        .subquery()
    )
    connection.execute(table.update().where(table.c.id == number).values(next_at=due))
    first = type_coerce(table.c.next_at, BigInteger)
    step = spread // timedelta(microseconds=1)
    changes = {
        "message_id": pairs.c.message_id,
        "endpoint_id": pairs.c.endpoint_id,
        "next_at": type_coerce(first + pairs.c.place * step, table.c.next_at.type),
    }
    kept = [column for column in table.columns if column.name not in {"id", *changes}]
    names = [*changes, *(column.name for column in kept)]
    source = table.join(pairs, true())
    query = select(*changes.values(), *kept).select_from(source)
    query = query.where(table.c.id == number, pairs.c.place > 0)
    connection.execute(insert(table).from_select(names, query.order_by(pairs.c.place)))


def _copy(connection: Connection, table: Table, numbers: Subquery, changes: Any) -> None:
    """Copy a table's only row once for each number, with these changes."""
    changed: Mapping[str, Any] = changes(numbers.c.number)
    kept = [column for column in table.columns if column.name not in changed]
    names = [*changed, *(column.name for column in kept)]
    query = select(*changed.values(), *kept).join_from(table, numbers, literal(True))
    connection.execute(insert(table).from_select(names, query))


def _numbers(first: int, count: int) -> Subquery:
    """So many numbers, in both databases' words."""
    numbers = select(literal(first).label("number")).where(literal(count) > 0)
    table = numbers.cte("numbers", recursive=True)
    more = select(table.c.number + 1).where(table.c.number < first + count - 1)
    return select(table.union_all(more)).subquery()


def _endpoint_id(number: int) -> str:
    return f"ep_{number}"
