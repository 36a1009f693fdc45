"""Announce changes after the grace time, as messages about the net change.

A change that `serve` publishes is announced once it has been published for the grace time. The
announcement compares the last announced revision with the current one, so a mistake that was
corrected in between is never announced.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count

from calfeed.ical.comparison.changes import EventChange, compare_revisions
from calfeed.model.revision import ComparableRevision, read_comparable
from calfeed.publish.plan import plan_messages
from calfeed.publish.show import describe_changes, summarize_announced
from calfeed.reminders.messages import Message, repeat_message
from calfeed.reminders.pushing import update_message
from calfeed.store.catalog import announcements, visibility
from calfeed.store.catalog.calendars import touch_calendars
from calfeed.store.catalog.events import find_unreadable_events
from calfeed.store.catalog.publishes import Author, add_publish
from calfeed.store.catalog.revisions import load_newest_revisions
from calfeed.store.database import Connection, Database
from calfeed.store.endpoints import records
from calfeed.store.notices import notify_listeners
from calfeed.store.outbox.messages import add_messages
from calfeed.store.push.subscriptions import pushed_collections
from calfeed.store.reports import sent_messages
from calfeed.store.rows import PendingAnnouncement

_BATCH_SIZE = 1_000

_UNREADABLE_DELAY = timedelta(minutes=1)
"""The delay of an event that cannot be decrypted."""


def load_announced(
    connection: Connection, waiting: Sequence[PendingAnnouncement]
) -> dict[str, ComparableRevision | None]:
    """Return the last announced revision of each waiting event, by UID; None if there is none."""
    uids = [event.uid for event in waiting]
    texts = announcements.load_announced_bases(connection, uids)
    return {uid: read_comparable(texts[uid]) if uid in texts else None for uid in uids}


def find_changes(
    connection: Connection, waiting: Sequence[PendingAnnouncement]
) -> list[EventChange]:
    """Return the changes of waiting events since they were last announced.

    Revisions that change nothing, such as those that a restore adds, are skipped. So a change that
    was announced before a restore has the same SEQUENCE and message id if it is announced again.
    """
    newest = load_newest_revisions(connection, [event.uid for event in waiting], changed=True)
    bases = load_announced(connection, waiting)
    changes = [compare_revisions(bases[uid], newest[uid]) for uid in bases if uid in newest]
    return [change for change in changes if change.is_newsworthy]


def make_messages(
    connection: Connection, changes: Sequence[EventChange], now: datetime, base_url: str
) -> tuple[Message, ...]:
    """Make the messages of an announcement; none if there are no endpoints."""
    announced = changes if records.count_endpoints(connection) else ()
    languages = records.list_languages(connection) if announced else ()
    return _make_ids_unique(connection, plan_messages(announced, now, base_url, languages))


def _make_ids_unique(connection: Connection, made: Sequence[Message]) -> tuple[Message, ...]:
    """Give new ids to messages whose id was used before: their events returned to an earlier
    state."""
    messages = list(made)
    for times in count(1):
        used = sent_messages.find_existing_ids(connection, [message.id for message in messages])
        if not used:
            break
        messages = [
            repeat_message(original, times) if message.id in used else message
            for original, message in zip(made, messages, strict=True)
        ]
    return tuple(messages)


def announce_due(database: Database, now: datetime, base_url: str) -> int:
    """Announce a batch of the changes whose grace time is over; return the number of events.

    Does nothing during a publish, which may be changing the same events.
    """
    with database.try_write_exclusive() as connection:
        waiting = (
            announcements.load_due_announcements(connection, now, _BATCH_SIZE) if connection else []
        )
        if connection is None or not waiting:
            return 0
        unreadable = find_unreadable_events(connection, [event.uid for event in waiting])
        later = now + _UNREADABLE_DELAY
        delayed = [replace(event, due=later) for event in waiting if event.uid in unreadable]
        announcements.save_pending_announcements(connection, delayed)
        waiting = [event for event in waiting if event.uid not in unreadable]
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
        announcements.delete_pending_announcements(connection, [event.uid for event in waiting])
        return len(waiting)


def mark_changed(connection: Connection, slugs: Iterable[str], number: int, now: datetime) -> None:
    """Record that publish `number` changed calendars, and notify their CalDAV clients by push."""
    changed = set(slugs)
    touch_calendars(connection, changed, number)
    pushed = sorted(changed & pushed_collections(connection))
    add_messages(connection, [update_message(slug, number, now) for slug in pushed])
