"""Plan the reminders of an event: their keys and due times within a period."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from calfeed.ical.occurrences import Occurrence, expand
from calfeed.model.dates.durations import Duration
from calfeed.model.dates.reminder_rules import DEFAULT_REMINDER_TIME, ReminderRule
from calfeed.model.dates.working_days import max_distance
from calfeed.model.events import Event, Status, length_of

GRACE = timedelta(minutes=10)
"""How long after its due time a reminder is still sent, even if the occurrence has begun."""

ASK_RULE = ReminderRule(before=Duration(days=60), at=DEFAULT_REMINDER_TIME)
"""When the operator is asked for an open date: 60 days before the first possible day, at 09:00."""

_ALL_TIME = datetime(1, 1, 3, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)

_LOOK_BACK = timedelta(days=2)
"""An upper bound of how long after the start of an occurrence its reminders are relevant.

Reminders of an all-day occurrence may be due during the day.
"""


@dataclass(frozen=True)
class Reminder:
    """A time before an occurrence at which people are notified.

    `key` is derived from the event, the occurrence, its start in wall time and the rule. So
    planning again gives the same key, and a moved date gives another key. `due` and `until` are
    UTC; an unsent reminder counts as missed from `until` on.
    """

    key: str
    event: Event
    occurrence: Occurrence
    rule: ReminderRule
    due: datetime
    until: datetime

    @property
    def asks(self) -> bool:
        """Whether it asks the operator for a date instead of reminding people of one."""
        return self.event.day_open


def plan_reminders(event: Event, after: datetime, before: datetime) -> Iterator[Reminder]:
    """Yield the reminders of an event with `after <= due < before` (aware), by due time."""
    for reminder in _list_reminders(event, after - _LOOK_BACK, before):
        if reminder.due >= after:
            yield reminder


def pending_reminders(event: Event, now: datetime, horizon: timedelta) -> Iterator[Reminder]:
    """Yield the reminders to plan at `now`: due before `now + horizon`, and still relevant.

    These include overdue reminders, because an event may be published after the due time of a
    reminder but before the occurrence.
    """
    for reminder in _list_reminders(event, now - _LOOK_BACK, now + horizon):
        if reminder.until > now:
            yield reminder


def _list_reminders(event: Event, begin: datetime, before: datetime) -> list[Reminder]:
    """Return reminders due before `before`, of occurrences from `begin` on, by due time."""
    if event.day_open:
        return [each for each in _ask_for_date(event) if begin <= each.due < before]
    if event.silent or not event.reminders:
        return []
    lead = max(_max_lead(rule) for rule in event.reminders)
    if any(rule.of_end for rule in event.reminders):
        begin -= _max_length(event)
    reminders = [
        reminder
        for occurrence in expand(event, begin, before + lead)
        if occurrence.status is not Status.CANCELLED
        for rule in event.reminders
        if (reminder := make_reminder(event, occurrence, rule)).due < before
    ]
    return sorted(reminders, key=lambda reminder: (reminder.due, reminder.key))


def _ask_for_date(event: Event) -> Iterator[Reminder]:
    """Yield the reminder that asks for the date of an event whose day is open.

    The reminder is due before the first possible day, and relevant until the end of the last one.
    """
    if event.status is Status.CANCELLED or event.on_hold is not None or event.done is not None:
        return
    for occurrence in expand(event, *_ALL_TIME):
        reminder = make_reminder(event, occurrence, ASK_RULE)
        yield replace(reminder, until=max(reminder.until, occurrence.ends))


def make_reminder(event: Event, occurrence: Occurrence, rule: ReminderRule) -> Reminder:
    """Make the reminder of an occurrence by a rule."""
    due = event.find_due(rule, occurrence.start, occurrence.end).astimezone(UTC)
    original = "" if occurrence.original is None else _format_wall_time(occurrence.original)
    start = _format_wall_time(occurrence.start)
    # The mark makes another key: once the day is known, the same rule is another reminder.
    key = f"{rule.key}?" if event.day_open else rule.key
    identity = "\0".join([event.uid, original, start, event.time_zone, key])
    return Reminder(
        key=hashlib.sha256(identity.encode()).hexdigest()[:40],
        event=event,
        occurrence=occurrence,
        rule=rule,
        due=due,
        until=relevant_until(event, occurrence, due),
    )


def relevant_until(event: Event, occurrence: Occurrence, due: datetime) -> datetime:
    """Return until when a reminder is relevant.

    This is the start of the occurrence (for an all-day occurrence, the end of its first day), or
    `GRACE` after the due time if that is later.
    """
    begins = occurrence.begins
    if event.all_day:
        midnight = begins.astimezone(event.zone)
        begins = (midnight.replace(tzinfo=None) + timedelta(days=1)).replace(tzinfo=event.zone)
    return max(begins.astimezone(UTC), due + GRACE)


def _format_wall_time(moment: date | datetime) -> str:
    """Format a moment as a wall time, which new zone rules do not change."""
    if not isinstance(moment, datetime):
        return moment.isoformat()
    return f"{moment.replace(tzinfo=None, fold=0).isoformat()}/{moment.fold}"


def _max_lead(rule: ReminderRule) -> timedelta:
    """An upper bound of the time from a reminder to its occurrence."""
    span = rule.before
    if rule.working:
        return max_distance(rule.working) + timedelta(days=2)
    return timedelta(days=span.months * 31 + span.days + 2, minutes=span.minutes)


def _max_length(event: Event) -> timedelta:
    """An upper bound of the time from the start of an occurrence to its end."""
    changes = event.repeat.changes if event.repeat else ()
    own = [
        event.instant(change.end) - event.instant(change.start or change.original)
        for change in changes
        if change.end is not None
    ]
    return max([length_of(event), *own]) + timedelta(days=2)
