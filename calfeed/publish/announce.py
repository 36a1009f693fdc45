"""Announce: tell people of what has changed since they were told last.

A change that `serve` publishes is announced once it has held for the grace time. What is told then
is the difference between the revision that was announced last and the one that holds, so what was
put right in between is told to nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count

from calfeed.ical.changes import EventChange, compare_revisions
from calfeed.model.revision import ComparableRevision, read_comparable
from calfeed.publish.plan import plan_messages
from calfeed.publish.show import describe_changes, summarize_announced
from calfeed.reminders.messages import Message, tell_again
from calfeed.store.catalog import announcements, visibility
from calfeed.store.catalog.calendars import touch_calendars
from calfeed.store.catalog.events import find_unreadable_events
from calfeed.store.catalog.publishes import Author, add_publish
from calfeed.store.catalog.revisions import load_newest_revisions
from calfeed.store.database import Connection, Database
from calfeed.store.endpoints import records
from calfeed.store.notices import notify_listeners
from calfeed.store.outbox.messages import add_messages
from calfeed.store.reports import sent_messages
from calfeed.store.rows import PendingAnnouncement

_BATCH = 1_000

_LOST = timedelta(minutes=1)  # how long what cannot be read waits for its key
"""How many events are announced in one transaction."""


def load_announced(
    connection: Connection, waiting: Sequence[PendingAnnouncement]
) -> dict[str, ComparableRevision | None]:
    """Of events that wait, the revisions that were announced last; None where none ever was."""
    texts = announcements.load_announced_bases(connection, [one.uid for one in waiting])
    return {
        one.uid: read_comparable(texts[one.uid]) if one.uid in texts else None for one in waiting
    }


def find_changes(
    connection: Connection, waiting: Sequence[PendingAnnouncement]
) -> list[EventChange]:
    """What is to be told of events that wait: those of which there is something to tell.

    A revision that changes nothing is passed over, so that after a restore what was announced
    before it has the same SEQUENCE, and so its messages the same ids.
    """
    newest = load_newest_revisions(connection, [one.uid for one in waiting], changed=True)
    bases = load_announced(connection, waiting)
    changes = [
        compare_revisions(bases[one.uid], newest[one.uid]) for one in waiting if one.uid in newest
    ]
    return [change for change in changes if change.is_newsworthy]


def make_messages(
    connection: Connection, changes: Sequence[EventChange], now: datetime, base_url: str
) -> tuple[Message, ...]:
    """The messages of an announcement; none while there is nobody to get them."""
    told_of = changes if records.count_endpoints(connection) else ()
    return _tell_anew(connection, plan_messages(told_of, now, base_url))


def _tell_anew(connection: Connection, made: Sequence[Message]) -> tuple[Message, ...]:
    """Give another id to a message of a state that was told before: the event came back to it."""
    found = list(made)
    for times in count(1):
        known = sent_messages.find_existing_ids(connection, [message.id for message in found])
        if not known:
            break
        found = [
            tell_again(first, times) if message.id in known else message
            for first, message in zip(made, found, strict=True)
        ]
    return tuple(found)


def announce_due(database: Database, now: datetime, base_url: str) -> int:
    """Announce the changes that have held for the grace time, a batch of them.

    Returns how many events waited no longer. While somebody publishes it is left for later: what
    holds may just be changing.
    """
    with database.try_write_exclusive() as connection:
        waiting = (
            announcements.load_due_announcements(connection, now, _BATCH) if connection else []
        )
        if connection is None or not waiting:
            return 0
        lost = find_unreadable_events(connection, [one.uid for one in waiting])
        announcements.save_pending_announcements(
            connection, [replace(one, due=now + _LOST) for one in waiting if one.uid in lost]
        )
        waiting = [one for one in waiting if one.uid not in lost]
        changes = find_changes(connection, waiting)
        if changes:
            slugs = {change.after.event.calendar for change in changes}
            number = add_publish(
                connection,
                now,
                summarize_announced(changes),
                describe_changes(changes),
                Author(command="calfeed worker"),
                public=visibility.any_public(connection, slugs),
            )
            announcements.mark_announced(connection, changes, number)
            touch_calendars(connection, slugs, number)
            add_messages(connection, make_messages(connection, changes, now, base_url))
            notify_listeners(connection)
        announcements.delete_pending_announcements(connection, [one.uid for one in waiting])
        return len(waiting)
