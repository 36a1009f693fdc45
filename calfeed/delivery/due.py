"""What time brings about: due reminders become messages, messages become deliveries."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any

from calfeed.ical.revision import Revision
from calfeed.publish.apply import page_address
from calfeed.publish.compare import KEPT
from calfeed.publish.plan import HORIZON, planned_until
from calfeed.reminders.messages import Message, format_span, reminder_message
from calfeed.reminders.plan import Reminder, plan_reminders
from calfeed.store import catalog, outbox
from calfeed.store.database import Database
from calfeed.store.notices import announce

_log = logging.getLogger(__name__)

_BATCH = 200
_EXTEND_BELOW = HORIZON / 2
_SHIFT = timedelta(days=2)


def fire_due(database: Database, now: datetime, base_url: str) -> int:
    """Make messages of the reminders that are due, in one transaction; return how many were due.

    One whose occurrence has begun is recorded as missed. The event is looked at again: what its
    definition no longer asks for is withdrawn.
    """
    with database.write() as connection:
        rows = outbox.take_due(connection, now, _BATCH)
        if not rows:
            return 0
        events = catalog.load_events(connection, uids=sorted({row.uid for row in rows}))
        revisions = {row.uid: row.revision for row in events}
        told: list[tuple[str, Message]] = []
        settled: dict[str, list[str]] = {"sent": [], "missed": [], "withdrawn": []}
        for row in rows:
            revision = revisions.get(row.uid)
            reminder = _find(revision, row)
            if revision is None or reminder is None:
                settled["withdrawn"].append(row.key)
            elif row.until <= now:
                settled["missed"].append(row.key)
                _log.error(
                    "missed: %s of %s/%s was due %s ago, and the time it reminds of has come",
                    row.rule,
                    reminder.event.calendar,
                    reminder.event.slug,
                    format_span(now - row.due),
                )
            else:
                settled["sent"].append(row.key)
                page = page_address(base_url, reminder.event)
                told.append((row.key, reminder_message(reminder, revision, now, page=page)))
        outbox.add_messages(
            connection,
            [message for _, message in told],
            reminder_keys=[key for key, _ in told],
        )
        for state, keys in settled.items():
            outbox.settle_reminders(connection, keys, state, now)
        return len(rows)


def fan_out(database: Database, now: datetime) -> bool:
    """Make one message's next deliveries; False where no message waits."""
    with database.write() as connection:
        return outbox.fan_out(connection, now)


def extend_plans(database: Database, now: datetime) -> int:
    """Put the reminders of the coming year on the list that came within the horizon."""

    def extend(row: Any) -> tuple[list[Reminder], datetime | None]:
        event = Revision.model_validate_json(row.revision).event
        found = plan_reminders(event, row.planned_until, now + HORIZON)
        return list(found), planned_until(event, now)

    with database.write() as connection:
        return outbox.extend_plans(connection, now + _EXTEND_BELOW, _BATCH, extend)


def retire_events(database: Database, now: datetime) -> int:
    """Stop showing events that were withdrawn 90 days ago; returns how many."""
    with database.write_alone() as connection:
        marks = catalog.load_marks(connection).values()
        retired = [
            mark
            for mark in marks
            if mark.withdrawn_at is not None and mark.withdrawn_at + KEPT <= now
        ]
        if retired:
            summary = f"{len(retired)} withdrawn before no longer shown"
            number = catalog.add_publish(connection, now, summary, [])
            catalog.forget_events(connection, [mark.uid for mark in retired])
            catalog.touch_calendars(connection, {mark.calendar for mark in retired}, number)
            announce(connection)
        return len(retired)


def _find(revision: Revision | None, row: outbox.ReminderRow) -> Reminder | None:
    if revision is None or revision.withdrawn:
        return None
    # New rules of the zone may have shifted its due time since it was planned.
    near = plan_reminders(revision.event, row.due - _SHIFT, row.due + _SHIFT)
    return next((reminder for reminder in near if reminder.key == row.key), None)
