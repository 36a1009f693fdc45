"""Reports: past and future reminders, the history of an event."""

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
    """List the reminders of `begin <= due < end`, by due time, with their receivers.

    Past reminders come from the record of fired reminders. Future ones, and past ones that are not
    recorded, come from the published state.
    """
    record_end = now + timedelta.resolution  # the end is exclusive, so this includes `now`
    fired: list[FiredReminder] = []
    if begin < record_end:
        with database.read() as connection:
            fired = load_fired(connection, begin, min(record_end, end))
    recorded = {row.reminder.key for row in fired}
    reminders: list[FiredReminder | Planned] = [*fired]
    planned = load_window(database, begin, end)
    reminders += [row for row in planned if row.reminder.key not in recorded]
    return sorted(reminders, key=lambda row: (row.reminder.due, row.reminder.key))


class Entry(NamedTuple):
    """An entry of a history: a revision, a message, or a reminder that ended without a message."""

    at: datetime
    what: PublishedChange | SentMessage | ReminderRow


@dataclass(frozen=True)
class EventHistory:
    """The history of an event that has, or had, these UIDs; `entries` are in order of time."""

    uids: list[str]
    record: History
    entries: list[Entry]


def load_event_history(database: Database, name: str) -> EventHistory:
    """Load the history of the event `calendar/event`: revisions, messages, deliveries.

    Raises NotFoundError if there never was such an event.
    """
    with database.read() as connection:
        uids = find_uids(connection, name)
        record = load_history(connection, uids)
    entries = sorted(_list_entries(record), key=lambda entry: entry.at)
    return EventHistory(uids, record, entries)


def _list_entries(record: History) -> Iterator[Entry]:
    """Yield entries that are not sorted by time.

    Revisions come first, so that a stable sort puts them before messages of the same time.
    """
    for revision in record.changes:
        yield Entry(revision.at, revision)
    for message in record.messages:
        yield Entry(message.at, message)
    sent = {message.reminder for message in record.messages}
    for row in record.reminders:
        if row.settled_at is None or row.state not in REMINDER_OUTCOMES:
            continue
        # Leave out reminders that a change withdrew before they were due.
        if row.key in sent or row.settled_at >= row.due:
            yield Entry(row.settled_at, row)
