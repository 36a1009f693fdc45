"""The names that events of public calendars ever had: subscriptions by a former name stay valid.

A name stays when its event is renamed or removed, and when its calendar becomes private.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy import Connection, select

from calfeed.model.events import Event
from calfeed.store.tables import event_names, events
from calfeed.store.upsert import upsert


def add_event_names(
    connection: Connection, published: Iterable[Event], private: Collection[str]
) -> None:
    """Record the names of published events, except those in private calendars."""
    values = {
        (event.calendar, event.slug): {
            "calendar": event.calendar,
            "slug": event.slug,
            "uid": event.uid,
        }
        for event in published
        if event.calendar not in private
    }
    if values:
        connection.execute(upsert(connection, event_names), list(values.values()))


def add_names_of(connection: Connection, calendars: Collection[str]) -> None:
    """Record the names of all present events of calendars that have become public."""
    query = select(events.c.calendar, events.c.slug, events.c.uid).where(
        events.c.calendar.in_(sorted(calendars))
    )
    values = [row._asdict() for row in connection.execute(query)] if calendars else []
    if values:
        connection.execute(upsert(connection, event_names), values)


def load_former_event_names(connection: Connection) -> dict[tuple[str, str], str]:
    """Load the former names (calendar and slug) that no event has now.

    The value is the UID of the event that had the name last. The calendar in a key is the name that
    the calendar had then; it may be private or withdrawn now.
    """
    present = select(events.c.uid).where(
        events.c.calendar == event_names.c.calendar, events.c.slug == event_names.c.slug
    )
    query = select(event_names).where(~present.exists())
    return {(row.calendar, row.slug): row.uid for row in connection.execute(query)}


def load_once_public(connection: Connection) -> frozenset[str]:
    """Load the names of calendars that ever had a public event, as they were named at that time."""
    return frozenset(connection.scalars(select(event_names.c.calendar).distinct()))
