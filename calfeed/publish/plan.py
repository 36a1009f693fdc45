"""The plan of a publish: a value that describes all of its effects."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from calfeed.errors import DefinitionWarning
from calfeed.ical.comparison.changes import EventChange, Kind
from calfeed.ical.occurrences import last_end
from calfeed.model.events import Event, Status
from calfeed.model.site import Site
from calfeed.model.states import ReminderState
from calfeed.publish.compare import NO_REMOVALS, Removals, Rerendering
from calfeed.reminders.messages import Message, change_message
from calfeed.reminders.plan import Reminder, pending_reminders
from calfeed.store.rows import CalendarRow, EventRow, PendingAnnouncement, ReminderRow

HORIZON = timedelta(days=400)
"""How far ahead reminders are planned."""


@dataclass(frozen=True)
class Plan:
    """The effects of a publish.

    `calendars` are new, changed or withdrawn. `rerendered` are events whose bytes may change,
    `retired` are the UIDs of events that leave their feed, `carried` are withdrawn events that move
    to their calendar's new name. `planned` and `withdrawn` are reminders. `announced` are the
    changes that are announced at once, each from the last announced revision, in `messages`;
    `waiting` are the events that are announced later. `warnings` do not prevent a publish. `held`
    are the removals that the publish leaves out. `site` is the new site, None if it does not
    change.
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
    held: Removals = NO_REMOVALS
    site: Site | None = None

    @property
    def empty(self) -> bool:
        """Whether nothing changes, and nothing is announced."""
        published = self.calendars or self.changes or self.rerendered or self.retired
        return not (published or self.carried or self.announced or self.site)

    @cached_property
    def announced_late(self) -> list[EventChange]:
        """The announced changes that include changes of earlier publishes."""
        changes = {change.after.event.uid: change for change in self.changes}
        return [
            change for change in self.announced if changes.get(change.after.event.uid) != change
        ]

    def count(self, *kinds: Kind) -> int:
        """Return the number of changes of these kinds."""
        return sum(change.kind in kinds for change in self.changes)


def plan_change(
    change: EventChange, existing: Sequence[ReminderRow], now: datetime
) -> tuple[list[Reminder], list[ReminderRow]]:
    """Return the reminders that a change plans, and those that it withdraws.

    `existing` are the event's reminders in any state. Reminders that were sent can be withdrawn
    too, which stops their remaining deliveries.
    """
    wanted: list[Reminder] = []
    if change.kind is not Kind.WITHDRAWN:
        wanted = list(pending_reminders(change.after.event, now, HORIZON))
    keys = {reminder.key for reminder in wanted}
    planned = select_unplanned(wanted, existing)
    withdrawn = [
        row
        for row in existing
        if row.key not in keys
        and row.until > now
        and row.state in (ReminderState.PLANNED, ReminderState.SENT)
    ]
    return planned, withdrawn


def plan_messages(
    changes: Sequence[EventChange], now: datetime, base_url: str, languages: Collection[str] = ()
) -> tuple[Message, ...]:
    """Make the messages of changes to events that are not over, with their translations."""
    return tuple(
        change_message(
            change, now, page=page_url(base_url, change.after.event), languages=languages
        )
        for change in changes
        if change.coming and not _withdraws_cancelled(change)
    )


def page_url(base_url: str, event: Event) -> str:
    """The URL of an event's page."""
    return f"{base_url}/calendars/{event.calendar}/{event.slug}/"


def _withdraws_cancelled(change: EventChange) -> bool:
    """Whether a change withdraws an event whose cancellation was announced before."""
    before = change.before
    return (
        change.kind is Kind.WITHDRAWN
        and before is not None
        and before.event.status is Status.CANCELLED
    )


def select_unplanned(wanted: Iterable[Reminder], existing: Iterable[ReminderRow]) -> list[Reminder]:
    """Select the `wanted` reminders that have to be planned.

    `existing` are the event's stored reminders, in any state.
    """
    rows = {row.key: row for row in existing}
    return [reminder for reminder in wanted if _is_unplanned(reminder, rows.get(reminder.key))]


def _is_unplanned(reminder: Reminder, row: ReminderRow | None) -> bool:
    """Whether a reminder has no row, a withdrawn one, or a planned one with another due time."""
    if row is None or row.state in (ReminderState.WITHDRAWN, ReminderState.RECALLED):
        return True
    return row.state is ReminderState.PLANNED and row.due != reminder.due


def planned_until(event: Event, now: datetime) -> datetime | None:
    """Return the time up to which a plan made at `now` has an event's reminders.

    None if the plan has all of them.
    """
    if not event.reminders and not event.day_open:
        return None
    end = last_end(event)
    return now + HORIZON if end is None or end > now + HORIZON else None
