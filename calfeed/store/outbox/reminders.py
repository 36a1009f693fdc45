"""Reminders: scheduled until they are due, then settled as sent, missed or collapsed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Select,
    bindparam,
    func,
    select,
    update,
)

from calfeed.model.states import DeliveryState, ReminderState
from calfeed.reminders.plan import Reminder
from calfeed.store.bulk_parameters import batches, bulk_rows, dump_rows
from calfeed.store.outbox.digests import restore_members
from calfeed.store.outbox.messages import supersede_deliveries
from calfeed.store.rows import ReminderRow
from calfeed.store.secrets.private import is_readable
from calfeed.store.tables import deliveries, events, messages, reminders
from calfeed.store.transitions import Transition, state_literal
from calfeed.store.upsert import upsert

_PLANNED = state_literal(ReminderState.PLANNED)

_schedule = Transition(
    [None, ReminderState.PLANNED, ReminderState.WITHDRAWN], ReminderState.PLANNED
)
_resume_reminder = Transition([ReminderState.RECALLED], ReminderState.SENT)
_withdraw = Transition([ReminderState.PLANNED], ReminderState.WITHDRAWN)
_recall = Transition([ReminderState.SENT], ReminderState.RECALLED)
_settle = Transition(
    [ReminderState.PLANNED],
    *(ReminderState.SENT, ReminderState.COLLAPSED),
    *(ReminderState.MISSED, ReminderState.WITHDRAWN),
)
_resume_delivery = Transition([DeliveryState.SUPERSEDED], DeliveryState.PENDING)


def load_reminders(
    connection: Connection,
    *,
    uids: Sequence[str] | None = None,
    window: tuple[datetime, datetime] | None = None,
) -> list[ReminderRow]:
    """Load reminders by due time: of some events, or due in a period (`from <= due < to`)."""
    query = select(reminders).order_by(reminders.c.due, reminders.c.key)
    if window is not None:
        query = query.where(reminders.c.due >= window[0], reminders.c.due < window[1])
    if uids is None:
        queries = [query]
    else:
        queries = [query.where(reminders.c.uid.in_(batch)) for batch in batches(uids)]
    return [ReminderRow(*row) for part in queries for row in connection.execute(part)]


def schedule_reminders(connection: Connection, planned: Iterable[Reminder]) -> None:
    """Schedule reminders, except those that were sent or missed; withdrawn ones are planned again.

    The due time of planned reminders is updated, as new zone rules can change it. Recalled
    reminders are resumed: they are sent to the endpoints that have not received them.
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
            "state": _schedule.to(ReminderState.PLANNED),
        }
        for reminder in planned
    ]
    if values:
        connection.execute(upsert(connection, reminders, where=_schedule.starts_in()), values)
    for keys in batches([value["key"] for value in values]):
        _resume(connection, keys)


def _resume(connection: Connection, keys: Sequence[Any]) -> None:
    recalled = connection.scalars(
        _resume_reminder.update().where(reminders.c.key.in_(keys)).returning(reminders.c.key)
    ).all()
    if recalled:
        message_ids = select(messages.c.id).where(messages.c.reminder.in_(recalled))
        restore_members(connection, message_ids)
        # A claimed delivery may have been received, so it is sent again under its own id.
        connection.execute(
            _resume_delivery.update()
            .where(deliveries.c.message_id.in_(message_ids), deliveries.c.claim > 0)
            .values(attempts=0, settled_at=None)
        )
        # A new fan-out makes the other deliveries as if the message were new.
        connection.execute(
            update(messages).where(messages.c.reminder.in_(recalled)).values(fanned_out_to="")
        )


def withdraw_reminders(connection: Connection, keys: Sequence[str], now: datetime) -> None:
    """Withdraw planned reminders, recall sent ones, and supersede their unsent deliveries."""
    for batch in batches(keys):
        for transition in (_withdraw, _recall):
            statement = transition.update().where(reminders.c.key.in_(batch))
            connection.execute(statement.values(settled_at=now))
        # End the fan-out first. This waits for a fan-out transaction that is still open.
        connection.execute(
            update(messages)
            .where(messages.c.reminder.in_(batch), messages.c.fanned_out_to.is_not(None))
            .values(fanned_out_to=None)
        )
        message_ids = select(messages.c.id).where(messages.c.reminder.in_(batch))
        supersede_deliveries(connection, deliveries.c.message_id.in_(message_ids), now)


