"""The reminders of a period according to the published state, for reports and rehearsals."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial

from calfeed.model.events import Event
from calfeed.model.revision import Revision
from calfeed.model.states import EndpointState
from calfeed.reminders.filters import make_subject
from calfeed.reminders.plan import Reminder, plan_reminders
from calfeed.store.catalog import visibility
from calfeed.store.catalog.events import load_events
from calfeed.store.database import Transactions
from calfeed.store.endpoints.records import Endpoint, list_endpoints
from calfeed.store.outbox.reminders import load_reminders
from calfeed.store.people.followers import Followers


@dataclass(frozen=True)
class Planned:
    """A reminder in a period.

    `state` is the state of the stored reminder, "" if it is not stored. `public` says whether its
    calendar is public. `endpoints` are its receivers, and `people` is how many people get it by
    mail.
    """

    reminder: Reminder
    revision: Revision
    state: str
    public: bool
    endpoints: tuple[Endpoint, ...]
    people: int


def load_window(database: Transactions, begin: datetime, end: datetime) -> list[Planned]:
    """Load the reminders of `begin <= due < end`, by due time, with their receivers."""
    planned = []
    with database.read() as connection:
        rows = load_events(connection)
        states = {row.key: row.state for row in load_reminders(connection, window=(begin, end))}
        endpoints = list_endpoints(connection)
        followers = Followers(connection, "reminder.due")
        is_public = cache(partial(visibility.is_public, connection))
        for row in rows:
            if row.revision.withdrawn:
                continue
            event, public = row.revision.event, is_public(row.calendar)
            receivers = find_receivers(endpoints, event, public)
            people = followers.count(make_subject("reminder.due", event), public)
            for reminder in plan_reminders(event, begin, end):
                state = states.get(reminder.key, "")
                planned.append(Planned(reminder, row.revision, state, public, receivers, people))
    return sorted(planned, key=lambda item: (item.reminder.due, item.reminder.key))


def find_receivers(
    endpoints: Iterable[Endpoint], event: Event, public: bool
) -> tuple[Endpoint, ...]:
    """Return the active endpoints whose filters match the reminders of an event.

    `public` says whether its calendar is public.
    """
    subject = make_subject("reminder.due", event)
    return tuple(
        endpoint
        for endpoint in endpoints
        if endpoint.state is EndpointState.ACTIVE
        and endpoint.filters.allow(public)
        and endpoint.filters.want(subject)
    )
