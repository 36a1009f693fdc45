"""Clock skew: repair rows that a worker with a fast clock has written.

The rows are found by times that a correct clock cannot produce: a reminder missed before its
occurrence begins, a delivery settled in the future, a wait longer than the maximum.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import (
    Connection,
    and_,
    delete,
    exists,
    or_,
    select,
    text,
    update,
)

from calfeed.model.states import DeliveryState, EndpointState, ReminderState
from calfeed.store.tables import (
    GATHERED,
    PENDING,
    PLANNED,
    SETTLED,
    UNSENT,
    UNSENT_STATES,
    announcements,
    clock,
    deliveries,
    endpoints,
    events,
    messages,
    publishes,
    reminders,
    revisions,
)
from calfeed.store.transitions import Transition
from calfeed.store.upsert import upsert

MAX_CLOCK_SKEW = timedelta(minutes=1)
"""The tolerated difference between the clocks of machines that share a database."""

MAX_PENDING_WAIT = timedelta(days=4)
"""Longer than any pending delivery waits, which is at most two days for a retry and three days
for a rate limit."""

_MAX_GATHERED_WAIT = timedelta(days=9)
"""Longer than any gathered delivery waits, which is at most a week for a digest and a day for
quiet hours."""

_MAX_ANNOUNCEMENT_WAIT = timedelta(days=2)
"""Longer than any change waits for its announcement, which is a day at most."""

_STATE = reminders.c.state
_reopen_reminder = Transition(
    [ReminderState.MISSED, ReminderState.COLLAPSED, ReminderState.SENT], ReminderState.PLANNED
)
_reopen_delivery = Transition(UNSENT_STATES, DeliveryState.PENDING)


def record_time(connection: Connection, now: datetime) -> None:
    """Record the current time of a worker."""
    connection.execute(upsert(connection, clock), [{"id": 1, "at": now}])


def last_recorded_time(connection: Connection) -> datetime | None:
    """Return the time (UTC) that a worker recorded last, or None."""
    at: datetime | None = connection.scalar(select(clock.c.at))
    return at


def reopen_reminders(connection: Connection, now: datetime) -> int:
    """Plan reminders again that were settled too early and are not too late; return their number.

    These are reminders that were wrongly missed or collapsed, and those that were sent before
    they were due and have no claimed delivery, as a claimed delivery may have been received.
    """
    early = reminders.c.due > now + MAX_CLOCK_SKEW
    settled_later = reminders.c.settled_at > now + MAX_CLOCK_SKEW
    wrong = or_(
        _STATE == ReminderState.MISSED,
        and_(_STATE == ReminderState.COLLAPSED, or_(early, settled_later)),
        and_(
            _STATE == ReminderState.SENT,
            early,
            reminders.c.key.in_(_delete_early_messages(connection, now)),
        ),
    )
    reopened = connection.execute(
        _reopen_reminder.update(where=and_(text(SETTLED), wrong))
        .where(reminders.c.until > now)
        .values(settled_at=None)
    )
    return reopened.rowcount


def _delete_early_messages(connection: Connection, now: datetime) -> list[str]:
    """Delete unclaimed messages of reminders that are not due, and return the reminders' keys."""
    early = select(reminders.c.key).where(
        text(SETTLED),
        _STATE == ReminderState.SENT,
        reminders.c.until > now,
        reminders.c.due > now + MAX_CLOCK_SKEW,
    )
    query = select(messages.c.id, messages.c.reminder).where(messages.c.reminder.in_(early))
    keys = {row.id: row.reminder for row in connection.execute(query.with_for_update())}
    made = select(
        deliveries.c.message_id, deliveries.c.claim, deliveries.c.attempts, deliveries.c.digest
    )
    rows = connection.execute(made.where(deliveries.c.message_id.in_(keys)).with_for_update())
    for row in rows:
        if row.claim or row.attempts or row.digest:
            keys.pop(row.message_id, None)
    connection.execute(delete(deliveries).where(deliveries.c.message_id.in_(keys)))
    connection.execute(delete(messages).where(messages.c.id.in_(keys)))
    return list(keys.values())


def reopen_deliveries(connection: Connection, now: datetime) -> int:
    """Return deliveries to pending if they were settled at a future time and are not too late.

    Deliveries that wait for a time too far in the future become due now. Returns the number of
    deliveries that are pending again.
    """
    is_sendable = exists().where(
        messages.c.id == deliveries.c.message_id,
        messages.c.body.is_not(None),
        or_(messages.c.until.is_(None), messages.c.until > now),
    )
    reopened = connection.execute(
        _reopen_delivery.update(where=and_(text(UNSENT), is_sendable))
        .where(deliveries.c.settled_at > now + MAX_CLOCK_SKEW)
        .values(next_at=now, attempts=0, settled_at=None)
    )
    # These are the conditions of the partial indexes.
    for condition, longest in ((PENDING, MAX_PENDING_WAIT), (GATHERED, _MAX_GATHERED_WAIT)):
        connection.execute(
            update(deliveries)
            .where(text(condition), deliveries.c.next_at > now + longest)
            .values(next_at=now)
        )
    return reopened.rowcount


def end_overlong_waits(connection: Connection, now: datetime) -> None:
    """End the grace time of changes, and the delay of reminders, if it is impossibly long."""
    latest = now + _MAX_ANNOUNCEMENT_WAIT
    connection.execute(update(announcements).where(announcements.c.due > latest).values(due=now))
    connection.execute(
        update(reminders).where(text(PLANNED), reminders.c.send_from > latest).values(send_from=now)
    )


def reset_endpoint_times(connection: Connection, now: datetime) -> list[str]:
    """Replace times of endpoints that are in the future.

    Returns the ids of endpoints that were disabled in the future; the caller resumes them.
    """
    columns, limit = endpoints.c, now + MAX_CLOCK_SKEW
    values: dict[str, datetime | None] = {"created": now, "failing_since": None, "paced_to": None}
    for name, value in values.items():
        # The rate limit reserves times up to one interval ahead, a minute at most.
        latest = limit + MAX_CLOCK_SKEW if name == "paced_to" else limit
        connection.execute(update(endpoints).where(columns[name] > latest).values({name: value}))
    in_future = columns.settled_at > limit
    paused = in_future & (columns.state == EndpointState.PAUSED)
    connection.execute(update(endpoints).where(paused).values(settled_at=now))
    disabled = in_future & (columns.state == EndpointState.DISABLED)
    return list(connection.scalars(select(columns.id).where(disabled)))


def find_misplanned(connection: Connection, now: datetime, horizon: timedelta) -> list[str]:
    """Return the UIDs of events whose reminders a fast clock may have planned.

    They were published in the future, or are planned beyond the horizon.
    """
    later = select(publishes.c.id).where(publishes.c.at > now + MAX_CLOCK_SKEW)
    published = select(revisions.c.uid).where(revisions.c.publish_id.in_(later))
    too_far = select(events.c.uid).where(events.c.planned_until > now + horizon + MAX_CLOCK_SKEW)
    return sorted({*connection.scalars(published), *connection.scalars(too_far)})
