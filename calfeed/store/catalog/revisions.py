"""The ledger: every revision of each event, and the categories that events ever had."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, func, select, tuple_

from calfeed.ical.comparison.changes import Kind
from calfeed.model.revision import ComparableRevision, Revision, read_comparable
from calfeed.store.bulk_parameters import batches
from calfeed.store.catalog.event_names import add_event_names
from calfeed.store.rows import RevisionRow
from calfeed.store.secrets.private import load_private_slugs, seal_rows
from calfeed.store.tables import categories, events, revisions

RENDERED = "rendered"
"""The kind of a revision that only renders the event to other bytes."""


def add_revisions(connection: Connection, rows: Iterable[RevisionRow], publish_id: int) -> None:
    """Add revisions to the ledger, and record their names and new categories."""
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
    private = load_private_slugs(connection)
    if values:
        owners = [(row.revision.event.calendar,) for row in rows]
        sealed = seal_rows(connection, revisions, values, owners, private)
        connection.execute(revisions.insert(), sealed)
    published = [row.revision.event for row in rows]
    add_event_names(connection, published, private)
    used = {(event.calendar, name) for event in published for name in event.categories}
    if used:
        known = {(row.calendar, row.name) for row in connection.execute(select(categories))}
        new = [{"calendar": slug, "name": name} for slug, name in sorted(used - known)]
        if new:
            owners = [(row["calendar"],) for row in new]
            sealed = seal_rows(connection, categories, new, owners, private)
            connection.execute(categories.insert(), sealed)


def load_categories(connection: Connection) -> dict[str, frozenset[str]]:
    """Load the categories that events of each calendar ever had, by the calendar's slug."""
    names_of: dict[str, set[str]] = {}
    for calendar, name in connection.execute(select(categories)):
        if name is not None:
            names_of.setdefault(calendar, set()).add(name)
    return {calendar: frozenset(names) for calendar, names in names_of.items()}


def load_newest_revisions(
    connection: Connection, uids: Sequence[str], *, changed: bool = False
) -> dict[str, ComparableRevision]:
    """Load the newest revision of each UID in the ledger, with its published wall times.

    With `changed`, return the newest revision that changed something; a restore adds revisions that
    change nothing.
    """
    newest = select(revisions.c.uid, func.max(revisions.c.sequence).label("sequence")).group_by(
        revisions.c.uid
    )
    if changed:
        newest = newest.where(revisions.c.kind.in_([*Kind]))
    loaded: dict[str, ComparableRevision] = {}
    for batch in batches(uids):
        part = newest.where(revisions.c.uid.in_(batch)).subquery()
        query = select(revisions.c.uid, revisions.c.revision).join(
            part, (part.c.uid == revisions.c.uid) & (part.c.sequence == revisions.c.sequence)
        )
        rows = list(connection.execute(query))
        if unreadable := [row.uid for row in rows if row.revision is None]:
            # The published event may still be readable.
            query = select(events.c.uid, events.c.revision).where(events.c.uid.in_(unreadable))
            rows += connection.execute(query)
        loaded |= {
            row.uid: read_comparable(row.revision) for row in rows if row.revision is not None
        }
    return loaded


def load_revisions(
    connection: Connection, names: Iterable[tuple[str, int]]
) -> dict[tuple[str, int], Revision]:
    """Load revisions by UID and SEQUENCE, without those that are missing or unreadable."""
    columns = (revisions.c.uid, revisions.c.sequence)
    loaded: dict[tuple[str, int], Revision] = {}
    for batch in batches(list(names)):
        query = select(*columns, revisions.c.revision).where(tuple_(*columns).in_(batch))
        loaded |= {
            (row.uid, row.sequence): Revision.model_validate_json(row.revision)
            for row in connection.execute(query)
            if row.revision is not None
        }
    return loaded


def load_newest_sequences(connection: Connection, uids: Sequence[str]) -> dict[str, int]:
    """Load the last SEQUENCE of each UID, for revisions whose key is missing."""
    if not load_private_slugs(connection):
        return {}
    newest = select(revisions.c.uid, func.max(revisions.c.sequence)).group_by(revisions.c.uid)
    sequences: dict[str, int] = {}
    for batch in batches(uids):
        rows = connection.execute(newest.where(revisions.c.uid.in_(batch)))
        sequences |= {uid: int(sequence) for uid, sequence in rows}
    return sequences
