"""The plan of a publish: one value that says everything it would do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from calfeed.errors import DefinitionWarning
from calfeed.ical.changes import EventChange, Kind
from calfeed.ical.occurrences import last_end
from calfeed.model.events import Event, Status
from calfeed.model.states import ReminderState
from calfeed.publish.compare import NOTHING, Removals, Rerendering
from calfeed.reminders.messages import Message, change_message
from calfeed.reminders.plan import Reminder, pending_reminders
from calfeed.store.rows import CalendarRow, EventRow, PendingAnnouncement, ReminderRow

HORIZON = timedelta(days=400)
"""How far ahead reminders are put on the list."""


@dataclass(frozen=True)
class Plan:
    """What a publish does.

    `calendars` are new, changed or withdrawn; `rerendered` are events that say the same in other
    bytes, `retired` the UIDs that are no longer shown, `carried` withdrawn events that are shown
    in their calendar under its new name; `planned` and `withdrawn` are reminders. `announced` are
    the changes that people are told of now, each from what was announced last, and `messages` tell
    of them; `waiting` are the events that are announced later. `warnings` are those of the
    definitions and of the changes; they prevent nothing. `held` is what it leaves as it is for now.
    """

    calendars: tuple[CalendarRow, ...] = ()
    changes: tuple[EventChange, ...] = ()
    rerendered: tuple[Rerendering, ...] = ()
    carried: tuple[EventRow, ...] = ()
    retired: tuple[str, ...] = ()
    planned: tuple[Reminder, ...] = ()
    withdrawn: tuple[ReminderRow, ...] = ()
    announced: tuple[EventChange, ...] = ()
    messages: tuple[Message, ...] = ()
    waiting: tuple[PendingAnnouncement, ...] = ()
    warnings: tuple[DefinitionWarning, ...] = ()
    held: Removals = NOTHING

    @property
    def empty(self) -> bool:
        """Whether everything is as published already, and nothing is to be announced."""
        published = self.calendars or self.changes or self.rerendered or self.retired
        return not (published or self.carried or self.announced)

    @cached_property
    def announced_late(self) -> list[EventChange]:
        """What is announced that is not what this publish changes, or not alone."""
        changes = {change.after.event.uid: change for change in self.changes}
        return [one for one in self.announced if changes.get(one.after.event.uid) != one]

    def count(self, *kinds: Kind) -> int:
        """How many events change in one of these ways."""
        return sum(change.kind in kinds for change in self.changes)


def plan_change(
    change: EventChange, kept: Sequence[ReminderRow], now: datetime
) -> tuple[list[Reminder], list[ReminderRow]]:
    """The reminders that a change puts on the list, and those it takes off.

    `kept` are the event's reminders there are, whatever their state. Those that were sent and
    are no longer right are among the withdrawn: what is not delivered of them yet is stopped.
    """
    wanted: list[Reminder] = []
    if change.kind is not Kind.WITHDRAWN:
        wanted = list(pending_reminders(change.after.event, now, HORIZON))
    keys = {reminder.key for reminder in wanted}
    planned = find_open(wanted, kept)
    withdrawn = [
        row
        for row in kept
        if row.key not in keys
        and row.until > now
        and row.state in (ReminderState.PLANNED, ReminderState.SENT)
    ]
    return planned, withdrawn


def plan_messages(
    changes: Sequence[EventChange], now: datetime, base_url: str
) -> tuple[Message, ...]:
    """The messages that tell of changes to events that are not over."""
    return tuple(
        change_message(change, now, page=page_address(base_url, change.after.event))
        for change in changes
        if change.coming and not _is_told(change)
    )


def page_address(base_url: str, event: Event) -> str:
    """Where an event's page is."""
    return f"{base_url}/calendars/{event.calendar}/{event.slug}/"


def _is_told(change: EventChange) -> bool:
    """Whether a withdrawn event was called off before, which everybody has heard."""
    before = change.before
    return (
        change.kind is Kind.WITHDRAWN
        and before is not None
        and before.event.status is Status.CANCELLED
    )


def find_open(wanted: Iterable[Reminder], kept: Iterable[ReminderRow]) -> list[Reminder]:
    """Those of the reminders that an event wants that are to be put on the list.

    `kept` are the event's reminders there are, whatever their state.
    """
    rows = {row.key: row for row in kept}
    return [one for one in wanted if _is_open(one, rows.get(one.key))]


def _is_open(reminder: Reminder, kept: ReminderRow | None) -> bool:
    """Whether a reminder is not on the list yet, or no longer, or with another due time."""
    if kept is None or kept.state in (ReminderState.WITHDRAWN, ReminderState.RECALLED):
        return True
    return kept.state is ReminderState.PLANNED and kept.due != reminder.due


def planned_until(event: Event, now: datetime) -> datetime | None:
    """Up to when an event's reminders are planned at `now`; None where that is all of them."""
    if not event.reminders:
        return None
    end = last_end(event)
    return now + HORIZON if end is None or end > now + HORIZON else None
