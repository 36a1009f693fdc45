"""Due work: reminders become messages, messages become deliveries, digests are made."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from calfeed.counting import count
from calfeed.ical.wording.distances import format_span
from calfeed.model.revision import Revision
from calfeed.model.states import DeliveryState, ReminderState
from calfeed.publish.announce import mark_changed
from calfeed.publish.compare import KEEP_WITHDRAWN
from calfeed.publish.plan import HORIZON, page_url, planned_until
from calfeed.reminders.digests import digest_id, digest_message, split_entries
from calfeed.reminders.messages import LATE_AFTER, reminder_message
from calfeed.reminders.plan import GRACE, Reminder, plan_reminders
from calfeed.store.catalog import announcements, visibility
from calfeed.store.catalog.events import (
    delete_events,
    find_unreadable_events,
    load_events,
    load_fingerprints,
)
from calfeed.store.catalog.publishes import Author, add_publish
from calfeed.store.database import Connection, Database
from calfeed.store.endpoints.records import list_languages
from calfeed.store.notices import notify_listeners
from calfeed.store.outbox import digests, fanout
from calfeed.store.outbox.messages import add_delivery, add_messages
from calfeed.store.outbox.reminders import (
    extend_scheduled,
    load_reminders,
    lock_due_reminders,
    schedule_reminders,
    settle_reminders,
)
from calfeed.store.rows import ReminderRow
from calfeed.store.watching.operational import report_missed

_log = logging.getLogger(__name__)

_BATCH_SIZE = 200
_DIGEST_BATCH_SIZE = 20
_EXTEND_BELOW = HORIZON / 2
_MAX_ZONE_SHIFT = timedelta(days=2)
_REVIEW_STEP = timedelta(hours=6)

FIRE_AHEAD = timedelta(milliseconds=500)
"""How long before its due time a reminder becomes a message, so that it can be sent on time.

