"""Plan the reminders of an event: their keys and due times within a window of time."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from calfeed.ical.occurrences import Occurrence, expand
from calfeed.model.dates.reminder_rules import ReminderRule
from calfeed.model.events import Event, Status

GRACE = timedelta(minutes=10)
"""How long after its due time a reminder is still sent, if the occurrence has begun by then."""

_LOOK_BACK = timedelta(days=2)
"""Longer than from the start of an occurrence to the end of its reminders' relevance.

Reminders of an all-day occurrence may be due during the day.
"""


@dataclass(frozen=True)
class Reminder:
    """A time before an occurrence at which people are notified.

    `key` is derived from the event, the occurrence, its start in wall time and the rule. So
    planning again gives the same key, and a moved date another one. `due` and `until` are UTC;
    from `until` on an unsent reminder counts as missed.
    """

    key: str
    event: Event
    occurrence: Occurrence
    rule: ReminderRule
    due: datetime
    until: datetime


def plan_reminders(event: Event, after: datetime, before: datetime) -> Iterator[Reminder]:
    """Yield the reminders of an event with `after <= due < before` (aware), by due time."""
    for reminder in _list_reminders(event, after - _LOOK_BACK, before):
        if reminder.due >= after:
            yield reminder


def pending_reminders(event: Event, now: datetime, horizon: timedelta) -> Iterator[Reminder]:
    """Yield the reminders that should be planned at `now`: due within the horizon, or relevant.

    An event may be published after the due time of a reminder, and before the occurrence.
    """
    for reminder in _list_reminders(event, now - _LOOK_BACK, now + horizon):
        if reminder.until > now:
            yield reminder


def _list_reminders(event: Event, begin: datetime, before: datetime) -> list[Reminder]:
    """The reminders due before `before` of the occurrences from `begin` on, by due time."""
    if event.silent or not event.reminders:
        return []
    lead = max(_max_lead(rule) for rule in event.reminders)
    reminders = [
        reminder
        for occurrence in expand(event, begin, before + lead)
        if occurrence.status is not Status.CANCELLED
        for rule in event.reminders
        if (reminder := make_reminder(event, occurrence, rule)).due < before
    ]
    return sorted(reminders, key=lambda reminder: (reminder.due, reminder.key))


def make_reminder(event: Event, occurrence: Occurrence, rule: ReminderRule) -> Reminder:
    """Make the reminder of an occurrence by a rule."""
    due = event.find_due(rule, occurrence.start, occurrence.end).astimezone(UTC)
    original = "" if occurrence.original is None else _format_wall_time(occurrence.original)
    start = _format_wall_time(occurrence.start)
    identity = "\0".join([event.uid, original, start, event.time_zone, rule.key])
    return Reminder(
        key=hashlib.sha256(identity.encode()).hexdigest()[:40],
        event=event,
        occurrence=occurrence,
        rule=rule,
        due=due,
        until=relevant_until(event, occurrence, due),
    )


def relevant_until(event: Event, occurrence: Occurrence, due: datetime) -> datetime:
    """Until when a reminder is relevant: the occurrence's start, or `GRACE` after its due time.

    For an all-day occurrence the end of its first day takes the place of the start.
    """
    begins = occurrence.begins
    if event.all_day:
        midnight = begins.astimezone(event.zone)
        begins = (midnight.replace(tzinfo=None) + timedelta(days=1)).replace(tzinfo=event.zone)
    return max(begins.astimezone(UTC), due + GRACE)


def _format_wall_time(moment: date | datetime) -> str:
    """Format a wall time, which new zone rules do not shift."""
    if not isinstance(moment, datetime):
        return moment.isoformat()
    return f"{moment.replace(tzinfo=None, fold=0).isoformat()}/{moment.fold}"


def _max_lead(rule: ReminderRule) -> timedelta:
    """An upper bound of the time from a reminder to its occurrence."""
    span = rule.before
    return timedelta(days=span.months * 31 + span.days + 2, minutes=span.minutes)