def next_reminder_due(connection: Connection) -> datetime | None:
    """Return when the next planned reminder may be sent; `send_from` takes precedence over `due`.

    None if no reminder is planned.
    """
    due, send_from = reminders.c.due, reminders.c.send_from
    is_planned = reminders.c.state == _PLANNED
    # Two statements, so that each can use its own partial index.
    delayed = select(func.min(send_from)).where(is_planned, send_from.is_not(None))
    others = select(func.min(due)).where(is_planned, send_from.is_(None))
    times = connection.scalar(others), connection.scalar(delayed)
    return min((time for time in times if time is not None), default=None)


def lock_due_reminders(connection: Connection, now: datetime, limit: int) -> list[ReminderRow]:
    """Load due reminders, latest first, and lock them until this transaction ends.

    All due reminders of their occurrences are added; these do not count towards `limit`. On
    PostgreSQL, reminders that another worker has locked are skipped.
    """
    values = {"now": now, "most": limit}
    rows = [ReminderRow(*row) for row in connection.execute(_select_latest_due(), values)]
    if not rows:
        return rows
    locked = {row.key for row in rows}
    occurrences = [
        {"uid": row.uid, "occurrence": row.occurrence, "begins": row.begins} for row in rows
    ]
    values = {"now": now, "occurrences": dump_rows(occurrences)}
    others = connection.execute(_select_due_of_occurrences(connection.dialect.name), values)
    return rows + [ReminderRow(*row) for row in others if row.key not in locked]


@cache
def _select_latest_due() -> Select[Any]:
    """Select the latest due reminder of each occurrence.

    It is locked first, so two workers never share an occurrence.
    """
    later = reminders.alias("later")
    is_later = (later.c.due > reminders.c.due) | (
        (later.c.due == reminders.c.due) & (later.c.key > reminders.c.key)
    )
    return (
        _select_due(reminders)
        .where(~_select_due(later).where(_is_same_occurrence(later), is_later).exists())
        .order_by(reminders.c.due.desc())
        .limit(bindparam("most"))
        .with_for_update(skip_locked=True)
    )


@cache
def _select_due_of_occurrences(dialect: str) -> Select[Any]:
    columns = (reminders.c.uid, reminders.c.occurrence, reminders.c.begins)
    types = {column.name: column.type for column in columns}
    is_same = _is_same_occurrence(bulk_rows(dialect, "occurrences", types))
    return _select_due(reminders).where(is_same).with_for_update(of=reminders, skip_locked=True)


def _select_due(table: FromClause) -> Select[Any]:
    may_be_sent = table.c.send_from.is_(None) | (table.c.send_from <= bindparam("now"))
    is_due = table.c.due <= bindparam("now")
    return select(table).where(table.c.state == _PLANNED, is_due, may_be_sent)


def _is_same_occurrence(other: FromClause) -> ColumnElement[bool]:
    return (
        (other.c.uid == reminders.c.uid)
        & (other.c.occurrence == reminders.c.occurrence)
        & (other.c.begins == reminders.c.begins)
    )


def settle_reminders(
    connection: Connection, keys: Sequence[str], state: ReminderState, now: datetime
) -> None:
    """Write the final state of reminders that `lock_due_reminders` returned."""
    if keys:
        values = {
            "keys": dump_rows([{"key": key} for key in keys]),
            "to": _settle.to(state),
            "at": now,
        }
        connection.execute(_settle_keys(connection.dialect.name), values)


@cache
def _settle_keys(dialect: str) -> Any:
    rows = bulk_rows(dialect, "keys", {"key": reminders.c.key.type})
    statement = _settle.update(bindparam("to")).where(reminders.c.key == rows.c.key)
    return statement.values(settled_at=bindparam("at"))


def extend_scheduled(
    connection: Connection,
    before: datetime,
    limit: int,
    extend: Callable[[Any], tuple[Sequence[Reminder], datetime | None]],
) -> int:
    """Schedule further reminders of events that are planned to a time before `before`.

    `extend` is called with a row that has `revision` (JSON). It returns the reminders to add, and
    the time to which the event is then planned, or None if there are no further reminders. Returns
    the number of events.
    """
    rows = connection.execute(
        select(events.c.uid, events.c.revision, events.c.planned_until)
        .where(events.c.planned_until < before, is_readable(connection, events.c.revision))
        .order_by(events.c.planned_until)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    for row in rows:
        added, until = extend(row)
        schedule_reminders(connection, added)
        set_planned_until(connection, {row.uid: until})
    return len(rows)


def set_planned_until(connection: Connection, until: Mapping[str, datetime | None]) -> None:
    """Record the time to which the reminders of events are planned, by UID."""
    if until:
        connection.execute(
            update(events)
            .where(events.c.uid == bindparam("of_uid"))
            .values(planned_until=bindparam("to")),
            [{"of_uid": uid, "to": time} for uid, time in until.items()],
        )
