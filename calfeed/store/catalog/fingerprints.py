"""Fingerprints of published events: compare definitions without reading whole events."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import Connection, select

from calfeed.store.bulk_parameters import batches
from calfeed.store.rows import EventFingerprint
from calfeed.store.secrets.private import is_readable, load_private_slugs
from calfeed.store.tables import events


def load_fingerprints(
    connection: Connection, unchanged: Collection[str] = (), renderer: int = 0
) -> dict[str, EventFingerprint]:
    """Load the fingerprints of published events whose key exists, by UID.

    Of `unchanged` calendars, only events that are withdrawn or not rendered by this `renderer`.
    """
    columns = (
        events.c.uid,
        events.c.calendar,
        events.c.fingerprint,
        events.c.renderer,
        events.c.withdrawn_at,
    )
    query = select(*columns)
    private = load_private_slugs(connection)
    if private:
        can_be_read = is_readable(connection, events.c.revision)
        query = query.where(events.c.calendar.not_in(private) | can_be_read)
    if unchanged:
        query = query.where(
            events.c.calendar.not_in(unchanged)
            | events.c.withdrawn_at.is_not(None)
            | (events.c.renderer != renderer)
        )
    return {row.uid: EventFingerprint(*row) for row in connection.execute(query)}


def any_published_in(
    connection: Connection, uids: Sequence[str], calendar_slugs: Collection[str]
) -> bool:
    """Whether one of these UIDs belongs to an event of these calendars that is not withdrawn."""
    shown = events.c.calendar.in_(calendar_slugs) & events.c.withdrawn_at.is_(None)
    return any(
        connection.scalar(select(events.c.uid).where(shown, events.c.uid.in_(batch)).limit(1))
        for batch in batches(uids)
    )