Less than a second, because due times are whole seconds."""

_UNANNOUNCED_DELAY = timedelta(seconds=1)
"""The minimum delay of a reminder whose event is not announced yet."""

_UNREADABLE_DELAY = timedelta(minutes=1)
"""The delay of a reminder whose event cannot be decrypted."""

REVIEW_WINDOW = timedelta(days=3)
"""How far ahead due times are recomputed; new zone rules cannot shift them further than this."""

LATE_REMINDERS_PER_SECOND = 50
"""The rate at which each worker sends late reminders."""

_MAX_PACED_DELAY = timedelta(hours=1)


class LateReminderPacer:
    """Spreads late reminders over at most an hour, so that an outage does not end in a burst.

    Each worker has a pacer of its own.
    """

    def __init__(self) -> None:
        self._next = datetime.min.replace(tzinfo=UTC)

    def next_slot(self, now: datetime, until: datetime) -> datetime | None:
        """Return when to send the next late reminder; None means at once.

        It is None if a reminder that expires at `until` would otherwise be sent too late.
        """
        # Start again after a pause, when an hour is used up, and when the clock was set back.
        slot = self._next if now <= self._next <= now + _MAX_PACED_DELAY else now
        self._next = slot + timedelta(seconds=1) / LATE_REMINDERS_PER_SECOND
        return slot if slot + GRACE < until else None


class _SendableReminder(NamedTuple):
    """A due reminder, and the revision of its event that the message describes."""

    reminder: Reminder
    revision: Revision


@dataclass
class _DueReminders:
    """Due reminders, grouped by what the worker does with them.

    `shifted` are due later because of new zone rules. `delayed` maps the key of a reminder to the
    time before which it is not sent.
    """

    sendable: list[_SendableReminder] = field(default_factory=list)
    shifted: list[Reminder] = field(default_factory=list)
    delayed: dict[str, datetime] = field(default_factory=dict)
    withdrawn: list[str] = field(default_factory=list)


def fire_due(database: Database, now: datetime, base_url: str, pacer: LateReminderPacer) -> int:
    """Turn due reminders into messages, in one transaction; return how many were due.

    Includes those due within `FIRE_AHEAD`, whose messages wait for the due time. Of several due
    reminders of one occurrence the latest is sent, and the others are recorded as collapsed; if the
    occurrence has begun, all are recorded as missed. Each reminder is checked against its published
    event. A reminder that the event no longer has is withdrawn. A reminder that new zone rules
    shift, or whose event is not announced yet, stays planned.
    """
    with database.write() as connection:
        rows = lock_due_reminders(connection, now + FIRE_AHEAD, _BATCH_SIZE)
        if not rows:
            return 0
        due = _classify(connection, rows, now)
        settled: dict[ReminderState, list[str]] = {
            ReminderState.SENT: [],
            ReminderState.COLLAPSED: [],
            ReminderState.MISSED: [],
            ReminderState.WITHDRAWN: due.withdrawn,
        }
        by_occurrence: dict[tuple[str, str, datetime], list[_SendableReminder]] = {}
        for item in due.sendable:
            occurrence = item.reminder.occurrence
            occurrence_key = (item.reminder.event.uid, occurrence.id, occurrence.begins)
            by_occurrence.setdefault(occurrence_key, []).append(item)
        sent: list[_SendableReminder] = []
        missed: list[Reminder] = []
        for group in by_occurrence.values():
            *others, latest = sorted(group, key=lambda item: (item.reminder.due, item.reminder.key))
            if latest.reminder.until > now:
                sent.append(latest)
                settled[ReminderState.COLLAPSED] += [item.reminder.key for item in others]
            else:
                missed += [item.reminder for item in group]
        for reminder in missed:
            _log_missed(reminder, now)
        settled[ReminderState.MISSED] = [reminder.key for reminder in missed]
        # The reminders that expire first get the first slots.
        sent.sort(key=lambda item: item.reminder.until)
        settled[ReminderState.SENT] = [item.reminder.key for item in sent]
        messages = []
        languages = list_languages(connection)
        for reminder, revision in sent:
            page = page_url(base_url, reminder.event)
            at = max(now, reminder.due)
            message = reminder_message(reminder, revision, at, page=page, languages=languages)
            late = now - reminder.due > LATE_AFTER
            slot = pacer.next_slot(now, reminder.until) if late else None
            messages.append(replace(message, send_from=at if at > now else slot))
        add_messages(connection, messages, reminder_keys=settled[ReminderState.SENT])
        schedule_reminders(connection, due.shifted)
        announcements.delay_reminders(connection, due.delayed)
        settled_at = max([now, *(item.reminder.due for item in sent)])
        for state, keys in settled.items():
            settle_reminders(connection, keys, state, settled_at)
        report_missed(connection, missed, now)
        return len(rows)


def _classify(connection: Connection, rows: Sequence[ReminderRow], now: datetime) -> _DueReminders:
    """Check due reminders against the published and the announced revisions of their events.

    A message describes the announced revision if that has the reminder too. Otherwise the publish
    may have been a mistake, so the reminder waits for the announcement. If the occurrence begins
    before that, the reminder does not wait, and its message describes the published revision.
    """
    events = load_events(connection, uids=sorted({row.uid for row in rows}))
    published = {event.uid: event for event in events}
    unannounced = announcements.load_pending_announcements(connection, sorted(published))
    announced_at = {event.uid: event.due for event in unannounced}
    missing = {row.uid for row in rows} - published.keys()
    unreadable = find_unreadable_events(connection, sorted(missing))
    due = _DueReminders()
    for row in rows:
        if row.uid in unreadable:
            due.delayed[row.key] = now + _UNREADABLE_DELAY
            continue
        event = published.get(row.uid)
        reminder = _find_reminder(event.revision, row) if event else None
        if event is None or reminder is None:
            due.withdrawn.append(row.key)
            continue
        if reminder.due > now + FIRE_AHEAD:
            due.shifted.append(reminder)
            continue
        announced = _find_reminder(event.announced, row) if event.waiting else reminder
        if announced is not None and event.announced is not None:
            due.sendable.append(_SendableReminder(announced, event.announced))
        elif reminder.occurrence.begins <= announced_at[row.uid]:
            due.sendable.append(_SendableReminder(reminder, event.revision))
        else:
            due.delayed[row.key] = max(announced_at[row.uid], now + _UNANNOUNCED_DELAY)
    return due


def review_plans(database: Database, after: datetime, before: datetime) -> None:
    """Recompute the due times of planned reminders in a period (`after <= due < before`).

    Zone rules may have changed since the reminders were planned.
    """
    while after < before:
        step_end = min(after + _REVIEW_STEP, before)
        with database.read() as connection:
            rows = load_reminders(connection, window=(after, step_end))
            planned = [row for row in rows if row.state is ReminderState.PLANNED]
            uids = sorted({row.uid for row in planned})
            revisions = {row.uid: row.revision for row in load_events(connection, uids=uids)}
        recomputed = [(row, _find_reminder(revisions.get(row.uid), row)) for row in planned]
        shifted = [reminder for row, reminder in recomputed if reminder and reminder.due != row.due]
        if shifted:
            with database.write() as connection:
                schedule_reminders(connection, shifted)
        after = step_end


def fan_out(database: Database, now: datetime) -> bool:
    """Make the next deliveries of messages; False if no message waits for its fan-out."""
    with database.write() as connection:
        return fanout.fan_out(connection, now)


def make_digests(database: Database, now: datetime) -> int:
    """Make the digests that are due; return how many gathered deliveries were settled or postponed.

    Reminders that are no longer relevant expire, and an empty digest is not sent. In an endpoint's
    quiet hours, a digest has only the reminders that would expire before the quiet hours end.
    """
    count = 0
    with database.write() as connection:
        for endpoint_id, options in digests.lock_due_digests(connection, now, _DIGEST_BATCH_SIZE):
            gathered = digests.lock_gathered(connection, endpoint_id, now)
            count += len(gathered)
            expired = [member for member in gathered if member.member.until <= now]
            digests.settle_gathered(connection, expired, DeliveryState.EXPIRED, now)
            relevant = [member for member in gathered if member.member.until > now]
            quiet = options.quiet_until(now)
            if quiet is not None:
                later = [member for member in relevant if member.member.until > quiet]
                digests.postpone(connection, later, quiet)
                relevant = [member for member in relevant if member.member.until <= quiet]
            _add_digests(connection, endpoint_id, relevant, now)
    return count


def _add_digests(
    connection: Connection, endpoint_id: str, gathered: Sequence[digests.Gathered], now: datetime
) -> None:
    by_message = {member.member.message_id: member for member in gathered}
    for entries in split_entries(member.member for member in gathered):
        members = [by_message[entry.message_id] for entry in entries]
        message_id = digest_id(endpoint_id, min(member.due for member in members), entries)
        add_delivery(connection, digest_message(message_id, entries, now), endpoint_id)
        digests.settle_gathered(connection, members, DeliveryState.DIGESTED, now, message_id)


def extend_plans(database: Database, now: datetime) -> int:
    """Plan the reminders that are now within the horizon; return the number of events."""

    def extend(row: Any) -> tuple[list[Reminder], datetime | None]:
        event = Revision.model_validate_json(row.revision).event
        reminders = plan_reminders(event, row.planned_until, now + HORIZON)
        return list(reminders), planned_until(event, now)

    with database.write() as connection:
        return extend_scheduled(connection, now + _EXTEND_BELOW, _BATCH_SIZE, extend)


def retire_events(database: Database, now: datetime) -> int:
    """Stop showing events that were withdrawn 90 days ago; return how many."""
    with database.write_exclusive() as connection:
        marks = load_fingerprints(connection).values()
        retired = [
            mark
            for mark in marks
            if mark.withdrawn_at is not None and mark.withdrawn_at + KEEP_WITHDRAWN <= now
        ]
        if retired:
            summary = f"{count(len(retired), 'event')} withdrawn earlier and no longer shown"
            slugs = {mark.calendar for mark in retired}
            number = add_publish(
                connection,
                now,
                summary,
                [],
                Author(command="calfeed worker"),
                public=visibility.any_public(connection, slugs),
            )
            delete_events(connection, [mark.uid for mark in retired])
            mark_changed(connection, slugs, number, now)
            notify_listeners(connection)
        return len(retired)


def _find_reminder(revision: Revision | None, row: ReminderRow) -> Reminder | None:
    """The reminder of a row, if the event still has it."""
    if revision is None or revision.withdrawn:
        return None
    # New zone rules may have shifted the due time since it was planned.
    window = (row.due - _MAX_ZONE_SHIFT, row.due + _MAX_ZONE_SHIFT)
    candidates = list(plan_reminders(revision.event, *window))
    for reminder in candidates:
        if reminder.key == row.key:
            return reminder
    # New zone rules may also change the wall time of a published instant, and so the reminder's
    # key.
    for reminder in candidates:
        occurrence = reminder.occurrence
        if (occurrence.id, occurrence.begins, str(reminder.rule)) == (
            row.occurrence,
            row.begins,
            row.rule,
        ):
            return replace(reminder, key=row.key)
    return None


def _log_missed(reminder: Reminder, now: datetime) -> None:
    _log.error(
        "missed: %s of %s/%s was due %s ago, and the event has begun",
        reminder.rule,
        reminder.event.calendar,
        reminder.event.slug,
        format_span(now - reminder.due),
    )
