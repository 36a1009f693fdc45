"""The catalog: what is published, by calendar and event, with the ledger of revisions."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, func, select

from calfeed.ical.changes import Kind
from calfeed.ical.variants import PLAIN, Variant
from calfeed.model.revision import ComparableRevision, Revision, read_comparable
from calfeed.store.catalog.announcements import load_bases, load_waiting
from calfeed.store.catalog.publishes import UNKNOWN, Author
from calfeed.store.rows import CalendarRow, EventRow, RevisionRow
from calfeed.store.secrets.private import find_private, readable, seal_rows
from calfeed.store.secrets.private_columns import plain_size
from calfeed.store.tables import calendars, categories, events, publishes, renderings, revisions
from calfeed.store.upsert import upsert

RENDERED = "rendered"
"""The kind of a ledger entry by which an event says the same in other bytes: no change of it."""


def latest_publish(connection: Connection) -> int:
    """The number of the last publish; 0 before the first."""
    return int(connection.scalar(select(func.max(publishes.c.id))) or 0)


def load_publish_times(connection: Connection) -> dict[int, datetime]:
    """When the publishes were that calendars were last changed in, by number."""
    used = select(calendars.c.publish_id)
    query = select(publishes.c.id, publishes.c.at).where(publishes.c.id.in_(used))
    return {row.id: row.at for row in connection.execute(query)}


def last_public_change(connection: Connection) -> datetime | None:
    """When a publish last changed something that anybody may see; None where none ever did."""
    query = select(publishes.c.at).where(publishes.c.public).order_by(publishes.c.id.desc())
    return connection.scalar(query.limit(1))


def add_publish(
    connection: Connection,
    at: datetime,
    summary: str,
    changes: Any,
    author: Author = UNKNOWN,
    *,
    public: bool = True,
    private: frozenset[str] | None = None,
) -> int:
    """Record a publish, and return its number; `changes` become JSON, each names its `calendar`.

    `public` says whether it changes anything that anybody may see; `private` are the calendars
    that are private from then on, if it changes that.
    """
    values = {
        "at": at,
        "summary": summary,
        "changes": "[]",
        "author": author.name,
        "command": author.command,
        "public": public,
    }
    key = connection.execute(publishes.insert().values(values)).inserted_primary_key
    number = int(key[0]) if key else 0
    if changes:
        row = {"id": number, "changes": json.dumps(changes)}
        owners = {one["calendar"] for one in changes}
        (sealed,) = seal_rows(connection, publishes, [row], [owners], private)
        own = publishes.update().where(publishes.c.id == number)
        connection.execute(own.values(changes=sealed["changes"]))
    return number


def load_calendars(connection: Connection) -> dict[str, CalendarRow]:
    """Every calendar that was ever published, by slug, but for those that cannot be read."""
    rows = connection.execute(select(calendars).order_by(calendars.c.slug))
    return {
        row.slug: CalendarRow(row.slug, row.content, row.withdrawn, row.publish_id)
        for row in rows
        if row.content is not None
    }


def load_events(
    connection: Connection,
    *,
    uids: Sequence[str] | None = None,
    calendar_slugs: Sequence[str] | None = None,
) -> list[EventRow]:
    """Published events, all or some, by calendar and slug; those that can be read."""
    query = select(events).order_by(events.c.calendar, events.c.slug, events.c.uid)
    if calendar_slugs is not None:
        query = query.where(events.c.calendar.in_(calendar_slugs))
    if uids is None:
        parts = [query]
    else:
        # Databases limit how many parameters one statement has.
        parts = [
            query.where(events.c.uid.in_(uids[index : index + 500]))
            for index in range(0, len(uids), 500)
        ]
    found = []
    for part in parts:
        others = _load_renderings(connection, part)
        found += [
            _to_event(row, others.get(row.uid, {}))
            for row in connection.execute(part)
            if row.revision is not None and row.vevent is not None
        ]
    return _mark_waiting(connection, found)


def find_unreadable(connection: Connection, uids: Sequence[str]) -> set[str]:
    """Which of these are published events whose key is not there."""
    private = find_private(connection) if uids else ()
    if not private:
        return set()
    lost = ~readable(connection, events.c.revision) | ~readable(connection, events.c.vevent)
    mine = events.c.uid.in_(uids) & events.c.calendar.in_(private)
    return set(connection.scalars(select(events.c.uid).where(mine, lost)))


def _mark_waiting(connection: Connection, rows: list[EventRow]) -> list[EventRow]:
    waiting = {one.uid for one in load_waiting(connection)}
    uids = [row.uid for row in rows if row.uid in waiting]
    if not uids:
        return rows
    bases = {
        uid: Revision.model_validate_json(text)
        for uid, text in load_bases(connection, uids).items()
    }
    return [
        replace(row, waiting=True, base=bases.get(row.uid)) if row.uid in waiting else row
        for row in rows
    ]


def _load_renderings(connection: Connection, query: Any) -> dict[str, dict[Variant, bytes]]:
    """The further forms of the events that a query gives, by UID."""
    uids = query.with_only_columns(events.c.uid).order_by(None)
    found: dict[str, dict[Variant, bytes]] = {}
    for row in connection.execute(select(renderings).where(renderings.c.uid.in_(uids))):
        if row.vevent is not None:
            found.setdefault(row.uid, {})[Variant(row.language, row.marked)] = bytes(row.vevent)
    return found


def sizes_by_year(connection: Connection, calendar: str) -> list[tuple[int, int, int]]:
    """What a feed holds, by the year in which it is over: the year, the number of events, bytes."""
    query = (
        select(events.c.last_year, func.count(), func.sum(plain_size(events.c.vevent)))
        .where(events.c.calendar == calendar)
        .group_by(events.c.last_year)
    )
    return [(int(year), int(count), int(size)) for year, count, size in connection.execute(query)]


def save_events(connection: Connection, rows: Sequence[EventRow]) -> None:
    """Insert or replace events, in all their forms."""
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
    private = find_private(connection)
    owners = [(row.calendar,) for row in rows]
    values = seal_rows(connection, events, values, owners, private)
    connection.execute(upsert(connection, events), values)
    for index in range(0, len(rows), 500):
        uids = [row.uid for row in rows[index : index + 500]]
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
        slugs = {row.uid: (row.calendar,) for row in rows}
        owners = [slugs[str(one["uid"])] for one in others]
        sealed = seal_rows(connection, renderings, others, owners, private)
        connection.execute(renderings.insert(), sealed)


def forget_events(connection: Connection, uids: Sequence[str]) -> None:
    """Stop showing withdrawn events. Their revisions stay, so that SEQUENCE can go on."""
    connection.execute(delete(events).where(events.c.uid.in_(uids)))


def add_revisions(connection: Connection, rows: Iterable[RevisionRow], publish_id: int) -> None:
    """Add entries to the ledger, and note the categories that are new in them."""
    rows = list(rows)
    values = [
        {
            "uid": row.revision.event.uid,
            "sequence": row.revision.sequence,
            "calendar": row.revision.event.calendar,
            "kind": row.kind,
            "at": row.revision.modified,
            "revision": row.revision.model_dump_json(exclude_defaults=True),
            "publish_id": publish_id,
        }
        for row in rows
    ]
    private = find_private(connection)
    if values:
        owners = [(row.revision.event.calendar,) for row in rows]
        sealed = seal_rows(connection, revisions, values, owners, private)
        connection.execute(revisions.insert(), sealed)
    published = [row.revision.event for row in rows]
    found = {(event.calendar, name) for event in published for name in event.categories}
    if found:
        known = {(row.calendar, row.name) for row in connection.execute(select(categories))}
        new = [{"calendar": slug, "name": name} for slug, name in sorted(found - known)]
        if new:
            owners = [(one["calendar"],) for one in new]
            sealed = seal_rows(connection, categories, new, owners, private)
            connection.execute(categories.insert(), sealed)


def load_categories(connection: Connection) -> dict[str, frozenset[str]]:
    """The categories that events of each calendar ever had, by the calendar's slug."""
    found: dict[str, set[str]] = {}
    for calendar, name in connection.execute(select(categories)):
        if name is not None:
            found.setdefault(calendar, set()).add(name)
    return {calendar: frozenset(names) for calendar, names in found.items()}


