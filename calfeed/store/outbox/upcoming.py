"""What is next: the reminders that fire first, and whether what should have gone out has."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, select

from calfeed.model.revision import Revision
from calfeed.model.states import ReminderState
from calfeed.store.outbox.deliveries import next_pending
from calfeed.store.outbox.outbox import next_due
from calfeed.store.rows import ReminderRow
from calfeed.store.tables import events, reminders


def load_next(connection: Connection, limit: int) -> Sequence[tuple[ReminderRow, Revision]]:
    """The reminders on the list that are due first, with their events as published."""
    query = (
        select(reminders, events.c.revision)
        .join(events, events.c.uid == reminders.c.uid)
        .where(reminders.c.state == ReminderState.PLANNED)
        .order_by(reminders.c.due, reminders.c.key)
        .limit(limit)
    )
    return [
        (ReminderRow(*row), Revision.model_validate_json(revision))
        for *row, revision in connection.execute(query)
        if revision is not None
    ]


def oldest_waiting(connection: Connection) -> datetime | None:
    """Since when (UTC) something waits, or will wait, that a worker ought to have taken."""
    return min(filter(None, (next_pending(connection), next_due(connection))), default=None)
