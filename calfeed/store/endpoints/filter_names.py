"""What a filter names, beside what there is."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection

from calfeed.reminders.filters import MESSAGE_TYPES, Filters
from calfeed.store.catalog import catalog


class Slip(NamedTuple):
    """An entry of a filter that nothing can ever pass: in which list, at which place, and why."""

    name: str
    place: int
    message: str


def find_slips(connection: Connection, filters: Filters) -> list[Slip]:
    """What in a filter names no calendar, no event and no type of message that there is."""
    calendars = catalog.load_calendars(connection)
    known = {
        f"{row.calendar}/{row.slug}"
        for row in (catalog.load_events(connection) if filters.events else [])
    }
    found = [
        Slip(
            "calendars",
            place,
            f'there is no calendar "{slug}"; there are {", ".join(calendars) or "none yet"}',
        )
        for place, slug in enumerate(filters.calendars)
        if slug not in calendars
    ]
    found += [
        Slip(
            "types",
            place,
            f'"{name}" is not a message type; there are {", ".join(MESSAGE_TYPES)}',
        )
        for place, name in enumerate(filters.types)
        if name not in MESSAGE_TYPES
    ]
    return found + [
        Slip("events", place, f'there is no event "{name}"; write it as CALENDAR/EVENT')
        for place, name in enumerate(filters.events)
        if name not in known
    ]
