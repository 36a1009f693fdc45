"""The plan of reminders: which are due when, for one event over a window of time."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from calfeed.ical.occurrences import Occurrence, expand
from calfeed.model.events import Event, ReminderRule, Status

GRACE = timedelta(minutes=10)
"""How long a reminder still goes out that is due at, or after, the moment it reminds of."""

_BEHIND = timedelta(days=2)
"""More than passes from the beginning of an occurrence until its reminders are of no use.

That of a date may be due during its day.
"""


@dataclass(frozen=True)
class Reminder:
    """One moment before one occurrence at which people are told.

    `key` is made of the event, the occurrence, its start on the wall clock and the rule: planning
    twice gives the same key, a moved date another. `due` and `until` are UTC; from `until` on it
    is no use any more and counts as missed.
    """

    key: str
    event: Event
    occurrence: Occurrence
    rule: ReminderRule
    due: datetime
    until: datetime


def plan_reminders(event: Event, after: datetime, before: datetime) -> Iterator[Reminder]:
    """The reminders of an event that are due in `after <= due < before` (aware), by due time."""
    for reminder in _find(event, after - _BEHIND, before):
        if reminder.due >= after:
            yield reminder


def pending_reminders(event: Event, now: datetime, horizon: timedelta) -> Iterator[Reminder]:
    """The reminders that ought to be on the list at `now`.

    Those due within the horizon, and those overdue whose occurrence has yet to begin: a publish
    may come after the time at which it should have reminded. Of what is past, none.
    """
    for reminder in _find(event, now - _BEHIND, now + horizon):
        if reminder.until > now:
            yield reminder


def _find(event: Event, begin: datetime, before: datetime) -> list[Reminder]:
    """The reminders due before `before` of the occurrences from `begin` on, by due time."""
    if event.status is Status.CANCELLED or not event.reminders:
        return []
    reach = max(_reach(rule) for rule in event.reminders)
    found = [
        reminder
        for occurrence in expand(event, begin, before + reach)
        if occurrence.status is not Status.CANCELLED
        for rule in event.reminders
        if (reminder := make_reminder(event, occurrence, rule)).due < before
    ]
    return sorted(found, key=lambda reminder: (reminder.due, reminder.key))


def make_reminder(event: Event, occurrence: Occurrence, rule: ReminderRule) -> Reminder:
    """The reminder that a rule gives an occurrence."""
    due = rule.due(occurrence.start, event.zone).astimezone(UTC)
    original = "" if occurrence.original is None else _name_wall(occurrence.original)
    start = _name_wall(occurrence.start)
    name = "\0".join([event.uid, original, start, event.time_zone, rule.key])
    return Reminder(
        key=hashlib.sha256(name.encode()).hexdigest()[:40],
        event=event,
        occurrence=occurrence,
        rule=rule,
        due=due,
        until=relevant_until(event, occurrence, due),
    )


def relevant_until(event: Event, occurrence: Occurrence, due: datetime) -> datetime:
    """Until when a reminder is of use: the occurrence's beginning.

    A date has no hour, so an all-day occurrence counts as begun when its first day is over; and
    what is due at the beginning itself keeps a few minutes' grace.
    """
    begins = occurrence.begins
    if event.all_day:
        midnight = begins.astimezone(event.zone)
        begins = (midnight.replace(tzinfo=None) + timedelta(days=1)).replace(tzinfo=event.zone)
    return max(begins.astimezone(UTC), due + GRACE)


def _name_wall(moment: date | datetime) -> str:
    """A moment on the wall clock: new rules of its zone shift the instant, and not this."""
    if not isinstance(moment, datetime):
        return moment.isoformat()
    return f"{moment.replace(tzinfo=None, fold=0).isoformat()}/{moment.fold}"


def _reach(rule: ReminderRule) -> timedelta:
    span = rule.before
    return timedelta(days=span.months * 31 + span.days + 2, minutes=span.minutes)
