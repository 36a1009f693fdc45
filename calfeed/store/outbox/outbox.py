"""The outbox: reminders until they are due, and the messages that are made of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    LargeBinary,
    Select,
    Text,
    bindparam,
    cast,
    func,
    select,
    true,
    update,
)

from calfeed.model.states import UNSETTLED, DeliveryState, ReminderState
from calfeed.reminders.messages import Message
from calfeed.reminders.plan import Reminder
from calfeed.store.json_rows import dump_rows, given_rows
from calfeed.store.outbox import digests
from calfeed.store.outbox.subjects import write_subject
from calfeed.store.rows import ReminderRow
from calfeed.store.secrets.private import readable, seal_rows
from calfeed.store.secrets.private_columns import raw
from calfeed.store.tables import deliveries, events, messages, reminders
from calfeed.store.transitions import Transition, written
from calfeed.store.upsert import insert_new, upsert

_PLANNED = written(ReminderState.PLANNED)

_plan = Transition([None, ReminderState.PLANNED, ReminderState.WITHDRAWN], ReminderState.PLANNED)
_resume_reminder = Transition([ReminderState.RECALLED], ReminderState.SENT)
_withdraw = Transition([ReminderState.PLANNED], ReminderState.WITHDRAWN)
_recall = Transition([ReminderState.SENT], ReminderState.RECALLED)
_settle = Transition(
    [ReminderState.PLANNED],
    *(ReminderState.SENT, ReminderState.COLLAPSED),
    *(ReminderState.MISSED, ReminderState.WITHDRAWN),
)
_resume_delivery = Transition([DeliveryState.SUPERSEDED], DeliveryState.PENDING)
_supersede = Transition([*UNSETTLED, DeliveryState.FAILED], DeliveryState.SUPERSEDED)
_add = Transition([None], DeliveryState.PENDING)


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
            "state": _plan.to(ReminderState.PLANNED),
        }
        for reminder in planned
    ]
    if values:
        connection.execute(upsert(connection, reminders, where=_plan.starts_in()), values)
    keys = [value["key"] for value in values]
    for index in range(0, len(keys), 500):
        _resume(connection, keys[index : index + 500])


def _resume(connection: Connection, keys: Sequence[Any]) -> None:
    recalled = connection.scalars(
        _resume_reminder.update().where(reminders.c.key.in_(keys)).returning(reminders.c.key)
    ).all()
    if recalled:
        told = select(messages.c.id).where(messages.c.reminder.in_(recalled))
        digests.restore(connection, told)
        # What a worker had in hand may have been received, so it goes on under its own id.
        connection.execute(
            _resume_delivery.update()
            .where(deliveries.c.message_id.in_(told), deliveries.c.claim > 0)
            .values(attempts=0, settled_at=None)
        )
        # The others once more from the first endpoint, as they are new.
        connection.execute(
            update(messages).where(messages.c.reminder.in_(recalled)).values(fanned_out_to="")
        )


def withdraw(connection: Connection, keys: Sequence[str], now: datetime) -> None:
    """Take reminders off the list, and with them what was made of them and is not sent yet."""
    for index in range(0, len(keys), 500):
        part = keys[index : index + 500]
        for taking_off in (_withdraw, _recall):
            statement = taking_off.update().where(reminders.c.key.in_(part))
            connection.execute(statement.values(settled_at=now))
        # First of all no more deliveries: a fan-out that is under way is waited for here.
        connection.execute(
            update(messages)
            .where(messages.c.reminder.in_(part), messages.c.fanned_out_to.is_not(None))
            .values(fanned_out_to=None)
        )
        told = select(messages.c.id).where(messages.c.reminder.in_(part))
        take_back(connection, deliveries.c.message_id.in_(told), now)


def take_back(connection: Connection, which: ColumnElement[bool], now: datetime) -> None:
    """Let nothing more be sent of some deliveries, which a condition on them names."""
    # What was given up could be sent again by hand.
    to_come = deliveries.c.settled_at.is_(None) | (deliveries.c.state == DeliveryState.FAILED)
    statement = _supersede.update(where=which & to_come)
    connection.execute(statement.values(settled_at=now))
    digests.recall(connection, which, now)


def is_waiting(connection: Connection) -> bool:
    """Whether a message waits for its deliveries to be made."""
    query = select(messages.c.id).where(messages.c.fanned_out_to.is_not(None)).limit(1)
    return connection.execute(query).first() is not None


def next_due(connection: Connection) -> datetime | None:
    """When the next reminder on the list is due, or may be sent where it is held back."""
    due, send_from = reminders.c.due, reminders.c.send_from
    waits = select(func.min(send_from)).where(reminders.c.state == _PLANNED, send_from.is_not(None))
    query = select(func.min(due)).where(reminders.c.state == _PLANNED, send_from.is_(None))
    moments = connection.scalar(query), connection.scalar(waits)
    return min((moment for moment in moments if moment is not None), default=None)


def take_due(connection: Connection, now: datetime, limit: int) -> list[ReminderRow]:
    """Reminders on the list whose time has come, latest first, held by this transaction.

    They come with all that are due of the same occurrences, which are not counted in `limit`. On
    PostgreSQL those that another worker holds are passed over; on SQLite there is no other.
    """
    given = {"now": now, "most": limit}
    rows = [ReminderRow(*row) for row in connection.execute(_taking(), given)]
    taken = {row.key for row in rows}
    occurrences = [
        {"uid": row.uid, "occurrence": row.occurrence, "begins": row.begins} for row in rows
    ]
    given = {"now": now, "occurrences": dump_rows(occurrences)}
    others = connection.execute(_joining(connection.dialect.name), given) if rows else ()
    return rows + [ReminderRow(*row) for row in others if row.key not in taken]


@cache
def _taking() -> Select[Any]:
    """The nearest that is due of each occurrence.

    That one is locked first, so that no two workers share an occurrence.
    """
    later = reminders.alias("later")
    is_later = (later.c.due > reminders.c.due) | (
        (later.c.due == reminders.c.due) & (later.c.key > reminders.c.key)
    )
    return (
        _due(reminders)
        .where(~_due(later).where(_is_same_occurrence(later), is_later).exists())
        .order_by(reminders.c.due.desc())
        .limit(bindparam("most"))
        .with_for_update(skip_locked=True)
    )


@cache
def _joining(dialect: str) -> Select[Any]:
    """All that is due of some occurrences."""
    columns = reminders.c
    kinds = {each.name: each.type for each in (columns.uid, columns.occurrence, columns.begins)}
    same = _is_same_occurrence(given_rows(dialect, "occurrences", kinds))
    return _due(reminders).where(same).with_for_update(of=reminders, skip_locked=True)


def _due(table: FromClause) -> Select[Any]:
    may_go = table.c.send_from.is_(None) | (table.c.send_from <= bindparam("now"))
    is_due = table.c.due <= bindparam("now")
    return select(table).where(table.c.state == _PLANNED, is_due, may_go)


def _is_same_occurrence(other: FromClause) -> ColumnElement[bool]:
    return (
        (other.c.uid == reminders.c.uid)
        & (other.c.occurrence == reminders.c.occurrence)
        & (other.c.begins == reminders.c.begins)
    )


def settle_reminders(
    connection: Connection, keys: Sequence[str], state: ReminderState, now: datetime
) -> None:
    """Note what became of reminders that `take_due` gave this transaction."""
    if keys:
        given = {
            "keys": dump_rows([{"key": key} for key in keys]),
            "to": _settle.to(state),
            "at": now,
        }
        connection.execute(_settling(connection.dialect.name), given)


@cache
def _settling(dialect: str) -> Any:
    given = given_rows(dialect, "keys", {"key": reminders.c.key.type})
    mine = _settle.update(bindparam("to")).where(reminders.c.key == given.c.key)
    return mine.values(settled_at=bindparam("at"))


def add_messages(
    connection: Connection, added: Iterable[Message], *, reminder_keys: Sequence[str] = ()
) -> None:
    """Keep messages, to be fanned out to every endpoint that wants them.

    `reminder_keys` names, in the same order, the reminders they tell of.
    """
    added = list(added)
    values = [
        {
            "id": message.id,
            **write_subject(message.subject),
            "at": message.at,
            "send_from": message.send_from,
            "until": message.until,
            "text": message.text,
            "body": message.body.decode(),
            "uid": message.uid,
            "reminder": reminder_keys[index] if reminder_keys else None,
            "fanned_out_to": "",
        }
        for index, message in enumerate(added)
    ]
    if values:
        owners = [(one.subject.calendar,) for one in added]
        sealed = seal_rows(connection, messages, values, owners)
        names, source = _adding(connection.dialect.name)
        statement = insert_new(connection, messages).from_select(names, source)
        connection.execute(statement, {"added": dump_rows(sealed)})


@cache
def _adding(dialect: str) -> tuple[list[str], Any]:
    kinds = {each.name: raw(each).type for each in messages.columns} | {"body": Text()}
    added = given_rows(dialect, "added", kinds)
    body: ColumnElement[Any] = func.convert_to(added.c.body, "UTF8")
    if dialect == "sqlite":
        body = cast(added.c.body, LargeBinary)
    columns = [body if name == "body" else added.c[name] for name in kinds]
    return list(kinds), select(*columns).where(true())


def add_delivery(connection: Connection, message: Message, endpoint_id: str) -> int:
    """Keep a message for one endpoint alone, and return the number of its delivery."""
    add_messages(connection, [message])
    connection.execute(
        update(messages).where(messages.c.id == message.id).values(fanned_out_to=None)
    )
    statement = deliveries.insert().values(
        message_id=message.id,
        endpoint_id=endpoint_id,
        state=_add.to(DeliveryState.PENDING),
        next_at=message.at,
        claim=0,
        attempts=0,
    )
    key = connection.execute(statement).inserted_primary_key
    return int(key[0]) if key else 0


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
        .where(events.c.planned_until < before, readable(connection, events.c.revision))
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
