"""The outbox: reminders until they are due, messages until every endpoint has its delivery."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, func, select, update

from calfeed.reminders.filters import Subject
from calfeed.reminders.messages import Message
from calfeed.reminders.plan import Reminder
from calfeed.store.endpoints import Endpoint, page_of_endpoints
from calfeed.store.tables import deliveries, events, messages, reminders
from calfeed.store.upsert import insert_new, upsert

FAN_OUT = 1000
"""For how many endpoints one transaction makes deliveries."""

_MESSAGES = 100
"""And of how many messages at the most."""


@dataclass(frozen=True)
class ReminderRow:
    """A reminder as kept; times are UTC.

    `state` is planned, withdrawn, sent, missed, recalled (withdrawn after it was sent), or
    collapsed: left out because one nearer to the occurrence was overdue as well.
    """

    key: str
    uid: str
    occurrence: str
    begins: datetime
    rule: str
    due: datetime
    until: datetime
    state: str
    settled_at: datetime | None = None


def load_reminders(
    connection: Connection,
    *,
    uids: Sequence[str] | None = None,
    window: tuple[datetime, datetime] | None = None,
) -> list[ReminderRow]:
    """Reminders of some events, or due in a window (`from <= due < to`), by due time."""
    query = select(reminders).order_by(reminders.c.due, reminders.c.key)
    if window is not None:
        query = query.where(reminders.c.due >= window[0], reminders.c.due < window[1])
    if uids is None:
        return [ReminderRow(*row) for row in connection.execute(query)]
    found = []
    for index in range(0, len(uids), 500):
        part = query.where(reminders.c.uid.in_(uids[index : index + 500]))
        found += [ReminderRow(*row) for row in connection.execute(part)]
    return found


def plan(connection: Connection, planned: Iterable[Reminder]) -> None:
    """Put reminders on the list: those withdrawn earlier too, but none sent or missed again.

    Those that are on it already get their due time anew, which a zone's new rules can change.
    What was recalled when it was sent in part goes on to those who have not got it.
    """
    values = [
        {
            "key": reminder.key,
            "uid": reminder.event.uid,
            "occurrence": reminder.occurrence.id,
            "begins": reminder.occurrence.begins,
            "rule": str(reminder.rule),
            "due": reminder.due,
            "until": reminder.until,
            "state": "planned",
        }
        for reminder in planned
    ]
    if values:
        state = reminders.c.state
        # Not IN: a list cannot be told apart for each row of many.
        unsent = (state == "planned") | (state == "withdrawn")
        connection.execute(upsert(connection, reminders, where=unsent), values)
    keys = [value["key"] for value in values]
    for index in range(0, len(keys), 500):
        _resume(connection, keys[index : index + 500])


def _resume(connection: Connection, keys: Sequence[Any]) -> None:
    recalled = connection.scalars(
        update(reminders)
        .where(reminders.c.key.in_(keys), reminders.c.state == "recalled")
        .values(state="sent")
        .returning(reminders.c.key)
    ).all()
    if not recalled:
        return
    told = select(messages.c.id).where(messages.c.reminder.in_(recalled))
    connection.execute(
        update(deliveries)
        .where(deliveries.c.message_id.in_(told), deliveries.c.state == "superseded")
        .values(state="pending", settled_at=None)
    )
    # Once more from the first endpoint: those that have their delivery do not get another.
    connection.execute(
        update(messages).where(messages.c.reminder.in_(recalled)).values(fanned_out_to="")
    )


def withdraw(connection: Connection, keys: Sequence[str], now: datetime) -> None:
    """Take reminders off the list, and with them what was made of them and is not sent yet."""
    for index in range(0, len(keys), 500):
        part = keys[index : index + 500]
        connection.execute(
            update(reminders)
            .where(reminders.c.key.in_(part), reminders.c.state == "planned")
            .values(state="withdrawn", settled_at=now)
        )
        connection.execute(
            update(reminders)
            .where(reminders.c.key.in_(part), reminders.c.state == "sent")
            .values(state="recalled", settled_at=now)
        )
        told = select(messages.c.id).where(messages.c.reminder.in_(part))
        connection.execute(
            update(deliveries)
            .where(deliveries.c.message_id.in_(told), deliveries.c.settled_at.is_(None))
            .values(state="superseded", settled_at=now)
        )
        connection.execute(
            update(messages)
            .where(messages.c.reminder.in_(part), messages.c.fanned_out_to.is_not(None))
            .values(fanned_out_to=None)
        )


def is_waiting(connection: Connection) -> bool:
    """Whether a message waits for its deliveries to be made."""
    query = select(messages.c.id).where(messages.c.fanned_out_to.is_not(None)).limit(1)
    return connection.execute(query).first() is not None


def next_due(connection: Connection) -> datetime | None:
    """When the next reminder on the list is due."""
    query = select(func.min(reminders.c.due)).where(reminders.c.state == "planned")
    found: datetime | None = connection.scalar(query)
    return found


def take_due(connection: Connection, now: datetime, limit: int) -> list[ReminderRow]:
    """Reminders on the list whose time has come, earliest first, held by this transaction.

    On PostgreSQL those that another worker holds are passed over; on SQLite there is no other.
    """
    query = (
        select(reminders)
        .where(reminders.c.state == "planned", reminders.c.due <= now)
        .order_by(reminders.c.due)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [ReminderRow(*row) for row in connection.execute(query)]


def settle_reminders(
    connection: Connection, keys: Sequence[str], state: str, now: datetime
) -> None:
    """Note what became of reminders that `take_due` gave this transaction."""
    if keys:
        connection.execute(
            update(reminders)
            .where(reminders.c.key.in_(keys), reminders.c.state == "planned")
            .values(state=state, settled_at=now)
        )


def add_messages(
    connection: Connection, added: Iterable[Message], *, reminder_keys: Sequence[str] = ()
) -> None:
    """Keep messages, to be fanned out to every endpoint that wants them.

    `reminder_keys` names, in the same order, the reminders they tell of.
    """
    values = [
        {
            "id": message.id,
            "subject": message.subject.model_dump_json(exclude_defaults=True),
            "at": message.at,
            "send_from": message.send_from,
            "until": message.until,
            "text": message.text,
            "body": message.body,
            "uid": message.uid,
            "reminder": reminder_keys[index] if reminder_keys else None,
            "fanned_out_to": "",
        }
        for index, message in enumerate(added)
    ]
    if values:
        connection.execute(insert_new(connection, messages), values)


def add_delivery(connection: Connection, message: Message, endpoint_id: str) -> int:
    """Keep a message for one endpoint alone, and return the number of its delivery."""
    add_messages(connection, [message])
    connection.execute(
        update(messages).where(messages.c.id == message.id).values(fanned_out_to=None)
    )
    statement = deliveries.insert().values(
        message_id=message.id,
        endpoint_id=endpoint_id,
        state="pending",
        next_at=message.at,
        claim=0,
        attempts=0,
    )
    key = connection.execute(statement).inserted_primary_key
    return int(key[0]) if key else 0


def fan_out(connection: Connection, now: datetime) -> bool:
    """Make deliveries of messages for the next endpoints that want them, oldest message first.

    Once `FAN_OUT` endpoints have been looked at it ends, so that no message makes a transaction
    that grows with their number. Returns False where no message waited.
    """
    rows = connection.execute(_waiting(_MESSAGES).with_for_update(skip_locked=True)).all()
    pages: dict[str, list[Endpoint]] = {}
    made: list[dict[str, Any]] = []
    reached: dict[str, str | None] = {}
    looked = 0
    for row in rows:
        after = row.fanned_out_to
        if after not in pages:
            pages[after] = page_of_endpoints(connection, after, FAN_OUT)
        page = pages[after]
        looked += len(page)
        if reached and looked > FAN_OUT:
            break
        subject = Subject.model_validate_json(row.subject)
        made += [
            {
                "message_id": row.id,
                "endpoint_id": endpoint.id,
                **_place(endpoint, subject, row, now),
            }
            for endpoint in page
            # An endpoint is not told what was said before it came.
            if endpoint.created <= row.at and endpoint.filters.want(subject)
        ]
        reached[row.id] = page[-1].id if len(page) == FAN_OUT else None
    if made:
        connection.execute(insert_new(connection, deliveries), made)
    if reached:
        connection.execute(
            update(messages)
            .where(messages.c.id == bindparam("of_id"))
            .values(fanned_out_to=bindparam("to")),
            [{"of_id": key, "to": last} for key, last in reached.items()],
        )
    return bool(rows)


def _waiting(most: int) -> Any:
    columns = messages.c
    return (
        select(
            *(columns.id, columns.subject, columns.at, columns.send_from, columns.until),
            columns.fanned_out_to,
        )
        .where(columns.fanned_out_to.is_not(None))
        .order_by(columns.at)
        .limit(most)
    )


def _place(endpoint: Endpoint, subject: Subject, row: Any, now: datetime) -> dict[str, Any]:
    """Say where a new delivery begins: on its way, held, or gathered for a digest."""
    fresh = {"claim": 0, "attempts": 0}
    if endpoint.state != "active":
        return {**fresh, "state": "held", "next_at": now}
    digest = endpoint.options.digest_after(now) if subject.type == "reminder.due" else None
    # What cannot wait for the digest goes out by itself.
    if digest is not None and (row.until is None or digest < row.until):
        return {**fresh, "state": "gathered", "next_at": digest}
    return {**fresh, "state": "pending", "next_at": max(now, row.send_from or now)}


def extend_plans(
    connection: Connection,
    before: datetime,
    limit: int,
    extend: Callable[[Any], tuple[Sequence[Reminder], datetime | None]],
) -> int:
    """Plan further for events whose plan ends before `before`; `extend` gives what is added.

    `extend` is called with a row that has `revision` (JSON), and returns the reminders and up to
    when the event is planned then, or None where nothing is to come.
    """
    rows = connection.execute(
        select(events.c.uid, events.c.revision, events.c.planned_until)
        .where(events.c.planned_until < before)
        .order_by(events.c.planned_until)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    for row in rows:
        added, until = extend(row)
        plan(connection, added)
        set_planned_until(connection, {row.uid: until})
    return len(rows)


def set_planned_until(connection: Connection, until: Mapping[str, datetime | None]) -> None:
    """Note up to when the reminders of events are planned, by UID."""
    if until:
        connection.execute(
            update(events)
            .where(events.c.uid == bindparam("of_uid"))
            .values(planned_until=bindparam("to")),
            [{"of_uid": uid, "to": moment} for uid, moment in until.items()],
        )
