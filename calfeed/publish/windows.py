"""The reminders of any window of time, from what is published: for showing and for rehearsing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial

from calfeed.model.events import Event
from calfeed.model.revision import Revision
from calfeed.model.states import EndpointState
from calfeed.reminders.messages import make_subject
from calfeed.reminders.plan import Reminder, plan_reminders
from calfeed.store.catalog import visibility
from calfeed.store.catalog.events import load_events
from calfeed.store.database import Transactions
from calfeed.store.endpoints.records import Endpoint, list_endpoints
from calfeed.store.outbox.reminders import load_reminders


@dataclass(frozen=True)
class Planned:
    """A reminder in a window; `state` is as kept, empty where it was never on the list.

    `public` says whether its calendar is, and `endpoints` are those that it goes to.
    """

    reminder: Reminder
    revision: Revision
    state: str
    public: bool
    endpoints: tuple[Endpoint, ...]


def load_window(database: Transactions, begin: datetime, end: datetime) -> list[Planned]:
    """What fires in `begin <= due < end`, with the endpoints that get it, by due time."""
    found = []
    with database.read() as connection:
        rows = load_events(connection)
        states = {row.key: row.state for row in load_reminders(connection, window=(begin, end))}
        endpoints = list_endpoints(connection)
        is_public = cache(partial(visibility.is_public, connection))
        for row in rows:
            if row.revision.withdrawn:
                continue
            event, public = row.revision.event, is_public(row.calendar)
            receivers = find_receivers(endpoints, event, public)
            for reminder in plan_reminders(event, begin, end):
                state = states.get(reminder.key, "")
                found.append(Planned(reminder, row.revision, state, public, receivers))
    return sorted(found, key=lambda one: (one.reminder.due, one.reminder.key))


def find_receivers(
    endpoints: Iterable[Endpoint], event: Event, public: bool
) -> tuple[Endpoint, ...]:
    """Which of these endpoints get the reminders of an event, in a calendar that is public or not.

    Those are active ones, as what is for others is held.
    """
    subject = make_subject("reminder.due", event)
    return tuple(
        one
        for one in endpoints
        if one.state is EndpointState.ACTIVE
        and one.filters.allow(public)
        and one.filters.want(subject)
    )
