"""What is published, in brief: enough to compare definitions with, without reading it all."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import Connection, select

from calfeed.store.rows import EventMark
from calfeed.store.secrets.private import find_private, readable
from calfeed.store.tables import events


def load_marks(
    connection: Connection, unchanged: Collection[str] = (), renderer: int = 0
) -> dict[str, EventMark]:
    """What is published and can be read, in brief, by UID.

    Of calendars that are `unchanged` only what is withdrawn, or not from this `renderer`.
    """
    columns = (
        events.c.uid,
        events.c.calendar,
        events.c.fingerprint,
        events.c.renderer,
        events.c.withdrawn_at,
    )
    query = select(*columns)
    private = find_private(connection)
    if private:
        can_be_read = readable(connection, events.c.revision)
        query = query.where(events.c.calendar.not_in(private) | can_be_read)
    if unchanged:
        query = query.where(
            events.c.calendar.not_in(unchanged)
            | events.c.withdrawn_at.is_not(None)
            | (events.c.renderer != renderer)
        )
    return {row.uid: EventMark(*row) for row in connection.execute(query)}


def any_in(connection: Connection, uids: Sequence[str], calendar_slugs: Collection[str]) -> bool:
    """Whether one of these UIDs is that of an event of these calendars that is not withdrawn."""
    shown = events.c.calendar.in_(calendar_slugs) & events.c.withdrawn_at.is_(None)
    return any(
        connection.scalar(
            select(events.c.uid).where(shown, events.c.uid.in_(uids[index : index + 500])).limit(1)
        )
        for index in range(0, len(uids), 500)
    )
