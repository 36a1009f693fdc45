"""The next reminders, and the time of the earliest work for a worker."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, select

from calfeed.model.revision import Revision
from calfeed.model.states import ReminderState
from calfeed.store.outbox.deliveries import next_pending_at
from calfeed.store.outbox.reminders import next_reminder_due
from calfeed.store.rows import ReminderRow
from calfeed.store.tables import events, reminders


def load_next_reminders(
    connection: Connection, limit: int
) -> Sequence[tuple[ReminderRow, Revision]]:
    """Load the planned reminders that are due first, with the published revisions."""
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


def earliest_due(connection: Connection) -> datetime | None:
    """Return when (UTC) the first delivery or reminder is due; in the past if it is overdue."""
    return min(
        filter(None, (next_pending_at(connection), next_reminder_due(connection))), default=None
    )
