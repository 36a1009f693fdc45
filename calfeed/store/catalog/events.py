"""Published events with all their renderings, and their fingerprints for comparisons."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, delete, func, select

from calfeed.ical.variants import PLAIN, Variant
from calfeed.model.revision import Revision
from calfeed.store.bulk_parameters import batches
from calfeed.store.catalog.announcements import load_announced_bases, load_pending_announcements
from calfeed.store.rows import EventFingerprint, EventRow
from calfeed.store.secrets.private import is_readable, load_private_slugs, seal_rows
from calfeed.store.secrets.private_columns import plain_size
from calfeed.store.tables import events, renderings
from calfeed.store.upsert import upsert


def load_events(
    connection: Connection,
    *,
    uids: Sequence[str] | None = None,
    calendar_slugs: Sequence[str] | None = None,
) -> list[EventRow]:
    """Load published events, ordered by calendar and slug, except those whose key is missing."""
    query = select(events).order_by(events.c.calendar, events.c.slug, events.c.uid)
    if calendar_slugs is not None:
        query = query.where(events.c.calendar.in_(calendar_slugs))
    if uids is None:
        queries = [query]
    else:
        queries = [query.where(events.c.uid.in_(batch)) for batch in batches(uids)]
    loaded = []
    for part in queries:
        variants = _load_renderings(connection, part)
        loaded += [
            _to_event(row, variants.get(row.uid, {}))
            for row in connection.execute(part)
            if row.revision is not None and row.vevent is not None
        ]
    return _add_pending_announcements(connection, loaded)


def find_published(connection: Connection, calendar: str, slug: str) -> Revision | None:
    """Return the published revision of an event, None if there is none or it is not readable."""
    query = select(events.c.revision).where(events.c.calendar == calendar, events.c.slug == slug)
    text = connection.scalar(query)
    return None if text is None else Revision.model_validate_json(text)


def find_unreadable_events(connection: Connection, uids: Sequence[str]) -> set[str]:
    """Return the UIDs of published events whose key is missing."""
    private = load_private_slugs(connection) if uids else ()
    if not private:
        return set()
    unreadable = ~is_readable(connection, events.c.revision) | ~is_readable(
        connection, events.c.vevent
    )
    is_private = events.c.uid.in_(uids) & events.c.calendar.in_(private)
    return set(connection.scalars(select(events.c.uid).where(is_private, unreadable)))


def _add_pending_announcements(connection: Connection, rows: list[EventRow]) -> list[EventRow]:
    pending = {announcement.uid for announcement in load_pending_announcements(connection)}
    uids = [row.uid for row in rows if row.uid in pending]
    if not uids:
        return rows
    bases = {
        uid: Revision.model_validate_json(text)
        for uid, text in load_announced_bases(connection, uids).items()
    }
    return [
        replace(row, waiting=True, base=bases.get(row.uid)) if row.uid in pending else row
        for row in rows
    ]


def _load_renderings(connection: Connection, query: Any) -> dict[str, dict[Variant, bytes]]:
    """Load the renderings, other than `PLAIN`, of the events that a query selects, by UID."""
    uids = query.with_only_columns(events.c.uid).order_by(None)
    variants: dict[str, dict[Variant, bytes]] = {}
    for row in connection.execute(select(renderings).where(renderings.c.uid.in_(uids))):
        if row.vevent is not None:
            variants.setdefault(row.uid, {})[Variant(row.language, row.marked)] = bytes(row.vevent)
    return variants


def load_sizes_by_year(connection: Connection, calendar: str) -> list[tuple[int, int, int]]:
    """Return (year, number of events, bytes) of a feed, by the year in which events end."""
    query = (
        select(events.c.last_year, func.count(), func.sum(plain_size(events.c.vevent)))
        .where(events.c.calendar == calendar)
        .group_by(events.c.last_year)
    )
    return [(int(year), int(count), int(size)) for year, count, size in connection.execute(query)]


def save_events(connection: Connection, rows: Sequence[EventRow]) -> None:
    """Insert or replace events with all their renderings."""
    values = [
        {
            "uid": row.uid,
            "calendar": row.calendar,
            "slug": row.slug,
            "fingerprint": row.fingerprint,
            "renderer": row.renderer,
            "revision": row.revision.model_dump_json(exclude_defaults=True),
            "vevent": row.vevents[PLAIN],
            "last_year": row.last_year,
            "withdrawn_at": row.withdrawn_at,
        }
        for row in rows
    ]
    if not values:
        return
    private = load_private_slugs(connection)
    owners = [(row.calendar,) for row in rows]
    values = seal_rows(connection, events, values, owners, private)
    connection.execute(upsert(connection, events), values)
    for uids in batches([row.uid for row in rows]):
        connection.execute(delete(renderings).where(renderings.c.uid.in_(uids)))
    others = [
        {
            "uid": row.uid,
            "language": variant.language,
            "marked": variant.marked,
            "vevent": vevent,
        }
        for row in rows
        for variant, vevent in row.vevents.items()
        if variant != PLAIN
    ]
    if others:
        calendar_of = {row.uid: (row.calendar,) for row in rows}
        owners = [calendar_of[str(rendering["uid"])] for rendering in others]
        sealed = seal_rows(connection, renderings, others, owners, private)
        connection.execute(renderings.insert(), sealed)


def delete_events(connection: Connection, uids: Sequence[str]) -> None:
    """Delete withdrawn events. Their revisions stay in the ledger, so that SEQUENCE continues."""
    connection.execute(delete(events).where(events.c.uid.in_(uids)))


def _to_event(row: Any, variants: Mapping[Variant, bytes]) -> EventRow:
    return EventRow(
        uid=row.uid,
        calendar=row.calendar,
        slug=row.slug,
        fingerprint=row.fingerprint,
        renderer=row.renderer,
        revision=Revision.model_validate_json(row.revision),
        vevents={PLAIN: bytes(row.vevent), **variants},
        last_year=row.last_year,
        withdrawn_at=row.withdrawn_at,
    )


def load_fingerprints(
    connection: Connection, unchanged: Collection[str] = (), renderer: int = 0
) -> dict[str, EventFingerprint]:
    """Load the fingerprints of published events whose key exists, by UID.

    From `unchanged` calendars, only events that are withdrawn, or that were not rendered by this
    `renderer`, are loaded.
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