def load_newest(
    connection: Connection, uids: Sequence[str], *, changed: bool = False
) -> dict[str, ComparableRevision]:
    """The newest ledger entry of each of these UIDs that has one, at its wall times.

    With `changed` the newest that changed something: a restore adds some that do not.
    """
    newest = select(revisions.c.uid, func.max(revisions.c.sequence).label("sequence")).group_by(
        revisions.c.uid
    )
    if changed:
        newest = newest.where(revisions.c.kind.in_([*Kind]))
    found: dict[str, ComparableRevision] = {}
    for index in range(0, len(uids), 500):
        part = newest.where(revisions.c.uid.in_(uids[index : index + 500])).subquery()
        query = select(revisions.c.uid, revisions.c.revision).join(
            part, (part.c.uid == revisions.c.uid) & (part.c.sequence == revisions.c.sequence)
        )
        rows = list(connection.execute(query))
        lost = [row.uid for row in rows if row.revision is None]
        if lost:
            # What is shown may be readable where the ledger is not.
            shown = select(events.c.uid, events.c.revision).where(events.c.uid.in_(lost))
            rows += connection.execute(shown)
        found |= {
            row.uid: read_comparable(row.revision) for row in rows if row.revision is not None
        }
    return found


def load_lost_sequences(connection: Connection, uids: Sequence[str]) -> dict[str, int]:
    """The last SEQUENCE of each of these UIDs that has ledger entries, which cannot be read."""
    if not find_private(connection):
        return {}
    newest = select(revisions.c.uid, func.max(revisions.c.sequence)).group_by(revisions.c.uid)
    found: dict[str, int] = {}
    for index in range(0, len(uids), 500):
        part = newest.where(revisions.c.uid.in_(uids[index : index + 500]))
        found |= {uid: int(sequence) for uid, sequence in connection.execute(part)}
    return found


def _to_event(row: Any, others: Mapping[Variant, bytes]) -> EventRow:
    return EventRow(
        uid=row.uid,
        calendar=row.calendar,
        slug=row.slug,
        fingerprint=row.fingerprint,
        renderer=row.renderer,
        revision=Revision.model_validate_json(row.revision),
        vevents={PLAIN: bytes(row.vevent), **others},
        last_year=row.last_year,
        withdrawn_at=row.withdrawn_at,
    )
