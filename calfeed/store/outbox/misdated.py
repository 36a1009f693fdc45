"""What a clock that was ahead left in the record, and how that is put right.

Each thing is known by what cannot be true at the right time: a reminder that is missed before its
occurrence begins, a delivery that was given up in the future, a wait that is longer than any.
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
    deliveries,
    endpoints,
    events,
    messages,
    publishes,
    reminders,
    revisions,
)
from calfeed.store.transitions import Transition

SLACK = timedelta(minutes=1)
"""By how much the clocks of machines that share a database may differ."""

LONGEST_WAIT = timedelta(days=4)
"""A pending delivery waits less: two days between attempts, three days for its turn at a rate."""

_LONGEST_GATHERING = timedelta(days=9)
"""What is gathered waits less: a week for a weekly digest, and a day for quiet hours."""

_LONGEST_GRACE = timedelta(days=2)
"""A change waits a day at most until it is announced."""

_STATE = reminders.c.state
_reopen_reminder = Transition(
    [ReminderState.MISSED, ReminderState.COLLAPSED, ReminderState.SENT], ReminderState.PLANNED
)
_reopen_delivery = Transition(UNSENT_STATES, DeliveryState.PENDING)


def reopen_reminders(connection: Connection, now: datetime) -> int:
    """Plan again what was settled too early and is still of use; returns how many reminders.

    That is what was missed or left out in error, and what was sent before it was due, as far as no
    worker has taken it yet: what was posted may have been received.
    """
    early = reminders.c.due > now + SLACK
    settled_ahead = reminders.c.settled_at > now + SLACK
    wrong = or_(
        _STATE == ReminderState.MISSED,
        and_(_STATE == ReminderState.COLLAPSED, or_(early, settled_ahead)),
        and_(
            _STATE == ReminderState.SENT, early, reminders.c.key.in_(_forget_early(connection, now))
        ),
    )
    reopened = connection.execute(
        _reopen_reminder.update(where=and_(text(SETTLED), wrong))
        .where(reminders.c.until > now)
        .values(settled_at=None)
    )
    return reopened.rowcount


def _forget_early(connection: Connection, now: datetime) -> list[str]:
    """Remove messages of reminders that are not due yet and that nobody was sent."""
    early = select(reminders.c.key).where(
        text(SETTLED),
        _STATE == ReminderState.SENT,
        reminders.c.until > now,
        reminders.c.due > now + SLACK,
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
    """Send what was given up in the future and still matters; returns how many deliveries.

    What waits for a time that is too far ahead waits no longer.
    """
    matters = exists().where(
        messages.c.id == deliveries.c.message_id,
        messages.c.body.is_not(None),
        or_(messages.c.until.is_(None), messages.c.until > now),
    )
    reopened = connection.execute(
        _reopen_delivery.update(where=and_(text(UNSENT), matters))
        .where(deliveries.c.settled_at > now + SLACK)
        .values(next_at=now, attempts=0, settled_at=None)
    )
    # The conditions are those of the indexes, so that these can be used.
    for waits, longest in ((PENDING, LONGEST_WAIT), (GATHERED, _LONGEST_GATHERING)):
        connection.execute(
            update(deliveries)
            .where(text(waits), deliveries.c.next_at > now + longest)
            .values(next_at=now)
        )
    return reopened.rowcount


def end_long_waits(connection: Connection, now: datetime) -> None:
    """Announce, and remind of, what a clock that was ahead put off for longer than any grace."""
    late = now + _LONGEST_GRACE
    connection.execute(update(announcements).where(announcements.c.due > late).values(due=now))
    connection.execute(
        update(reminders).where(text(PLANNED), reminders.c.send_from > late).values(send_from=now)
    )


def correct_endpoints(connection: Connection, now: datetime) -> list[str]:
    """Let no endpoint wait for a time that a wrong clock gave it; returns those to be resumed.

    These were disabled in the future.
    """
    columns, limit = endpoints.c, now + SLACK
    values: dict[str, datetime | None] = {"created": now, "failing_since": None, "paced_to": None}
    for name, value in values.items():
        # A turn is never further ahead than the longest interval between two posts.
        latest = limit + SLACK if name == "paced_to" else limit
        connection.execute(update(endpoints).where(columns[name] > latest).values({name: value}))
    ahead = columns.settled_at > limit
    paused = ahead & (columns.state == EndpointState.PAUSED)
    connection.execute(update(endpoints).where(paused).values(settled_at=now))
    return list(
        connection.scalars(select(columns.id).where(ahead, columns.state == EndpointState.DISABLED))
    )


def find_misplanned(connection: Connection, now: datetime, horizon: timedelta) -> list[str]:
    """UIDs of events whose reminders may have been planned by a clock that was ahead.

    They were published in the future, or are planned further ahead than the horizon.
    """
    later = select(publishes.c.id).where(publishes.c.at > now + SLACK)
    published = select(revisions.c.uid).where(revisions.c.publish_id.in_(later))
    too_far = select(events.c.uid).where(events.c.planned_until > now + horizon + SLACK)
    return sorted({*connection.scalars(published), *connection.scalars(too_far)})
