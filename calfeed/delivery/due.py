"""What time brings about: due reminders become messages, messages become deliveries."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from calfeed.counting import count
from calfeed.model.revision import Revision
from calfeed.model.states import DeliveryState, ReminderState
from calfeed.publish.compare import KEPT
from calfeed.publish.plan import HORIZON, page_address, planned_until
from calfeed.reminders.digests import digest_message, name_digest, split
from calfeed.reminders.messages import LATE, format_span, reminder_message
from calfeed.reminders.plan import GRACE, Reminder, plan_reminders
from calfeed.store.catalog import announcements, visibility
from calfeed.store.catalog.calendars import touch_calendars
from calfeed.store.catalog.events import delete_events, find_unreadable_events, load_events
from calfeed.store.catalog.fingerprints import load_fingerprints
from calfeed.store.catalog.publishes import Author, add_publish
from calfeed.store.database import Connection, Database
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

_log = logging.getLogger(__name__)

_BATCH = 200
_DIGESTS = 20
_EXTEND_BELOW = HORIZON / 2
_SHIFT = timedelta(days=2)
_SLICE = timedelta(hours=6)

AHEAD = timedelta(milliseconds=500)
"""How long before it is due a reminder is made ready, so that it can leave at that very moment.

Shorter than a second, in which alone two due times can differ."""

_LOOK_AGAIN = timedelta(seconds=1)
_LOST = timedelta(minutes=1)  # how long an event that cannot be read waits for its key
"""When to look again whether an event is announced that should be."""

REVIEWED = timedelta(days=3)
"""How far ahead due times are looked at again: further than new rules of a zone shift them."""

A_SECOND = 50
"""How many late reminders a worker sends in a second."""

_FLOOD = timedelta(hours=1)
"""Over how long it is spread at the most."""


class Pace:
    """Spreads what is late over time, so that nobody is flooded after a time of rest.

    Each worker has its own. What was late together goes out over an hour at the longest.
    """

    def __init__(self) -> None:
        self._next = datetime.min.replace(tzinfo=UTC)

    def take_turn(self, now: datetime, until: datetime) -> datetime | None:
        """From when on something late may be sent; None: at once, because it cannot wait."""
        # What lies further ahead is a clock that was put back, or more than an hour's worth.
        turn = self._next if now <= self._next <= now + _FLOOD else now
        self._next = turn + timedelta(seconds=1) / A_SECOND
        return turn if turn + GRACE < until else None


class _Ripe(NamedTuple):
    """A reminder whose time has come, and the revision of its event that it tells of."""

    reminder: Reminder
    revision: Revision


@dataclass
class _Sorted:
    """What becomes of reminders that are due, before anything is done about it.

    `put_off` have another due time now; `held` are not sent before a moment, by key.
    """

    ripe: list[_Ripe] = field(default_factory=list)
    put_off: list[Reminder] = field(default_factory=list)
    held: dict[str, datetime] = field(default_factory=dict)
    withdrawn: list[str] = field(default_factory=list)


def fire_due(database: Database, now: datetime, base_url: str, pace: Pace) -> int:
    """Make messages of the reminders that are due, in one transaction; return how many were due.

    Those due within `AHEAD` are among them: their messages are sent when they are due. Of those of
    one occurrence, the nearest to it is sent, and the others are recorded as collapsed. One whose
    occurrence has begun is recorded as missed. The event is looked at again: what its definition
    no longer asks for is withdrawn, what new rules of its zone have put off stays on the list, and
    so does what was not announced yet.
    """
    with database.write() as connection:
        rows = lock_due_reminders(connection, now + AHEAD, _BATCH)
        if not rows:
            return 0
        found = _sort_out(connection, rows, now)
        settled: dict[ReminderState, list[str]] = {
            ReminderState.SENT: [],
            ReminderState.COLLAPSED: [],
            ReminderState.MISSED: [],
            ReminderState.WITHDRAWN: found.withdrawn,
        }
        together: dict[tuple[str, str, datetime], list[_Ripe]] = {}
        for one in found.ripe:
            occurrence = one.reminder.occurrence
            place = (one.reminder.event.uid, occurrence.id, occurrence.begins)
            together.setdefault(place, []).append(one)
        sent: list[_Ripe] = []
        for group in together.values():
            *others, nearest = sorted(group, key=lambda one: (one.reminder.due, one.reminder.key))
            if nearest.reminder.until > now:
                sent.append(nearest)
                settled[ReminderState.COLLAPSED] += [one.reminder.key for one in others]
            else:
                for one in group:
                    _report_missed(one.reminder, now)
                settled[ReminderState.MISSED] += [one.reminder.key for one in group]
        # What matters the shortest has the first turns.
        sent.sort(key=lambda one: one.reminder.until)
        settled[ReminderState.SENT] = [one.reminder.key for one in sent]
        messages = []
        for reminder, revision in sent:
            page = page_address(base_url, reminder.event)
            at = max(now, reminder.due)
            message = reminder_message(reminder, revision, at, page=page)
            late = now - reminder.due > LATE
            turn = pace.take_turn(now, reminder.until) if late else None
            messages.append(replace(message, send_from=at if at > now else turn))
        add_messages(connection, messages, reminder_keys=settled[ReminderState.SENT])
        schedule_reminders(connection, found.put_off)
        announcements.delay_reminders(connection, found.held)
        moment = max([now, *(one.reminder.due for one in sent)])
        for state, keys in settled.items():
            settle_reminders(connection, keys, state, moment)
        return len(rows)


def _sort_out(connection: Connection, rows: Sequence[ReminderRow], now: datetime) -> _Sorted:
    """Look at the events of reminders that are due again, as published and as announced.

    A reminder that goes for the announced revision too tells of that one. Another one waits until
    its event is announced, unless its occurrence begins before: it may be a slip.
    """
    events = load_events(connection, uids=sorted({row.uid for row in rows}))
    published = {event.uid: event for event in events}
    waiting = announcements.load_pending_announcements(connection, sorted(published))
    announced_at = {one.uid: one.due for one in waiting}
    lost = find_unreadable_events(connection, sorted({row.uid for row in rows} - published.keys()))
    found = _Sorted()
    for row in rows:
        if row.uid in lost:
            found.held[row.key] = now + _LOST
            continue
        event = published.get(row.uid)
        reminder = _find(event.revision, row) if event else None
        if event is None or reminder is None:
            found.withdrawn.append(row.key)
            continue
        if reminder.due > now + AHEAD:
            found.put_off.append(reminder)
            continue
        told = _find(event.announced, row) if event.waiting else reminder
        if told is not None and event.announced is not None:
            found.ripe.append(_Ripe(told, event.announced))
        elif reminder.occurrence.begins <= announced_at[row.uid]:
            found.ripe.append(_Ripe(reminder, event.revision))
        else:
            found.held[row.key] = max(announced_at[row.uid], now + _LOOK_AGAIN)
    return found


def review_plans(database: Database, after: datetime, before: datetime) -> None:
    """Work out anew when reminders are due of those due in a window (`after <= due < before`).

    New rules of their zones can have changed that since they were planned.
    """
    while after < before:
        step = min(after + _SLICE, before)
        with database.read() as connection:
            rows = load_reminders(connection, window=(after, step))
            planned = [row for row in rows if row.state is ReminderState.PLANNED]
            uids = sorted({row.uid for row in planned})
            revisions = {row.uid: row.revision for row in load_events(connection, uids=uids)}
        found = [(row, _find(revisions.get(row.uid), row)) for row in planned]
        shifted = [one for row, one in found if one is not None and one.due != row.due]
        if shifted:
            with database.write() as connection:
                schedule_reminders(connection, shifted)
        after = step


def fan_out(database: Database, now: datetime) -> bool:
    """Make the next deliveries of messages; False where no message waits."""
    with database.write() as connection:
        return fanout.fan_out(connection, now)


def make_digests(database: Database, now: datetime) -> int:
    """Tell what was gathered and is to be told by now; return how many deliveries that were.

    What no longer matters is not in a digest, and a digest with nothing in it is not sent. In an
    endpoint's quiet hours only what cannot wait for their end is told.
    """
    count = 0
    with database.write() as connection:
        for endpoint_id, options in digests.lock_due_digests(connection, now, _DIGESTS):
            gathered = digests.lock_gathered(connection, endpoint_id, now)
            count += len(gathered)
            expired = [one for one in gathered if one.member.until <= now]
            digests.settle_gathered(connection, expired, DeliveryState.EXPIRED, now)
            wanted = [one for one in gathered if one.member.until > now]
            quiet = options.quiet_until(now)
            if quiet is not None:
                digests.postpone(
                    connection, [one for one in wanted if one.member.until > quiet], quiet
                )
                wanted = [one for one in wanted if one.member.until <= quiet]
            _tell(connection, endpoint_id, wanted, now)
    return count


def _tell(
    connection: Connection, endpoint_id: str, wanted: Sequence[digests.Gathered], now: datetime
) -> None:
    by_message = {one.member.message_id: one for one in wanted}
    for part in split(one.member for one in wanted):
        members = [by_message[told.message_id] for told in part]
        name = name_digest(endpoint_id, min(one.due for one in members), part)
        add_delivery(connection, digest_message(name, part, now), endpoint_id)
        digests.settle_gathered(connection, members, DeliveryState.DIGESTED, now, name)


def extend_plans(database: Database, now: datetime) -> int:
    """Put the reminders of the coming year on the list that came within the horizon."""

    def extend(row: Any) -> tuple[list[Reminder], datetime | None]:
        event = Revision.model_validate_json(row.revision).event
        found = plan_reminders(event, row.planned_until, now + HORIZON)
        return list(found), planned_until(event, now)

    with database.write() as connection:
        return extend_scheduled(connection, now + _EXTEND_BELOW, _BATCH, extend)


def retire_events(database: Database, now: datetime) -> int:
    """Stop showing events that were withdrawn 90 days ago; returns how many."""
    with database.write_exclusive() as connection:
        marks = load_fingerprints(connection).values()
        retired = [
            mark
            for mark in marks
            if mark.withdrawn_at is not None and mark.withdrawn_at + KEPT <= now
        ]
        if retired:
            summary = f"{count(len(retired), 'event')} withdrawn before no longer shown"
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
            touch_calendars(connection, slugs, number)
            notify_listeners(connection)
        return len(retired)


def _find(revision: Revision | None, row: ReminderRow) -> Reminder | None:
    """The reminder of a row, if the event still asks for it."""
    if revision is None or revision.withdrawn:
        return None
    # New rules of the zone may have shifted its due time since it was planned.
    near = list(plan_reminders(revision.event, row.due - _SHIFT, row.due + _SHIFT))
    for reminder in near:
        if reminder.key == row.key:
            return reminder
    # They may also have given the published instant another wall time, and so another key.
    for reminder in near:
        occurrence = reminder.occurrence
        if (occurrence.id, occurrence.begins, str(reminder.rule)) == (
            row.occurrence,
            row.begins,
            row.rule,
        ):
            return replace(reminder, key=row.key)
    return None


def _report_missed(reminder: Reminder, now: datetime) -> None:
    _log.error(
        "missed: %s of %s/%s was due %s ago, and the time it reminds of has come",
        reminder.rule,
        reminder.event.calendar,
        reminder.event.slug,
        format_span(now - reminder.due),
    )
