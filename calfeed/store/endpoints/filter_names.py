"""What a filter names, beside what there is."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, select

from calfeed.errors import Fault
from calfeed.reminders.filters import Filters
from calfeed.store.catalog import catalog, visibility
from calfeed.store.tables import events


def find_slips(connection: Connection, filters: Filters) -> Iterator[Fault]:
    """What in a filter names no calendar and no event that there is, so that nothing can pass it.

    With `public_only` what is private or withdrawn is not told from what is not there.
    """
    calendars = catalog.load_calendars(connection)
    known = select(events.c.calendar, events.c.slug)
    if filters.public_only:
        calendars = {
            slug: row
            for slug, row in calendars.items()
            if not row.withdrawn and visibility.is_public(connection, slug)
        }
    there = ", ".join(calendars) or "none yet"
    for place, slug in enumerate(filters.calendars):
        if slug not in calendars:
            words = f'there is no calendar "{slug}"; there are {there}'
            yield Fault(f"filters/calendars/{place}", words)
    if not filters.events:
        return
    names = {f"{row.calendar}/{row.slug}" for row in connection.execute(known)}
    for place, name in enumerate(filters.events):
        if name not in names or name.partition("/")[0] not in calendars:
            words = f'there is no event "{name}"; write it as CALENDAR/EVENT'
            yield Fault(f"filters/events/{place}", words)
