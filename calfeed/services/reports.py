"""Reports: what fires and has fired, and who was sent what."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from calfeed.publish.windows import Planned, load_window
from calfeed.store.database import Database
from calfeed.store.reports.history import (
    REMINDER_OUTCOMES,
    FiredReminder,
    History,
    PublishedChange,
    SentMessage,
    find_uids,
    load_fired,
    load_history,
)
from calfeed.store.rows import ReminderRow


def list_reminders(
    database: Database, begin: datetime, end: datetime, now: datetime
) -> list[FiredReminder | Planned]:
    """The reminders of `begin <= due < end`, by due time, and who gets them.

    What is past comes from the record; what is not on it, and what is to come, from what is
    published.
    """
    edge = now + timedelta.resolution  # what is due at this very moment is on record
    fired: list[FiredReminder] = []
    if begin < edge:
        with database.read() as connection:
            fired = load_fired(connection, begin, min(edge, end))
    recorded = {one.reminder.key for one in fired}
    found: list[FiredReminder | Planned] = [*fired]
    found += [one for one in load_window(database, begin, end) if one.reminder.key not in recorded]
    return sorted(found, key=lambda one: (one.reminder.due, one.reminder.key))


class Entry(NamedTuple):
    """One thing that happened: a revision, a message, or a reminder that ended without one."""

    at: datetime
    what: PublishedChange | SentMessage | ReminderRow


@dataclass(frozen=True)
class EventHistory:
    """What happened to an event that has, or had, these UIDs; `entries` are in order of time."""

    uids: list[str]
    record: History
    entries: list[Entry]


def load_event_history(database: Database, name: str) -> EventHistory:
    """What happened to the event `calendar/event`, and who was sent what.

    Raises NotFoundError where there never was one.
    """
    with database.read() as connection:
        uids = find_uids(connection, name)
        record = load_history(connection, uids)
    entries = sorted(_list_entries(record), key=lambda entry: entry.at)
    return EventHistory(uids, record, entries)


def _list_entries(record: History) -> Iterator[Entry]:
    """What happened, in no order; of one moment what was published comes first."""
    for change in record.changes:
        yield Entry(change.at, change)
    for message in record.messages:
        yield Entry(message.at, message)
    sent = {message.reminder for message in record.messages}
    for row in record.reminders:
        if row.settled_at is None or row.state not in REMINDER_OUTCOMES:
            continue
        # What was withdrawn before it was due follows from the change that did it.
        if row.key in sent or row.settled_at >= row.due:
            yield Entry(row.settled_at, row)
