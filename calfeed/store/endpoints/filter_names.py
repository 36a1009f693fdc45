"""Validate the calendars and events that a filter names."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, select

from calfeed.errors import Fault
from calfeed.reminders.filters import Filters
from calfeed.store.catalog import visibility
from calfeed.store.catalog.calendars import load_calendars
from calfeed.store.tables import events


def find_unknown_names(connection: Connection, filters: Filters) -> Iterator[Fault]:
    """Yield a fault for each name in a filter that is not the name of a calendar or an event.

    With `public_only`, private and withdrawn calendars count as unknown.
    """
    calendars = load_calendars(connection)
    known = select(events.c.calendar, events.c.slug)
    if filters.public_only:
        calendars = {
            slug: row
            for slug, row in calendars.items()
            if not row.withdrawn and visibility.is_public(connection, slug)
        }
    existing = ", ".join(calendars) or "none yet"
    for index, slug in enumerate(filters.calendars):
        if slug not in calendars:
            message = f'there is no calendar "{slug}"; there are {existing}'
            yield Fault(f"filters/calendars/{index}", message)
    if not filters.events:
        return
    names = {f"{row.calendar}/{row.slug}" for row in connection.execute(known)}
    for index, name in enumerate(filters.events):
        if name not in names or name.partition("/")[0] not in calendars:
            message = f'there is no event "{name}"; write it as CALENDAR/EVENT'
            yield Fault(f"filters/events/{index}", message)
