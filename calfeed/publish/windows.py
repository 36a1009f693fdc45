"""The reminders of any window of time, from what is published: for showing and for rehearsing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from calfeed.ical.revision import Revision
from calfeed.publish.apply import page_address
from calfeed.reminders.filters import Filters, Subject
from calfeed.reminders.messages import Message, reminder_message
from calfeed.reminders.plan import Reminder, plan_reminders
from calfeed.store import catalog, outbox
from calfeed.store.database import Database
from calfeed.store.endpoints import Endpoint, list_endpoints


@dataclass(frozen=True)
class Planned:
    """A reminder in a window; `state` is as kept, empty where it was never on the list."""

    reminder: Reminder
    revision: Revision
    state: str
    endpoints: tuple[Endpoint, ...]


def load_window(database: Database, begin: datetime, end: datetime) -> list[Planned]:
    """What fires in `begin <= due < end`, with the endpoints that want it, by due time."""
    with database.read() as connection:
        rows = catalog.load_events(connection)
        states = {
            row.key: row.state for row in outbox.load_reminders(connection, window=(begin, end))
        }
        active = [one for one in list_endpoints(connection) if one.state == "active"]
    found = []
    for row in rows:
        if row.revision.withdrawn:
            continue
        event = row.revision.event
        subject = Subject(
            type="reminder.due",
            calendar=event.calendar,
            event=event.slug,
            categories=event.categories,
        )
        wanting = tuple(one for one in active if one.filters.want(subject))
        for reminder in plan_reminders(event, begin, end):
            state = states.get(reminder.key, "")
            found.append(Planned(reminder, row.revision, state, wanting))
    return sorted(found, key=lambda one: (one.reminder.due, one.reminder.key))


def rehearse(
    found: Iterable[Planned], filters: Filters, base_url: str, now: datetime, name: str
) -> Iterator[tuple[Planned, Message]]:
    """The messages of a rehearsal called `name`: of the reminders found, those that are wanted.

    Their ids are the rehearsal's own, and they are no part of the record of their events.
    """
    for planned in found:
        message = reminder_message(
            planned.reminder,
            planned.revision,
            now,
            page=page_address(base_url, planned.reminder.event),
            rehearsal=name,
        )
        if filters.want(message.subject):
            yield planned, replace(message, uid=None)
